"""What the providers answer for one index, in order, and which of the answers is in force."""

import itertools
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from threading import RLock

from cove.auth.provider import Interactive, Issuer, Provider, Username
from cove.errors import CoveError
from cove.http.messages import Refusal
from cove.http.status import status_text
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Listener, Noted, Warned, ignore
from cove.model.index import Index
from cove.model.origin import DEFAULT
from cove.model.secret import Credential
from cove.model.url import Url

Adapt = Callable[[Credential], Credential]


@dataclass(slots=True, eq=False)
class _Answer:
    """``given`` is what the provider gave for ``url``; ``credential`` the same in the form in which it is sent."""

    credential: Credential
    given: Credential
    provider: Provider
    url: Url
    is_renewed: bool = False
    has_worked: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What one provider had to say; it was not asked if what is looked for is not its business."""

    provider: str
    answer: Credential | Username | None
    was_asked: bool


def now() -> datetime:
    """The time by which credentials end."""
    return datetime.now(UTC)


class Answers:
    """A cursor over the providers' answers, shared by all threads that send requests for one index.

    Providers are asked one after the other, and only as far as needed: the next one when the server has refused what the one
    before gave; ``people`` are asked last, and only after a 401. One credential is in force at a time. ``adapt`` gives a
    found credential the form in which the index wants it. What has ended by the clock is passed over as long as there is
    something else.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        people: Sequence[Interactive],
        index: Index | None,
        url: Url,
        *,
        adapt: Adapt = lambda credential: credential,
        listener: Listener = ignore,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._providers = list(providers)
        self._people = list(people)
        self._asked: list[str] = []
        self._left_out: list[Provider] = []
        self._index = index
        self._url = url
        self._adapt = adapt
        self._listener = listener
        self._clock = clock
        self._lock = RLock()
        self._known: list[_Answer] = []
        self._waiting: list[_Answer] = []
        self._statuses: dict[Credential, int] = {}
        self._active: _Answer | None = None
        self._has_begun = False
        self._is_spent = False
        self._error: CoveError | None = None

    def in_force(self) -> Credential | None:
        """What to send; ``None`` if no provider has anything. The first call asks the providers, all others wait for it.

        Raises, each time, what a provider raised.
        """
        with self._lock:
            self._begin()
            active = self._active
            if active is not None and _ends_before(active.credential, self._clock):
                self._active = active = self._renewed(active) or active
            return active.credential if active is not None else None

    def refused(self, credential: Credential | None, status: int) -> Credential | None:
        """The server answered 401 or 403 to ``credential`` (``None``: to a request without one): what to try instead.

        A credential that its provider can make anew is made anew, once for each that has worked; else the next provider's is
        taken. That happens once, whichever thread comes first; the others get what is in force by now. A 403 does not count
        against what has worked, and does not make anyone ask a person. ``None`` when nothing else is known: what has worked
        is then in force again, or what came nearest to it.
        """
        is_unknown = status == HTTPStatus.UNAUTHORIZED
        with self._lock:
            self._begin()
            active = self._active
            if credential is not None and not any(credential == answer.credential for answer in self._known):
                return None
            if self._is_spent:
                return None
            if active is not None and active.credential != credential:
                return active.credential
            if active is None:
                self._active = self._next(may_ask=is_unknown)
                return self._active.credential if self._active is not None else None
            if active.has_worked and not is_unknown:
                return None
            return self._moved(active, status, may_ask=is_unknown)

    def answered(self, credential: Credential | None) -> None:
        """The server took ``credential`` for what it is, whatever it said to the request."""
        active = self._active
        if active is not None and not active.has_worked and active.credential == credential:
            active.has_worked = True

    def gave(self, credential: Credential) -> bool:
        """Whether this very object came from here."""
        return any(answer.credential is credential for answer in self._known)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """What was refused so far, in order."""
        credentials = [answer.credential for answer in tuple(self._known)]
        return tuple(Refusal(each, self._statuses[each]) for each in credentials if each in self._statuses)

    @property
    def source(self) -> str:
        """The provider of what is in force, by name; empty for none."""
        return self._active.provider.name if self._active is not None else ""

    @property
    def unasked(self) -> tuple[str, ...]:
        """The providers that ``every`` left out although they may have something, by name."""
        return tuple(each.name for each in self._left_out if each.covers(self._index, self._url))

    @property
    def places(self) -> tuple[str, ...]:
        """The providers that were asked, by name."""
        return tuple(self._asked)

    def every(self, among: Collection[str] | None = None) -> tuple[Credential, ...]:
        """All that providers have, in order of priority; nobody is disturbed for it, and nothing changes.

        With ``among``, those of other names that were not asked so far stay unasked.
        """
        with self._lock:
            self._begin()
            if among is not None:
                self._left_out += [each for each in self._providers if each.name not in among]
                self._providers = [each for each in self._providers if each.name in among]
            while (answer := self._asked_next(may_ask=False)) is not None:
                self._waiting.append(answer)
            return tuple(answer.credential for answer in self._known)

    def each(self) -> Iterator[Said]:
        """Ask one provider after the other, as far as that was not done, and nobody who would be disturbed by it."""
        while self._providers:
            with self._lock:
                provider = self._providers.pop(0)
                asked = len(self._asked)
                try:
                    answer = self._said_by(provider)
                except CoveError as error:
                    self._error = error
                    raise
                was_asked = len(self._asked) > asked
            if isinstance(answer, _Answer):
                self._waiting.append(answer)
                yield Said(provider.name, answer.credential, was_asked)
            else:
                yield Said(provider.name, answer, was_asked)

    def _begin(self) -> None:
        if self._error is not None:
            raise self._error
        if self._has_begun:
            return
        self._has_begun = True
        try:
            self._active = self._valid_next(may_ask=False) or self._first_of_the_ended()
        except CoveError as error:
            self._error = error
            raise

    def _moved(self, refused: _Answer, status: int, *, may_ask: bool) -> Credential | None:
        """Put another answer in the place of ``refused``."""
        renewed = self._renewed(refused) if refused.has_worked or not refused.is_renewed else None
        if renewed is not None:
            said = status_text(status)
            self._listener(Noted(f"{self._subject(refused)} was refused ({said}); trying a new one"))
            self._active = renewed
            return renewed.credential
        other = self._valid_next(may_ask=may_ask)
        self._statuses[refused.credential] = status
        if other is None and not may_ask:
            return None  # it may still be the right one for everything else
        if other is None:
            self._is_spent = True
            self._active = self._nearest()
            return None
        self._warn(refused, f"refused ({status_text(status)})", other)
        self._active = other
        return other.credential

    def _nearest(self) -> _Answer:
        """Of those that were all refused: the last that ever worked, else one that is known but not allowed, else the first."""
        worked = [answer for answer in self._known if answer.has_worked]
        forbidden = [answer for answer in self._known if self._statuses.get(answer.credential) == HTTPStatus.FORBIDDEN]
        sent = [answer for answer in self._known if self._statuses.get(answer.credential)]
        return (worked[-1:] or forbidden or sent)[0]

    def _first_of_the_ended(self) -> _Answer | None:
        """Our clock may be wrong, and nothing else is there."""
        first = self._known[0] if self._known else None
        if first is not None:
            del self._statuses[first.credential]
        return first

    def _valid_next(self, *, may_ask: bool) -> _Answer | None:
        """The next answer that has not ended; those that have are told of if there is one that has not."""
        ended: list[_Answer] = []
        while (answer := self._next(may_ask=may_ask)) is not None:
            if not self._is_new(answer):
                continue
            if not answer.credential.has_expired(self._clock()):
                for each in ended:
                    self._warn(each, "not sent, because it has expired", answer)
                return answer
            self._statuses[answer.credential] = 0
            ended.append(answer)
        return None

    def _next(self, *, may_ask: bool) -> _Answer | None:
        return self._waiting.pop(0) if self._waiting else self._asked_next(may_ask=may_ask)

    def _asked_next(self, *, may_ask: bool) -> _Answer | None:
        """The next provider's credential."""
        for waiting in (self._providers, self._people if may_ask else []):
            while waiting:
                answer = self._said_by(waiting.pop(0))
                if isinstance(answer, _Answer):
                    return answer
        return None

    def _said_by(self, provider: Provider) -> _Answer | Username | None:
        """What it has; a user name is what those after it are asked for."""
        if not provider.covers(self._index, self._url):
            return None
        self._asked.append(provider.name)
        given = provider.get(self._index, self._url)
        if isinstance(given, Username):
            if given.username != self._url.username:
                self._url = Url(self._url.public, given.username)
            return given
        return self._kept(given, provider, self._url) if given is not None else None

    def _renewed(self, answer: _Answer) -> _Answer | None:
        provider = answer.provider
        if not isinstance(provider, Issuer) or not provider.forget(self._index, answer.url, answer.given):
            return None
        given = provider.get(self._index, answer.url)
        if not isinstance(given, Credential):
            return None
        again = self._kept(given, provider, answer.url)
        again.is_renewed = True
        return again if self._is_new(again) else None

    def _kept(self, given: Credential, provider: Provider, url: Url) -> _Answer:
        answer = _Answer(self._adapt(given), given, provider, url)
        self._known.append(answer)
        return answer

    def _is_new(self, answer: _Answer) -> bool:
        """Whether nothing that came before it, from wherever, looks the same to the server."""
        before = itertools.takewhile(lambda known: known is not answer, self._known)
        sent = _sent_as(answer.credential)
        return all(_sent_as(known.credential) != sent for known in before)

    def _warn(self, answer: _Answer, what: str, other: _Answer) -> None:
        self._listener(
            Warned(
                f"{self._subject(answer)} was {what}; trying {other.credential.origin}",
                f"correct or remove it in {answer.credential.origin}",
            )
        )

    def _subject(self, answer: _Answer) -> str:
        whose = f"`{self._index.label}`" if self._index is not None else self._url.host
        return f"the credential for {whose} from {answer.credential.origin}"


def _sent_as(credential: Credential) -> Credential:
    return replace(credential, origin=DEFAULT, expires=None)


def _ends_before(credential: Credential, clock: Callable[[], datetime]) -> bool:
    return credential.expires is not None and credential.expires <= clock()
