"""Starting a project: a ``pyproject.toml`` and the first files, beside whatever is there."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from keyword import iskeyword
from pathlib import Path
from typing import Literal

import tomlkit

from cove.config.edit import ProjectFile
from cove.config.load import find_project
from cove.errors import ConfigurationError, UsageError
from cove.install.discovery import PIN_FILE
from cove.model.dataclasses import dataclass
from cove.model.event import Noted, Warned
from cove.model.index import Index
from cove.model.name import Name, is_valid_name, normalize
from cove.operations.project.project import base_interpreter
from cove.wiring import Session

Kind = Literal["app", "package", "lib"]

_BUILD_SYSTEM = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What to start: an ``app`` is a script, a ``package`` an application that can be installed, a ``lib`` to be imported.

    ``bare`` writes nothing but ``pyproject.toml``. ``name`` is the folder's where it is empty.
    """

    kind: Kind = "app"
    name: str = ""
    description: str = ""
    bare: bool = False
    readme: bool = True
    pins_python: bool = True


@dataclass(frozen=True, slots=True)
class Started:
    """The new project; ``written`` are the files that were made, ``inside`` the project's folder it lies in, if any."""

    name: Name
    folder: Path
    written: tuple[Path, ...]
    inside: Path | None


def init_project(session: Session, folder: Path, wishes: Wishes) -> Started:
    """Start a project in ``folder``, which is made where it is missing; no file that is there is changed.

    Indexes given by flags are written into it, without credentials. Raises ``ConfigurationError`` where there is a
    ``pyproject.toml`` already, ``UsageError`` for a name that cannot be one. What could not be finished leaves nothing.
    """
    pyproject = folder / "pyproject.toml"
    if os.path.lexists(pyproject):
        raise ConfigurationError(
            f"{pyproject} exists already", hints=("`cove add` adds requirements to the project that it describes",)
        )
    name = _name(wishes.name, folder)
    module = _module(name) if wishes.kind != "app" and not wishes.bare else ""
    inside = find_project(folder)
    version = ".".join(map(str, base_interpreter(session, folder, None).release))
    files = _files(wishes, name, module)
    if wishes.pins_python and not wishes.bare:
        files[PIN_FILE] = f"{version}\n"
    text = _pyproject(wishes, name, module, version, has_readme="README.md" in files)
    files[pyproject.name] = _with_indexes(session, pyproject, text)
    return Started(name, folder, _write(session, folder, files), inside)


def _name(wished: str, folder: Path) -> Name:
    text = wished or folder.name
    if not is_valid_name(text):
        raise UsageError(
            f"a project cannot be called {text!r}",
            causes=(
                "a name consists of ASCII letters, digits, `-`, `_` and `.`, and ends as it begins: with a letter or digit",
            ),
            hints=("give it a name with `--name`",),
        )
    return normalize(text)


def _module(name: Name) -> str:
    module = name.replace("-", "_")
    if not module.isidentifier() or iskeyword(module):
        raise UsageError(
            f"the project `{name}` would have the module `{module}`, which Python cannot import",
            hints=("give it another name with `--name`",),
        )
    return module


def _files(wishes: Wishes, name: Name, module: str) -> dict[str, str]:
    """The first files by their path, ``pyproject.toml`` aside."""
    if wishes.bare:
        return {}
    files = {"README.md": ""} if wishes.readme else {}
    if wishes.kind == "app":
        files["main.py"] = _program(name) + '\n\nif __name__ == "__main__":\n    main()\n'
    elif wishes.kind == "package":
        files[f"src/{module}/__init__.py"] = _program(name)
    else:
        files[f"src/{module}/__init__.py"] = f'def hello() -> str:\n    return "Hello from {name}!"\n'
        files[f"src/{module}/py.typed"] = ""
    return files


def _program(name: Name) -> str:
    return f'def main() -> None:\n    print("Hello from {name}!")\n'


def _pyproject(wishes: Wishes, name: Name, module: str, version: str, *, has_readme: bool) -> str:
    description = wishes.description or ("" if wishes.bare else "Add your description here")
    lines = ["[project]", f'name = "{name}"', 'version = "0.1.0"']
    lines += [f"description = {tomlkit.string(description).as_string()}"] if description else []
    lines += ['readme = "README.md"'] if has_readme else []
    lines += [f'requires-python = ">={version}"', "dependencies = []"]
    text = "\n".join(lines) + "\n"
    if wishes.kind == "package" and module:
        text += f'\n[project.scripts]\n{name} = "{module}:main"\n'
    return text if wishes.kind == "app" else text + _BUILD_SYSTEM


def _with_indexes(session: Session, pyproject: Path, text: str) -> str:
    indexes = [index for index in session.indexes.all if index.origin.kind == "flag"]
    file = ProjectFile(pyproject, text.encode())
    for index in reversed(indexes):
        _warn_of_credentials(session, index)
        file.add_index(index)
    return file.text


def _warn_of_credentials(session: Session, index: Index) -> None:
    if index.url.username is None and index.url.password is None:
        return
    variables = index.credential_variables
    where = f"give them in {variables[0]} and {variables[1]}" if variables else "give the index a name: NAME=URL"
    session.listener(Warned(f"the credentials of {index.label} are not written to the project", where))


def _write(session: Session, folder: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    """Write the files that do not exist yet, ``pyproject.toml`` last; all of them, or none."""
    written = []
    with ExitStack() as undo:
        try:
            for relative, content in files.items():
                path = folder / relative
                if os.path.lexists(path) and path.name != "pyproject.toml":
                    session.listener(Noted(f"{path} is there and stays as it is"))
                    continue
                _make_folders(path.parent, undo)
                with path.open("x", encoding="utf-8", newline="\n") as file:
                    undo.callback(path.unlink)
                    file.write(content)
                written.append(path)
        except OSError as error:
            raise ConfigurationError(
                f"the project cannot be written to {folder}", causes=(f"{error.filename}: {error.strerror}",)
            ) from error
        undo.pop_all()
    return tuple(written)


def _make_folders(folder: Path, undo: ExitStack) -> None:
    missing = [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
    for place in reversed(missing):
        place.mkdir()
        undo.callback(place.rmdir)
