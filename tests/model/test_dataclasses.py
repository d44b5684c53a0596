"""``cove.model.dataclasses`` against the standard library's ``dataclasses``, which it stands for."""

import dataclasses as original
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import cove.model.dataclasses as ours

Outcome = tuple[str, object]


def outcome(act: Callable[[], object]) -> Outcome:
    """What comes of a call: a value, or the kind of error."""
    try:
        return ("value", act())
    except (TypeError, AttributeError, ValueError) as error:
        kind = "FrozenInstanceError" if type(error).__name__ == "FrozenInstanceError" else type(error).__name__
        return ("error", kind)


def classes(module: ModuleType) -> dict[str, Any]:
    """The same classes, made by one of the two."""
    dataclass, field = module.dataclass, module.field

    @dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 2
        notes: list[int] = field(default_factory=list, compare=False)
        secret: str = field(default="s", repr=False)

    @dataclass(slots=True)
    class Changing:
        a: int
        b: dict[str, int] = field(default_factory=dict)

    @dataclass(frozen=True, slots=True, order=True)
    class Ordered:
        major: int
        minor: int = 0

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        first: int = 1
        second: int  # type: ignore[misc] # the checker does not see that all are named

    @dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
    class Identity:
        x: int = 0

    @dataclass(frozen=True)
    class Derived(Point):
        z: int = 3

    @dataclass(frozen=True, slots=True)
    class Checked:
        x: int

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("negative")

        def __repr__(self) -> str:
            return "checked"

    @dataclass(frozen=True, slots=True)
    class Empty:
        pass

    return {made.__name__: made for made in (Point, Changing, Ordered, Named, Identity, Derived, Checked, Empty)}


def set_x(instance: Any) -> object:
    instance.x = 5
    return instance.x


def set_unknown(instance: Any) -> object:
    instance.unknown = 5
    return instance.unknown


def delete_x(instance: Any) -> object:
    del instance.x
    return None


def matched(instance: Any, kind: Any) -> object:
    match instance:
        case kind(first, second):
            return (first, second)
    return None


CASES: dict[str, Callable[[dict[str, Any], ModuleType], object]] = {
    "positional": lambda c, _: repr(c["Point"](1, 3)).replace("classes.<locals>.", ""),
    "defaults": lambda c, _: (c["Point"](1).y, c["Point"](1).notes, c["Point"](1).secret),
    "fresh default": lambda c, _: c["Point"](1).notes is c["Point"](1).notes,
    "missing": lambda c, _: c["Point"](),
    "too many": lambda c, _: c["Point"](1, 2, [], "", 5),
    "unknown": lambda c, _: c["Point"](1, unknown=2),
    "twice": lambda c, _: c["Point"](1, x=1),
    "second instance": lambda c, _: [c["Point"](n).x for n in range(3)],
    "equal": lambda c, _: c["Point"](1, notes=[1]) == c["Point"](1, notes=[2]),
    "unequal": lambda c, _: c["Point"](1, secret="a") == c["Point"](1, secret="b"),
    "other class": lambda c, _: (c["Point"](1) == c["Derived"](1), c["Point"](1) != 1),
    "hash": lambda c, _: len({c["Point"](1), c["Point"](1), c["Point"](2)}),
    "unhashable": lambda c, _: hash(c["Changing"](1)),
    "changing": lambda c, _: set_unknown(c["Changing"](1)),
    "assigned": lambda c, _: set_x(c["Point"](1)),
    "deleted": lambda c, _: delete_x(c["Point"](1)),
    "order": lambda c, _: sorted([c["Ordered"](2), c["Ordered"](1, 5), c["Ordered"](1)])[1].minor,
    "order with another": lambda c, _: c["Ordered"](1) < 3,
    "order of others": lambda c, _: c["Point"](1) < c["Point"](2),
    "at most": lambda c, _: (c["Ordered"](1) <= c["Ordered"](1), c["Ordered"](2) >= c["Ordered"](3)),
    "named": lambda c, _: (c["Named"](second=2).first, c["Named"](second=2, first=0).first),
    "named by place": lambda c, _: c["Named"](1, 2),
    "identity": lambda c, _: (c["Identity"]() == c["Identity"](), len({c["Identity"](), c["Identity"]()})),
    "derived": lambda c, _: repr(c["Derived"](1, z=4)).replace("classes.<locals>.", ""),
    "derived frozen": lambda c, _: set_x(c["Derived"](1)),
    "checked": lambda c, _: c["Checked"](-1),
    "own repr": lambda c, _: repr(c["Checked"](1)),
    "empty": lambda c, _: (c["Empty"]() == c["Empty"](), hash(c["Empty"]()) == hash(c["Empty"]())),
    "replace": lambda c, m: (m.replace(c["Point"](1, notes=[7]), y=9).y, m.replace(c["Point"](1, notes=[7])).notes),
    "replace checks": lambda c, m: m.replace(c["Checked"](1), x=-1),
    "replace unknown": lambda c, m: m.replace(c["Point"](1), unknown=1),
    "match": lambda c, _: matched(c["Ordered"](1, 2), c["Ordered"]),
    "slots": lambda c, _: hasattr(c["Point"](1), "__dict__"),
    "names": lambda c, _: (c["Point"].__name__, c["Point"].__qualname__, c["Point"].__match_args__),
    "class default": lambda c, _: hasattr(c["Derived"], "z"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_does_as_the_original(case: Callable[[dict[str, Any], ModuleType], object]) -> None:
    expected = outcome(lambda: case(classes(original), original))
    assert outcome(lambda: case(classes(ours), ours)) == expected


def test_a_class_costs_no_compilation_until_it_is_used() -> None:
    made = classes(ours)["Point"]
    stub = made.__init__
    made(1)
    assert made.__init__ is not stub
