from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from cove.errors import IndexUnreachable
from cove.http.bodies import Whole
from cove.http.failures import CertificateRefused
from cove.http.messages import Headers, Request, Response
from cove.http.retry import Retry, is_passing
from cove.model.url import Url

URL = Url.parse("https://example.com/simple/foo/")
Step = int | Exception | tuple[int, dict[str, str]]


class Scripted:
    """Answers in order; counts."""

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.seen: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.seen.append(request)
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        status, headers = step if isinstance(step, tuple) else (step, {})
        return Response(status, Headers(headers), request.url, Whole(b""))


def retrying(waits: list[float], retries: int = 3, chance: Callable[[], float] = lambda: 0.0) -> Retry:
    return Retry(retries, sleep=waits.append, chance=chance)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_passing_trouble_is_waited_for(status: int) -> None:
    waits: list[float] = []
    script = Scripted(status, status, 200)
    assert retrying(waits)(Request("GET", URL), script).status == 200
    assert waits == [0.5, 1.0]


@pytest.mark.parametrize("status", [200, 304, 400, 401, 403, 404, 501, 505])
def test_lasting_answers_are_given_at_once(status: int) -> None:
    waits: list[float] = []
    assert retrying(waits)(Request("GET", URL), Scripted(status)).status == status
    assert waits == []
    assert not is_passing(status)


def test_the_last_answer_is_given_when_nothing_helps() -> None:
    waits: list[float] = []
    script = Scripted(503, 503, 503, 503)
    assert retrying(waits)(Request("GET", URL), script).status == 503
    assert len(waits) == 3


def test_a_failure_that_lasts_says_how_often_it_was_tried() -> None:
    script = Scripted(*(IndexUnreachable("example.com cannot be reached") for _ in range(4)))
    with pytest.raises(IndexUnreachable, match="tried 4 times"):
        retrying([])(Request("GET", URL), script)
    assert len(script.seen) == 4


def test_certificates_do_not_get_better() -> None:
    script = Scripted(CertificateRefused("no"))
    with pytest.raises(CertificateRefused):
        retrying([])(Request("GET", URL), script)
    assert len(script.seen) == 1


@pytest.mark.parametrize("value, wait", [("7", 7.0), ("100000", 30.0), ("nonsense", 0.5), ("-3", 0.5)])
def test_retry_after_is_honoured_with_a_cap(value: str, wait: float) -> None:
    waits: list[float] = []
    retrying(waits)(Request("GET", URL), Scripted((429, {"Retry-After": value}), 200))
    assert waits == [wait]


def test_retry_after_may_be_a_date() -> None:
    waits: list[float] = []
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    retrying(waits)(Request("GET", URL), Scripted((503, {"Retry-After": date}), 200))
    assert 15 < waits[0] <= 20


def test_waits_vary_and_are_bounded() -> None:
    waits: list[float] = []
    Retry(12, sleep=waits.append, chance=lambda: 1.0)(Request("GET", URL), Scripted(*[503] * 13))
    assert waits[0] == 1.0
    assert max(waits) == 30.0


def test_an_upload_is_repeated_and_a_bare_post_is_not() -> None:
    upload = Request("POST", URL, body=lambda: iter((b"x",)), content_length=1)
    assert retrying([])(upload, Scripted(503, 200)).status == 200
    assert retrying([])(Request("POST", URL), Scripted(503)).status == 503


def test_each_attempt_has_headers_of_its_own() -> None:
    script = Scripted(503, 200)
    request = Request("GET", URL, {"Accept": "x"})

    def send(attempt: Request) -> Response:
        attempt.headers["Mark"] = str(len(script.seen))
        return script(attempt)

    retrying([])(request, send)
    assert "Mark" not in script.seen[0].headers or script.seen[0].headers["Mark"] == "0"
    assert script.seen[1].headers["Mark"] == "1"


def test_a_server_that_asks_for_no_wait_is_asked_again_at_once() -> None:
    waits: list[float] = []
    retrying(waits)(Request("GET", URL), Scripted((429, {"Retry-After": "0"}), 200))
    assert waits == [0.0]
