"""Google Artifact Registry."""

import re

from cove.model.url import Url
from cove.registries.registry import Registry, replace_path

_REPOSITORY = re.compile(r"(/[^/]+/[^/]+)(?:/simple)?/?")


_HOST = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*-(?:python|pypi)\.pkg\.dev")


def is_google(url: Url) -> bool:
    """Whether ``url`` is on a host of Google Artifact Registry for Python."""
    return _HOST.fullmatch(url.host) is not None


def _publish_url(index_url: Url) -> Url | None:
    match = _REPOSITORY.fullmatch(index_url.path)
    return replace_path(index_url, match[1] + "/") if match else None


GOOGLE = Registry(
    "google",
    "Google Artifact Registry",
    is_google,
    username="oauth2accesstoken",
    publish_url=_publish_url,
    login=(
        (
            "cove fetches the token by itself where gcloud or `cove[google]` is logged in (`gcloud auth login`, "
            "`gcloud auth application-default login`); otherwise the user name is oauth2accesstoken and the password the "
            "output of `gcloud auth application-default print-access-token`"
        ),
    ),
    # A file's address redirects to another path of the same host.
    shares_realm=True,
    duplicates=((400, "already exists"),),
    notes=((404, "the URL of a Google Artifact Registry index ends in /<project>/<repository>/simple/"),),
)
