"""``credential-command`` of an index: a program of the user's own that prints a credential."""

import hashlib
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from cove.auth.confirmed import Confirmed
from cove.auth.helper_program import NoAnswer, ask, masked
from cove.auth.tokens import Kept
from cove.formats.credential_output import Unreadable, parse, request
from cove.model.event import Listener, Noted, Warned, ignore
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential
from cove.model.url import Url
from cove.registries import recognise

_KEY = "credential-command"
_ANY_USER = "__token__"
"""The user name beside a lone secret, where neither the URL nor the registry has one."""


class Command:
    """Runs the command of an index once, and again when what it gave has ended or was refused.

    It is told of the index on its standard input (see ``formats.credential_output``) and in ``COVE_INDEX_NAME`` and
    ``COVE_INDEX_URL``. A command that fails is told, and has nothing.
    """

    name = "command"

    def __init__(
        self,
        confirmed: Confirmed,
        kept: Kept,
        environ: Mapping[str, str],
        listener: Listener = ignore,
        *,
        time_limit: float = 60.0,
        on_terminal: bool = False,
    ) -> None:
        """``time_limit`` is in seconds."""
        self._confirmed = confirmed
        self._kept = kept
        self._environ = environ
        self._listener = listener
        self._time_limit = time_limit
        self._on_terminal = on_terminal

    def covers(self, index: Index | None, url: Url) -> bool:
        """Whether the index has a command."""
        return index is not None and bool(index.credential_command) and url.scheme in ("http", "https")

    def get(self, index: Index | None, url: Url) -> Credential | None:
        """What the command prints. Raises ``ConfigurationError`` for a project's command that nobody has allowed."""
        if index is None or not self._confirmed.allows(index):
            return None
        return self._kept.get(_key(index, url), lambda: self._run(index, url))

    def forget(self, index: Index | None, url: Url, refused: Credential) -> bool:
        """Whether another may be had; see ``Issuer``."""
        return index is not None and self._kept.forget(_key(index, url), refused)

    def _run(self, index: Index, url: Url) -> Credential | None:
        program = index.credential_command[0]
        what = f"the credential command `{Path(program).name}` of {index.label}"
        protocol = index.credential_protocol
        more = ("get",) if protocol == "bazel" else ()
        environ = {
            **self._environ,
            "COVE_INDEX_NAME": index.name,
            "COVE_INDEX_URL": index.url.without_credentials().public,
        }
        try:
            answer = ask(
                (shutil.which(program, path=environ.get("PATH")) or program, *index.credential_command[1:], *more),
                environ=environ,
                stdin=request(protocol, url),
                folder=_folder(index),
                time_limit=self._time_limit,
                on_terminal=self._on_terminal,
                tell=lambda line: self._listener(Warned(f"{Path(program).name}: {line}")),
            )
        except NoAnswer as failure:
            self._listener(Warned(f"{what} {failure}", f"it is set in {index.origin_of(_KEY)}"))
            return None
        output, reason = None, ""
        if answer.status == 0:
            try:
                output = parse(answer.stdout, protocol, datetime.now(UTC))
            except Unreadable as error:
                reason = str(error)
        if answer.stderr.strip():
            secrets = (output.secret.reveal(),) if output is not None else ()
            self._listener(Noted(f"{what} says: {masked(answer.stderr.strip(), answer.stdout, *secrets)}"))
        if answer.status != 0:
            self._listener(Warned(f"{what} failed (exit status {answer.status})", "add -v to see what it says"))
        elif reason:
            hint = f"it is set in {index.origin_of(_KEY)}"
            self._listener(Warned(f"what {what} prints cannot be used: {reason}", hint))
        if output is None:
            return None
        username = output.username
        if username is None:
            username = url.username or recognise(index.url).username or _ANY_USER
        return Credential(
            username,
            output.secret,
            Origin("provider", f"credential command ({Path(program).name})"),
            output.scheme,
            output.expires,
            output.header,
        )


def _folder(index: Index) -> Path | None:
    """Relative paths start from the folder of the file they are written in."""
    written = index.origin_of(_KEY).name
    return Path(written).parent if written and Path(written).is_file() else None


def _key(index: Index, url: Url) -> str:
    command = hashlib.sha256("\0".join((*index.credential_command, index.credential_protocol)).encode()).hexdigest()[
        :16
    ]
    return f"command {command} {index.url.without_credentials().public} {url.username or ''}".rstrip()
