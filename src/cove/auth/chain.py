"""Which credential is for which URL: the rules that keep a secret where it belongs."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from cove.auth.provider import Provider, Username
from cove.errors import ConfigurationError
from cove.http.messages import Request
from cove.http.once import Once
from cove.http.redirects import allows
from cove.model.index import Index
from cove.model.secret import Credential
from cove.model.url import Url


@dataclass(frozen=True, slots=True)
class CredentialStatus:
    """What is known for an index: the credential in use, and those that it hides."""

    index: Index
    active: Credential | None
    shadowed: tuple[Credential, ...]


class CredentialChain:
    """Asks ``providers`` in order, once for each index and run, whichever thread comes first.

    The credential of an index is for URLs below the index's root, by whole path segments; the longest root wins. Where
    ``whole_realm`` says so of an index, it is for its whole scheme, host and port (registries that keep files elsewhere on
    the host). It is never for another index and never for another realm. URLs that belong to no index have their own user
    info, or what providers know of their host. User info that a page of an index puts into a link is used on the index's own
    realm, and where the index is allowed to send us.
    """

    def __init__(
        self,
        indexes: Sequence[Index],
        providers: Sequence[Provider],
        *,
        whole_realm: Callable[[Index], bool] = lambda _: False,
    ) -> None:
        self._indexes = tuple(indexes)
        self._providers = tuple(providers)
        self._whole_realm = whole_realm
        self._of_index: Once[tuple[str, Url], Credential | None] = Once()
        self._of_host: Once[tuple[object, str | None], Credential | None] = Once()

    def for_url(self, url: Url, index: Index | None = None) -> Credential | None:
        """What to send with a request for ``url`` made on behalf of ``index``; ``None`` to send nothing.

        Raises ``ConfigurationError`` for an index with ``authenticate = "never"`` and user info in its URL.
        """
        governing = self.index_for(url, index)
        if governing is not None:
            credential = self.for_index(governing)
            if credential is not None or governing.authenticate == "never":
                return credential
        if self._is_inherited(url, index) or (index is not None and not allows(index, url)):
            url = url.without_credentials()
        if governing is not None and url.username is None:
            return None
        return self.for_host(url)

    def for_host(self, url: Url) -> Credential | None:
        """What ``url`` itself says, or what providers know of its host and user, whatever index it may belong to."""
        if url.username is not None and url.password is not None:
            return self._search(None, url)
        return self._of_host.get((url.realm, url.username), lambda: self._search(None, url))

    def _is_inherited(self, url: Url, index: Index | None) -> bool:
        """Whether the user info of ``url`` is that of an index of the same realm, taken over when a link was resolved."""
        indexes = self._indexes if index is None else (index, *self._indexes)
        own = (url.username, url.password)
        return any(
            own == (other.url.username, other.url.password) and other.url.realm == url.realm for other in indexes
        )

    def for_index(self, index: Index) -> Credential | None:
        """What is known for ``index``; looked up at most once."""
        if index.authenticate == "never":
            if index.url.username is not None:
                raise ConfigurationError(
                    f'`authenticate` is "never" for {index.label}, but its URL holds credentials ({index.origin})',
                    hints=("remove one of the two",),
                )
            return None
        return self._of_index.get((index.name, index.url), lambda: self._search(index, index.url))

    def index_for(self, url: Url, index: Index | None = None) -> Index | None:
        """The index to which ``url`` belongs; ``index``, on whose behalf it is requested, is preferred among equals."""
        candidates = ([index] if index is not None else []) + [other for other in self._indexes if other != index]
        below = [candidate for candidate in candidates if _is_below(candidate.root, url)]
        if below:
            return max(below, key=lambda candidate: len(candidate.root.path.rstrip("/")))
        same_realm = (other for other in candidates if other.url.realm == url.realm and self._whole_realm(other))
        return next(same_realm, None)

    def owner(self, request: Request) -> str:
        """A fingerprint of whoever makes ``request``, for the cache: nothing of the password is in it."""
        credential = request.credential or self.for_url(request.url, request.index)
        if credential is None:
            return ""
        return hashlib.sha256(f"{credential.username}\0{credential.origin}".encode()).hexdigest()

    def status(self) -> tuple[CredentialStatus, ...]:
        """For each configured index, what is in use and what it hides; asks every provider."""
        return tuple(self._status_of(index) for index in self._indexes)

    def _status_of(self, index: Index) -> CredentialStatus:
        active = self.for_index(index)
        every = () if index.authenticate == "never" else tuple(self._answers(index, index.url))
        return CredentialStatus(index, active, tuple(other for other in every if other != active))

    def _search(self, index: Index | None, url: Url) -> Credential | None:
        return next(self._answers(index, url), None)

    def _answers(self, index: Index | None, url: Url) -> Iterator[Credential]:
        """Complete credentials in order; a user name that one provider gives is what the next are asked for."""
        for provider in self._providers:
            if not provider.covers(index, url):
                continue
            answer = provider.get(index, url)
            if isinstance(answer, Username):
                if answer.username != url.username:
                    url = Url(url.public, answer.username)
            elif answer is not None:
                yield answer


def _is_below(root: Url, url: Url) -> bool:
    """``root.covers(url)``, but not where ``..`` in any spelling would lead out of it again on the way to the server."""
    segments = unquote(url.path).replace("\\", "/").split("/")
    return root.covers(url) and ".." not in segments and "." not in segments
