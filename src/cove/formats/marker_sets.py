"""Markers as sets of environments, so that they can be intersected, compared and simplified (PEP 508, "Environment Markers").

A set is a decision diagram: every node asks for one variable and splits its ordered values into segments, each leading to
another node. Variables come in one fixed order and equal nodes are one object, so two markers that mean the same are the
same object. Versions compare by their release alone, as the final releases that interpreters are; ``python_version`` is
expressed through ``python_full_version``, and ``platform_system`` through ``sys_platform`` where each follows from the other.
"""

import re
from collections.abc import Callable, Collection
from weakref import WeakKeyDictionary

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.formats.marker_diagrams import (
    ASKED,
    STEP_LIMIT,
    STRINGS,
    VERSIONS,
    Cut,
    Diagram,
    Node,
    Release,
    TooComplex,
    Variable,
    canonical,
    combined,
    folded,
    make_node,
    negated,
    rank,
    rebuilt,
    same,
    spread,
)
from cove.model.dataclasses import dataclass, field
from cove.model.name import Name, normalize

__all__ = ["EVERYTHING", "NOTHING", "MarkerSet", "TooComplex", "marker_set", "python_set"]

_SYSTEMS = {"Windows": "win32", "Linux": "linux", "Darwin": "darwin"}
_LOWEST: Cut = ((0,), 0)  # no version is below 0
_PYTHON = Variable(rank("python_full_version"), "python_full_version")


@dataclass(frozen=True, slots=True)
class MarkerSet:
    """A set of environments; ``==`` is equality of meaning. Operations raise ``TooComplex`` on hostile markers."""

    diagram: Diagram = field(repr=False)

    def __and__(self, other: "MarkerSet") -> "MarkerSet":
        return MarkerSet(canonical(combined(self.diagram, other.diagram, decided=False)))

    def __or__(self, other: "MarkerSet") -> "MarkerSet":
        return MarkerSet(canonical(combined(self.diagram, other.diagram, decided=True)))

    def __invert__(self) -> "MarkerSet":
        return MarkerSet(negated(self.diagram))

    @property
    def is_empty(self) -> bool:
        """Whether no environment is in the set."""
        return self.diagram is False

    @property
    def is_everything(self) -> bool:
        """Whether every environment is in the set."""
        return self.diagram is True

    def with_extra(self, extra: Name | None) -> "MarkerSet":
        """The set when ``extra`` alone is asked for (``None``: no extra is): ``extra`` conditions are decided and vanish."""
        return self.with_extras({extra or ""})

    def with_extras(self, extras: Collection[str]) -> "MarkerSet":
        """The set when exactly ``extras`` are asked for: ``extra`` conditions are decided and vanish."""

        def decide(variable: Variable) -> bool | None:
            return variable.operand in extras if variable.name == "extra" else None

        return MarkerSet(canonical(_decided(self.diagram, decide)))

    def assuming_python(self, requires_python: SpecifierSet) -> "MarkerSet":
        """The simplest set that agrees with this one on every Python in ``requires_python``."""
        python = _python_range(requires_python)
        return MarkerSet(canonical(_assumed(self.diagram, python.diagram)))

    def assuming(self, known: "MarkerSet") -> "MarkerSet":
        """A simple set that agrees with this one in every environment of ``known``."""
        return MarkerSet(canonical(_restricted(self.diagram, known.diagram))) if not known.is_empty else self

    def given(self, code: str, *, asked: bool) -> "MarkerSet":
        """The set when it is known whether the extra ``code`` is asked for."""
        return MarkerSet(
            canonical(_decided(self.diagram, lambda variable: asked if _is_extra(variable, code) else None))
        )

    @property
    def without_extras(self) -> "MarkerSet":
        """The environments that are in the set with some choice of extras."""
        return MarkerSet(canonical(_without_extras(self.diagram)))

    @property
    def order(self) -> "Order":
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
    def pythons_from_the_lowest(self) -> "MarkerSet":
        """The Pythons of the set and all that are newer than its lowest."""
        return NOTHING if self.is_empty else _between("python_full_version", self.lowest_python, None)

    @property
    def lowest_python(self) -> Cut | None:
        """Where the Pythons of the set begin, ``None`` if there is no lowest."""
        found = _lowest_python(self.diagram)
        return None if found == _LOWEST else found


def _decided(diagram: Diagram, decide: Callable[[Variable], bool | None]) -> Diagram:
    def step(node: Node, branches: list[Diagram]) -> Diagram:
        answer = decide(node.variable)
        return rebuilt(node, branches) if answer is None else branches[answer]

    return folded(diagram, same, step)


def _assumed(diagram: Diagram, python: Diagram) -> Diagram:
    if isinstance(python, bool):
        return diagram

    def step(node: Node, branches: list[Diagram]) -> Diagram:
        return _assumed_here(node, python) if node.variable == python.variable else rebuilt(node, branches)

    return folded(diagram, same, step)


