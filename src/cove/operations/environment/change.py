"""Bringing an environment to what it should have: plan, fetch side by side, apply whole or not at all."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cove.formats.direct_url import Directory, DirectUrl
from cove.install.installed import scan
from cove.install.interpreter import Interpreter
from cove.install.plan import Plan, Wanted, plan, source_key
from cove.model.dataclasses import dataclass
from cove.model.name import Name
from cove.wiring import Session

if TYPE_CHECKING:
    from cove.install.store import StoredWheel


@dataclass(frozen=True, slots=True)
class Want:
    """A distribution that should be there, and how its wheel is come by; ``direct`` when it is not from an index."""

    name: Name
    version: str
    wheel: "Callable[[], StoredWheel]"
    direct: DirectUrl | None = None
    requested: bool = False

    def as_wanted(self) -> Wanted:
        """The part that plans compare."""
        return Wanted(self.name, self.version, source_key(self.direct) if self.direct is not None else "")


def change(
    session: Session,
    interpreter: Interpreter,
    wants: Iterable[Want],
    *,
    keep_extraneous: bool = False,
    always: frozenset[Name] = frozenset(),
    spare: frozenset[Name] = frozenset(),
    dry_run: bool = False,
) -> Plan:
    """Make the environment of ``interpreter`` have ``wants``, and say what changed.

    What is not wanted goes unless ``keep_extraneous``, or its name is in ``spare``. ``always`` is installed anew even where
    it is there (local projects, whose files may have changed). What is built in the environment itself, without isolation,
    comes after all else, in a change of its own. Raises what fetching, building and installing raise; the
    environment is then as it was before.
    """
    settings = session.settings
    by_name = {want.name: want for want in wants}
    anew: frozenset[Name] | Literal["all"] = frozenset(settings.reinstall_package) | always
    made = plan(
        (want.as_wanted() for want in by_name.values()),
        scan(interpreter.sites),
        keep_extraneous=keep_extraneous,
        reinstall="all" if settings.reinstall else anew,
        spare=spare,
    )
    if made.is_empty or dry_run:
        return made
    from cove.install.apply import Addition, apply
    from cove.install.site import link_mode, scheme_of
    from cove.operations.build.options import build_options
    from cove.operations.resolution.parallel import each

    changing = {wanted.name for wanted in made.incoming} | {gone.name for gone in made.outgoing}
    late = {wanted.name for wanted in made.incoming if not build_options(settings, wanted.name).is_isolated}
    for names in filter(None, (changing - late, late)):
        incoming = [by_name[wanted.name] for wanted in made.incoming if wanted.name in names]
        states = [_local_state(session, want) for want in incoming]  # what changes while it is built counts as changed
        wheels = each(lambda want: want.wheel(), incoming, workers=session.workers)
        additions = [
            Addition(wheel, want.requested, want.direct, state)
            for want, wheel, state in zip(incoming, wheels, states, strict=True)
        ]
        apply(
            scheme_of(interpreter),
            remove=[Path(installed.path) for installed in made.outgoing if installed.name in names],
            install=additions,
            link_mode=link_mode(settings.link_mode),
            compile_bytecode=settings.compile_bytecode,
            listener=session.listener,
        )
    return made


def _local_state(session: Session, want: Want) -> str:
    """What to record of the folder that a wheel is built of; empty for other wheels."""
    if want.direct is None or not isinstance(want.direct.info, Directory):
        return ""
    from cove.formats.file_url import to_path
    from cove.operations.project.local_projects import state_of

    return str(state_of(session, Path(to_path(want.direct.url.path))))
