"""Tokens that end, kept from run to run with their end.

A file of its own in the data folder, readable by its owner alone, because it is the one place where cove writes secrets of
others; never the cache, which is copied between machines and shown to anybody who asks for a log.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import cast, get_args

from cove.model.event import Listener, Noted, Warned, ignore
from cove.model.origin import Origin
from cove.model.secret import Credential, Scheme, Secret

FILE_NAME = "tokens.json"
MARGIN = timedelta(minutes=5)
"""A token that ends sooner is not handed out: it could end in the middle of a run."""

_FORMAT = 1
_KEYS = frozenset({"username", "secret", "scheme", "header", "origin", "expires"})
_Entries = dict[str, dict[str, str]]


class Damaged(ValueError):
    """The file is not what ``Tokens`` writes."""


class Tokens:
    """The kept tokens by key (whoever makes them chooses keys that name provider, service and account).

    Thread-safe, and safe beside other processes. What cannot be read or written is told, and no error: a kept token saves a
    request, no more.
    """

    def __init__(self, folder: Path, listener: Listener = ignore) -> None:
        self.path = folder / FILE_NAME
        self._listener = listener

    def get(self, key: str, now: datetime) -> Credential | None:
        """The credential kept under ``key``, unless it ends within ``MARGIN`` of ``now``."""
        entry = self._read().get(key)
        if entry is None or _end(entry) - now <= MARGIN:
            return None
        return _credential(entry)

    def put(self, key: str, credential: Credential) -> None:
        """Keep ``credential``; one that does not say when it ends is not kept, and replaces what was there."""

        def edit(entries: _Entries) -> None:
            _drop(entries, key)
            if credential.expires is not None:
                entries[key] = _entry(credential, credential.expires)

        self._change(edit)

    def drop(self, key: str, refused: Secret | None = None) -> None:
        """Forget what is kept under ``key``; with ``refused``, only if it is that one and not one that came after it."""
        entry = self._read().get(key)
        if entry is not None and (refused is None or entry["secret"] == refused.reveal()):
            self._change(lambda entries: _drop(entries, key, refused))

    def clear(self) -> int:
        """Forget every token; how many there were."""
        count = len(self._read())
        if self.path.exists():
            self._change(lambda entries: entries.clear())
        return count

    def _read(self) -> _Entries:
        try:
            return _parse(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except Damaged as error:
            self._listener(Warned(f"{self.path} is dropped: {error}", "tokens are asked for anew"))
            self._change(lambda _: None)
        except OSError as error:
            self._listener(Warned(f"the kept tokens cannot be read: {error.strerror}", f"look at {self.path}"))
        return {}

    def _change(self, edit: Callable[[_Entries], object]) -> None:
        """Read, edit and write as one step; what has ended is left out."""
        import json  # noqa: PLC0415 - this and the next two: most runs have no token to keep

        from cove.config.atomic import write_whole  # noqa: PLC0415
        from cove.config.file_lock import locked  # noqa: PLC0415

        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.path.with_name(f"{FILE_NAME}.lock")):
                entries = self._current()
                edit(entries)
                now = datetime.now(UTC)
                left = {key: entry for key, entry in sorted(entries.items()) if _end(entry) > now}
                text = json.dumps({"format": _FORMAT, "tokens": left}, indent=1)
                write_whole(self.path, text.encode(), mode=0o600)
        except OSError as error:
            self._listener(Noted(f"tokens are not kept in {self.path}: {error.strerror or error}"))

    def _current(self) -> _Entries:
        try:
            return _parse(self.path.read_bytes())
        except (FileNotFoundError, Damaged):
            return {}


class Kept:
    """What an ``Issuer`` made: for this run in memory, for later ones in ``tokens`` (``None``: for this run only).

    One thread makes a credential for a key; the others wait for it. ``now`` is a clock.
    """

    def __init__(
        self,
        tokens: Tokens | None,
        listener: Listener = ignore,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tokens = tokens
        self._listener = listener
        self._now = now
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._made: dict[str, tuple[Credential, datetime | None]] = {}

    def get(self, key: str, fetch: Callable[[], Credential | None]) -> Credential | None:
        """What is known for ``key``: from this run, from an earlier one, else what ``fetch`` makes. Raises what it raises."""
        with self._lock_of(key):
            now = self._now()
            made, until = self._made.get(key, (None, None))
            if made is not None and (until is None or now < until):
                return made
            credential = self._tokens.get(key, now) if self._tokens is not None else None
            if credential is None:
                credential = fetch()
                if credential is None:
                    return None
                if self._tokens is not None and credential.expires is not None:
                    self._tokens.put(key, credential)
            else:
                self._listener(
                    Noted(f"{credential.origin}: the token of an earlier run is used until {credential.expires}")
                )
            self._made[key] = credential, _renew_at(credential, now)
            return credential

    def forget(self, key: str, refused: Credential) -> bool:
        """Have ``get`` make another in the place of ``refused``, unless that is done already; whether it was from here."""
        with self._lock_of(key):
            made, _ = self._made.get(key, (None, None))
            if made is None:
                return False
            if made.password == refused.password:
                del self._made[key]
                if self._tokens is not None:
                    self._tokens.drop(key, refused.password)
            return True

    def _lock_of(self, key: str) -> Lock:
        with self._lock:
            return self._locks.setdefault(key, Lock())


def _renew_at(credential: Credential, now: datetime) -> datetime | None:
    """``MARGIN`` before the end; halfway for a token that lives hardly longer than that.

    Never for one that has ended when it is made: the next would be no better.
    """
    if credential.expires is None or credential.expires <= now:
        return None
    return credential.expires - min(MARGIN, (credential.expires - now) / 2)


def _drop(entries: _Entries, key: str, refused: Secret | None = None) -> None:
    if key in entries and (refused is None or entries[key]["secret"] == refused.reveal()):
        del entries[key]


def _entry(credential: Credential, expires: datetime) -> dict[str, str]:
    return {
        "username": credential.username,
        "secret": credential.password.reveal(),
        "scheme": credential.scheme,
        "header": credential.header,
        "origin": credential.origin.name,
        "expires": expires.astimezone(UTC).isoformat(),
    }


def _credential(entry: Mapping[str, str]) -> Credential:
    return Credential(
        entry["username"],
        Secret(entry["secret"]),
        Origin("provider", entry["origin"]),
        cast("Scheme", entry["scheme"]),
        _end(entry),
        entry["header"],
    )


def _end(entry: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(entry["expires"])


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _parse(content: bytes) -> _Entries:
    """The entries; raises ``Damaged``, quoting nothing of what is there."""
    import json  # noqa: PLC0415 - most runs have no file of tokens

    try:
        data = json.loads(content)
    except ValueError:
        raise Damaged("it is not JSON") from None
    if not isinstance(data, dict) or data.get("format") != _FORMAT or not isinstance(data.get("tokens"), dict):
        raise Damaged("its format is another one")
    for entry in data["tokens"].values():
        if (
            not isinstance(entry, dict)
            or entry.keys() != _KEYS
            or not all(isinstance(text, str) for text in entry.values())
        ):
            raise Damaged("one of its entries is not whole")
        if entry["scheme"] not in get_args(Scheme) or not _is_time(entry["expires"]):
            raise Damaged("one of its entries cannot be understood")
    return cast("_Entries", data["tokens"])
