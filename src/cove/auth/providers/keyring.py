"""Credentials from ``keyring``: the program (uv's ``subprocess``), or the library in cove's own environment (``import``).

Whichever it is, it is asked the same questions in the same order: for the URL as it is written, then for its host.
"""

import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import Protocol

from cove.auth.helper_program import NoAnswer, ask, masked
from cove.config.settings import KeyringProvider
from cove.http.once import Once
from cove.model.dataclasses import dataclass
from cove.model.event import Listener, Noted, Warned, ignore
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret, end_of_token
from cove.model.url import Url
from cove.registries import recognise

PROGRAM = "keyring"
_DEFAULT_PORTS = {"http": 80, "https": 443}
_FRESH = 60.0
"""Seconds for which a token counts as new: if it is refused, another would be too."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is stored: the user name is that of the answer, which need not be the one that was asked for."""

    username: str
    password: str


class Ring(Protocol):
    """A way to ask keyring."""

    def ask(self, service: str, username: str | None) -> Found | None:
        """What is stored for ``service`` and ``username``, or for whomever; raises ``Trouble``."""
        ...


class Trouble(Exception):
    """Why asking was no use, and what can be done; it holds no secret."""

    def __init__(self, message: str, hint: str = "", *, detail: str = "", is_final: bool = False) -> None:
        super().__init__(message)
        self.hint = hint
        self.detail = detail
        """What it said itself, for those who want to see all."""
        self.is_final = is_final
        """Whether the next question would meet the same, and take as long."""


class Keyring:
    """One round of questions for each service and user in a run; the first trouble is told, once.

    Without a user name, whoever is stored is taken (``--mode creds``), except on an index that everybody may read. Where the
    registry has one user name for all tokens, that one is asked for too: people write any (``dummy``), plugins know theirs.
    """

    name = "keyring"

    def __init__(self, ring: Ring, listener: Listener = ignore, *, fresh: float = _FRESH) -> None:
        """A token is made anew by ``forget`` when it is older than ``fresh``, in seconds."""
        self._ring = ring
        self._listener = listener
        self._fresh = fresh
        self._once: Once[tuple[str, str | None], tuple[Credential, float] | None] = Once()
        self._lock = Lock()
        self._warned = False

    def covers(self, index: Index | None, url: Url) -> bool:
        """Whether there is a user name, or an index that may need one."""
        if url.scheme not in ("http", "https"):
            return False
        if url.username or index is None:
            return bool(url.username)
        return index.authenticate == "always" or recognise(index.url).name not in ("pypi", "pytorch")

    def get(self, index: Index | None, url: Url) -> Credential | None:  # noqa: ARG002 - the shape of a provider
        """The first answer."""
        found = self._once.get(_key(url), lambda: self._search(url))
        return None if found is None else found[0]

    def forget(self, index: Index | None, url: Url, refused: Credential) -> bool:  # noqa: ARG002
        """Whether it is worth while to ask again: for what ends, and was not got just now. Passwords stay what they are."""
        found = self._once.get(_key(url), lambda: None) if self._once.known(_key(url)) else None
        if found is None or found[0].expires is None:
            return False
        if found[0].password == refused.password:
            if time.monotonic() - found[1] < self._fresh:
                return False
            self._once.forget(_key(url))
        return True

    def _search(self, url: Url) -> tuple[Credential, float] | None:
        for service, username in _questions(url):
            try:
                found = self._ring.ask(service, username)
            except Trouble as trouble:
                self._tell(trouble)
                if trouble.is_final:
                    break
                continue
            if found is not None and (found.username or found.password):
                password = Secret(found.password)
                origin = Origin("provider", f"keyring ({service})")
                return Credential(
                    found.username, password, origin, expires=end_of_token(found.password)
                ), time.monotonic()
        return None

    def _tell(self, trouble: Trouble) -> None:
        if trouble.detail:
            self._listener(Noted(f"keyring says: {trouble.detail}"))
        with self._lock:
            first, self._warned = not self._warned, True
        if first:
            self._listener(Warned(str(trouble), trouble.hint))


def _key(url: Url) -> tuple[str, str | None]:
    return url.without_credentials().without_fragment().public, url.username or None


def _questions(url: Url) -> Iterator[tuple[str, str | None]]:
    """Services and user names, in uv's order; the registry's own user name comes after the URL's."""
    full, username = _key(url)
    yield full, username
    fixed = recognise(url).username
    if fixed and username is not None and fixed != username:
        yield full, fixed
    scheme, host, port = url.realm
    host = f"[{host}]" if ":" in host else host
    netloc = host if port == _DEFAULT_PORTS.get(scheme) else f"{host}:{port}"
    yield netloc, username
    if scheme == "http":
        yield f"http://{netloc}", username


