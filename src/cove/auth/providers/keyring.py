"""Credentials from the ``keyring`` program (``keyring-provider = "subprocess"``)."""

import subprocess
from collections.abc import Iterator, Mapping
from threading import Lock

from cove.model.event import Listener, Warned, ignore
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Keyring:
    """Asks ``keyring get SERVICE USER`` for the URL as written, then for its host.

    Without a user name it is asked only for an index with ``authenticate = "always"`` (``keyring get --mode creds``). The
    first trouble with the program is told, once. What the program writes to stderr is not shown: it may quote secrets.
    """

    name = "keyring"

    def __init__(
        self,
        listener: Listener = ignore,
        *,
        program: str = "keyring",
        time_limit: float = 30.0,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """``time_limit`` is in seconds, for each call; ``environ`` is ``None`` for the process's own variables."""
        self._environ = environ
        self._listener = listener
        self._program = program
        self._time_limit = time_limit
        self._lock = Lock()
        self._warned = False

    def covers(self, index: Index | None, url: Url) -> bool:
        """Whether there is a user name, or an index that demands credentials."""
        return bool(url.username) or (index is not None and index.authenticate == "always")

    def get(self, index: Index | None, url: Url) -> Credential | None:  # noqa: ARG002 - the shape of a provider
        """The first answer of the program, if any."""
        for service in _services(url):
            output = self._ask(service, url.username)
            if output is None:
                continue
            label = f"keyring ({service})"
            if url.username:
                return Credential(url.username, Secret(output.rstrip()), Origin("provider", label))
            username, _, password = output.partition("\n")
            return Credential(username.strip(), Secret(password.rstrip()), Origin("provider", label))
        return None

    def _ask(self, service: str, username: str | None) -> str | None:
        question = [service, username] if username else ["--mode", "creds", service]
        try:
            done = subprocess.run(
                [self._program, "get", *question],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self._time_limit,
                env=self._environ,
                check=False,
            )
        except FileNotFoundError:
            self._warn(
                f"the keyring program `{self._program}` is not on PATH",
                "install it (`cove tool install keyring`), or set keyring-provider to disabled",
            )
            return None
        except subprocess.TimeoutExpired:
            self._warn(
                f"the keyring program did not answer within {self._time_limit:g} seconds", "it may wait for a prompt"
            )
            return None
        except OSError as error:
            self._warn(f"the keyring program cannot be run: {error.strerror}", "")
            return None
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "replace")
        if b"unrecognized arguments: --mode" in done.stderr:
            self._warn(
                "the keyring program is too old to look up a user name", "install keyring>=25.2.1, or give a user name"
            )
        elif done.stderr.strip():
            self._warn(
                f"the keyring program failed for {service} (exit status {done.returncode})",
                "run `keyring get` by hand to see what it says",
            )
        return None

    def _warn(self, message: str, hint: str) -> None:
        with self._lock:
            first, self._warned = not self._warned, True
        if first:
            self._listener(Warned(message, hint))


def _services(url: Url) -> Iterator[str]:
    """The names under which a password may be stored, in uv's order."""
    yield url.without_credentials().without_fragment().public
    scheme, host, port = url.realm
    host = f"[{host}]" if ":" in host else host
    netloc = host if port == _DEFAULT_PORTS.get(scheme) else f"{host}:{port}"
    yield netloc
    if scheme == "http":
        yield f"http://{netloc}"
