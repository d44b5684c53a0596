"""JFrog Artifactory, in the cloud or under a host of one's own."""

import re

from cove.model.url import Url
from cove.registries.registry import Registry, without_simple

_REPOSITORY = re.compile(r"(?:/.*)?/api/pypi/[^/]+(?:/simple)?/?")


def _recognise(url: Url) -> bool:
    return _REPOSITORY.fullmatch(url.path) is not None


def _publish_url(index_url: Url) -> Url | None:
    return without_simple(index_url, ending="")


ARTIFACTORY = Registry(
    "artifactory",
    "JFrog Artifactory",
    _recognise,
    publish_url=_publish_url,
    login=(
        (
            "Artifactory takes your user name and an identity token as password; "
            "an access token also works with an empty user name"
        ),
    ),
    duplicates=((403, "overwrite artifact"), (403, "overwrite all artifacts"), (409, "")),
    notes=(
        (404, "Artifactory may hide what you have no right to read behind 404"),
        (403, "Artifactory answers 403 to an upload that would overwrite a file without the permission to delete"),
    ),
)
