from base64 import b64encode

import pytest

from cove.http.client import Client
from cove.http.messages import Request
from cove.model.event import Event, Noted, RequestDone
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from support.replies import Answer, Replies

URL = "https://packages.example.com/simple/foo/"
CREDENTIAL = Credential("ada", Secret("c4n4ry p"), Origin("flag", "--password"))


def basic(pair: str) -> str:
    return "Basic " + b64encode(pair.encode()).decode()


def told(request: Request, answer: Answer, *, headers: bool = True) -> list[str]:
    events: list[Event] = []
    client = Client(Replies({URL: answer}), (), events.append, headers=headers)
    client.send(request).body.read()
    assert isinstance(events[0], RequestDone)
    noted = [event for event in events[1:] if isinstance(event, Noted)]
    assert {event.level for event in noted} <= {2}
    return [event.message.strip() for event in noted]


def test_headers_are_told_where_they_are_wanted() -> None:
    request = Request("GET", Url(URL), {"Accept": "text/html", "X-Own": "c4n4ry"})
    lines = told(request, Answer(headers={"ETag": '"1"', "Set-Cookie": "c4n4ry"}))
    assert lines == [
        "> accept: text/html",
        "> x-own: ****",
        "< content-type: text/html",
        '< etag: "1"',
        "< set-cookie: ****",
    ]
    assert told(request, Answer(), headers=False) == []


@pytest.mark.parametrize(
    "location, shown",
    [
        ("/other/?X-Amz-Signature=c4n4ry", "https://packages.example.com/other/?****"),
        ("https://c4n4ry:c4n4ry@example.org/x", "https://****@example.org/x"),
        ("https://[c4n4ry", "****"),
    ],
)
def test_a_redirect_may_hold_keys(location: str, shown: str) -> None:
    lines = told(Request("GET", Url(URL)), Answer(302, content_type=None, headers={"Location": location}))
    assert lines == [f"< location: {shown}"]


@pytest.mark.parametrize("pair", ["ada:c4n4ry p", "c4n4ry:", "c4n4ry:x-oauth-basic", ":c4n4ry"])
@pytest.mark.parametrize("is_known", [True, False])
def test_what_a_server_repeats_is_not_told(pair: str, is_known: bool) -> None:
    username, _, password = pair.partition(":")
    sent = Credential(username, Secret(password), CREDENTIAL.origin) if is_known else None
    request = Request("GET", Url(URL), {"Authorization": basic(pair)}, credential=sent)
    repeats = {"WWW-Authenticate": f'Basic realm="{pair}"', "Server": basic(pair), "ETag": "c4n4ry%20p c4n4ry"}
    lines = told(request, Answer(401, headers=repeats))
    assert len(lines) == 5
    assert not [line for line in lines if "c4n4ry" in line and pair != "ada:c4n4ry p"]
    assert not [line for line in lines if "c4n4ry p" in line or "c4n4ry%20p" in line or basic(pair)[6:] in line]
    assert "> authorization: ****" in lines


def test_a_bearer_token_is_not_told() -> None:
    request = Request("GET", Url(URL), {"authorization": "Bearer c4n4ry"})
    assert "c4n4ry" not in "".join(told(request, Answer(headers={"WWW-Authenticate": 'Bearer error="c4n4ry"'})))
