"""devpi."""

from cove.model.url import Url
from cove.registries.registry import Registry, without_simple


def _recognise(url: Url) -> bool:
    return url.path.rstrip("/").endswith("/+simple")


def _publish_url(index_url: Url) -> Url | None:
    return without_simple(index_url, segment="+simple")


DEVPI = Registry(
    "devpi",
    "devpi",
    _recognise,
    publish_url=_publish_url,
    login=("devpi takes your user name and password, or the token that `devpi login` gets as password",),
    duplicates=((409, ""),),
)
