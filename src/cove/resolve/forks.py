"""Where one answer cannot be good for all environments: the points at which a universal resolution divides them.

Every part is then solved for itself, with what was chosen before as a preference. As uv does it, environments are divided
where requirements of one project that stand side by side have different markers, where a marker leaves only Pythons above
the lowest one, where the favourite version of a project needs such a Python, and where it is a local variant (``2.0+cpu``)
of what can be used on more platforms; and, beyond that, where a
proof that nothing fits rests on a requirement that is not there for all of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Self, TypeVar

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from cove.model.name import Name, normalize


class Region(Protocol):
    """The environments that meet a marker; ``==`` is equality of meaning."""

    def __and__(self, other: Self, /) -> Self:
        """Those in both."""

    @property
    def is_everything(self) -> bool:
        """Whether it is all there are."""


R = TypeVar("R", bound=Region)


class Environments(Protocol[R]):
    """The environments that one solution is to be good for, and the algebra of markers in them."""

    def applies(self, marker: Marker, extras: frozenset[Name]) -> bool:
        """Whether ``marker`` holds in some of them when one of ``extras`` (without any: no extra) is asked for."""

    def python_ok(self, text: str) -> bool:
        """Whether a ``Requires-Python`` admits the lowest Python among them."""

    def region(self, marker: Marker | None, extra: Name | None) -> R:
        """What a marker means when ``extra`` is asked for; everything, when that is too hard to tell."""

    def leaves_out(self, name: Name, extra: Name | None) -> bool:
        """Whether an extra of a project, or without one that project, is not asked for here: something else excludes it."""

    def raises_python(self, region: R) -> bool:
        """Whether the Pythons of ``region`` begin above the lowest one here."""

    def lacking(self, required: R, region: R) -> R:
        """What tells the environments in ``required`` from those here in ``region``."""

    def by_variant(self, variant: R, plain: R | None) -> tuple[Self | None, Self | None]:
        """Where a version is to be chosen that suits ``plain`` (``None``: everything), and where its variant."""

    def admits(self, region: R) -> bool:
        """Whether what can be used in ``region`` can be used with one of the Pythons here or an older one, on some platform."""

    def divided(self, region: R) -> tuple[Self | None, Self | None]:
        """The part within ``region`` and the one outside, each ``None`` where it is empty."""

    def divided_by_python(self, text: str) -> tuple[Self, Self] | None:
        """The parts below and from the lowest Python on that ``Requires-Python`` admits; ``None`` unless there are both."""

    def meets(self, other: Self) -> bool:
        """Whether there are environments in both."""

    @property
    def lowest_python(self) -> tuple[object, ...]:
        """The lower bound that the markers dividing these environments set, to be compared with others'."""

    @property
    def python(self) -> str:
        """How messages call its Python."""

    @property
    def label(self) -> str:
        """In words which environments these are; empty for all."""


class Parting(Exception):
    """One solution will not do. ``parts`` are the environments to be solved apart, the last one first.

    ``decided`` is what was chosen for all of them until then.
    """

    def __init__(self, parts: Sequence[Environments[Any]], decided: Mapping[Name, Version]) -> None:
        super().__init__()
        self.parts = parts
        self.decided = decided


def parts(
    here: Environments[R],
    requirements: Iterable[Requirement],
    extra: Name | None,
    constraints: Mapping[Name, Sequence[Requirement]],
    *,
    newest_first: bool = True,
) -> list[Environments[R]]:
    """How requirements that stand side by side divide ``here``; ``here`` alone where they do not.

    The last one is to be solved first: that of the newest Pythons (else that of the oldest, whose versions may do for the
    others), and among equals the one with the most upper bounds, since what satisfies these may satisfy the others as well.
    """
    grouped: dict[Name, list[tuple[Requirement, R]]] = {}
    for requirement in requirements:
        name, region = normalize(requirement.name), here.region(requirement.marker, extra)
        if here.divided(region)[0] is None:
            continue
        grouped.setdefault(name, []).append((requirement, region))
        for constraint in constraints.get(name, ()):
            limited = here.region(constraint.marker, None)
            both = region & limited
            # What limits a project elsewhere only is kept apart, for it is taken for a limit wherever it may be one.
            grouped[name].append((constraint, both if here.divided(both)[0] is not None else limited))
    found: list[Environments[R]] = [here]
    for _, several in sorted(grouped.items()):
        regions = [region for _, region in several]
        if all(region == regions[0] for region in regions) and not here.raises_python(regions[0]):
            continue
        for region in regions:
            if not region.is_everything:
                found = [part for whole in found for part in reversed(whole.divided(region)) if part is not None]
    if len(found) > 1:
        every = [each for several in grouped.values() for each in several]
        found.sort(key=lambda part: _upper_bounds(part, every))
        found.sort(key=lambda part: part.lowest_python, reverse=not newest_first)
    return found


def _upper_bounds(part: Environments[R], requirements: Iterable[tuple[Requirement, R]]) -> int:
    return sum(
        1 + len(requirement.extras)
        for requirement, region in requirements
        if any(one.operator in ("<", "<=", "==", "===", "~=") for one in requirement.specifier)
        and part.divided(region)[0] is not None
    )
