"""The dictionary driver."""

import pytest
from packaging.version import Version

from cove.model.name import Name
from cove.resolve.drive import answer_from, drive
from cove.resolve.questions import AskDependencies, AskVersions, Dependencies, Versions
from cove.resolve.solver import solve
from resolve.world import world


def test_a_dictionary_is_world_enough() -> None:
    foo, one = Name("foo"), Version("1")
    answers = answer_from({AskVersions(foo): Versions((one,)), AskDependencies(foo, one): Dependencies()})
    assert drive(solve(world({}).request("foo")), answers).packages[foo].version == one


def test_what_the_world_raises_ends_the_conversation() -> None:
    with pytest.raises(KeyError):
        drive(solve(world({}).request("foo")), answer_from({}))


def test_nothing_required_needs_no_question() -> None:
    assert drive(solve(world({}).request()), answer_from({})).packages == {}
