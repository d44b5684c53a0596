"""Running a program in a project's environment."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from cove.errors import NotInstalled
from cove.install.environment import is_environment
from cove.model.dataclasses import dataclass, replace
from cove.operations.environment.sync import Synced, sync
from cove.operations.lock.wanted import Selection
from cove.operations.project.project import environment_folder, locate, project_interpreter
from cove.wiring import Session


@dataclass(frozen=True, slots=True)
class Ready:
    """A program that can be started; ``synced`` is what was done to the environment before."""

    command: tuple[str, ...]
    environ: Mapping[str, str]
    cwd: Path
    synced: Synced | None

    def start(self) -> int:
        """Run it with this process's streams and return its exit status (128 + N for signal N, as shells do).

        Raises ``NotInstalled`` when there is no such program.
        """
        try:
            process = subprocess.Popen(self.command, env=dict(self.environ), cwd=self.cwd)
        except (FileNotFoundError, PermissionError) as error:
            raise NotInstalled(
                f"`{self.command[0]}` cannot be run: {error.strerror}",
                hints=("it is neither in the project's environment nor on PATH; `cove add` what provides it",),
            ) from error
        while True:
            try:
                status = process.wait()
            except KeyboardInterrupt:
                continue  # the terminal sent it to the program too, whose answer counts
            return 128 - status if status < 0 else status


def run_command(
    session: Session,
    command: Sequence[str],
    selection: Selection,
    *,
    as_module: bool = False,
    syncs: bool = True,
    exact: bool = False,
) -> Ready:
    """Prepare ``command`` to run in the project's environment, which is synced first. Nothing extraneous is removed, unless
    it shall be ``exact``."""
    place = locate(session)
    folder = environment_folder(session, place)
    synced = None
    if syncs or not is_environment(folder):
        synced = sync(session, replace(selection, keeps_extraneous=not exact), place=place)
        interpreter = synced.interpreter
    else:
        interpreter = project_interpreter(session, place)
    scripts = interpreter.paths["scripts"]
    environ = {name: value for name, value in session.environ.items() if name != "PYTHONHOME"}
    environ["VIRTUAL_ENV"] = str(interpreter.prefix)
    environ["PATH"] = os.pathsep.join(filter(None, (scripts, session.environ.get("PATH", ""))))
    words = list(command)
    if as_module:
        words = [str(interpreter.executable), "-m", *words]
    elif words[0].endswith(".py") and (session.cwd / words[0]).is_file():
        words = [str(interpreter.executable), *words]
    else:
        words[0] = _found(words[0], environ["PATH"], session.cwd)
    return Ready(tuple(words), environ, session.cwd, synced)


def _found(program: str, path: str, cwd: Path) -> str:
    """The program as the environment's ``PATH`` has it; a path is relative to the working folder."""
    import shutil

    if os.path.dirname(program):
        return str(cwd / program)
    return shutil.which(program, path=path) or program
