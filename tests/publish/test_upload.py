import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cove.errors import (
    AccessForbidden,
    CoveError,
    CredentialsMissing,
    CredentialsRefused,
    IndexUnreachable,
    PublishRefused,
)
from cove.formats import simple_json
from cove.http.client import Client, standard_client
from cove.http.messages import Request, Response, Send
from cove.http.transport import Transport
from cove.model.event import Advanced, Event, Started
from cove.model.index import Index
from cove.model.name import Name
from cove.model.origin import Origin
from cove.model.outcome import Absent, AlreadyThere, Found, Outcome, Refused, Unavailable, Uploaded
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from cove.publish.artifacts import Artifact, read
from cove.publish.upload import PublishTarget, publish
from cove.testing import PackageFactory, PrivateIndex
from support.scripted_server import Received, Reply, serving

CANARY = "c4n4ry-p4ss"
CREDENTIAL = Credential("tester", Secret(CANARY), Origin("variable", "UV_PUBLISH_PASSWORD"))


def send_credential(request: Request, send: Send) -> Response:
    """The part of the auth layer that matters here."""
    if request.credential is not None:
        pair = f"{request.credential.username}:{request.credential.password.reveal()}"
        request.headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    response = send(request)
    response.credential = request.credential
    return response


@pytest.fixture
def client() -> Iterator[Client]:
    with standard_client(Transport(), auth=send_credential, retries=0) as made:
        yield made


@pytest.fixture
def artifact(tmp_path: Path, wheel_factory: PackageFactory) -> Artifact:
    return read(wheel_factory.wheel("foo").write_to(tmp_path / "dist"))


def page_check(client: Client, index: Index, credential: Credential) -> Callable[[Name], Outcome]:
    def check(name: Name) -> Outcome:
        request = Request("GET", index.url.child(name), {"Accept": "application/vnd.pypi.simple.v1+json"}, index)
        request.credential = credential
        response = client.send(request)
        if response.status == 404:
            return Absent(index, "404 Not Found")
        return Found(index, simple_json.read(response.body.read(), response.url, name))

    return check


def refusal_of(outcomes: tuple[object, ...]) -> CoveError:
    (outcome,) = outcomes
    assert isinstance(outcome, Refused)
    assert CANARY not in f"{outcome.error} {outcome.error.hints}"
    return outcome.error


def answering(
    reply: Reply, artifact: Artifact, client: Client, credential: Credential | None = CREDENTIAL
) -> CoveError:
    with serving(lambda _: reply) as server:
        return refusal_of(publish(client, [artifact], PublishTarget(Url.parse(server.url + "/up")), credential))


def test_publish_and_publish_again(
    cove_index: PrivateIndex, client: Client, tmp_path: Path, wheel_factory: PackageFactory
) -> None:
    made = [wheel_factory.wheel("foo"), wheel_factory.sdist("foo"), wheel_factory.wheel("bar", requires_python=">=3.9")]
    artifacts = [read(built.write_to(tmp_path / "dist")) for built in made]
    running = cove_index.running
    index = Index(running.simple_url, "private")
    credential = Credential(cove_index.username, cove_index.password, Origin("flag", "--token"))
    check = page_check(client, index, credential)
    events: list[Event] = []

    def again(**options: bool) -> tuple[object, ...]:
        target = PublishTarget(running.upload_url, index)
        return publish(client, artifacts, target, credential, check=check, listener=events.append, **options)

    assert again(dry_run=True) == tuple(Uploaded(built.filename) for built in made)
    assert "POST" not in {seen.method for seen in running.requests}
    assert again() == tuple(Uploaded(built.filename) for built in made)
    sent = {event.subject: event.total for event in events if isinstance(event, Started)}
    assert sent == {built.filename: len(built.content) for built in made}
    assert sum(event.amount for event in events if isinstance(event, Advanced)) == sum(sent.values())
    running.requests.clear()
    assert again() == tuple(AlreadyThere(built.filename) for built in made)
    assert sorted(running.requests) == [("GET", "/simple/bar/", 200, "tester"), ("GET", "/simple/foo/", 200, "tester")]


def test_other_bytes_are_refused_before_anything_is_sent(
    cove_index: PrivateIndex, client: Client, artifact: Artifact, wheel_factory: PackageFactory
) -> None:
    other = wheel_factory.wheel("foo", files={"x.py": ""})
    cove_index.add(other)
    credential = Credential(cove_index.username, cove_index.password, Origin("flag"))
    index = Index(cove_index.running.simple_url, "private")
    target = PublishTarget(cove_index.running.upload_url, index)
    check = page_check(client, index, credential)
    error = refusal_of(publish(client, [artifact], target, credential, check=check))
    assert isinstance(error, PublishRefused)
    assert artifact.facts.sha256 in str(error)
    assert other.sha256 in str(error)
    assert "POST" not in {seen.method for seen in cove_index.running.requests}


def test_an_index_that_cannot_say_stops_the_upload(client: Client, artifact: Artifact) -> None:
    index = Index(Url.parse("https://example.com/simple"), "private")
    unavailable = Unavailable(index, CredentialsRefused("private refused the credentials", hints=("log in",)))
    with serving(lambda _: Reply()) as server:
        target = PublishTarget(Url.parse(server.url), index)
        error = refusal_of(publish(client, [artifact], target, CREDENTIAL, check=lambda name: unavailable))
        assert server.log == []
    assert isinstance(error, CredentialsRefused)
    assert error.causes == ("private refused the credentials",)


