"""Distributions for an environment that does not have to exist yet: resolved and fetched before anything is changed."""

from collections.abc import Mapping, Sequence
from functools import partial

from packaging.requirements import Requirement
from packaging.version import Version

from cove.index.candidates import Rules
from cove.install.interpreter import Interpreter
from cove.install.store import StoredWheel
from cove.model.name import Name, normalize
from cove.operations.build.environment import BuildLimits
from cove.operations.environment.change import Want
from cove.operations.lock.prereleases import package_prereleases
from cove.operations.resolution.resolution import resolve
from cove.operations.resolution.targets import for_target
from cove.operations.resolution.workbench import Workbench
from cove.resolve.request import YOU
from cove.wiring import Session


def obtain(
    session: Session,
    interpreter: Interpreter,
    requirements: Sequence[Requirement],
    *,
    root_name: str = YOU,
    preferences: Mapping[Name, Version] | None = None,
    build_limits: BuildLimits | None = None,
) -> dict[Name, Want]:
    """What ``requirements`` and their dependencies come to on ``interpreter``, with every wheel in the store.

    ``preferences`` are versions to be tried first, ``root_name`` is how messages call whoever asks, ``build_limits`` those of
    builds. Raises what resolving, fetching and building raise.
    """
    settings, target = session.settings, interpreter.target
    bench = Workbench(session, interpreter, build_limits=build_limits)
    asked = {normalize(requirement.name): requirement for requirement in requirements}
    request = for_target(
        requirements,
        target,
        root_name=root_name,
        preferences=preferences or {},
        prereleases=settings.prerelease,
        package_prereleases=package_prereleases(settings),
        resolution=settings.resolution,
    )
    universe = bench.universe(Rules(target=target))
    found = resolve(bench.in_force(request), universe, workers=session.workers, listener=session.listener)
    bench.runtime = {name: str(package.version) for name, package in found.solution.packages.items()}
    wants = {}
    for name, wheel in sorted(bench.wheels(found).items()):
        direct = found.directs[name].origin if name in found.directs else None
        version = str(found.solution.packages[name].version)
        wants[name] = Want(name, version, partial(_same, wheel), direct, requested=name in asked)
    return wants


def _same(wheel: StoredWheel) -> StoredWheel:
    return wheel
