"""Who may read from the index and who may publish to it."""

import hmac
import secrets
import threading
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cove.errors import ConfigurationError
from cove.model.dataclasses import dataclass
from cove.model.secret import Secret


@dataclass(frozen=True, slots=True)
class Account:
    """A user with an Argon2 hash of the password. Everyone listed may read."""

    username: str
    password_hash: str
    may_upload: bool = False


def hash_password(password: Secret) -> str:
    """What is stored of a password: Argon2id in its usual encoding, salted."""
    return PasswordHasher().hash(password.reveal())


def read_accounts(text: str, origin: str) -> tuple[Account, ...]:
    """Accounts from lines ``username:role:hash``, role ``read`` or ``upload``; empty lines and ``#`` comments are skipped.

    Raises ``ConfigurationError`` naming ``origin`` and the line.
    """
    accounts: list[Account] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        username, role, password_hash = (*line.strip().split(":", 2), "", "")[:3]
        if role not in ("read", "upload") or not password_hash.startswith("$argon2"):
            raise ConfigurationError(
                f"{origin}:{number} is not an account",
                hints=(
                    "write `username:read:HASH` or `username:upload:HASH`, HASH being an Argon2 hash of the password",
                ),
            )
        accounts.append(Account(username, password_hash, role == "upload"))
    return tuple(accounts)


class Accounts:
    """Verifies passwords: with Argon2 the first time, from then on by a keyed digest kept in memory. Thread-safe."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts = {account.username: account for account in accounts}
        self._hasher = PasswordHasher()
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, Account] = {}
        self._lock = threading.Lock()
        self._nobody = self._hasher.hash(secrets.token_hex(16))

    def known(self, username: str, password: Secret) -> Account | None:
        """The account, when this password was verified before. Cheap: may be called where nothing may block."""
        return self._known.get(self._digest(username, password))

    def verify(self, username: str, password: Secret) -> Account | None:
        """The account, or ``None`` when there is no such user or the password is wrong. Slow for a password not seen before.

        One password is verified at a time: a first wave of requests costs one Argon2 run, and so does each guess.
        """
        with self._lock:
            known = self.known(username, password)
            if known is not None:
                return known
            account = self._accounts.get(username)
            try:
                # An unknown user costs as much time as a wrong password, so that names cannot be probed for.
                self._hasher.verify(account.password_hash if account else self._nobody, password.reveal())
            except (VerificationError, InvalidHashError):
                return None
            if account is not None:
                self._known[self._digest(username, password)] = account
            return account

    def _digest(self, username: str, password: Secret) -> bytes:
        text = f"{len(username)}:{username}{password.reveal()}"
        return hmac.digest(self._key, text.encode("utf-8", "surrogateescape"), "sha256")
