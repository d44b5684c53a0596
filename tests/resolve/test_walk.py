"""Looking ahead."""

from collections import deque

from packaging.version import Version

from cove.model.name import Name
from cove.resolve.questions import AskDependencies, AskVersions, Question
from cove.resolve.solver import solve
from cove.resolve.walk import Walk
from resolve.world import World, drive, world


def walked(made: World, walk: Walk) -> list[list[Question]]:
    """Every wave of questions, each answered at once."""
    waves, wave = [], list(walk.start())
    while wave:
        waves.append(wave)
        wave = [following for question in wave for following in walk.answered(question, made.answer(question))]
    return waves


def deps(name: str, version: str) -> AskDependencies:
    return AskDependencies(Name(name), Version(version))


def test_reaches_everything_in_as_many_waves_as_the_tree_is_deep() -> None:
    made = world({"a 1": ["c"], "a 2": ["c"], "b 1": ['d; extra == "x"'], "c 1": [], "d 1": []})
    assert walked(made, Walk(made.request("a", "b[x]"))) == [
        [AskVersions(Name("a")), AskVersions(Name("b"))],
        [deps("a", "2"), deps("b", "1")],
        [AskVersions(Name("c")), AskVersions(Name("d"))],
        [deps("c", "1"), deps("d", "1")],
    ]


def test_a_solver_that_is_given_the_walk_asks_nothing_again() -> None:
    made = world({"a 1": ["c<2"], "b 1": ["c"], "c 1": [], "c 2": []})
    request = made.request("a", "b")
    walk = Walk(request)
    walked(made, walk)
    before = len(made.asked)
    solution = drive(solve(request, walk), made.answer)
    assert str(solution.packages[Name("c")].version) == "1"
    assert len(made.asked) == before == len(set(made.asked))


def test_answers_may_come_in_any_order() -> None:
    made = world({"a 1": ["c<2"], "b 1": ["c", "d"], "c 1": [], "c 2": [], "d 1": ["a"]})
    walk = Walk(made.request("a", "b"))
    todo = deque(walk.start())
    while todo:
        question = todo.pop()
        todo.extend(walk.answered(question, made.answer(question)))
    assert {deps("a", "1"), deps("b", "1"), deps("c", "1"), deps("d", "1")} <= set(made.asked)
    assert len(made.asked) == len(set(made.asked))


def test_a_newest_version_that_is_of_no_use_is_passed_over() -> None:
    made = world({"a 1": ["b"], "a 2": ["gone"], "b 1": []}, requires_python={"a 2": ">=4"})
    assert [deps("a", "2")] in (waves := walked(made, Walk(made.request("a"))))
    assert [deps("a", "1")] in waves
    assert AskVersions(Name("gone")) not in made.asked


def test_the_result_does_not_depend_on_what_the_walk_knows_already() -> None:
    held = {
        "a 1": ["c", "d"],
        "a 2": ["d", "c"],
        "b 1": ["d<3"],
        "d 1": [],
        "d 2": ["c<2"],
        "d 3": [],
        "c 1": [],
        "c 2": [],
    }
    chosen = []
    for ahead in (False, True):
        made = world(held, requires_python={"a 2": ">=4"})
        request = made.request("a", "b")
        walk = Walk(request)
        if ahead:
            walked(made, walk)
        packages = drive(solve(request, walk), made.answer).packages
        chosen.append([(name, str(resolved.version)) for name, resolved in packages.items()])
    assert chosen[0] == chosen[1]


def test_metadata_may_arrive_before_the_page() -> None:
    made = world({"a 1": [], "a 2": []}, requires_python={"a 2": ">=4"})
    request = made.request("a")
    walk = Walk(request)
    walk.answered(deps("a", "2"), made.answer(deps("a", "2")))
    assert walk.answered(AskVersions(Name("a")), made.answer(AskVersions(Name("a")))) == (deps("a", "1"),)
    assert walk.answered(AskVersions(Name("a")), made.answer(AskVersions(Name("a")))) == ()
    assert str(drive(solve(request, walk), made.answer).packages[Name("a")].version) == "1"
