import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cove.errors import (
    AccessForbidden,
    ConfigurationError,
    CoveError,
    CredentialsMissing,
    CredentialsRefused,
    IndexUnreachable,
    InvalidResponse,
    UnexpectedStatus,
)
from cove.formats.negotiate import ACCEPT, JSON
from cove.index.simple import SimpleIndex
from cove.model.dataclasses import replace
from cove.model.index import Index
from cove.model.name import Name
from cove.model.origin import Origin
from cove.model.outcome import Absent, Found, Unavailable
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from support.replies import Answer, Replies

ACME = Name("acme")
INDEX = Index(Url.parse("https://user:hunter2@example.com/simple"), name="corp")
PAGE = "https://example.com/simple/acme/"
SENT = Credential("user", Secret("hunter2"), Origin("variable", "UV_INDEX_CORP_PASSWORD"))


def ask(answer: Answer | CoveError, index: Index = INDEX, page: str = PAGE) -> Found | Absent | Unavailable:
    return SimpleIndex(index, Replies({page: answer}).client()).project(ACME)


def error_of(outcome: object) -> CoveError:
    assert isinstance(outcome, Unavailable)
    return outcome.error


@pytest.mark.parametrize(
    "body, content_type",
    [
        (b'<a href="a.zip">a</a>', "text/html; charset=utf-8"),
        (b'{"files": [{"filename": "a.zip", "url": "a.zip"}]}', JSON),
        (b'{"files": [{"filename": "a.zip", "url": "a.zip"}]}', None),
    ],
)
def test_a_page_of_either_kind(body: bytes, content_type: str | None) -> None:
    outcome = ask(Answer(200, body, content_type))
    assert isinstance(outcome, Found)
    assert [file.url.public for file in outcome.page.files] == [PAGE + "a.zip"]


def test_the_request_names_the_index_and_what_can_be_read() -> None:
    replies = Replies({})
    index = Index(Url.parse("https://example.com/simple/?token=abc"))
    SimpleIndex(index, replies.client()).project(ACME)
    (request,) = replies.asked
    assert request.url.public == "https://example.com/simple/acme/?token=abc"
    assert request.headers["Accept"] == ACCEPT
    assert request.index is index


def test_a_project_is_asked_for_once_by_however_many() -> None:
    replies = Replies({PAGE: Answer(200, b"<html>")})
    source = SimpleIndex(INDEX, replies.client())
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: source.project(ACME), range(32)))
    assert len(replies.asked) == 1
    assert all(outcome is outcomes[0] for outcome in outcomes)


@pytest.mark.parametrize("status", [404, 410])
def test_absence(status: int) -> None:
    outcome = ask(Answer(status))
    assert isinstance(outcome, Absent)
    assert outcome.reason.startswith(str(status))


def test_statuses_that_the_user_or_the_registry_calls_absence() -> None:
    lenient = Index(INDEX.url, ignore_error_codes=frozenset({403, 500}))
    assert isinstance(ask(Answer(500), lenient), Absent)
    assert isinstance(ask(Answer(401), lenient), Unavailable)
    bucket = Index(Url.parse("https://download.pytorch.org/whl"))
    assert isinstance(ask(Answer(403), bucket, "https://download.pytorch.org/whl/acme/"), Absent)


@pytest.mark.parametrize(
    "status, credential, kind",
    [
        (401, None, CredentialsMissing),
        (401, SENT, CredentialsRefused),
        (403, None, AccessForbidden),
        (403, SENT, AccessForbidden),
        (400, None, UnexpectedStatus),
        (429, None, UnexpectedStatus),
        (500, None, UnexpectedStatus),
        (503, SENT, UnexpectedStatus),
        (204, None, UnexpectedStatus),
        (304, None, UnexpectedStatus),
    ],
)
def test_anything_else_is_not_absence(status: int, credential: Credential | None, kind: type[CoveError]) -> None:
    error = error_of(ask(Answer(status, credential=credential)))
    assert isinstance(error, kind)
    assert "acme" in error.message
    assert "corp" in error.message
    assert "hunter2" not in str(error) + "".join(error.hints)
    if status == 401 and credential is None:
        assert "UV_INDEX_CORP_PASSWORD" in "".join(error.hints)
    if credential is not None and status in (401, 403):
        assert "$UV_INDEX_CORP_PASSWORD" in error.message