def _assumed_here(node: Node, python: Node) -> Diagram:
    cuts: list[Cut] = sorted({*node.cuts, *python.cuts})
    ours = list(spread(node, node.variable, cuts))
    allowed = list(spread(python, python.variable, cuts))
    inside = [position for position, answer in enumerate(allowed) if answer]
    # A segment outside the range takes the branch of the segment inside before it (the first: after it), because the
    # answer there is free and a cut that nothing forces makes the marker longer.
    nearest = [max((i for i in inside if i <= position), default=inside[0]) for position in range(len(ours))]
    return make_node(node.variable, cuts, [ours[position] for position in nearest])


def _restricted(diagram: Diagram, known: Diagram) -> Diagram:
    """``diagram`` where ``known`` (not empty) holds, and elsewhere whatever makes it smallest."""
    done: dict[
        tuple[int, int], tuple[Diagram, Node]
    ] = {}  # nodes that are made here are kept, for an id names one alone

    def restrict(a: Diagram, b: Diagram) -> Diagram:
        if isinstance(a, bool) or isinstance(b, bool):
            return a
        key = (id(a), id(b))
        if key not in done:
            if len(done) >= STEP_LIMIT:
                raise TooComplex
            done[key] = (step(a, b), b)
        return done[key][0]

    def step(a: Node, b: Node) -> Diagram:
        if b.variable < a.variable:  # what is asked first does not matter for ``a``
            either = b.branches[0]
            for branch in b.branches[1:]:
                either = combined(either, branch, decided=True)
            return restrict(a, either)
        if a.variable < b.variable:
            return make_node(a.variable, list(a.cuts), [restrict(branch, b) for branch in a.branches])
        cuts: list[Cut] = sorted({*a.cuts, *b.cuts})
        pairs = list(zip(spread(a, a.variable, cuts), spread(b, a.variable, cuts), strict=True))
        inside = [None if where is False else restrict(what, where) for what, where in pairs]
        free = next(branch for branch in inside if branch is not None)
        return make_node(a.variable, cuts, [free if branch is None else branch for branch in inside])

    return restrict(diagram, known)


def _is_extra(variable: Variable, code: str) -> bool:
    return variable.name == "extra" and variable.operand == code


def _without_extras(diagram: Diagram) -> Diagram:
    def step(node: Node, branches: list[Diagram]) -> Diagram:
        if node.variable.name != "extra":
            return rebuilt(node, branches)
        return combined(branches[0], branches[1], decided=True)

    return folded(diagram, same, step)


Order = tuple[object, ...]

_KINDS = {"": 3, "in": 4, "contains": 5}


def _order(diagram: Diagram) -> Order:
    """By kind (versions before other values), variable, and then by values and what they lead to, as uv sorts its diagrams."""
    return folded(diagram, lambda value: (0,) if value else (1,), _order_of_node)


_orders: WeakKeyDictionary[Node, Order] = WeakKeyDictionary()
"""One object for each node: what is the same object needs not to be compared, branch by branch."""


def _order_of_node(node: Node, branches: list[Order]) -> Order:
    variable = node.variable
    lows = [(0,), *((1, cut) for cut in node.cuts)]
    highs = [*((1, cut) for cut in node.cuts), (2,)]
    edges = tuple(zip(lows, highs, branches, strict=True))
    is_version = variable.name in VERSIONS and not variable.operator
    kind = 2 if is_version else 6 if variable.name not in STRINGS else _KINDS.get(variable.operator, 7)
    return _orders.setdefault(node, (kind, variable.rank, variable.operator, variable.operand, edges))


def _values(diagram: Diagram, variable: Variable) -> Diagram:
    def step(node: Node, branches: list[Diagram]) -> Diagram:
        if node.variable == variable:
            return rebuilt(node, [branch is not False for branch in node.branches])
        found: Diagram = False
        for branch in branches:
            found = combined(found, branch, decided=True)
        return found

    return folded(diagram, same, step)


def _lowest_python(diagram: Diagram) -> Cut | None:
    """The lowest cut from which on ``diagram`` holds somewhere, ``_LOWEST`` without one; ``None`` if it holds nowhere."""
    pythons = _values(_without_extras(diagram), _PYTHON)
    if not isinstance(pythons, Node):
        return _LOWEST if pythons else None
    return next(low for low, holds in zip((_LOWEST, *pythons.cuts), pythons.branches, strict=True) if holds)


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
    if variable in ASKED:
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
    variable = Variable(rank(name, operator), name, operator, operand)
    return MarkerSet(make_node(variable, [(True, 0)], [False, True]))


def _between(name: str, low: Cut | None, high: Cut | None) -> MarkerSet:
    """Values of the variable ``name`` from ``low`` up to ``high`` (``None``: without end)."""
    low = None if low == _LOWEST else low
    if high == _LOWEST or (low is not None and high is not None and low >= high):
        return NOTHING
    cuts = [cut for cut in (low, high) if cut is not None]
    branches: list[Diagram] = [*([False] if low is not None else []), True, *([False] if high is not None else [])]
    return MarkerSet(make_node(Variable(rank(name), name), cuts, branches))


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
