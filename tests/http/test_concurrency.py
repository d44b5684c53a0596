from threading import Barrier, Thread

import pytest

from cove.errors import IndexUnreachable
from cove.http.bodies import Whole
from cove.http.concurrency import Concurrency
from cove.http.messages import Headers, Request, Response
from cove.model.index import Index
from cove.model.url import Url

URL = Url.parse("https://example.com/")


def answer(request: Request) -> Response:
    return Response(200, Headers(), request.url, Whole(b"x"))


def test_a_place_is_free_again_when_a_body_is_read_closed_or_never_came() -> None:
    layer, request = Concurrency(), Request("GET", URL, index=Index(URL, name="corp", concurrency=1))

    def fail(_: Request) -> Response:
        raise IndexUnreachable("corp cannot be reached")

    assert layer(request, answer).body.read() == b"x"
    layer(request, answer).body.close()
    with pytest.raises(IndexUnreachable):
        layer(request, fail)
    assert list(layer(request, answer).body.chunks()) == [b"x"]


def test_indexes_and_requests_of_none_do_not_wait_for_each_other() -> None:
    layer, meeting = Concurrency(), Barrier(3, timeout=5)
    indexes = (Index(URL, name="one", concurrency=1), Index(URL, name="two", concurrency=1), None)

    def meet(request: Request) -> Response:
        meeting.wait()
        return answer(request)

    threads = [Thread(target=layer, args=(Request("GET", URL, index=index), meet)) for index in indexes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert not meeting.broken
