import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.errors import AccessForbidden, CoveError, IndexUnreachable, InvalidResponse, OfflineError, UnexpectedStatus
from cove.http.failures import CertificateRefused, ServerTrouble
from cove.index.breaker import Breaker
from cove.model.event import Event, Warned
from cove.model.index import Index, OnUnreachable
from cove.model.name import Name
from cove.model.outcome import Absent, Found, Outcome, Unavailable
from cove.model.page import Page
from cove.model.url import Url

POLICIES: tuple[OnUnreachable, ...] = ("fail", "skip", "cached")


class Scripted:
    """A source that answers by name; ``kept`` are the names that its cache knows."""

    def __init__(self, policy: OnUnreachable, answers: dict[Name, CoveError | None], kept: set[Name]) -> None:
        self.index = Index(Url.parse("https://example.com/simple"), name="corp", on_unreachable=policy)
        self.answers = answers
        self.kept = kept
        self.asked: list[Name] = []

    def project(self, name: Name) -> Outcome:
        self.asked.append(name)
        error = self.answers[name]
        return Found(self.index, Page(name)) if error is None else Unavailable(self.index, error)

    def stored(self, name: Name) -> Outcome:
        if name in self.kept:
            return Found(self.index, Page(name))
        return Unavailable(self.index, OfflineError("not in the cache"))

    def mark(self, name: Name) -> str:
        return f"mark of {name}"

    def marks(self) -> dict[Name, str]:
        return {name: self.mark(name) for name in self.answers}


errors = st.sampled_from([None, AccessForbidden, InvalidResponse, UnexpectedStatus, IndexUnreachable, ServerTrouble])
REACHES_NOBODY = (IndexUnreachable, ServerTrouble)


@given(st.sampled_from(POLICIES), st.lists(st.tuples(errors, st.booleans()), max_size=6))
def test_after_the_first_failure_it_is_not_asked_again(
    policy: OnUnreachable, script: list[tuple[type[CoveError] | None, bool]]
) -> None:
    names = [Name(f"n{number}") for number in range(len(script))]
    answers = {
        name: kind(f"trouble with {name}") if kind else None for name, (kind, _) in zip(names, script, strict=True)
    }
    source = Scripted(policy, answers, {name for name, (_, kept) in zip(names, script, strict=True) if kept})
    events: list[Event] = []
    breaker = Breaker(source, events.append)
    outcomes = [breaker.project(name) for name in names]
    first = next((n for n, (kind, _) in enumerate(script) if kind in REACHES_NOBODY), len(script))
    assert source.asked == names[: first + 1]
    for name, outcome in zip(names[:first], outcomes, strict=False):
        assert isinstance(outcome, Found) == (answers[name] is None)
    for name, outcome in zip(names[first:], outcomes[first:], strict=True):
        if policy == "skip":
            assert isinstance(outcome, Absent)
        elif policy == "cached" and name in source.kept:
            assert isinstance(outcome, Found)
        else:
            assert isinstance(outcome, Unavailable)
            assert outcome.error is answers[names[first]], "every name gets the same error"
    warnings = [event for event in events if isinstance(event, Warned)]
    assert len(warnings) == (policy != "fail" and first < len(script))


@pytest.mark.parametrize("policy", POLICIES)
def test_a_certificate_that_is_not_trusted_is_an_error_in_any_case(policy: OnUnreachable) -> None:
    foo = Name("foo")
    source = Scripted(policy, {foo: CertificateRefused("who is that?")}, {foo})
    assert isinstance(Breaker(source).project(foo), Unavailable)


def test_marks_are_passed_on_until_the_index_is_known_to_be_down() -> None:
    foo, bar = Name("foo"), Name("bar")
    breaker = Breaker(Scripted("fail", {foo: IndexUnreachable("nobody answers"), bar: None}, set()))
    assert breaker.mark(bar) == "mark of bar"
    breaker.project(foo)
    assert breaker.mark(bar) == ""
