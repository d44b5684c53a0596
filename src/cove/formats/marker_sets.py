"""Markers as sets of environments, so that they can be intersected, compared and simplified (PEP 508, "Environment Markers").

A set is a decision diagram: every node asks for one variable and splits its ordered values into segments, each leading to
another node. Variables come in one fixed order and equal nodes are one object, so two markers that mean the same are the
same object. Versions compare by their release alone, as the final releases that interpreters are; ``python_version`` is
expressed through ``python_full_version``, and ``platform_system`` through ``sys_platform`` where each follows from the other.
"""

import re
from collections.abc import Callable, Collection, Iterator
from threading import Lock as Mutex
from weakref import WeakValueDictionary

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.model.dataclasses import dataclass, field
from cove.model.name import Name, normalize

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
_ORDER = (*STRINGS, *VERSIONS, "extra", "extras", "dependency_groups")
_SYSTEMS = {"Windows": "win32", "Linux": "linux", "Darwin": "darwin"}
_LOWEST: Cut = ((0,), 0)  # no version is below 0
_STEP_LIMIT = 20_000


class TooComplex(Exception):
    """The marker's diagram grows beyond what honest metadata needs."""


@dataclass(frozen=True, slots=True, order=True)
class Variable:
    """What a node asks for: a marker variable itself, or (``operator`` set) whether ``name operator operand`` holds."""

    rank: int
    name: str
    operator: str = ""
    operand: str = ""


_PYTHON = Variable(_ORDER.index("python_full_version"), "python_full_version")


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Node:
    """Equal nodes are one object. ``branches[i]`` is for values between ``cuts[i - 1]`` and ``cuts[i]``."""

    variable: Variable
    cuts: tuple[Cut, ...]
    branches: tuple["Diagram", ...]


Diagram = Node | bool

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


def _combined(left: Diagram, right: Diagram, decided: bool) -> Diagram:  # noqa: FBT001 - the terminal that decides alone
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
            if len(known) >= _STEP_LIMIT:
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
        [combine(x, y) for x, y in zip(_spread(a, variable, cuts), _spread(b, variable, cuts), strict=True)],
    )


def _spread(node: Node, variable: Variable, cuts: list[Cut]) -> Iterator[Diagram]:
    """The branch of ``node`` for each segment between ``cuts``, which include its own."""
    if node.variable != variable:
        for _ in range(len(cuts) + 1):
            yield node
        return
    position = 0
    yield node.branches[0]
    for cut in cuts:
        if position < len(node.cuts) and node.cuts[position] == cut:
            position += 1
        yield node.branches[position]


def _negated(diagram: Diagram) -> Diagram:
    known: dict[int, Diagram] = {}

    def negate(node: Diagram) -> Diagram:
        if isinstance(node, bool):
            return not node
        if id(node) not in known:
            known[id(node)] = make_node(node.variable, list(node.cuts), [negate(branch) for branch in node.branches])
        return known[id(node)]

    return negate(diagram)


@dataclass(frozen=True, slots=True)
class MarkerSet:
    """A set of environments; ``==`` is equality of meaning. Operations raise ``TooComplex`` on hostile markers."""

    diagram: Diagram = field(repr=False)

    def __and__(self, other: "MarkerSet") -> "MarkerSet":
        return MarkerSet(_combined(self.diagram, other.diagram, decided=False))

    def __or__(self, other: "MarkerSet") -> "MarkerSet":
        return MarkerSet(_combined(self.diagram, other.diagram, decided=True))

    def __invert__(self) -> "MarkerSet":
        return MarkerSet(_negated(self.diagram))

    @property
    def is_empty(self) -> bool:
        """Whether no environment is in the set."""
        return self.diagram is False

    @property
    def is_everything(self) -> bool:
        """Whether every environment is in the set."""
        return self.diagram is True

    def implies(self, other: "MarkerSet") -> bool:
        """Whether ``other`` contains this set."""
        return (self & ~other).is_empty

    def with_extra(self, extra: Name | None, undecided: Collection[str] = ()) -> "MarkerSet":
        """The set when ``extra`` alone is asked for (``None``: no extra is): ``extra`` conditions are decided and vanish.

        Those that name something ``undecided`` stay.
        """

        def decide(variable: Variable) -> bool | None:
            if variable.name != "extra" or variable.operand in undecided:
                return None
            return variable.operand == (extra or "")

        return MarkerSet(_decided(self.diagram, decide))

    def with_extras(self, extras: Collection[str]) -> "MarkerSet":
        """The set when exactly ``extras`` are asked for: ``extra`` conditions are decided and vanish."""

        def decide(variable: Variable) -> bool | None:
            return variable.operand in extras if variable.name == "extra" else None

        return MarkerSet(_decided(self.diagram, decide))

    def assuming_python(self, requires_python: SpecifierSet) -> "MarkerSet":
        """The simplest set that agrees with this one on every Python in ``requires_python``."""
        python = _python_range(requires_python)
        return MarkerSet(_assumed(self.diagram, python.diagram))

    def assuming(self, known: "MarkerSet") -> "MarkerSet":
        """A simple set that agrees with this one in every environment of ``known``."""
        return MarkerSet(_restricted(self.diagram, known.diagram)) if not known.is_empty else self

    def given(self, code: str, *, asked: bool) -> "MarkerSet":
        """The set when it is known whether the extra ``code`` is asked for."""
        return MarkerSet(_decided(self.diagram, lambda variable: asked if _is_extra(variable, code) else None))

    @property
    def without_extras(self) -> "MarkerSet":
        """The environments that are in the set with some choice of extras."""
        return MarkerSet(_without_extras(self.diagram))

    @property
    def order(self) -> tuple[object, ...]:
        """What sets are sorted by in a lock."""
        return _order(self.diagram)

    @property
    def python_only(self) -> "MarkerSet":
        """The Pythons for which there is an environment in the set, whatever else it asks for."""
        return MarkerSet(self.values_of(_PYTHON))

    def values_of(self, variable: Variable) -> Diagram:
        """For which values of one variable there is an environment in the set, as a diagram of that variable alone."""
        return _values(self.diagram, variable)

    @property
    def lowest_python(self) -> Cut | None:
        """Where the Pythons of the set begin, ``None`` if there is no lowest."""
        found = _lowest_python(self.diagram, None)
        return None if found == _LOWEST else found


