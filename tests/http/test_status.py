import pytest

from cove.errors import AccessForbidden, CoveError, CredentialsMissing, CredentialsRefused, UnexpectedStatus
from cove.http.bodies import Whole
from cove.http.messages import Headers, Response
from cove.http.status import error_for, judge, status_text
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url

INDEX = Index(Url.parse("https://ada:canary@example.com/simple"), name="corp-1.x")
SENT = Credential("ada", Secret("canary"), Origin("variable", "UV_INDEX_CORP_1_X_PASSWORD"))


def answer(status: int, credential: Credential | None = None) -> Response:
    return Response(status, Headers({}), Url.parse("https://example.com/simple/foo/"), Whole(b""), credential)


def test_success_passes() -> None:
    judge(answer(200), "foo", INDEX)
    judge(answer(206), "foo")


@pytest.mark.parametrize(
    "status, credential, kind, message",
    [
        (401, None, CredentialsMissing, "corp-1.x wants credentials for `foo` (401 Unauthorized); none are known"),
        (
            401,
            SENT,
            CredentialsRefused,
            "corp-1.x refused the credentials for `foo` (401 Unauthorized); they came from $UV_INDEX_CORP_1_X_PASSWORD",
        ),
        (403, None, AccessForbidden, "corp-1.x denied access to `foo` (403 Forbidden); no credentials were sent"),
        (
            403,
            SENT,
            AccessForbidden,
            "corp-1.x denied access to `foo` (403 Forbidden); the credentials came from $UV_INDEX_CORP_1_X_PASSWORD",
        ),
        (500, None, UnexpectedStatus, "corp-1.x answered 500 Internal Server Error for `foo`"),
        (799, None, UnexpectedStatus, "corp-1.x answered 799 for `foo`"),
    ],
)
def test_each_status_has_its_error(
    status: int, credential: Credential | None, kind: type[CoveError], message: str
) -> None:
    error = error_for(answer(status, credential), subject="foo", index=INDEX)
    assert isinstance(error, kind)
    assert error.message == message
    assert "canary" not in f"{error}{error.hints}{error.causes}{error!r}"
    with pytest.raises(kind):
        judge(answer(status, credential), "foo", INDEX)


def test_missing_credentials_name_the_variables_to_set() -> None:
    error = error_for(answer(401), subject="foo", index=INDEX)
    assert "$UV_INDEX_CORP_1_X_USERNAME and $UV_INDEX_CORP_1_X_PASSWORD" in error.hints[0]


def test_without_a_name_or_an_index_there_is_still_a_hint() -> None:
    unnamed = Index(Url.parse("https://example.com/simple"))
    assert "give the index a name" in error_for(answer(401), subject="foo", index=unnamed).hints[0]
    error = error_for(answer(401), subject="foo", index=None)
    assert error.message.startswith("example.com wants credentials")
    assert "netrc" in error.hints[0]


def test_status_text() -> None:
    assert status_text(404) == "404 Not Found"
    assert status_text(599) == "599"
