"""Projects that leave what they require to their build (``dynamic``, PEP 621): as if they had said it themselves."""

from collections.abc import Callable

from packaging.markers import Marker
from packaging.requirements import Requirement

from cove.formats.marker_sets import MarkerSet, marker_set
from cove.formats.marker_text import spelled
from cove.formats.pyproject import Project
from cove.model.dataclasses import replace
from cove.model.metadata import CoreMetadata
from cove.model.name import Name
from cove.operations.build_environment import BuildLimits
from cove.operations.local_projects import built_metadata
from cove.operations.project import Place, Workspace, locking_interpreter
from cove.operations.workbench import Workbench
from cove.wiring import Session


def with_what_builds_say(session: Session, root: Place) -> Place:
    """``root`` with its members, those that leave it open with what their metadata requires. Raises what building raises."""
    bench: Workbench | None = None
    found: dict[Name, Place] = {}
    for member in root.members:
        project = member.project
        found[project.name] = member
        if project.leaves_requirements_open:
            limits = BuildLimits(root.project.build_constraint_dependencies)
            bench = bench or Workbench(session, locking_interpreter(session, root), build_limits=limits)
            built = built_metadata(session, member.folder, _building(bench, member), project)
            found[project.name] = replace(member, project=_completed(project, built))
    whole = found.get(root.project.name, root)
    if root.workspace is None:
        return whole
    return replace(whole, workspace=Workspace(replace(whole, workspace=None), tuple(found.values())))


def _building(bench: Workbench, member: Place) -> Callable[[], bytes]:
    project = member.project
    return lambda: bench.metadata_of_folder(member.folder, str(project.name), is_editable=project.is_package)


def _completed(project: Project, built: CoreMetadata) -> Project:
    plain = [found for each in built.requires_dist if (found := _for(each, None)) is not None]
    if "dependencies" in project.dynamic:
        project = replace(project, dependencies=tuple(plain))
    if "optional-dependencies" in project.dynamic:
        of = {
            extra: tuple(found for each in built.requires_dist if (found := _for(each, extra)) is not None)
            for extra in built.provides_extra
        }
        project = replace(project, optional_dependencies=of)
    return project


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
