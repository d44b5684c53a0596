"""The members of a workspace, with what their builds say where they leave it open."""

from collections.abc import Callable

from cove.model.dataclasses import replace
from cove.model.name import Name
from cove.operations.build.environment import BuildLimits
from cove.operations.project.left_open import completed
from cove.operations.project.local_projects import built_metadata
from cove.operations.project.project import Place, Workspace, locking_interpreter
from cove.operations.resolution.workbench import Workbench
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
            found[project.name] = replace(member, project=completed(project, built))
    whole = found.get(root.project.name, root)
    if root.workspace is None:
        return whole
    return replace(whole, workspace=Workspace(replace(whole, workspace=None), tuple(found.values())))


def _building(bench: Workbench, member: Place) -> Callable[[], bytes]:
    project = member.project
    return lambda: bench.metadata_of_folder(member.folder, str(project.name), is_editable=project.is_package)
