"""What the providers of the clouds share: several ways to a token are tried in order, and the token is kept until it ends."""

import hashlib
import re
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, ClassVar

from cove.auth.endpoints import json_object
from cove.auth.helper_program import Answer, NoAnswer, ask, masked
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Listener, Noted, Warned, ignore
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import MASK, Credential, Secret
from cove.model.url import Url

if TYPE_CHECKING:  # loaded with the HTTP library, which most ways do without
    from cove.auth.tokens import Kept
    from cove.http.client import Client

HARDWARE = Path("/sys/class/dmi/id")
"""Where Linux says who made the machine (SMBIOS): clouds put their name there."""


class Failed(Exception):
    """A way that is there has given nothing: why, in one line, and the command that mends it."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Token:
    """What a way gave; ``label`` is the way, as messages call it."""

    secret: Secret
    label: str
    expires: datetime | None = None


Way = Callable[[], Token | None]
"""One way to a token. Gives ``None`` where it is not there at all, raises ``Failed`` where it is and does not work."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What ways make use of. ``client`` opens one for token services; ``None``: those are not asked. Times in seconds.

    ``offline``: nobody is asked for anything, and what is kept is all there is. ``libraries``: whether those of the clouds
    are used where they are installed.
    """

    environ: Mapping[str, str]
    kept: "Kept"
    client: "Callable[[], Client] | None" = None
    offline: bool = False
    listener: Listener = ignore
    libraries: bool = True
    program_limit: float = 30.0
    endpoint_limit: float = 3.0
    hardware: Path = HARDWARE

    def is_set(self, *names: str) -> bool:
        """Whether one of these variables has a value."""
        return any(self.environ.get(name) for name in names)

    def at_home(self, path: str) -> Path:
        """A path below the home folder, or below nowhere."""
        return Path(self.environ.get("HOME") or self.environ.get("USERPROFILE") or "/nonexistent", path)

    def hardware_says(self, field: str) -> str:
        """One field of what the machine says of its maker; empty where it says nothing."""
        try:
            return (self.hardware / field).read_text("utf-8", "replace").strip()
        except OSError:
            return ""

    def fingerprint(self, variables: Iterable[str], files: Iterable[Path]) -> str:
        """Something that is another one when a variable or a file is: who is logged in, without saying who."""
        parts = [f"{name}={self.environ.get(name, '')}" for name in variables]
        for path in files:
            try:
                status = path.stat()
            except OSError:
                continue
            parts.append(f"{path}:{status.st_mtime_ns}:{status.st_size}")
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


class Native(ABC):
    """A provider for one cloud (an ``Issuer``); its ways are asked until one gives a token.

    A way that is there and fails is told of, once, with what mends it, and the next is asked.
    """

    name: ClassVar[str]
    username: ClassVar[str]
    """The user name that goes with a token."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.at = surroundings
        self._lock = Lock()
        self._told: set[str] = set()
        self._nothing: set[str] = set()
        self._refused: set[Secret] = set()
        self._keys: dict[tuple[str, str], str] = {}

    @abstractmethod
    def recognises(self, url: Url) -> bool:
        """Whether ``url`` is on one of the hosts that take the tokens. Exact: a token is never for a similar name."""

    @abstractmethod
    def account(self, index: Index | None, url: Url) -> str:
        """What a token is for and who asks: tokens are shared and kept by it. No secret."""

    @abstractmethod
    def ways(self, index: Index | None, url: Url, *, renew: bool) -> Iterator[Way]:
        """The ways to a token, best first; with ``renew`` the last one was refused, and a copy of it is of no use."""

    def accepts(self, username: str) -> bool:
        """Whether a token goes with this user name."""
        return username == self.username

    def covers(self, index: Index | None, url: Url) -> bool:  # noqa: ARG002 - the shape of a provider
        """Whether the URL is one of this cloud's, over HTTPS, with no user name that means something else."""
        return url.scheme == "https" and self.recognises(url) and (not url.username or self.accepts(url.username))

    def get(self, index: Index | None, url: Url) -> Credential | None:
        """A token that is kept, else one from the first way that gives one."""
        key = self._key(index, url)
        if key in self._nothing or (url.username and not self.accepts(url.username)):
            return None
        credential = self.at.kept.get(key, lambda: self._issue(index, url))
        if credential is None:
            self._nothing.add(key)
            return None
        return replace(credential, username=url.username) if url.username else credential

    def forget(self, index: Index | None, url: Url, refused: Credential) -> bool:
        """Drop a token; another one may come from any of the ways."""
        if self.at.offline:
            return False
        self._refused.add(refused.password)
        return self.at.kept.forget(self._key(index, url), refused)

    def _key(self, index: Index | None, url: Url) -> str:
        """The same during a run: the programs that are asked may write to the files that say who asks."""
        about = (index.label if index is not None else "", url.host)
        if about not in self._keys:
            self._keys[about] = f"{self.name} {self.account(index, url)}"
        return self._keys[about]

    def _issue(self, index: Index | None, url: Url) -> Credential | None:
        if self.at.offline:
            return None
        for way in self.ways(index, url, renew=bool(self._refused)):
            try:
                token = way()
            except Failed as failure:
                self._tell(failure)
                continue
            if token is not None and token.secret not in self._refused:
                self.at.listener(Noted(f"a token for {url.host} came from {token.label}"))
                return Credential(self.username, token.secret, Origin("provider", token.label), expires=token.expires)
        return None

    def _tell(self, failure: Failed) -> None:
        with self._lock:
            key = failure.remedy or failure.reason
            first = key not in self._told
            self._told.add(key)
        if first:
            self.at.listener(Warned(f"{self.name}: {failure.reason}", failure.remedy))

    # -- what ways are made of -------------------------------------------------------------------------------------------

    def ask_program(self, name: str, *arguments: str, more: Mapping[str, str] | None = None) -> Answer | None:
        """What the program says, looked up on PATH; ``None`` where it is not there. Raises ``Failed``."""
        found = shutil.which(name, path=self.at.environ.get("PATH", ""))
        return None if found is None else self._run(name, [found, *arguments], more or {})

    def ask_library(
        self, module: str, script: str, *arguments: str, more: Mapping[str, str] | None = None
    ) -> Mapping[str, object] | None:
        """What ``cove.auth.sdk.<script>`` says, which uses ``module``; ``None`` where that is not installed.

        It runs in a process of its own: libraries of clouds read variables and files by themselves, warn, start threads and
        wait as they like, and that costs nothing where a time limit can end it. Raises ``Failed``.
        """
        if not self.at.libraries or not sys.executable or not _is_installed(module):
            return None
        command = [sys.executable, "-P", "-m", f"cove.auth.sdk.{script}", *arguments]
        said = self._run(module, command, {"PYTHONWARNINGS": "ignore", **(more or {})})
        answer = json_object(said.stdout)
        if said.status != 0 or not answer:
            raise Failed(f"{module} gave no answer: {self.one_line(said.stderr)}")
        return answer

    def one_line(self, text: str) -> str:
        """The last line of what somebody said, short, without what looks like a secret."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        line = lines[-1] if lines else "it said nothing"
        named = (value for name, value in self.at.environ.items() if len(value) >= 8 and _SECRET_NAME.search(name))
        return _TOKEN.sub(MASK, masked(line, *named))[:300]

    def _run(self, label: str, command: Sequence[str], more: Mapping[str, str]) -> Answer:
        try:
            return ask(command, environ={**self.at.environ, **more}, time_limit=self.at.program_limit)
        except NoAnswer as reason:
            raise Failed(f"{label} {reason}", "run it by hand to see what it waits for") from None


_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PAT$|KEY", re.IGNORECASE)
_TOKEN = re.compile(r"eyJ[\w.=-]{16,}|ya29\.[\w-]+|(?<![\w/+])[A-Za-z0-9+_-]{40,}={0,2}(?![\w/+])")
"""JSON web tokens, Google's access tokens, and anything else that is long and neither a word nor a path."""


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # its parent package
        return False


def read_token(values: Mapping[str, object], label: str, *, key: str, ends: Sequence[str] = ()) -> Token | None:
    """The token in a JSON object under ``key``, and its end under the first of ``ends`` that can be read.

    ``expires_in`` counts seconds from now; the others are a point in time: seconds since 1970 or ISO 8601, where a time
    without a zone is local (``az``).
    """
    secret = values.get(key)
    if not isinstance(secret, str) or not secret:
        return None
    expires = next((moment for end in ends if (moment := _moment(end, values.get(end))) is not None), None)
    return Token(Secret(secret), label, expires)


def _moment(key: str, value: object) -> datetime | None:
    try:
        if isinstance(value, str) and not value.replace(".", "", 1).isdigit():
            return datetime.fromisoformat(value).astimezone(UTC)
        if isinstance(value, (int, float, str)):
            start = datetime.now(UTC).timestamp() if key == "expires_in" else 0.0
            return datetime.fromtimestamp(start + float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
