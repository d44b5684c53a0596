"""Propagation and learning against a truth table."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from cove.resolve.incompatibility import Constrained, Incompatibility, externals
from cove.resolve.search import refute

VARIABLES, FULL = 4, 0b111


@st.composite
def facts(draw: st.DrawFn) -> list[dict[int, int]]:
    """As the solver makes them: each says that something must be selected, or is about something that is."""
    term = st.tuples(st.integers(0, VARIABLES - 1), st.integers(1, FULL - 1))
    several = draw(st.lists(st.lists(term, min_size=1, max_size=3).map(dict), max_size=14))
    return [one for one in several if list(one.values()) == [1] or not all(term & 1 for term in one.values())]


@settings(max_examples=1500, deadline=None)
@given(facts())
def test_a_proof_rests_on_given_facts_and_is_right(terms: list[dict[int, int]]) -> None:
    given_facts = [Incompatibility(one, Constrained(0, str(number))) for number, one in enumerate(terms)]
    proof = refute([FULL] * VARIABLES, given_facts)
    possible = any(
        not any(
            all(1 << value[variable] & candidates for variable, candidates in one.terms.items()) for one in given_facts
        )
        for value in product(range(3), repeat=VARIABLES)
    )
    if proof is None:
        return
    assert not possible
    assert not proof.terms
    needed = externals(proof)
    assert all(any(fact is one for one in given_facts) for fact in needed)
    assert refute([FULL] * VARIABLES, needed) is not None
