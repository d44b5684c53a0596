"""Decision diagrams: every node asks for one variable and splits its ordered values into segments that lead to other nodes.

Variables come in one fixed order and equal nodes are one object, so two functions that are the same are the same object.
The order is that of uv, where it can be seen in the text of a marker. What no platform is like does not count: of functions
that agree on all platforms there are, one stands for all of them.
"""

from collections.abc import Callable, Iterator
from functools import cache
from threading import Lock as Mutex
from typing import TypeVar
from weakref import WeakValueDictionary

from cove.model.dataclasses import dataclass, field

Release = tuple[int, ...]
Value = Release | str | bool
Cut = tuple[Value, int]
"""A place between values: just before the value (0) or just after it (1)."""

STRINGS = (
    "os_name",
    "sys_platform",
    "platform_system",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_version",
    "implementation_name",
)
VERSIONS = ("implementation_version", "python_full_version")
ASKED = ("extra", "extras", "dependency_groups")
STEP_LIMIT = 20_000
_ORDER = (*STRINGS, *VERSIONS, *ASKED)
_PLATFORM = ("os_name", "sys_platform", "platform_system")
_TURNS = {"": 0, "contains": 2}


class TooComplex(Exception):
    """The marker's diagram grows beyond what honest metadata needs."""


def rank(name: str, operator: str = "") -> int:
    """The place of a variable in the order: what is compared by its value, then what is looked for in a text, then extras."""
    turn = 3 if name in ASKED else _TURNS.get(operator, 1)
    return turn * len(_ORDER) + _ORDER.index("python_full_version" if name == "python_version" else name)


@dataclass(frozen=True, slots=True, order=True)
class Variable:
    """What a node asks for: a marker variable itself, or (``operator`` set) whether ``name operator operand`` holds."""

    rank: int
    name: str
    operator: str = ""
    operand: str = ""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Node:
    """Equal nodes are one object. ``branches[i]`` is for values between ``cuts[i - 1]`` and ``cuts[i]``.

    ``known`` is empty until its ``canonical`` diagram has been found, which is kept there; ``None`` for the node itself.
    """

    variable: Variable
    cuts: tuple[Cut, ...]
    branches: tuple["Diagram", ...]
    known: list["Diagram | None"] = field(default_factory=list)


Diagram = Node | bool

Folded = TypeVar("Folded")

_nodes: WeakValueDictionary[tuple[Variable, tuple[Cut, ...], tuple[int, ...]], Node] = WeakValueDictionary()
_mutex = Mutex()


def make_node(variable: Variable, cuts: list[Cut], branches: list[Diagram]) -> Diagram:
    """The one node that asks ``variable``, or what it leads to when the answer does not matter."""
    kept_cuts: list[Cut] = []
    kept = [branches[0]]
    for cut, branch in zip(cuts, branches[1:], strict=True):
        if branch is not kept[-1]:
            kept_cuts.append(cut)
            kept.append(branch)
    if len(kept) == 1:
        return kept[0]
    key = (variable, tuple(kept_cuts), tuple(map(id, kept)))
    with _mutex:
        node = _nodes.get(key)
        if node is None:
            node = _nodes[key] = Node(variable, tuple(kept_cuts), tuple(kept))
        return node


def combined(left: Diagram, right: Diagram, decided: bool) -> Diagram:  # noqa: FBT001 - the terminal that decides alone
    """Intersection (``decided`` false: one false settles it) or union (``decided`` true)."""
    known: dict[tuple[int, int], Diagram] = {}

    def combine(a: Diagram, b: Diagram) -> Diagram:
        if isinstance(a, bool):
            return a if a is decided else b
        if isinstance(b, bool):
            return b if b is decided else a
        if a is b:
            return a
        key = (id(a), id(b))
        if key not in known:
            if len(known) >= STEP_LIMIT:
                raise TooComplex
            known[key] = _aligned(a, b, combine)
        return known[key]

    return combine(left, right)


def _aligned(a: Node, b: Node, combine: Callable[[Diagram, Diagram], Diagram]) -> Diagram:
    variable = min(a.variable, b.variable)
    cuts: list[Cut] = sorted({*(a.cuts if a.variable == variable else ()), *(b.cuts if b.variable == variable else ())})
    return make_node(
        variable,
        cuts,
        [combine(x, y) for x, y in zip(spread(a, variable, cuts), spread(b, variable, cuts), strict=True)],
    )


def spread(node: Diagram, variable: Variable, cuts: list[Cut]) -> Iterator[Diagram]:
    """The branch of ``node`` for each segment between ``cuts``, which include its own."""
    if isinstance(node, bool) or node.variable != variable:
        for _ in range(len(cuts) + 1):
            yield node
        return
    position = 0
    yield node.branches[0]
    for cut in cuts:
        if position < len(node.cuts) and node.cuts[position] == cut:
            position += 1
        yield node.branches[position]


