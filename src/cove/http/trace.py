"""Every request on the wire becomes an event."""

from time import perf_counter

from cove.errors import CoveError
from cove.http.bodies import Watched
from cove.http.messages import Request, Response, Send
from cove.model.event import Listener, RequestDone


class Trace:
    """The innermost layer: tells the listener of each request once its body was read or closed, or once it failed."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def __call__(self, request: Request, send: Send) -> Response:
        """Send, and report when it is over."""
        began = perf_counter()

        def report(status: int, received: int) -> None:
            self._listener(
                RequestDone(
                    method=request.method,
                    url=request.url.public,
                    index=request.index.label if request.index is not None else "",
                    status=status,
                    seconds=perf_counter() - began,
                    received=received,
                    credential=str(request.credential.origin) if request.credential is not None else "",
                )
            )

        try:
            response = send(request)
        except CoveError:
            report(0, 0)
            raise
        response.body = Watched(response.body, lambda received: report(response.status, received))
        return response
