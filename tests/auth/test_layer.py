from base64 import b64encode
from collections.abc import Mapping

import pytest

from cove.auth.chain import CredentialChain
from cove.auth.layer import Auth, authorization
from cove.auth.providers import ProviderOptions, make_providers
from cove.errors import ConfigurationError, CredentialsMissing, CredentialsRefused
from cove.http.client import Client, standard_client
from cove.http.messages import Request
from cove.http.status import error_for
from cove.http.transport import Transport
from cove.model.event import Event
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from support.scripted_server import Reply, serving

ENVIRON = {"UV_INDEX_CORP_USERNAME": "ada", "UV_INDEX_CORP_PASSWORD": "canary"}
BASIC = "Basic " + b64encode(b"ada:canary").decode()


def client(*indexes: Index, environ: Mapping[str, str] = ENVIRON, events: list[Event] | None = None) -> Client:
    chain = CredentialChain(indexes, make_providers(ProviderOptions(indexes=indexes, environ=environ)))
    listener = (events if events is not None else []).append
    return standard_client(Transport(), auth=Auth(chain), retries=0, listener=listener)


def test_credentials_go_with_the_first_request() -> None:
    events: list[Event] = []
    with serving(lambda _: Reply(200)) as server:
        corp = Index(Url.parse(f"{server.url}/simple"), name="corp")
        with client(corp, events=events) as http:
            response = http.get(corp.url.child("foo"), index=corp)
            response.body.read()
        assert [seen.headers.get("authorization") for seen in server.log] == [BASIC]
        assert response.credential is not None
        assert str(response.credential.origin) == "$UV_INDEX_CORP_PASSWORD"
        assert "canary" not in repr(events)
        assert "$UV_INDEX_CORP_PASSWORD" in repr(events)
        assert BASIC not in repr(events)


def test_a_refusal_names_where_the_credential_came_from() -> None:
    with serving(lambda _: Reply(401)) as server:
        corp = Index(Url.parse(f"{server.url}/simple"), name="corp")
        with client(corp) as http:
            error = error_for(http.get(corp.url, index=corp), subject="foo", index=corp)
        assert isinstance(error, CredentialsRefused)
        assert "$UV_INDEX_CORP_PASSWORD" in error.message
        assert len(server.log) == 1


def test_a_redirect_to_another_origin_carries_nothing() -> None:
    with serving(lambda _: Reply(200, b"file")) as other:
        place = other.url.replace("127.0.0.1", "localhost") + "/files/foo.whl"
        with serving(lambda _: Reply(302, b"", {"Location": place})) as server:
            corp = Index(Url.parse(f"{server.url}/simple".replace("://", "://ada:canary@")), name="corp")
            with client(corp) as http:
                response = http.get(corp.url.child("foo"), index=corp)
            assert server.log[0].headers["authorization"] == BASIC
            assert "authorization" not in other.log[0].headers
            assert response.credential is None


def test_a_redirect_out_of_the_root_carries_nothing_and_within_it_does() -> None:
    places = {"/a/simple/foo/": "/b/files", "/a/simple/bar/": "/a/files"}
    script = {path: Reply(302, b"", {"Location": place}) for path, place in places.items()}
    with serving(lambda received: script.get(received.path, Reply(200))) as server:
        corp = Index(Url.parse(f"{server.url}/a/simple".replace("://", "://ada:canary@")), name="corp")
        with client(corp, environ={}) as http:
            http.get(corp.url.child("foo"), index=corp)
            http.get(corp.url.child("bar"), index=corp)
        assert [(seen.path, "authorization" in seen.headers) for seen in server.log] == [
            ("/a/simple/foo/", True),
            ("/b/files", False),
            ("/a/simple/bar/", True),
            ("/a/files", True),
        ]


@pytest.mark.parametrize("allowed", ["any", "that", "another", ""])
def test_user_info_in_a_location_is_for_that_origin_where_it_is_allowed(allowed: str) -> None:
    with serving(lambda _: Reply(200)) as other:
        place = other.url.replace("127.0.0.1", "x:y@localhost")
        with serving(lambda _: Reply(302, b"", {"Location": place})) as server:
            origins = {"any": "any", "that": other.url.replace("127.0.0.1", "localhost"), "another": other.url}
            allow = (origins[allowed],) if allowed else ()
            corp = Index(Url.parse(f"{server.url}/simple"), name="corp", allow_redirects_to=allow)
            with client(corp) as http:
                assert http.get(corp.url, index=corp).status == 200
            expected = "Basic " + b64encode(b"x:y").decode() if allowed in ("any", "that") else None
            assert other.log[0].headers.get("authorization") == expected


def test_an_index_that_demands_credentials_is_not_asked_without() -> None:
    with serving(lambda _: Reply(200)) as server:
        corp = Index(Url.parse(f"{server.url}/simple"), name="corp", authenticate="always")
        with (
            client(corp, environ={"UV_INDEX_CORP_USERNAME": "ada"}) as http,
            pytest.raises(CredentialsMissing) as caught,
        ):
            http.get(corp.url, index=corp)
        assert server.log == []
        assert "$UV_INDEX_CORP_PASSWORD" in caught.value.hints[0]


def test_a_lone_user_name_is_not_sent() -> None:
    with serving(lambda _: Reply(401)) as server:
        corp = Index(Url.parse(f"{server.url}/simple".replace("://", "://ada@")), name="corp")
        with client(corp, environ={}) as http:
            http.get(corp.url, index=corp)
        assert ["authorization" in seen.headers for seen in server.log] == [False]


def test_what_the_caller_chose_is_used() -> None:
    chosen = Credential("__token__", Secret("t"), Origin("flag", "--token"))
    with serving(lambda _: Reply(200)) as server:
        corp = Index(Url.parse(f"{server.url}/simple"), name="corp")
        with client(corp) as http:
            url = Url.parse(f"{server.url}/legacy/")
            request = Request("POST", url, index=corp, body=b"x", credential=chosen)
            assert http.send(request).credential == chosen
            http.send(Request("POST", url, {"Authorization": "Bearer own"}, corp, b"x"))
        expected = ["Basic " + b64encode(b"__token__:t").decode(), "Bearer own"]
        assert [seen.headers["authorization"] for seen in server.log] == expected


def test_headers() -> None:
    def header(username: str, password: str, scheme: str = "basic") -> str:
        return authorization(Credential(username, Secret(password), Origin("flag", "--x"), scheme))  # type: ignore[arg-type]

    assert header("", "t") == "Basic " + b64encode(b":t").decode()
    assert header("ü", "p:q") == "Basic " + b64encode("ü:p:q".encode()).decode()
    assert header("", "abc", "bearer") == "Bearer abc"
    for username, password, scheme in (
        ("a:b", "canary", "basic"),
        ("", "canary\r\nX: y", "bearer"),
        ("", "ü", "bearer"),
    ):
        with pytest.raises(ConfigurationError, match="--x") as caught:
            header(username, password, scheme)
        assert "canary" not in str(caught.value)
