"""Azure Artifacts (Azure DevOps Services, and Azure DevOps Server under a host of one's own)."""

import re

from cove.model.url import Url
from cove.registries.registry import Registry, replace_path

_FEED = re.compile(r"(/.*_packaging/[^/]+/pypi/)simple/?")


def _recognise(url: Url) -> bool:
    return _FEED.fullmatch(url.path) is not None


def is_azure_devops(url: Url) -> bool:
    """Whether ``url`` is on a host of Azure DevOps Services, which takes its tokens; a server of one's own may be anywhere."""
    return url.host == "pkgs.dev.azure.com" or url.host.endswith(".pkgs.visualstudio.com")


def _publish_url(index_url: Url) -> Url | None:
    match = _FEED.fullmatch(index_url.path)
    return replace_path(index_url, match[1] + "upload/") if match else None


AZURE = Registry(
    "azure",
    "Azure Artifacts",
    _recognise,
    username="VssSessionToken",
    publish_url=_publish_url,
    login=(
        (
            "cove fetches the token by itself where az or `cove[azure]` is logged in (`az login`) and in pipelines that map "
            "$(System.AccessToken) to SYSTEM_ACCESSTOKEN; otherwise the password is a personal access token with the scope "
            "Packaging (read), the user name any"
        ),
    ),
    # The pages name files by the feed's GUID, so no file lies below the index's URL.
    shares_realm=True,
    duplicates=((409, "already contains file"),),
    notes=(
        (
            401,
            "on a public feed, Azure Artifacts answers 401 for packages that an upstream has and the feed has not saved yet",
        ),
        (405, "uploads go to …/pypi/upload/, not to …/pypi/simple/"),
    ),
)
