"""Environments for builds (PEP 517's isolation), and what limits what is installed in them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from cove.errors import UsageError
from cove.index.candidates import Rules
from cove.install.interpreter import Interpreter
from cove.model.dataclasses import dataclass, field, replace
from cove.model.event import Event, Finished, Listener
from cove.model.name import Name
from cove.operations.resolution.resolution import resolve
from cove.operations.resolution.targets import for_target

if TYPE_CHECKING:
    from cove.operations.resolution.resolution import Resolution
    from cove.operations.resolution.workbench import Workbench


@dataclass(frozen=True, slots=True)
class BuildLimits:
    """What builds may be given: ``constraints`` on what they require, and the digests (``sha256:…``) that files of a project
    must have."""

    constraints: tuple[Requirement, ...] = ()
    digests: Mapping[Name, frozenset[str]] = field(default_factory=dict)

    def __str__(self) -> str:
        """The same text for the same limits, empty for none."""
        digests = (f"{name} {' '.join(sorted(several))}" for name, several in sorted(self.digests.items()))
        return "\n".join([*sorted(str(each) for each in self.constraints), *digests])


class BuildEnvironment:
    """``install.build.BuildEnvironment`` over a virtual environment."""

    def __init__(self, bench: "Workbench", interpreter: Interpreter) -> None:
        self._bench = bench
        self._interpreter = interpreter
        self._present: list[str] = []

    @property
    def executable(self) -> Path:
        """Its interpreter."""
        return self._interpreter.executable

    @property
    def scripts(self) -> Path:
        """The folder of its programs."""
        return Path(self._interpreter.paths["scripts"])

    def add(self, requirements: Sequence[str]) -> None:
        """Resolve what is asked for now together with what was asked for before, and install what is not there yet."""
        if not requirements:
            return
        first = not self._present
        self._present += requirements
        found = self._resolve(self._bench.located(Requirement(text)) for text in self._present)
        from cove.install.apply import Addition, apply
        from cove.install.installed import scan
        from cove.install.site import scheme_of

        present = {} if first else scan(self._interpreter.sites)
        wheels = self._bench.wheels(found, self._bench.build_limits.digests)
        changed = {
            name: wheel
            for name, wheel in wheels.items()
            if name not in present or present[name].version != str(found.solution.packages[name].version)
        }
        apply(
            scheme_of(self._interpreter),
            remove=[Path(present[name].path) for name in changed if name in present],
            install=[Addition(wheel) for _, wheel in sorted(changed.items())],
        )

    def _resolve(self, requirements: Iterable[Requirement]) -> "Resolution":
        bench, target = self._bench, self._bench.interpreter.target
        asked, limits = list(requirements), bench.build_limits
        request = for_target(asked, target, root_name="the build", constraints=limits.constraints)
        found = resolve(
            bench.in_force(request),
            bench.universe(Rules(target=target), digests=limits.digests),
            workers=bench.session.workers,
            listener=_without_summaries(bench.session.listener),
        )
        if bench.session.settings.require_build_hashes:
            _check_all_have_digests(found, limits)
        return found


class PresentEnvironment:
    """The same over what is there, without isolation."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.executable = interpreter.executable
        self.scripts = Path(interpreter.paths["scripts"])

    def add(self, requirements: Sequence[str]) -> None:
        """Without isolation, what is required is expected to be there."""


def _check_all_have_digests(found: "Resolution", limits: BuildLimits) -> None:
    known = limits.digests.keys() | {name for name, direct in found.directs.items() if direct.digests}
    missing = sorted(found.solution.packages.keys() - known)
    if missing:
        raise UsageError(
            f"hashes of what builds require are required, and `{missing[0]}` has none",
            hints=("list it with one in a file for `--build-constraints`",),
        )


def _without_summaries(listener: Listener) -> Listener:
    """What a build needs is a detail of the work: it is shown while it goes on, and not summed up."""

    def pass_on(event: Event) -> None:
        listener(replace(event, detail="") if isinstance(event, Finished) else event)

    return pass_on
