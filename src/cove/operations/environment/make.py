"""Making a virtual environment where a person wants one."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cove.config.load import find_project
from cove.install import environment
from cove.install.interpreter import Interpreter, remember
from cove.model.dataclasses import dataclass
from cove.model.event import Warned
from cove.operations.project.project import Place, base_interpreter, environment_folder, read
from cove.wiring import Session


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the environment should be. ``clear`` replaces one that is there, ``allow_existing`` keeps its packages, ``seed``
    installs pip."""

    prompt: str | None = None
    system_site_packages: bool = False
    clear: bool = False
    allow_existing: bool = False
    seed: bool = False


def make_environment(session: Session, path: Path | None, wishes: Wishes, *, no_project: bool = False) -> Interpreter:
    """Make an environment at ``path``: by default the project's own in its root folder, ``.venv`` elsewhere.

    The Python is one that the project allows, unless another is asked for by a flag, which is reported; ``no_project``
    looks at no project. Raises what ``cove.install.environment.create`` raises.
    """
    place = None if no_project else _project_at(session)
    root = Path(session.settings.project) if session.settings.project else session.cwd
    if path is None:
        path = environment_folder(session, place) if place is not None and place.folder == root else root / ".venv"
    base = _base(session, place, root)
    seeds = []
    if wishes.seed:
        from cove.operations.environment.obtain import obtain

        seeds = list(obtain(session, base, [Requirement("pip")], root_name="the environment").values())
    made = environment.create(
        path,
        base,
        prompt=_prompt(wishes.prompt, place, path, session.cwd),
        system_site_packages=wishes.system_site_packages,
        clear=wishes.clear,
        allow_existing=wishes.allow_existing,
    )
    remember(made, session.cache_dir)
    if seeds:
        from cove.operations.environment.change import change

        change(session, made, seeds, keep_extraneous=True)
    return made


def _project_at(session: Session) -> Place | None:
    folder = find_project(Path(session.settings.project or session.cwd))
    return None if folder is None else read(folder)


def _base(session: Session, place: Place | None, folder: Path) -> Interpreter:
    required = None if place is None else place.project.requires_python
    if session.settings.origin("python").kind != "flag":
        return base_interpreter(session, folder, required)
    base = base_interpreter(session, folder, None)
    if place is not None and not _allows(required, base):
        session.listener(
            Warned(f"{base} is used as asked for, although {place.pyproject_path} requires Python {required}")
        )
    return base


def _allows(required: SpecifierSet | None, base: Interpreter) -> bool:
    return required is None or required.contains(base.version, prereleases=True)


def _prompt(prompt: str | None, place: Place | None, path: Path, cwd: Path) -> str | None:
    """What an activated shell shows: as wished (``.`` means the working folder), the project's name for its own environment."""
    if prompt == ".":
        return cwd.name
    is_own = place is not None and os.path.dirname(os.path.abspath(path)) == str(place.folder)
    return prompt or (place.project.name if place is not None and is_own else None) or None


def activation(path: Path, environ: Mapping[str, str]) -> str:
    """What to type in the user's shell (``$SHELL``) to activate the environment at ``path``."""
    scripts = path / ("Scripts" if os.name == "nt" else "bin")
    if os.name == "nt":
        return str(scripts / "activate.ps1")
    name = os.path.basename(environ.get("SHELL", ""))
    ending = {"fish": ".fish", "csh": ".csh", "tcsh": ".csh"}.get(name, "")
    return f"source {shlex.quote(str(scripts / f'activate{ending}'))}"
