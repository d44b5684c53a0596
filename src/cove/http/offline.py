"""``--offline``: nothing passes."""

from cove.errors import OfflineError
from cove.http.messages import Request, Response, Send


class Offline:
    """Refuses every request that would need the network."""

    def __call__(self, request: Request, send: Send) -> Response:  # noqa: ARG002 - the shape of a layer
        """Raise ``OfflineError``."""
        who = f" from {request.index.label}" if request.index is not None else ""
        raise OfflineError(
            f"{request.url.without_credentials()} is needed{who}, and the network is switched off",
            hints=("run the command once without --offline, so that the cache has it",),
        )