def _decided(diagram: Diagram, decide: Callable[[Variable], bool | None]) -> Diagram:
    if isinstance(diagram, bool):
        return diagram
    answer = decide(diagram.variable)
    if answer is not None:
        return _decided(diagram.branches[answer], decide)
    return make_node(diagram.variable, list(diagram.cuts), [_decided(branch, decide) for branch in diagram.branches])


def _assumed(diagram: Diagram, python: Diagram) -> Diagram:
    if isinstance(diagram, bool) or isinstance(python, bool):
        return diagram
    if diagram.variable != python.variable:
        return make_node(
            diagram.variable, list(diagram.cuts), [_assumed(branch, python) for branch in diagram.branches]
        )
    cuts: list[Cut] = sorted({*diagram.cuts, *python.cuts})
    ours = list(_spread(diagram, diagram.variable, cuts))
    allowed = list(_spread(python, python.variable, cuts))
    inside = [position for position, answer in enumerate(allowed) if answer]
    if not inside:
        return False
    # A segment outside the range takes the branch of the segment inside before it (the first: after it), because the
    # answer there is free and a cut that nothing forces makes the marker longer.
    nearest = [max((i for i in inside if i <= position), default=inside[0]) for position in range(len(ours))]
    return make_node(diagram.variable, cuts, [ours[position] for position in nearest])


def _restricted(diagram: Diagram, known: Diagram) -> Diagram:
    """``diagram`` where ``known`` (not empty) holds, and elsewhere whatever makes it smallest."""
    done: dict[tuple[int, int], Diagram] = {}

    def restrict(a: Diagram, b: Diagram) -> Diagram:
        if isinstance(a, bool) or isinstance(b, bool):
            return a
        key = (id(a), id(b))
        if key not in done:
            if len(done) >= _STEP_LIMIT:
                raise TooComplex
            done[key] = step(a, b)
        return done[key]

    def step(a: Node, b: Node) -> Diagram:
        if b.variable < a.variable:  # what is asked first does not matter for ``a``
            either = b.branches[0]
            for branch in b.branches[1:]:
                either = _combined(either, branch, decided=True)
            return restrict(a, either)
        if a.variable < b.variable:
            return make_node(a.variable, list(a.cuts), [restrict(branch, b) for branch in a.branches])
        cuts: list[Cut] = sorted({*a.cuts, *b.cuts})
        pairs = list(zip(_spread(a, a.variable, cuts), _spread(b, a.variable, cuts), strict=True))
        inside = [None if where is False else restrict(what, where) for what, where in pairs]
        free = next(branch for branch in inside if branch is not None)
        return make_node(a.variable, cuts, [free if branch is None else branch for branch in inside])

    return restrict(diagram, known)


def _is_extra(variable: Variable, code: str) -> bool:
    return variable.name == "extra" and variable.operand == code


def _without_extras(diagram: Diagram) -> Diagram:
    if isinstance(diagram, bool):
        return diagram
    branches = [_without_extras(branch) for branch in diagram.branches]
    if diagram.variable.name != "extra":
        return make_node(diagram.variable, list(diagram.cuts), branches)
    return _combined(branches[0], branches[1], decided=True)


_KINDS = {"": 3, "in": 4, "contains": 5}


