"""What was stored by logging in."""

from cove.auth.provider import Username
from cove.auth.store import CredentialStore
from cove.errors import ConfigurationError
from cove.formats.credentials_toml import StoredCredential, matching
from cove.http.once import Once
from cove.model.event import Listener, Warned, ignore
from cove.model.index import Index
from cove.model.secret import Credential
from cove.model.url import Url


class Stored:
    """The stored credential whose service is the longest that covers a URL.

    Where several users are stored for that service and none is known, it is not known who is meant: that is told, and none
    of them is sent. A file that cannot be read is told of once, and then counts as empty.
    """

    name = "store"

    def __init__(self, store: CredentialStore, listener: Listener = ignore) -> None:
        self._store = store
        self._listener = listener
        self._file: Once[None, tuple[StoredCredential, ...]] = Once()
        self._told: Once[Url, None] = Once()

    def covers(self, index: Index | None, url: Url) -> bool:  # noqa: ARG002 - the shape of a provider
        """Whether it is a URL that services have."""
        return url.scheme in ("http", "https")

    def get(self, index: Index | None, url: Url) -> Credential | Username | None:
        """The credential of the user known so far, if any is; else of the only one."""
        found = matching(self._file.get(None, self._read), url, url.username or None)
        if len(found) > 1:
            self._told.get(found[0].service, lambda: self._tell(index, found))
            return None
        return self._store.credential(found[0]) if found else None

    def _read(self) -> tuple[StoredCredential, ...]:
        try:
            return self._store.read()
        except ConfigurationError as error:
            self._listener(Warned(f"{error.message}; it counts as empty", *error.hints[:1]))
            return ()

    def _tell(self, index: Index | None, found: tuple[StoredCredential, ...]) -> None:
        variables = index.credential_variables if index is not None else None
        ways = ["put the user name into the URL (`https://NAME@…`)"]
        if variables is not None:
            ways.insert(0, f"set ${variables[0]}")
        users = " and ".join(each.whose for each in found)
        self._listener(
            Warned(
                f"for {found[0].service}, {users} are stored in {self._store.path}; neither is used, as it is not said which",
                "; or ".join(ways),
            )
        )
