"""Commands that projects want to run for a credential: none does before a person has said so.

What is remembered is a digest of everything that was shown and of the project's own files among the words, so that a change
of any of them is asked about anew: a command that gives a token away is a command to run, and the index is who gets it.
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from cove.errors import ConfigurationError
from cove.model.event import Asking, Listener, Warned, ignore
from cove.model.index import Index

FILE_NAME = "confirmed-commands.json"
VARIABLE = "COVE_TRUST_CREDENTIAL_COMMANDS"
_KEY = "credential-command"


class Confirmed:
    """Knows which commands may run. Those from configuration of the user or the system always may."""

    def __init__(
        self, folder: Path | None, listener: Listener = ignore, *, everything: bool = False, on_terminal: bool = False
    ) -> None:
        """``folder`` is where answers are kept; ``everything``: the user trusts every project; ``on_terminal``: ask there."""
        self._path = folder / FILE_NAME if folder is not None else None
        self._listener = listener
        self._everything = everything
        self._on_terminal = on_terminal
        self._lock = Lock()
        self._answers: dict[str, bool] = {}

    def allows(self, index: Index) -> bool:
        """Whether the command of ``index`` may run; asks a person at most once.

        Raises ``ConfigurationError`` where it would have to ask and nobody is there.
        """
        if self._everything or index.origin_of(_KEY).kind not in ("project", "script"):
            return True
        digest = _digest(index)
        with self._lock:
            if digest not in self._answers:
                self._answers[digest] = digest in self._known() or self._ask(index, digest)
            return self._answers[digest]

    def _ask(self, index: Index, digest: str) -> bool:
        origin, command = index.origin_of(_KEY), " ".join(map(ascii, index.credential_command))
        if not self._on_terminal:
            raise ConfigurationError(
                f"{origin}: the project wants to run a command for the password of {index.label}, which nobody has allowed yet",
                causes=(f"the command is {command}, and {index.url.without_credentials()} would get what it prints",),
                hints=(
                    "run cove once on a terminal and answer the question",
                    f"or write it into your own `cove.toml`, as `[index.{index.name}]`",
                    f"or set {VARIABLE}=1 where every project is your own, as in a pipeline",
                ),
            )
        question = (
            f"{origin} wants to run a command whose output is sent as the password of {index.label}\n"
            f"  command: {command}\n  index:   {index.url.without_credentials()}\nAllow it from now on? [y/N] "
        )
        self._listener(Asking(begins=True))
        try:
            sys.stderr.write(question)
            sys.stderr.flush()
            answer = sys.stdin.readline().strip().lower() in ("y", "yes")
        finally:
            self._listener(Asking(begins=False))
        if answer:
            self._keep(digest, f"{index.label} in {origin.name}")
        else:
            self._listener(Warned(f"the credential command of {index.label} is not run: it was not allowed"))
        return answer

    def _known(self) -> dict[str, str]:
        import json  # noqa: PLC0415 - few projects have a command

        try:
            data = json.loads(self._path.read_bytes()) if self._path is not None else {}
        except (OSError, ValueError):  # then it is asked about again
            return {}
        return data if isinstance(data, dict) else {}

    def _keep(self, digest: str, label: str) -> None:
        if self._path is None:
            return
        import json  # noqa: PLC0415

        from cove.config.atomic import write_whole  # noqa: PLC0415
        from cove.config.file_lock import locked  # noqa: PLC0415

        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._path.with_name(f"{FILE_NAME}.lock")):
                known = {**self._known(), digest: label}
                write_whole(self._path, json.dumps(known, indent=1).encode(), mode=0o600)
        except OSError as error:
            self._listener(Warned(f"the answer cannot be kept: {error.strerror or error}", f"look at {self._path}"))


def _digest(index: Index) -> str:
    """Of the file, the command, the index, and the contents of those words that are files of the project."""
    words = [index.origin_of(_KEY).name, index.url.without_credentials().public, *index.credential_command]
    parts = [word.encode() for word in (*words, *_contents(index))]
    return hashlib.sha256(b"".join(b"%d:%s" % (len(part), part) for part in parts)).hexdigest()


def _contents(index: Index) -> Iterator[str]:
    folder = Path(index.origin_of(_KEY).name).parent
    for word in index.credential_command:
        path = folder / word
        try:
            if path.resolve().is_relative_to(folder.resolve()) and path.is_file():
                yield hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            yield "unreadable"
