"""Google Artifact Registry."""

import re

from cove.model.url import Url
from cove.registries.registry import Registry, replace_path

_REPOSITORY = re.compile(r"(/[^/]+/[^/]+)(?:/simple)?/?")


def _recognise(url: Url) -> bool:
    return url.host.endswith(("-python.pkg.dev", "-pypi.pkg.dev"))


def _publish_url(index_url: Url) -> Url | None:
    match = _REPOSITORY.fullmatch(index_url.path)
    return replace_path(index_url, match[1] + "/") if match else None


GOOGLE = Registry(
    "google",
    "Google Artifact Registry",
    _recognise,
    username="oauth2accesstoken",
    publish_url=_publish_url,
    login=(
        (
            "Google Artifact Registry takes the user name oauth2accesstoken and the output of "
            "`gcloud auth application-default print-access-token` as password; a token is valid for an hour"
        ),
    ),
    # A file's address redirects to another path of the same host.
    shares_realm=True,
    duplicates=((400, "already exists"),),
    notes=((404, "the URL of a Google Artifact Registry index ends in /<project>/<repository>/simple/"),),
)
