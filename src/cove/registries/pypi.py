"""The public index."""

from cove.model.index import DEFAULT_INDEX_URL, DEFAULT_PUBLISH_URL
from cove.model.url import Url
from cove.registries.registry import Registry

_HOSTS = frozenset({Url.parse(DEFAULT_INDEX_URL).host, Url.parse(DEFAULT_PUBLISH_URL).host})


def _recognise(url: Url) -> bool:
    return url.host in _HOSTS


def _publish_url(index_url: Url) -> Url | None:  # noqa: ARG001 - there is only one
    return Url.parse(DEFAULT_PUBLISH_URL)


PYPI = Registry(
    "pypi",
    "the public index",
    _recognise,
    username="__token__",
    publish_url=_publish_url,
    login=("uploads take the user name __token__ and an API token as password",),
    duplicates=((400, "file already exists"), (400, "filename has already been used")),
    notes=((403, "the public index answers 403 to a missing or wrong token, never 401"),),
)
