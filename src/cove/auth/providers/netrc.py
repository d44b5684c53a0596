"""Credentials from the netrc file."""

from collections.abc import Mapping
from pathlib import Path

from cove.auth.provider import Username
from cove.formats.netrc import NetrcEntry, NetrcError, find, find_default, parse
from cove.http.once import Once
from cove.model.event import Listener, Warned, ignore
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential
from cove.model.url import Url


def netrc_path(environ: Mapping[str, str], home: Path) -> Path:
    """The file that ``NETRC`` names, else ``~/.netrc`` (``_netrc`` where only that exists, as on Windows)."""
    if environ.get("NETRC"):
        return Path(environ["NETRC"])
    usual, other = home / ".netrc", home / "_netrc"
    return other if other.is_file() and not usual.is_file() else usual


class Netrc:
    """The entry of the host, whoever asks; the ``default`` entry for configured indexes only.

    (``default`` would otherwise be sent to every host that a page links to.) A file that cannot be read is told of once and
    then counts as empty.
    """

    name = "netrc"

    def __init__(self, path: Path | None, listener: Listener = ignore) -> None:
        self._path = path
        self._listener = listener
        self._once: Once[None, tuple[NetrcEntry, ...]] = Once()

    def covers(self, index: Index | None, url: Url) -> bool:  # noqa: ARG002 - the shape of a provider
        """Whether there may be a file."""
        return self._path is not None and url.scheme in ("http", "https")

    def get(self, index: Index | None, url: Url) -> Credential | Username | None:
        """The host's entry; its login must be the user name known so far."""
        entries = self._once.get(None, self._read)
        wanted = url.username or None
        entry = find(entries, url.host, wanted)
        if entry is None and index is not None:
            entry = find_default(entries, wanted)
        if entry is None:
            return None
        origin = Origin("file", str(self._path), entry.line)
        if entry.password is None:
            return Username(entry.login, origin) if entry.login else None
        return Credential(entry.login, entry.password, origin)

    def _read(self) -> tuple[NetrcEntry, ...]:
        if self._path is None:
            return ()
        try:
            return parse(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return ()
        except OSError as error:
            reason = error.strerror or "it cannot be read"
        except UnicodeDecodeError:
            reason = "it is not UTF-8"
        except NetrcError as error:
            reason = str(error)
        self._listener(Warned(f"{self._path} is ignored: {reason}", "correct the file, or set NETRC to another one"))
        return ()