def folded(diagram: Diagram, leaf: Callable[[bool], Folded], step: Callable[[Node, list[Folded]], Folded]) -> Folded:
    """What ``step`` makes of every node and of what was made of its branches. Each node has its turn once: the ways through a
    diagram are exponentially many where its nodes are few."""
    known: dict[int, Folded] = {}

    def fold(node: Diagram) -> Folded:
        if isinstance(node, bool):
            return leaf(node)
        if id(node) not in known:
            known[id(node)] = step(node, [fold(branch) for branch in node.branches])
        return known[id(node)]

    return fold(diagram)


def negated(diagram: Diagram) -> Diagram:
    """What is true where ``diagram`` is false."""
    return folded(diagram, lambda value: not value, rebuilt)


def rebuilt(node: Node, branches: list[Diagram]) -> Diagram:
    """``node`` with other branches, for ``folded``."""
    return make_node(node.variable, list(node.cuts), branches)


def same(value: bool) -> Diagram:  # noqa: FBT001 - a diagram that is a constant
    """A leaf that stays as it is, for ``folded``."""
    return value


# --- platforms -------------------------------------------------------------------------------------------------------

_SYSTEMS_OF_THEIR_OWN = ("FreeBSD", "NetBSD", "OpenBSD", "SunOS", "iOS", "iPadOS")
_OTHER_PLATFORMS = ("aix", "android", "emscripten", "ios", "linux", "darwin", "win32", "cygwin", "wasi")


def _excluded_pairs() -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Values that no platform has together, those that uv knows."""
    for platform in ("linux", "darwin", "ios"):
        yield ("os_name", "nt"), ("sys_platform", platform)
    yield ("os_name", "posix"), ("sys_platform", "win32")
    for system in _SYSTEMS_OF_THEIR_OWN:
        for platform in _OTHER_PLATFORMS:
            if platform != "ios" or system not in ("iOS", "iPadOS"):
                yield ("platform_system", system), ("sys_platform", platform)


@cache  # made when the first marker asks for several variables of a platform, which few do
def _possible() -> Diagram:
    """All platforms that there are."""
    found: Diagram = True
    for pair in _excluded_pairs():
        both: Diagram = True
        for name, value in pair:
            one = make_node(Variable(rank(name), name), [(value, 0), (value, 1)], [False, True, False])
            both = combined(both, one, decided=False)
        found = combined(found, negated(both), decided=False)
    return found


def canonical(diagram: Diagram) -> Diagram:
    """The diagram that stands for all those that agree with this one on every platform there is."""
    if not isinstance(diagram, Node) or not _is_mixed(diagram):
        return diagram
    if not diagram.known:  # the same few markers are met again and again
        found = _completed(diagram, _possible(), {})
        if isinstance(found, Node) and _is_mixed(found):
            found = make_node(found.variable, list(found.cuts), [canonical(branch) for branch in found.branches])
        diagram.known.append(None if found is diagram else found)
    known = diagram.known[0]
    return diagram if known is None else known


def _is_platform(diagram: Diagram) -> bool:
    return isinstance(diagram, Node) and diagram.variable.name in _PLATFORM and not diagram.variable.operator


def _is_mixed(diagram: Diagram) -> bool:
    """Whether one variable of the platform is asked for after another; they come first in the order."""
    return isinstance(diagram, Node) and _is_platform(diagram) and any(map(_is_platform, diagram.branches))


def _completed(value: Diagram, domain: Diagram, known: dict[tuple[int, int], Diagram]) -> Diagram:
    """``value`` within ``domain``, and what makes it simple elsewhere.

    The first segment of a variable allows everything of the others that any segment does: what is beyond an impossible one
    is taken from there, and so is what cannot be told apart from it.
    """
    if isinstance(domain, bool) or not isinstance(value, Node) or not _is_platform(value):
        return value
    key = (id(value), id(domain))
    if key not in known:
        known[key] = _completed_branches(value, domain, known)
    return known[key]


def _completed_branches(value: Node, domain: Node, known: dict[tuple[int, int], Diagram]) -> Diagram:
    if domain.variable < value.variable:
        return _completed(value, domain.branches[0], known)
    if value.variable < domain.variable:
        within = [_completed(branch, domain, known) for branch in value.branches]
        return make_node(value.variable, list(value.cuts), within)
    default = _completed(value.branches[0], domain.branches[0], known)
    cuts = sorted({*value.cuts, *domain.cuts})
    found: list[Diagram] = []
    for branch, allowed in zip(spread(value, value.variable, cuts), spread(domain, value.variable, cuts), strict=True):
        if allowed is False or branch is value.branches[0]:
            found.append(default)
            continue
        other = _completed(branch, allowed, known)
        is_special = allowed is not domain.branches[0]
        found.append(default if is_special and other is _completed(default, allowed, known) else other)
    return make_node(value.variable, cuts, found)
