"""What projects leave to their build (``dynamic``, PEP 621): as if they had said it themselves."""

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.formats.marker_sets import MarkerSet, marker_set
from cove.formats.marker_text import spelled
from cove.formats.pyproject import Project
from cove.model.dataclasses import replace
from cove.model.metadata import CoreMetadata
from cove.model.name import Name


def completed(project: Project, built: CoreMetadata) -> Project:
    """``project`` with what its build says of the requirements that it leaves open."""
    if "dependencies" in project.dynamic:
        project = _with_dependencies(project, built)
    return _with_extras(project, built) if "optional-dependencies" in project.dynamic else project


def as_built(project: Project, built: CoreMetadata) -> Project:
    """``project`` with all that its build says, be it left open or not."""
    project = replace(_with_extras(_with_dependencies(project, built), built), name=built.name)
    python = SpecifierSet(built.requires_python) if built.requires_python is not None else None
    return replace(project, version=Version(built.version), requires_python=python)


def _with_dependencies(project: Project, built: CoreMetadata) -> Project:
    plain = (_for(each, None) for each in built.requires_dist)
    return replace(project, dependencies=tuple(found for found in plain if found is not None))


def _with_extras(project: Project, built: CoreMetadata) -> Project:
    of = {
        extra: tuple(found for each in built.requires_dist if (found := _for(each, extra)) is not None)
        for extra in built.provides_extra
    }
    return replace(project, optional_dependencies=of)


def _for(requirement: Requirement, extra: Name | None) -> Requirement | None:
    """The requirement as it would stand under ``extra`` (``None``: under no extra), if it is one of those."""
    if requirement.marker is None:
        return requirement if extra is None else None
    whole = marker_set(requirement.marker)
    always = whole.with_extra(None)
    condition = always if extra is None else whole.with_extra(extra) & ~always
    return None if condition.is_empty else _under(requirement, condition)


def _under(requirement: Requirement, condition: MarkerSet) -> Requirement:
    found = Requirement(str(requirement))
    found.marker = None if condition.is_everything else Marker(spelled(condition))
    return found
