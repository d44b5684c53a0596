"""What every provider of credentials is."""

from typing import Protocol, runtime_checkable

from cove.model.dataclasses import dataclass
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential
from cove.model.url import Url


@dataclass(frozen=True, slots=True)
class Username:
    """Half an answer: a user name without a password. The providers that follow look for the password of that user."""

    username: str
    origin: Origin


class Provider(Protocol):
    """One place where credentials may be. Thread-safe."""

    @property
    def name(self) -> str:
        """How messages and ``auth`` commands call it."""
        ...

    def covers(self, index: Index | None, url: Url) -> bool:
        """Whether asking is worth while; must be cheap."""
        ...

    def get(self, index: Index | None, url: Url) -> Credential | Username | None:
        """What is known for ``index``, or for ``url`` alone if it belongs to no configured index.

        With an index, ``url`` is the index's, and one call is made in a run (one more for each user name that another
        provider contributes). Without, it is the URL of a single file, and there may be a call for each of hundreds: a
        provider that starts programs or asks services must not cover such a URL unless it names a user.

        ``url.username`` is the user name known so far, if any: a provider must not answer for another. Raises ``CoveError``
        only for what makes it pointless to go on.
        """
        ...


@runtime_checkable
class Interactive(Provider, Protocol):
    """A provider that asks a person: it is turned to last, and only once a server has answered 401."""

    @property
    def is_interactive(self) -> bool:
        """Always true."""
        ...


@runtime_checkable
class Issuer(Provider, Protocol):
    """A provider whose credentials end, and which can make another one: a token service, a program that asks one."""

    def forget(self, index: Index | None, url: Url, refused: Credential) -> bool:
        """Drop ``refused`` where it is kept; whether ``get`` may now give another one.

        Called with what ``get`` was called with, after the server refused what it gave. A credential that is kept but is not
        ``refused`` any more (another run has replaced it) is not dropped, and is the other one.
        """
        ...
