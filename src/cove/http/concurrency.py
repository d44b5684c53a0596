"""Not more requests at a time than an index can bear (its setting ``concurrency``)."""

from threading import Lock, Semaphore

from cove.http.bodies import Watched
from cove.http.messages import Request, Response, Send
from cove.model.index import Index
from cove.model.url import Url


class Concurrency:
    """Has a request wait while as many as its index allows are under way; one is over when its body was read or closed.

    Stands below whatever sends a second request for a first one, each of which closes the first answer before.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._places: dict[tuple[str, Url], Semaphore] = {}

    def __call__(self, request: Request, send: Send) -> Response:
        """Send when there is a place."""
        if request.index is None or request.index.concurrency is None:
            return send(request)
        places = self._of(request.index, request.index.concurrency)
        places.acquire()
        try:
            response = send(request)
        except BaseException:
            places.release()
            raise
        response.body = Watched(response.body, lambda _: places.release())
        return response

    def _of(self, index: Index, most: int) -> Semaphore:
        with self._lock:
            return self._places.setdefault((index.name, index.url), Semaphore(most))
