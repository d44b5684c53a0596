import pytest

from cove.errors import IndexUnreachable, OfflineError
from cove.http.client import Client, standard_client
from cove.http.messages import Request, Response, Send
from cove.http.transport import Transport
from cove.model.event import Event, RequestDone
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from support.scripted_server import Received, Reply, serving


def test_layers_stand_in_the_order_given() -> None:
    seen: list[str] = []

    class Mark:
        def __init__(self, name: str) -> None:
            self.name = name

        def __call__(self, request: Request, send: Send) -> Response:
            seen.append(self.name)
            return send(request)

    with serving(lambda _: Reply()) as server, Client(Transport(), [Mark("a"), Mark("b")]) as client:
        client.get(Url.parse(server.url))
    assert seen == ["a", "b"]


def test_every_request_on_the_wire_is_an_event_without_secrets() -> None:
    def script(received: Received) -> Reply:
        return Reply(302, b"", {"Location": "/b"}) if received.path == "/a" else Reply(200, b"12345")

    events: list[Event] = []
    with serving(script) as server, standard_client(Transport(), listener=events.append) as client:
        index = Index(Url.parse(f"{server.url}/".replace("://", "://ada:canary@")), name="corp")
        request = Request("GET", Url.parse(f"{server.url}/a".replace("://", "://ada:canary@")), index=index)
        request.credential = Credential("ada", Secret("canary"), Origin("variable", "V"))
        assert client.send(request).body.read() == b"12345"
    done = [event for event in events if isinstance(event, RequestDone)]
    assert [(one.url, one.status, one.received, one.index, one.credential) for one in done] == [
        (f"{server.url}/a", 302, 0, "corp", "$V"),
        (f"{server.url}/b", 200, 5, "corp", "$V"),
    ]
    assert all(one.seconds > 0 for one in done)
    assert "canary" not in f"{events}{request}{client}"


def test_failed_requests_are_events_too() -> None:
    events: list[Event] = []
    with standard_client(Transport(), retries=0, listener=events.append) as client, pytest.raises(IndexUnreachable):
        client.get(Url.parse("http://127.0.0.1:1/"))
    assert [event.status for event in events if isinstance(event, RequestDone)] == [0]


def test_a_closed_body_counts_once() -> None:
    events: list[Event] = []
    with serving(lambda _: Reply(200, b"x")) as server, Client(Transport(), listener=events.append) as client:
        response = client.get(Url.parse(server.url))
        assert events == []
        response.body.close()
        response.body.close()
    assert len(events) == 1


def test_offline_sends_nothing() -> None:
    with serving(lambda _: Reply()) as server:
        with standard_client(Transport(), offline=True) as client, pytest.raises(OfflineError) as caught:
            client.get(Url.parse(server.url.replace("://", "://ada:canary@")))
        assert server.log == []
    assert "canary" not in str(caught.value)
