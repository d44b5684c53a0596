import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from cove.auth.answers import Answers
from cove.auth.provider import Interactive, Issuer, Provider, Username
from cove.errors import ConfigurationError, CoveError
from cove.model.event import Event, Warned
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url

INDEX = Index(Url.parse("https://packages.example.com/simple"), name="corp")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def credential(text: str, expires: datetime | None = None) -> Credential:
    return Credential("ada", Secret(text), Origin("provider", f"source of {text}"), expires=expires)


class Has:
    """A provider with one answer, or one error."""

    def __init__(self, answer: Credential | Username | CoveError | None) -> None:
        self.name = "has"
        self.answer = answer
        self.asked = 0

    def covers(self, index: Index | None, url: Url) -> bool:
        return True

    def get(self, index: Index | None, url: Url) -> Credential | Username | None:
        self.asked += 1
        threading.Event().wait(0.01)
        if isinstance(self.answer, CoveError):
            raise self.answer
        return self.answer


class Person(Has):
    """One who is asked."""

    is_interactive = True


class Makes(Has):
    """A provider whose answers end: ``t1``, ``t2`` …, each for an hour."""

    def __init__(self, most: int = 9, lasting: timedelta | None = None) -> None:
        super().__init__(None)
        self.left = most
        self.lasting = lasting
        self._numbers = count(1)
        self.now = NOW

    def get(self, index: Index | None, url: Url) -> Credential:
        self.asked += 1
        ends = self.now + self.lasting if self.lasting is not None else None
        return credential(f"t{next(self._numbers)}", ends)

    def forget(self, index: Index | None, url: Url, refused: Credential) -> bool:
        self.left -= 1
        return self.left > 0


def answers(*providers: Provider, events: list[Event] | None = None, people: Sequence[Interactive] = ()) -> Answers:
    listener = (events if events is not None else []).append
    return Answers(providers, people, INDEX, INDEX.url, listener=listener, clock=lambda: NOW)


def text(found: Credential | None) -> str | None:
    return found.password.reveal() if found is not None else None


def test_the_kinds_are_told_apart() -> None:
    assert isinstance(Makes(), Issuer)
    assert isinstance(Person(None), Interactive)
    assert not isinstance(Has(None), Issuer | Interactive)


def test_a_refused_credential_is_followed_by_the_next() -> None:
    events: list[Event] = []
    first, second = Has(credential("one")), Has(credential("two"))
    known = answers(first, Has(None), second, events=events)
    assert text(known.in_force()) == "one"
    assert second.asked == 0, "nobody is asked before it is needed"
    assert text(known.refused(credential("one"), 401)) == "two"
    assert text(known.in_force()) == "two"
    assert events == [
        Warned(
            "the credential for `corp` from source of one was refused (401 Unauthorized); trying source of two",
            "correct or remove it in source of one",
        )
    ]
    assert known.refused(credential("two"), 401) is None
    assert [(text(each.credential), each.status) for each in known.refusals] == [("one", 401), ("two", 401)]
    assert text(known.in_force()) == "one", "the first is what the error speaks of"
    assert known.refused(credential("one"), 401) is None
    assert len(events) == 1


