import pytest

from cove.errors import InvalidResponse
from cove.http.client import Client
from cove.http.messages import Request
from cove.http.redirects import Redirects, allows
from cove.http.transport import Transport
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from support.scripted_server import Received, Reply, ScriptedServer, serving


def following() -> Client:
    return Client(Transport(), [Redirects()])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_relative_locations_are_followed_to_the_final_url(status: int) -> None:
    def script(received: Received) -> Reply:
        return Reply(status, b"", {"Location": "../b/?q=1"}) if received.path == "/a/" else Reply(200, b"there")

    with serving(script) as server, following() as client:
        response = client.get(Url.parse(f"{server.url}/a/#frag"))
        assert response.body.read() == b"there"
        assert response.url.public == f"{server.url}/b/?q=1#frag"


def test_private_headers_stay_on_their_realm() -> None:
    with serving(lambda _: Reply(200, b"mine")) as other:
        here = Reply(302, b"", {"Location": other.url.replace("127.0.0.1", "localhost") + "/x"})
        with serving(lambda _: here) as server, following() as client:
            credential = Credential("ada", Secret("canary"), Origin("flag"))
            headers = {"Authorization": "Basic canary", "Cookie": "a=b", "Accept": "text/html"}
            request = Request("GET", Url.parse(server.url), headers, credential=credential)
            response = client.send(request)
            assert server.log[0].headers["authorization"] == "Basic canary"
            assert other.log[0].headers["accept"] == "text/html"
            assert not {"authorization", "cookie"} & other.log[0].headers.keys()
            assert response.credential is None


def test_loops_end() -> None:
    with serving(lambda _: Reply(302, b"", {"Location": "/"})) as server, following() as client:
        with pytest.raises(InvalidResponse, match="more than 10 times"):
            client.get(Url.parse(server.url))
        assert len(server.log) == 11


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://example.com/x", "http://[::1", "", "http://a:b/c@d:99999/"]
)
def test_unusable_locations_are_errors(location: str) -> None:
    with serving(lambda _: Reply(302, b"", {"Location": location})) as server, following() as client:
        with pytest.raises(InvalidResponse):
            client.get(Url.parse(server.url))
        assert len(server.log) == 1


def test_secrets_in_a_location_are_not_quoted() -> None:
    reply = Reply(302, b"", {"Location": "ftp://ada:canary@example.com/"})
    with serving(lambda _: reply) as server, following() as client, pytest.raises(InvalidResponse) as caught:
        client.get(Url.parse(server.url))
    assert "canary" not in f"{caught.value}{caught.value!r}"


@pytest.mark.parametrize(
    "index, is_page, followed",
    [
        ({}, False, True),
        ({}, True, False),
        ({"default": True}, True, True),
        ({"allow_redirects_to": ("any",)}, True, True),
        ({"format": "flat", "name": ""}, True, True),
        ({"format": "flat"}, True, False),
    ],
)
def test_a_page_is_not_for_others_to_answer(index: dict[str, object], *, is_page: bool, followed: bool) -> None:
    with serving(lambda _: Reply(200, b"theirs")) as other:
        here = Reply(302, b"", {"Location": other.url})
        with serving(lambda _: here) as server, following() as client:
            url = Url.parse(server.url)
            corp = Index(url, **({"name": "corp"} | index))  # type: ignore[arg-type]
            response = client.get(url, index=corp, is_page=is_page)
            assert (response.status, len(other.log)) == ((200, 1) if followed else (302, 0))


@pytest.mark.parametrize(
    "origins, url, allowed",
    [
        ((), "https://example.com/a", True),
        ((), "https://example.com:444/a", False),
        ((), "http://example.com/a", False),
        (("https://example.org",), "https://example.org:443/a", True),
        (("https://example.org",), "https://sub.example.org/a", False),
        (("https://example.org:8443",), "https://example.org/a", False),
        (("any",), "http://anything.example/", True),
    ],
)
def test_where_an_index_may_send_us(origins: tuple[str, ...], url: str, *, allowed: bool) -> None:
    index = Index(Url.parse("https://example.com/simple"), allow_redirects_to=origins)
    assert allows(index, Url.parse(url)) is allowed


def _upload(server: ScriptedServer, client: Client) -> int:
    request = Request("POST", Url.parse(f"{server.url}/a"), body=lambda: iter((b"content",)), content_length=7)
    return client.send(request).status


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_an_upload_is_sent_again_as_it_was_on_the_same_realm(status: int) -> None:
    def script(received: Received) -> Reply:
        return Reply(status, b"", {"Location": "/b"}) if received.path == "/a" else Reply(200)

    with serving(script) as server, following() as client:
        assert _upload(server, client) == 200
        assert [(seen.method, seen.body) for seen in server.log] == [("POST", b"content")] * 2


def test_an_upload_does_not_go_to_another_realm() -> None:
    with serving(lambda _: Reply(200)) as other:
        reply = Reply(307, b"", {"Location": other.url})
        with serving(lambda _: reply) as server, following() as client:
            assert _upload(server, client) == 307
            assert other.log == []
