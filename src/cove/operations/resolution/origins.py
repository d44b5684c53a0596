"""Where requirements are written, for explanations."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from cove.model.name import Name
from cove.resolve.request import Origins

if TYPE_CHECKING:
    from cove.operations.compile.requirement_files import Demand, Root
    from cove.operations.lock.graph import Section
    from cove.operations.project.together import Together


def of_demand(demand: "Demand") -> Origins:
    """Files and lines; of what is required where there is more than one place."""
    several = len({root.via for root in demand.roots}) > 1
    return Origins(
        _joined((root.requirement, root.where) for root in demand.roots if several),
        _joined((root.requirement, _limit(root)) for root in demand.constraints),
        _joined((root.requirement, _override(root)) for root in demand.overriding),
    )


def _limit(root: "Root") -> str:
    return root.where if root.where.startswith("`") else f"the constraint in {root.where}"


def _override(root: "Root") -> str:
    return root.where if root.where.startswith("`") else f"override in {root.where}"


def of_sections(
    sections: "Mapping[Section, Sequence[Requirement]]", asked: "Together", upgrades: Iterable[Requirement]
) -> Origins:
    """Extras and groups, of which project where there are several; the settings, and a flag."""
    several = len({section.of for section in sections}) > 1
    told = [(each, _section(section, several=several)) for section, stated in sections.items() for each in stated]
    limits = [(each, "`constraint-dependencies`") for each in asked.constraints]
    limits += [(each, "`--upgrade-package`") for each in upgrades]
    overrides = ((each, "`override-dependencies`") for each in asked.overrides)
    return Origins(_joined(told), _joined(limits), _joined(overrides))


def _section(section: "Section", *, several: bool) -> str:
    of = section.of if several else Name("")
    if section.kind == "project":
        return of
    return f"{section.kind} {section.name}{f' of {of}' if of else ''}"


def _joined(told: Iterable[tuple[Requirement, str]]) -> dict[Requirement, str]:
    """By requirement all its places; none where one of them goes without saying."""
    found: dict[Requirement, list[str]] = {}
    for requirement, where in told:
        found.setdefault(requirement, []).append(where)
    return {each: " and ".join(dict.fromkeys(places)) for each, places in found.items() if all(places)}