class Subprocess:
    """The ``keyring`` program: on ``PATH``, else in one of ``places`` (folders, of tools that are not on ``PATH``)."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        places: Sequence[Path] = (),
        listener: Listener = ignore,
        *,
        time_limit: float = 30.0,
        on_terminal: bool = False,
        patience: float = 3.0,
    ) -> None:
        """``environ`` is ``None`` for the process's own variables. ``time_limit`` for each question and ``patience`` (after
        which a person is told what the program says meanwhile) are in seconds."""
        self._environ = environ
        self._places = places
        self._listener = listener
        self._time_limit = time_limit
        self._on_terminal = on_terminal
        self._patience = patience

    def find(self) -> str | None:
        """Where the program is."""
        search = self._environ.get("PATH", "") if self._environ is not None else None
        return shutil.which(PROGRAM, path=search) or shutil.which(PROGRAM, path=os.pathsep.join(map(str, self._places)))

    def ask(self, service: str, username: str | None) -> Found | None:
        """``keyring get SERVICE USER``, or ``keyring get SERVICE --mode creds`` (in this order: its parser insists)."""
        program = self.find()
        if program is None:
            raise Trouble(
                "the keyring program is neither on PATH nor among the tools of `cove tool`",
                "install it (`cove tool install keyring`), or set keyring-provider to disabled",
                is_final=True,
            )
        question = (username,) if username is not None else ("--mode", "creds")
        try:
            answer = ask(
                (program, "get", service, *question),
                environ=self._environ,
                time_limit=self._time_limit,
                on_terminal=self._on_terminal,
                patience=self._patience,
                tell=lambda line: self._listener(Warned(f"keyring: {line}")),
            )
        except NoAnswer as reason:
            raise Trouble(
                f"the keyring program {reason}",
                f"run `keyring get {service} {' '.join(question)}` by hand to see what it waits for",
                is_final=True,
            ) from None
        if answer.status == 0:
            return _found(answer.stdout, username)
        if "unrecognized arguments: --mode" in answer.stderr:
            raise Trouble(
                "the keyring program is too old to look up a user name",
                "install keyring>=25.2.1, or give a user name in the URL of the index",
            )
        if answer.stderr.strip():
            raise Trouble(
                f"the keyring program failed for {service} (exit status {answer.status})",
                f"run `keyring get {service} {' '.join(question)}` by hand, or add -v, to see what it says",
                detail=masked(answer.stderr.strip(), answer.stdout),
            )
        return None


def _found(output: str, username: str | None) -> Found:
    if username is not None:
        return Found(username, output.rstrip())
    first, _, second = output.partition("\n")
    return Found(first.strip(), second.rstrip())


class Library:
    """The ``keyring`` package, if it can be imported here; it is asked on a thread that can be left behind."""

    def __init__(self, *, time_limit: float = 30.0) -> None:
        """``time_limit`` is in seconds, for each question."""
        self._time_limit = time_limit

    @staticmethod
    def is_there() -> bool:
        """Whether the package can be imported; does not import it."""
        from importlib.util import find_spec  # noqa: PLC0415 - only who asks for a keyring pays for it

        return find_spec(PROGRAM) is not None

    def ask(self, service: str, username: str | None) -> Found | None:
        """``keyring.get_credential``; a plugin's answer for another user counts where the registry has one for all."""
        if not self.is_there():
            raise Trouble(
                "keyring-provider is `import`, but the package `keyring` is not in cove's own environment",
                "install cove with it (`cove[keyring]`), or set keyring-provider to subprocess",
                is_final=True,
            )
        answers: list[Found | None] = []
        failures: list[str] = []

        def look() -> None:
            try:
                answers.append(_look_up(service, username))
            except Exception as error:  # noqa: BLE001 - whatever a backend raises; its text may quote secrets
                failures.append(type(error).__name__)

        thread = Thread(target=look, name="cove-keyring", daemon=True)
        thread.start()
        thread.join(self._time_limit)
        if failures:
            raise Trouble(
                f"keyring failed for {service} ({failures[0]})",
                "run `python -m keyring get` by hand in cove's environment to see what it says",
            )
        if not answers:
            raise Trouble(
                f"keyring did not answer within {self._time_limit:g} seconds",
                "its backend may wait for a person",
                is_final=True,
            )
        return answers[0]


def _look_up(service: str, username: str | None) -> Found | None:
    import keyring  # noqa: PLC0415 - optional, and slow to import

    credential = keyring.get_credential(service, username)
    if credential is not None and (username in (None, credential.username) or _has_one_user(service)):
        return Found(credential.username or "", credential.password or "")
    password = keyring.get_password(service, username) if username is not None else None
    return Found(username or "", password) if password is not None else None


def _has_one_user(service: str) -> bool:
    """Whether ``service`` is the URL of a registry that has one user name for everybody's tokens."""
    return "://" in service and bool(recognise(Url.parse(service)).username)


def make_keyring(
    provider: KeyringProvider,
    *,
    environ: Mapping[str, str] | None = None,
    places: Sequence[Path] = (),
    listener: Listener = ignore,
    on_terminal: bool = False,
) -> Keyring | None:
    """What ``keyring-provider`` means; ``None`` where there is nobody to ask (``auto`` finds nothing: that is no trouble)."""
    program = Subprocess(environ, places, listener, on_terminal=on_terminal)
    if provider == "import" or (provider == "auto" and Library.is_there()):
        return Keyring(Library(), listener)
    if provider == "subprocess" or (provider == "auto" and program.find() is not None):
        return Keyring(program, listener)
    return None