@pytest.mark.parametrize("status", [400, 403, 409, 500])
def test_a_raced_upload_is_recognised_by_its_bytes(client: Client, artifact: Artifact, status: int) -> None:
    index = Index(Url.parse("https://example.com/simple"), "private")
    file = {"filename": artifact.filename, "url": "x", "hashes": {"sha256": artifact.facts.sha256}}
    body = json.dumps({"meta": {"api-version": "1.0"}, "name": "foo", "files": [file]}).encode()
    answers: Iterator[Outcome] = iter(
        [Absent(index, "404"), Found(index, simple_json.read(body, index.url, artifact.name))]
    )
    with serving(lambda _: Reply(status, b"File already exists")) as server:
        target = PublishTarget(Url.parse(server.url), index)
        outcomes = publish(client, [artifact], target, CREDENTIAL, check=lambda name: next(answers))
    assert outcomes == (AlreadyThere(artifact.filename),)


def test_one_refusal_does_not_stop_the_others(client: Client, tmp_path: Path, wheel_factory: PackageFactory) -> None:
    artifacts = [read(wheel_factory.wheel(name).write_to(tmp_path)) for name in ("a", "b", "c")]

    def script(received: Received) -> Reply:
        return Reply(413) if b'filename="b-1.0' in received.body else Reply(201)

    with serving(script) as server:
        outcomes = publish(client, artifacts, PublishTarget(Url.parse(server.url)), CREDENTIAL)
    assert [type(outcome) for outcome in outcomes] == [Uploaded, Refused, Uploaded]


@pytest.mark.parametrize(
    "status, credential, kind, words",
    [
        (401, None, CredentialsMissing, "none are known"),
        (401, CREDENTIAL, CredentialsRefused, "$UV_PUBLISH_PASSWORD"),
        (403, CREDENTIAL, AccessForbidden, "$UV_PUBLISH_PASSWORD"),
        (405, CREDENTIAL, PublishRefused, "405 Method Not Allowed"),
        (400, CREDENTIAL, PublishRefused, "400 Bad Request"),
        (599, CREDENTIAL, PublishRefused, "599"),
    ],
)
def test_each_status_is_an_error_that_names_file_target_and_origin(
    client: Client, artifact: Artifact, *, status: int, credential: Credential | None, kind: type[CoveError], words: str
) -> None:
    error = answering(Reply(status), artifact, client, credential)
    assert type(error) is kind
    assert words in error.message
    assert artifact.filename in error.message
    assert "127.0.0.1" in error.message


def test_the_simple_url_given_as_upload_url(client: Client, artifact: Artifact) -> None:
    assert "simple URL" in answering(Reply(405), artifact, client).hints[0]


@pytest.mark.parametrize(
    "content_type, body, said",
    [
        ("application/json", b'{"message": "too old", "code": "400 too old"}', "too old"),
        ("application/problem+json", b'{"title": "No", "detail": "not today"}', "No; not today"),
        ("application/json", b'{"errors": [{"status": 403, "message": "denied"}]}', "denied"),
        ("application/json", b"{broken", "{broken"),
        ("text/html; charset=utf-8", b"<html><style>x{}</style><h1>No &amp; no</h1></html>", "No & no"),
        ("text/plain", b"a\x1b[31mred\x07\r\nline\xff", "a [31mred line\ufffd"),
        ("text/plain", f"you sent {CANARY}".encode(), "you sent ****"),
        ("text/plain", b"x" * 100_000, "x" * 499 + "…"),
    ],
)
def test_the_server_is_quoted_safely(
    client: Client, artifact: Artifact, content_type: str, body: bytes, said: str
) -> None:
    error = answering(Reply(400, body, {"Content-Type": content_type}), artifact, client)
    assert error.causes == (f"the server says: {said}",)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_with_the_upload_on_the_same_server(
    client: Client, artifact: Artifact, status: int
) -> None:
    def script(received: Received) -> Reply:
        return Reply(200) if received.path == "/new/" else Reply(status, headers={"Location": "/new/"})

    with serving(script) as server:
        outcomes = publish(client, [artifact], PublishTarget(Url.parse(server.url + "/up")), CREDENTIAL)
        assert [(received.method, received.path) for received in server.log] == [("POST", "/up"), ("POST", "/new/")]
        assert server.log[0].body == server.log[1].body
    assert outcomes == (Uploaded(artifact.filename),)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_nothing_counts_as_published_on_another_server(client: Client, artifact: Artifact, status: int) -> None:
    with serving(lambda _: Reply(200)) as other:
        reply = Reply(status, headers={"Location": other.url.replace("127.0.0.1", "localhost")})
        error = answering(reply, artifact, client)
        assert "another server" in error.message
        assert not any("authorization" in received.headers for received in other.log)


def test_redirects_end(client: Client, artifact: Artifact) -> None:
    assert "more than 10" in answering(Reply(301, headers={"Location": "/up"}), artifact, client).message
    assert "where to go" in answering(Reply(301), artifact, client).message


def test_nobody_there(client: Client, artifact: Artifact) -> None:
    with serving(lambda _: Reply()) as server:
        url = Url.parse(server.url)
    assert isinstance(refusal_of(publish(client, [artifact], PublishTarget(url), CREDENTIAL)), IndexUnreachable)


def test_a_file_that_vanishes_is_refused(client: Client, artifact: Artifact) -> None:
    artifact.path.unlink()
    with serving(lambda _: Reply()) as server:
        error = refusal_of(publish(client, [artifact], PublishTarget(Url.parse(server.url)), CREDENTIAL))
    assert artifact.filename in error.message
