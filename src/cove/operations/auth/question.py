"""What a server was asked about credentials, and what its answer means."""

from collections.abc import Sequence
from typing import Literal

from cove.errors import AccessForbidden, CoveError, CredentialsMissing, CredentialsRefused, IndexUnreachable
from cove.http.failures import TlsFailed
from cove.http.messages import Response
from cove.model.dataclasses import dataclass
from cove.model.secret import Credential
from cove.model.url import Url
from cove.publish.verdict import masked_line, quoted

Verdict = Literal["fine", "missing", "refused", "forbidden", "unreachable", "tls", "other", "unclear", "not asked"]

_KINDS: tuple[tuple[type[CoveError], Verdict], ...] = (
    (CredentialsMissing, "missing"),
    (CredentialsRefused, "refused"),
    (AccessForbidden, "forbidden"),
    (TlsFailed, "tls"),
    (IndexUnreachable, "unreachable"),
)

_SAID_OTHERWISE = ("check user name and password", "`cove auth doctor ")
"""How hints begin that say less than what is said of the sources."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a server was asked, and what that means.

    ``what`` is ``index``, ``file`` or ``upload``; ``server`` is what the server itself said, without secrets; ``sent`` is the
    credential that went along. ``counts``: the health of the whole depends on it.
    """

    what: str
    verdict: Verdict
    text: str
    url: Url | None = None
    status: int | None = None
    server: tuple[str, ...] = ()
    sent: Credential | None = None
    hints: tuple[str, ...] = ()
    counts: bool = True


def of_error(
    what: str,
    error: CoveError,
    url: Url,
    *,
    response: Response | None,
    sent: Credential | None,
    secrets: Sequence[Credential | None],
) -> Question:
    """What went wrong, in the words of the error that everybody else would get."""
    return Question(
        what,
        next((verdict for kind, verdict in _KINDS if isinstance(error, kind)), "other"),
        "; ".join((error.message, *error.causes)),
        url,
        response.status if response is not None else None,
        words_of(response, secrets) if response is not None else (),
        sent,
        tuple(each for each in error.hints if not each.startswith(_SAID_OTHERWISE)),
    )


def words_of(response: Response, secrets: Sequence[Credential | None]) -> tuple[str, ...]:
    """The server's own reason: its challenge, and what it says in the body, which is read; without ``secrets``."""
    challenge = masked_line(response.headers.get("www-authenticate", ""), response.credential, *secrets)
    words = quoted(response, response.credential, *secrets)
    return tuple(each for each in (challenge, words) if each)