def test_many_threads_move_on_once() -> None:
    events: list[Event] = []
    providers = [Has(credential(name)) for name in ("one", "two", "three")]
    known = answers(*providers, events=events)
    refused = known.in_force()
    found: list[str | None] = []
    threads = [threading.Thread(target=lambda: found.append(text(known.refused(refused, 401)))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["two"] * 12
    assert [provider.asked for provider in providers] == [1, 1, 0]
    assert len(events) == 1


def test_the_same_secret_from_another_source_is_not_sent_again() -> None:
    same = Credential("ada", Secret("one"), Origin("file", "netrc", 3))
    known = answers(Has(credential("one")), Has(same), Has(credential("two")))
    assert text(known.refused(known.in_force(), 401)) == "two"


def test_a_403_moves_on_while_there_is_another_and_stays_with_what_worked() -> None:
    known = answers(Has(credential("one")), Has(credential("two")))
    one = known.in_force()
    assert text(known.refused(one, 403)) == "two"
    two = known.in_force()
    known.answered(two)
    assert known.refused(two, 403) is None
    assert known.in_force() == two
    alone = answers(Has(credential("one")))
    assert alone.refused(alone.in_force(), 403) is None
    assert text(alone.in_force()) == "one", "it may be the right one for everything else"


def test_what_came_nearest_is_in_force_when_all_were_refused() -> None:
    known = answers(Has(credential("wrong")), Has(credential("forbidden")), Has(credential("last")))
    assert text(known.refused(known.in_force(), 401)) == "forbidden"
    assert text(known.refused(known.in_force(), 403)) == "last"
    assert known.refused(known.in_force(), 401) is None
    assert text(known.in_force()) == "forbidden"
    worked = answers(Has(credential("good")), Has(credential("other")))
    worked.answered(worked.in_force())
    assert text(worked.refused(worked.in_force(), 401)) == "other"
    assert worked.refused(worked.in_force(), 401) is None
    assert text(worked.in_force()) == "good"


def test_a_token_is_renewed_once_and_again_after_it_has_worked() -> None:
    issuer = Makes()
    known = answers(issuer, Has(credential("kept")))
    assert text(known.refused(known.in_force(), 401)) == "t2"
    assert text(known.refused(known.in_force(), 401)) == "kept", "a new one that never worked is not renewed"
    issuer = Makes()
    known = answers(issuer, Has(credential("kept")))
    for number in (2, 3, 4):
        known.answered(known.in_force())
        assert text(known.refused(known.in_force(), 401)) == f"t{number}"
    stubborn = answers(Makes(most=1), Has(credential("kept")))
    assert text(stubborn.refused(stubborn.in_force(), 401)) == "kept"


def test_a_token_is_renewed_at_its_end_before_it_is_sent() -> None:
    issuer = Makes(lasting=timedelta(hours=1))
    clock = [NOW]
    known = Answers([issuer], [], INDEX, INDEX.url, clock=lambda: clock[0])
    assert [text(known.in_force()) for _ in range(3)] == ["t1"] * 3
    clock[0] = issuer.now = NOW + timedelta(hours=1)
    assert [text(known.in_force()) for _ in range(3)] == ["t2"] * 3


def test_what_has_ended_is_passed_over_if_there_is_something_else() -> None:
    events: list[Event] = []
    ended = credential("old", NOW - timedelta(minutes=1))
    known = answers(Has(ended), Has(credential("new")), events=events)
    assert text(known.in_force()) == "new"
    assert [event.message for event in events if isinstance(event, Warned)] == [
        "the credential for `corp` from source of old was not sent, because it has expired; trying source of new"
    ]
    known.refused(known.in_force(), 401)
    assert [(text(each.credential), each.status) for each in known.refusals] == [("old", 0), ("new", 401)]
    alone = answers(Has(ended))
    assert text(alone.in_force()) == "old", "our clock may be wrong"
    assert alone.refusals == ()


@pytest.mark.parametrize("status, expected", [(401, "typed"), (403, None)])
def test_a_person_is_asked_after_a_401_only(status: int, expected: str | None) -> None:
    person = Person(credential("typed"))
    known = answers(Has(None), people=[person])
    assert known.in_force() is None
    assert person.asked == 0
    assert text(known.refused(None, status)) == expected
    assert text(known.refused(None, status)) == expected, "whoever comes later gets the same"
    assert person.asked == (expected is not None)
    wrong = answers(Has(credential("one")), people=[Person(credential("typed"))])
    assert text(wrong.refused(wrong.in_force(), status)) == expected


def test_somebody_elses_credential_changes_nothing() -> None:
    known = answers(Has(credential("one")), Has(credential("two")))
    assert known.refused(credential("from elsewhere"), 401) is None
    assert text(known.in_force()) == "one"


def test_an_error_of_a_provider_is_everybodys() -> None:
    provider = Has(ConfigurationError("no"))
    known = answers(provider, Has(credential("one")))
    for _ in range(2):
        with pytest.raises(ConfigurationError):
            known.in_force()
    assert provider.asked == 1


def test_all_of_them_can_be_listed_without_a_change() -> None:
    person = Person(credential("typed"))
    known = answers(Has(credential("one")), Has(credential("two")), Has(credential("three")), people=[person])
    assert [text(each) for each in known.every()] == ["one", "two", "three"]
    assert text(known.in_force()) == "one"
    assert text(known.refused(known.in_force(), 401)) == "two"
    assert known.places == ("has",) * 3
    assert person.asked == 0