def _order(diagram: Diagram) -> tuple[object, ...]:
    """By kind (versions before other values), variable, and then by values and what they lead to, as uv sorts its diagrams."""
    if isinstance(diagram, bool):
        return (0,) if diagram else (1,)
    variable, grouped = diagram.variable, dict[int, tuple[list[object], Diagram]]()
    lows = [(0,), *((1, cut) for cut in diagram.cuts)]
    highs = [*((1, cut) for cut in diagram.cuts), (2,)]
    for low, high, branch in zip(lows, highs, diagram.branches, strict=True):
        grouped.setdefault(id(branch), ([], branch))[0].append((low, high))
    edges = tuple((tuple(segments), _order(branch)) for segments, branch in grouped.values())
    is_version = variable.name in VERSIONS and not variable.operator
    kind = 2 if is_version else 6 if variable.name not in STRINGS else _KINDS.get(variable.operator, 7)
    return (kind, variable.rank, variable.operator, variable.operand, edges)


def _values(diagram: Diagram, variable: Variable) -> Diagram:
    if isinstance(diagram, bool):
        return diagram
    if diagram.variable == variable:
        return make_node(variable, list(diagram.cuts), [branch is not False for branch in diagram.branches])
    found: Diagram = False
    for branch in diagram.branches:
        found = _combined(found, _values(branch, variable), decided=True)
    return found


def _lowest_python(diagram: Diagram, low: Cut | None) -> Cut | None:
    """The lowest cut from which on ``diagram`` holds somewhere, ``_LOWEST`` without one; ``None`` if it holds nowhere."""
    if isinstance(diagram, bool):
        return (low or _LOWEST) if diagram else None
    is_python = diagram.variable.name == "python_full_version" and not diagram.variable.operator
    lows = (None, *diagram.cuts) if is_python else (low,) * len(diagram.branches)
    found = [_lowest_python(branch, start) for branch, start in zip(diagram.branches, lows, strict=True)]
    return min((each for each in found if each is not None), default=None)


EVERYTHING = MarkerSet(diagram=True)
NOTHING = MarkerSet(diagram=False)


# --- from markers ----------------------------------------------------------------------------------------------------

# packaging writes a value in double quotes, or in single ones when it contains a double quote.
_TOKEN = re.compile(r"""\s*(?:([()])|"([^"]*)"|'([^']*)'|(not\s+in\b|===|[~=!<>]=|[<>]|[a-z_]+))""")
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


def marker_set(marker: Marker | None) -> MarkerSet:
    """The environments for which ``marker`` holds (``None``: all). Raises ``TooComplex``."""
    if marker is None:
        return EVERYTHING
    text = str(marker)
    tokens = [
        parenthesis or word or '"' + (double or single) for parenthesis, double, single, word in _TOKEN.findall(text)
    ]
    try:
        found, rest = _disjunction(tokens)
    except RecursionError as error:
        raise TooComplex from error
    assert not rest, text  # packaging wrote the text: it is well formed
    return found


def _disjunction(tokens: list[str]) -> tuple[MarkerSet, list[str]]:
    found, tokens = _conjunction(tokens)
    while tokens and tokens[0] == "or":
        more, tokens = _conjunction(tokens[1:])
        found |= more
    return found, tokens


def _conjunction(tokens: list[str]) -> tuple[MarkerSet, list[str]]:
    found, tokens = _term(tokens)
    while tokens and tokens[0] == "and":
        more, tokens = _term(tokens[1:])
        found &= more
    return found, tokens


def _term(tokens: list[str]) -> tuple[MarkerSet, list[str]]:
    if tokens[0] == "(":
        found, rest = _disjunction(tokens[1:])
        return found, rest[1:]
    left, operator, right = tokens[0], " ".join(tokens[1].split()), tokens[2]
    return _comparison(left, operator, right), tokens[3:]


def _comparison(left: str, operator: str, right: str) -> MarkerSet:
    literal, variable, reversed_ = (right[1:], left, False) if right.startswith('"') else (left[1:], right, True)
    negative = operator in ("!=", "not in")
    if variable in ("extra", "extras", "dependency_groups"):
        holds = _flag(variable, "in" if reversed_ and "in" in operator else "==", normalize(literal))
        return ~holds if negative else holds
    if "in" in operator and (reversed_ or variable in STRINGS):
        holds = _flag(variable, "contains" if reversed_ else "in", literal)
        return ~holds if negative else holds
    if reversed_:
        operator = _MIRRORED.get(operator, operator)
    if variable in STRINGS:
        return _string(variable, operator, literal)
    return _version(variable, operator, literal)


def _flag(name: str, operator: str, operand: str) -> MarkerSet:
    variable = Variable(_rank(name), name, operator, operand)
    return MarkerSet(make_node(variable, [(True, 0)], [False, True]))


