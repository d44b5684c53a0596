"""Which credential is for which URL: the rules that keep a secret where it belongs."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from urllib.parse import unquote

from cove.auth.answers import Answers, now
from cove.auth.provider import Interactive, Provider
from cove.errors import ConfigurationError
from cove.http.messages import Request
from cove.http.once import Once
from cove.http.redirects import allows
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Listener, ignore
from cove.model.index import Index
from cove.model.secret import Credential, Secret
from cove.model.url import Url

_BY_HAND = frozenset({"environment", "URL"})
"""Providers of what is given for one index, unlike what is kept for whoever needs it."""

_OF_PLACES = frozenset({"netrc", "store"})
"""Providers of what is written down for hosts and paths."""


@dataclass(frozen=True, slots=True)
class CredentialStatus:
    """What is known for an index: the credential in use, and those that it hides."""

    index: Index
    active: Credential | None
    shadowed: tuple[Credential, ...]
    unasked: tuple[str, ...] = ()
    """Providers that may have more, and were not asked."""


class CredentialChain:
    """Asks ``providers`` in order, once for each index and run, whichever thread comes first.

    The credential of an index is for URLs below the index's root, by whole path segments; the longest root wins. Where
    ``whole_realm`` says so of an index, it is for its whole scheme, host and port (registries that keep files elsewhere on
    the host). It is never for another index and never for another realm. URLs that belong to no index have their own user
    info, or what providers know of their host. User info that a page of an index puts into a link is used on the index's own
    realm, and where the index is allowed to send us.

    What a server refuses is replaced by what the next provider has: see ``Answers``.
    """

    def __init__(
        self,
        indexes: Sequence[Index],
        providers: Sequence[Provider],
        *,
        whole_realm: Callable[[Index], bool] = lambda _: False,
        listener: Listener = ignore,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._indexes = tuple(indexes)
        self._providers = tuple(provider for provider in providers if not isinstance(provider, Interactive))
        self._people = tuple(provider for provider in providers if isinstance(provider, Interactive))
        self._whole_realm = whole_realm
        self._listener = listener
        self._clock = clock
        self._of_index: Once[tuple[str, Url], Answers | None] = Once()
        self._of_place: Once[tuple[Url, Secret | None], Answers] = Once()
        self._of_upload: Once[tuple[str, Url], Answers] = Once()
        self._every: list[Answers] = []
        self._typed: dict[str, Url] = {}

    def for_url(self, url: Url, index: Index | None = None) -> Credential | None:
        """What to send with a request for ``url`` made on behalf of ``index``; ``None`` to send nothing.

        Raises ``ConfigurationError`` for an index with ``authenticate = "never"`` for which credentials are given.
        """
        answers = self.answers(url, index)
        return answers.in_force() if answers is not None else None

    def answers(self, url: Url, index: Index | None = None) -> Answers | None:
        """Where ``for_url`` has it from; ``None`` where nothing must be sent, whatever is known."""
        url = self.with_typed(url)
        governing = self.index_for(url, index)
        own = self.of_index(governing) if governing is not None else None
        if own is not None and own.in_force() is not None:
            return own
        if any(one is not None and one.authenticate == "never" for one in (governing, index)):
            return None
        if self._is_inherited(url, index) or (index is not None and not allows(index, url)):
            url = url.without_credentials()
        if governing is not None and url.username is None:
            return own
        return self._for_place(url)

    def refused(
        self, credential: Credential | None, url: Url, index: Index | None = None, *, status: int = 401
    ) -> Credential | None:
        """What to send instead of ``credential``, to which ``url`` answered 401 or 403; ``None`` if nothing is left."""
        answers = self.origin_of(credential) if credential is not None else self.answers(url, index)
        return answers.refused(credential, status) if answers is not None else None

    def origin_of(self, credential: Credential) -> Answers | None:
        """The answers among which ``credential`` is; ``None`` for one that somebody made elsewhere."""
        return next((answers for answers in tuple(self._every) if answers.gave(credential)), None)

    def for_host(self, url: Url) -> Credential | None:
        """What ``url`` itself says, or what providers know of its host and user, whatever index it may belong to."""
        return self._for_place(url).in_force()

    def use_for_this_run(self, url: Url) -> None:
        """Use the user info of ``url`` for it and for what lies beside it, though it will be asked for without."""
        self._typed[_folder(url)] = url

    def with_typed(self, url: Url) -> Url:
        """``url`` with the user info that is to be used for it in this run, where it has none itself."""
        typed = self._typed.get(_folder(url)) if url.username is None and self._typed else None
        return url if typed is None else Url(url.public, typed.username, typed.password)

    def _for_place(self, url: Url) -> Answers:
        """Files in one folder have one credential, so that a wheel and its metadata are asked about once."""
        folder = Url(_folder(url), url.username)
        return self._of_place.get((folder, url.password), lambda: self._made(None, url))

    def _is_inherited(self, url: Url, index: Index | None) -> bool:
        """Whether the user info of ``url`` is that of an index of the same realm, taken over when a link was resolved."""
        indexes = self._indexes if index is None else (index, *self._indexes)
        own = (url.username, url.password)
        return any(
            own == (other.url.username, other.url.password) and other.url.realm == url.realm for other in indexes
        )

    def for_index(self, index: Index) -> Credential | None:
        """What is in force for ``index``; looked up at most once."""
        answers = self.of_index(index)
        return answers.in_force() if answers is not None else None

    def for_upload(self, index: Index, url: Url) -> Credential | None:
        """What is in force for uploads of ``index`` to ``url``: where that is a matter of places, what is kept for ``url``."""
        answers = self.of_index(index)
        if answers is None:
            return None
        credential = answers.in_force()
        if answers.source in _BY_HAND:
            return credential
        place = Url(url.public, url.username or index.url.username)
        found = self._of_upload.get((index.name, place), lambda: self._made(index, place, _OF_PLACES))
        return found.in_force() or credential

    def at_hand(self, index: Index, among: Collection[str]) -> tuple[Credential | None, tuple[str, ...]]:
        """What the providers ``among`` have for ``index``, and if they have nothing, who else may; those are not asked."""
        if index.authenticate == "never":
            return None, ()
        credential = self._made(index, index.url, among).in_force()
        others = [each for each in self._providers if each.name not in among and each.covers(index, index.url)]
        return credential, () if credential is not None else tuple(each.name for each in others)

    def of_index(self, index: Index) -> Answers | None:
        """What the providers have for ``index``; ``None`` where it must be sent nothing. Raises ``ConfigurationError``."""
        return self._of_index.get((index.name, index.url), lambda: self._made_for(index))

    def _made_for(self, index: Index) -> Answers | None:
        if index.authenticate == "never":
            self._insist_on_nothing(index)
            return None
        return self._made(index, index.url)

    def _made(self, index: Index | None, url: Url, among: Collection[str] | None = None) -> Answers:
        made = Answers(
            [each for each in self._providers if among is None or each.name in among],
            self._people if among is None else (),
            index,
            url,
            adapt=lambda credential: _in_form(credential, index),
            listener=self._listener,
            clock=self._clock,
        )
        self._every.append(made)
        return made

    def _insist_on_nothing(self, index: Index) -> None:
        """Raise ``ConfigurationError`` if someone gives credentials by hand for an index that is to be sent none."""
        for provider in self._providers:
            if provider.name not in _BY_HAND or not provider.covers(index, index.url):
                continue
            given = provider.get(index, index.url)
            if given is not None:
                where = index.origin_of("authenticate")
                raise ConfigurationError(
                    f'`authenticate` is "never" for {index.label} ({where}), but {given.origin} has credentials for it',
                    hints=("remove one of the two",),
                )

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
        """For each configured index, what is in use and what it hides; asks every provider that asks no person."""
        return tuple(self.status_of(index) for index in self._indexes)

    def status_of(self, index: Index, among: Collection[str] | None = None) -> CredentialStatus:
        """The same for one index. What the credential in force hides is looked for ``among`` these providers, else all."""
        answers = self.of_index(index)
        if answers is None:
            return CredentialStatus(index, None, ())
        active = answers.in_force()
        hidden = tuple(other for other in answers.every(among) if other is not active)
        return CredentialStatus(index, active, hidden, answers.unasked)


def _in_form(credential: Credential, index: Index | None) -> Credential:
    """``credential`` as ``index`` wants to be sent it."""
    wanted = index.auth_scheme if index is not None else ""
    if not wanted:
        return credential
    scheme, _, header = wanted.partition(":")
    if scheme == "header":
        return replace(credential, scheme="header", header=header)
    return replace(credential, scheme="bearer" if scheme == "bearer" else "basic")


def _folder(url: Url) -> str:
    return url.public.partition("?")[0].partition("#")[0].rpartition("/")[0] + "/"


def _is_below(root: Url, url: Url) -> bool:
    """``root.covers(url)``, but not where ``..`` in any spelling would lead out of it again on the way to the server."""
    if not root.covers(url):
        return False
    path = url.path
    if "/." not in path and "%" not in path and "\\" not in path:
        return True
    segments = unquote(path).replace("\\", "/").split("/")
    return ".." not in segments and "." not in segments
