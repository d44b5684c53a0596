"""Which error an HTTP status is: the one place that turns 401, 403, 404 and the rest into sentences."""

from http import HTTPStatus

from cove.errors import AccessForbidden, CoveError, CredentialsMissing, CredentialsRefused, UnexpectedStatus
from cove.http.failures import ServerTrouble
from cove.http.messages import Response
from cove.http.retry import is_passing
from cove.model.index import Index


def judge(response: Response, subject: str, index: Index | None = None) -> None:
    """Return if ``response`` is a success (2xx); otherwise close it and raise what ``error_for`` says."""
    if not 200 <= response.status < 300:
        response.body.close()
        raise error_for(response, subject=subject, index=index)


def error_for(response: Response, *, subject: str, index: Index | None) -> CoveError:
    """The error that an answer other than success is.

    ``subject`` is what was asked for, in plain words or a file's name (``foo``, ``foo-1.0-py3-none-any.whl``). 401 gives
    ``CredentialsMissing`` or ``CredentialsRefused``, 403 ``AccessForbidden``, everything else ``UnexpectedStatus``. The
    caller decides beforehand whether a status means that something does not exist.
    """
    who, status = _who(response, index), status_text(response.status)
    credential = response.credential
    if response.status == HTTPStatus.UNAUTHORIZED and credential is None:
        return CredentialsMissing(
            f"{who} wants credentials for `{subject}` ({status}); none are known", hints=missing_hints(index)
        )
    if response.status == HTTPStatus.UNAUTHORIZED and credential is not None:
        return CredentialsRefused(
            f"{who} refused the credentials for `{subject}` ({status}); they came from {credential.origin}",
            hints=(f"check user name and password (or whether the token has expired) in {credential.origin}",),
        )
    if response.status == HTTPStatus.FORBIDDEN:
        if credential is None:
            return AccessForbidden(
                f"{who} denied access to `{subject}` ({status}); no credentials were sent", hints=missing_hints(index)
            )
        return AccessForbidden(
            f"{who} denied access to `{subject}` ({status}); the credentials came from {credential.origin}",
            hints=("the credentials may lack the right to read this; ask whoever manages the index",),
        )
    kind = ServerTrouble if is_passing(response.status) else UnexpectedStatus
    return kind(f"{who} answered {status} for `{subject}`", causes=(f"URL: {response.url}",))


def status_text(status: int) -> str:
    """``404 Not Found``; the number alone when it has no name."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _who(response: Response, index: Index | None) -> str:
    return index.label if index is not None else response.url.host


def missing_hints(index: Index | None) -> tuple[str, ...]:
    """What to do when nothing was known to send."""
    variables = index.credential_variables if index is not None else None
    if variables is not None:
        username, password = variables
        return (f"set ${username} and ${password}, or put the credentials into the netrc file",)
    if index is not None:
        return ("give the index a name and set $UV_INDEX_<NAME>_USERNAME and $UV_INDEX_<NAME>_PASSWORD, or use netrc",)
    return ("put the credentials into the netrc file",)
