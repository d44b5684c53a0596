"""``--offline``: nothing passes."""

from cove.errors import OfflineError
from cove.http.messages import Request, Response, Send

_HINT = "run the command once without --offline, so that the cache has it"


class Offline:
    """Refuses every request that would need the network."""

    def __call__(self, request: Request, send: Send) -> Response:  # noqa: ARG002 - the shape of a layer
        """Raise ``OfflineError``."""
        who = f" from {request.index.label}" if request.index is not None else ""
        what = f"{request.url.without_credentials()} is needed{who}"
        raise OfflineError(f"{what}, and the network is switched off", hints=(_HINT,))


def lacking(what: str, *causes: str) -> OfflineError:
    """The error for ``what`` somebody was refused, who knows better than a URL tells it."""
    return OfflineError(f"{what} is not in the cache, and the network is switched off", causes=causes, hints=(_HINT,))
