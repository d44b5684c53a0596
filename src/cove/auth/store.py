"""The credentials that were stored by logging in: ``credentials.toml``, which uv and cove share."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cove.config.toml_lines import Lines
from cove.errors import ConfigurationError
from cove.formats.credentials_toml import CredentialsTomlError, StoredCredential, parse
from cove.model.origin import Origin
from cove.model.secret import Credential
from cove.model.url import Url

T = TypeVar("T")


class CredentialStore:
    """The file at ``path``, which need not exist. Safe beside other processes, those of uv too: changes are made under
    uv's lock, and the file is replaced whole. Only its owner can read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = ""

    def read(self) -> tuple[StoredCredential, ...]:
        """What is stored; nothing where there is no file. Raises ``ConfigurationError`` naming file and line."""
        self._text = self._read()
        return self._understood(parse)

    def put(self, credential: StoredCredential) -> None:
        """Store ``credential`` in the place of one for the same user and service. Raises ``ConfigurationError``."""
        from cove.formats.credentials_edit import put  # noqa: PLC0415 - most commands only read

        self._change(lambda text: put(text, credential))

    def remove(self, service: Url, username: str | None) -> bool:
        """Remove what is stored for exactly this service and user; whether there was any. Raises ``ConfigurationError``."""
        from cove.formats.credentials_edit import remove  # noqa: PLC0415

        return self.path.exists() and self._change(lambda text: remove(text, service, username))

    def credential(self, stored: StoredCredential) -> Credential:
        """What is sent for something that ``read`` gave."""
        origin = Origin("file", str(self.path), Lines(self._text).of(("credential", stored.entry)))
        return Credential(stored.username or "", stored.secret, origin, stored.scheme)

    def _change(self, edit: Callable[[str], str | None]) -> bool:
        """Read, edit and write as one step; ``False`` when ``edit`` gives nothing to write."""
        from cove.config.atomic import write_whole  # noqa: PLC0415
        from cove.config.file_lock import locked  # noqa: PLC0415

        try:
            self._make_folder()
            with locked(self.path.with_name(f"{self.path.name}.lock")):
                self._text = self._read()
                changed = self._understood(edit)
                if changed is not None:
                    write_whole(self.path, changed.encode("utf-8"), mode=0o600)
                return changed is not None
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} cannot be written: {error.strerror or error}",
                hints=("UV_CREDENTIALS_DIR names another folder",),
            ) from error

    def _make_folder(self) -> None:
        """One that is made is for its owner alone; one that is there stays as it is."""
        self.path.parent.parent.mkdir(parents=True, exist_ok=True)
        self.path.parent.mkdir(mode=0o700, exist_ok=True)

    def _read(self) -> str:
        try:
            return self.path.read_text("utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError:
            reason = "it is not UTF-8"
        except OSError as error:
            reason = error.strerror or "it is no file"
        raise ConfigurationError(f"{self.path} cannot be read: {reason}")

    def _understood(self, work: Callable[[str], T]) -> T:
        try:
            return work(self._text)
        except CredentialsTomlError as error:
            line = Lines(self._text).of(("credential", error.entry)) if error.entry is not None else 0
            place = f"{self.path}:{line}" if line else str(self.path)
            raise ConfigurationError(
                f"{place}: stored credentials cannot be read: {error}",
                hints=("correct the file by hand, or remove it",),
            ) from None