def _rank(name: str) -> int:
    return _ORDER.index("python_full_version" if name == "python_version" else name)


def _between(name: str, low: Cut | None, high: Cut | None) -> MarkerSet:
    """Values of the variable ``name`` from ``low`` up to ``high`` (``None``: without end)."""
    low = None if low == _LOWEST else low
    if high == _LOWEST or (low is not None and high is not None and low >= high):
        return NOTHING
    cuts = [cut for cut in (low, high) if cut is not None]
    branches: list[Diagram] = [*([False] if low is not None else []), True, *([False] if high is not None else [])]
    return MarkerSet(make_node(Variable(_rank(name), name), cuts, branches))


def _string(name: str, operator: str, literal: str) -> MarkerSet:
    if name == "platform_system" and literal in _SYSTEMS:
        name, literal = "sys_platform", _SYSTEMS[literal]
    if operator in ("==", "==="):
        return _between(name, (literal, 0), (literal, 1))
    if operator == "!=":
        return ~_between(name, (literal, 0), (literal, 1))
    if name == "platform_release":  # compared as versions where both sides are, which no order of texts can express
        return _flag(name, operator, literal)
    return NOTHING  # PEP 508 gives strings no order; packaging, too, answers that such a comparison does not hold


def _version(name: str, operator: str, literal: str) -> MarkerSet:
    if "in" in operator:
        found = NOTHING
        for word in literal.replace(",", " ").split():
            found |= _version(name, "==", word)
        return ~found if operator == "not in" else found
    try:
        specifier = Specifier(f"{operator}{literal}")
    except InvalidSpecifier:
        return _flag(name, operator, literal)
    release, wildcard = _release(literal)
    if name == "python_version":
        return _python_version(specifier.operator, release, wildcard=wildcard)
    return _full_version(name, specifier.operator, release, wildcard=wildcard)


def _release(literal: str) -> tuple[Release, bool]:
    wildcard = literal.endswith(".*")
    try:
        return Version(literal.removesuffix(".*")).release, wildcard
    except InvalidVersion:
        return (0,), wildcard


def _trimmed(release: Release) -> Release:
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    return release


def _next(release: Release) -> Release:
    return (*release[:-1], release[-1] + 1)


def _full_version(name: str, operator: str, release: Release, *, wildcard: bool) -> MarkerSet:
    here = _trimmed(release)
    match operator:
        case "==" | "===" | "!=":
            held = (
                _between(name, (here, 0), (_trimmed(_next(release)), 0))
                if wildcard
                else _between(name, (here, 0), (here, 1))
            )
            return ~held if operator == "!=" else held
        case "~=":
            return _between(name, (here, 0), (_trimmed(_next(release[:-1])), 0))
        case ">=":
            return _between(name, (here, 0), None)
        case ">":
            return _between(name, (here, 1), None)
        case "<=":
            return _between(name, None, (here, 1))
        case _:
            return _between(name, None, (here, 0))


def _python_version(operator: str, release: Release, *, wildcard: bool) -> MarkerSet:
    """A condition on ``major.minor`` as one on the full version: ``> '3.12'`` is ``>= '3.13'``."""
    name = "python_full_version"
    if operator == "~=":
        return _python_version(">=", release, wildcard=False) & _python_version("==", release[:-1], wildcard=True)
    if wildcard and len(release) <= 2:
        return _full_version(name, operator, release, wildcard=True)
    minor = (*release, 0)[:2]
    exact = not any(release[2:])
    match operator:
        case "==" | "===":
            return _full_version(name, "==", minor, wildcard=True) if exact else NOTHING
        case "!=":
            return _full_version(name, "!=", minor, wildcard=True) if exact else EVERYTHING
        case ">=" if exact:
            return _full_version(name, ">=", minor, wildcard=False)
        case "<" if exact:
            return _full_version(name, "<", minor, wildcard=False)
        case ">=" | ">":
            return _full_version(name, ">=", _next(minor), wildcard=False)
        case _:
            return _full_version(name, "<", _next(minor), wildcard=False)


def _python_range(requires_python: SpecifierSet) -> MarkerSet:
    found = EVERYTHING
    for specifier in requires_python:
        found &= _version("python_full_version", specifier.operator, specifier.version)
    return found


def python_set(requires_python: SpecifierSet) -> MarkerSet:
    """The environments whose Python is in ``requires_python``."""
    return _python_range(requires_python)


def _facts() -> MarkerSet:
    """What holds on every platform: ``os_name`` and ``sys_platform`` do not contradict each other."""
    windows = _string("os_name", "==", "nt")
    elsewhere = _string("sys_platform", "==", "linux") | _string("sys_platform", "==", "darwin")
    posix_on_windows = _string("os_name", "==", "posix") & _string("sys_platform", "==", "win32")
    return ~(windows & elsewhere) & ~posix_on_windows


FACTS = _facts()