def token(*segments: object) -> str:
    """A JSON web token: what stands in its segments, and a signature."""
    return ".".join([*(b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in segments), "c2ln"])


YESTERDAY, TOMORROW = (datetime.now(UTC) + timedelta(days=days) for days in (-1, 1))


@pytest.mark.parametrize(
    "credential, is_expired",
    [
        (replace(SENT, expires=YESTERDAY), True),
        (replace(SENT, expires=TOMORROW), False),
        (replace(SENT, password=Secret(token({"alg": "RS256"}, {"exp": YESTERDAY.timestamp()}))), True),
        (replace(SENT, password=Secret(token({"alg": "RS256"}, {"exp": TOMORROW.timestamp()}))), False),
        (replace(SENT, password=Secret(token({"exp": int(YESTERDAY.timestamp())}, {}, {}, {}))), True),
        (replace(SENT, password=Secret(token({"exp": "soon"}, ["exp"]))), False),
        (replace(SENT, password=Secret(token({}, {"exp": 1e300}))), False),
        (replace(SENT, password=Secret("not.a.token")), False),
        (replace(SENT, password=Secret("ä.ö.ü")), False),
    ],
)
@pytest.mark.parametrize("status", [404, 410])
def test_absence_told_to_an_expired_credential_says_nothing(
    status: int, credential: Credential, *, is_expired: bool
) -> None:
    outcome = ask(Answer(status, credential=credential))
    assert isinstance(outcome, Unavailable if is_expired else Absent)
    if is_expired:
        error = error_of(outcome)
        assert isinstance(error, CredentialsRefused)
        assert "has expired" in error.message
        assert credential.password.reveal() not in str(error)


def test_a_refusal_comes_with_the_registrys_own_help() -> None:
    url = "https://d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/"
    error = error_of(ask(Answer(401), Index(Url.parse(url), name="aws"), url + "acme/"))
    assert any("get-authorization-token" in hint for hint in error.hints)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"PK\x03\x04", "application/zip"),
        Answer(200, b"hello", None),
        Answer(200, b"hello", "text/html"),
        Answer(200, b"{", JSON),
        Answer(200, b'{"name": "other", "files": []}', JSON),
        Answer(200, b'<input type="password">', "text/html"),
    ],
)
def test_an_answer_that_is_no_page_is_not_absence_either(answer: Answer) -> None:
    error = error_of(ask(answer))
    assert isinstance(error, InvalidResponse)
    assert "corp" in error.message
    assert "`acme`" in error.message
    assert "hunter2" not in str(error) + "".join(error.hints)


def test_no_answer_is_not_absence_either() -> None:
    reason = IndexUnreachable("example.com cannot be reached")
    assert error_of(ask(reason)) is reason


# ------------------------------------------------------------------------------------------------------ file://


def test_a_local_index(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "index.html").write_text('<a href="../acme-1.0.zip">x</a>')
    source = SimpleIndex(Index(Url.parse(tmp_path.as_uri())), Replies({}).client())
    found = source.project(ACME)
    assert isinstance(found, Found)
    assert [file.url.public for file in found.page.files] == [tmp_path.as_uri() + "/acme-1.0.zip"]
    assert isinstance(source.project(Name("other")), Absent)


def test_a_local_index_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    index = Index(Url.parse((tmp_path / "none").as_uri()), name="local")
    error = error_of(SimpleIndex(index, Replies({}).client()).project(ACME))
    assert isinstance(error, ConfigurationError)
    assert "local" in error.message


def test_a_local_index_that_cannot_be_read(tmp_path: Path) -> None:
    index = Index(Url.parse("file://elsewhere/simple"))
    assert isinstance(error_of(SimpleIndex(index, Replies({}).client()).project(ACME)), ConfigurationError)
