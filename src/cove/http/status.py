"""Which error an HTTP status is: the one place that turns 401, 403, 404 and the rest into sentences."""

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from cove.errors import (
    AccessForbidden,
    CoveError,
    CredentialsError,
    CredentialsMissing,
    CredentialsRefused,
    UnexpectedStatus,
)
from cove.http.failures import ServerTrouble
from cove.http.messages import Refusal, Response
from cove.http.retry import is_passing
from cove.model.index import Index
from cove.model.secret import Credential


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
    error = _error(response, subject, index)
    error.causes = (*verdicts(response), *error.causes)
    if isinstance(error, CredentialsError) and response.credential is not None and index is not None:
        where = index.name or index.url.without_credentials()
        error.hints = (
            *error.hints,
            f"`cove auth doctor {where}` asks every source and the index, and says what to mend",
        )
    return error


def _error(response: Response, subject: str, index: Index | None) -> CoveError:
    blamed = to_blame(response)
    number = blamed.status or response.status if blamed is not None else response.status
    credential = blamed.credential if blamed is not None else response.credential
    who, status = _who(response, index), status_text(number)
    if number == HTTPStatus.UNAUTHORIZED and credential is None:
        return CredentialsMissing(
            f"{who} wants credentials for `{subject}` ({status}); none are known",
            causes=looked_in(response.places),
            hints=missing_hints(index),
        )
    if number == HTTPStatus.UNAUTHORIZED and credential is not None:
        return refused(f"{who} refused the credentials for `{subject}` ({status})", credential)
    if number == HTTPStatus.FORBIDDEN:
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


def refused(what: str, credential: Credential, *, now: datetime | None = None) -> CredentialsRefused:
    """The error for a 401 to ``credential``: it has expired, as far as it can be known, or it is wrong."""
    if credential.has_expired(now or datetime.now(UTC)):
        return CredentialsRefused(
            f"{what}; those from {credential.origin} have expired",
            hints=(f"get new ones and put them into {credential.origin}",),
        )
    return CredentialsRefused(
        f"{what}; they came from {credential.origin}",
        hints=(f"check user name and password (or whether the token has expired) in {credential.origin}",),
    )


def to_blame(response: Response) -> Refusal | None:
    """Of several credentials that were all refused: the first that is known but not allowed, else the first of all."""
    if len(response.refusals) < 2 or response.status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return None
    sent = [each for each in response.refusals if each.status] or [*response.refusals]
    return next((each for each in sent if each.status == HTTPStatus.FORBIDDEN), sent[0])


def verdicts(response: Response) -> tuple[str, ...]:
    """A line for each of several credentials: where it came from, and what became of it."""
    refusals = response.refusals if len(response.refusals) > 1 else ()
    return tuple(f"{each.credential.origin}: {_verdict(each)}" for each in refusals)


def _verdict(refusal: Refusal) -> str:
    if not refusal.status:
        return "expired, not sent"
    ended = refusal.status == HTTPStatus.UNAUTHORIZED and refusal.credential.has_expired(datetime.now(UTC))
    return f"{'expired' if ended else 'refused'} ({status_text(refusal.status)})"


def looked_in(places: Sequence[str]) -> tuple[str, ...]:
    """The cause that says where credentials were looked for, by the names of the providers that were asked."""
    return (f"looked in: {', '.join(places)}",) if places else ()


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
    if index is None:
        return ("log in with `cove auth login URL`, or put the credentials into the netrc file",)
    variables = index.credential_variables
    if variables is not None:
        username, password = variables
        hints: tuple[str, ...] = (f"log in with `cove auth login {index.name}`, or set ${username} and ${password}",)
    else:
        place = index.url.without_credentials()
        hints = (f"log in with `cove auth login {place}`, or give the index a name and set variables",)
    if index.url.username and index.url.password is None:
        hints += ("the user name in its URL was not sent alone; if it is a token, write a colon after it: `TOKEN:@`",)
    return hints
