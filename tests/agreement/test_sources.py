"""Projects with repositories, folders, files and workspaces: the same lock as uv's, and the same files from it."""

import hashlib
import json
import os
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.local_projects import commit, write_project
from support.programs import program
from support.programs import run as run_program

Case = Callable[[Path], Path]
CASES: dict[str, Case] = {}


def case(make: Case) -> Case:
    """Register a maker of a project below a folder, which gives the folder that commands run in."""
    CASES[make.__name__] = make
    return make


@case
def folders(root: Path) -> Path:
    write_project(root / "lib", "lib", "1.0", "base")
    write_project(root / "base", "base", "2.0")
    sources = '[tool.uv.sources]\nlib = { path = "../lib", editable = true }\nbase = { path = "../base" }\n'
    return write_project(root / "app", "app", "1", "lib>=0.5", "base", more=sources)


@case
def sources_of_a_dependency(root: Path) -> Path:
    write_project(root / "base", "base", "2.0")
    write_project(root / "lib", "lib", "1.0", "base", more='[tool.uv.sources]\nbase = { path = "../base" }\n')
    return write_project(root / "app", "app", "1", "lib", more='[tool.uv.sources]\nlib = { path = "../lib" }\n')


@case
def sources_of_overrides_and_constraints(root: Path) -> Path:
    write_project(root / "base1", "base", "1.0")
    write_project(root / "base2", "base", "2.0")
    write_project(root / "other", "other", "1.0")
    write_project(root / "lib", "lib", "1.0", "base", "other")
    more = '[tool.uv]\noverride-dependencies = ["base>=1"]\nconstraint-dependencies = ["other>=1"]\n'
    more += '[tool.uv.sources]\nlib = { path = "../lib" }\nother = { path = "../other" }\n'
    places = ("../base1", "=="), ("../base2", "!=")
    several = ", ".join(f'{{ path = "{path}", marker = "os_name {equal} \'nt\'" }}' for path, equal in places)
    return write_project(root / "app", "app", "1", "lib", more=f"{more}base = [{several}]\n")


@case
def extras_and_groups_of_a_folder(root: Path) -> Path:
    for name in ("one", "two"):
        write_project(root / name, name)
    more = '[project.optional-dependencies]\nx = ["one"]\ny = []\n[dependency-groups]\ndev = ["two"]\n'
    more += '[tool.uv.sources]\none = { path = "../one" }\ntwo = { path = "../two" }\n'
    write_project(root / "lib", "lib", "1.0", more=more)
    more = '[project.optional-dependencies]\nall = ["lib[x]"]\n[dependency-groups]\ntest = ["one"]\n'
    more += '[tool.uv.sources]\nlib = { path = "../lib" }\none = { path = "../one" }\n'
    return write_project(root / "app", "app", "1", more=more)


@case
def dynamic_metadata(root: Path) -> Path:
    write_project(root / "base", "base", "2.0")
    write_project(root / "late", "late", "", more='dynamic = ["version"]\ndependencies = ["base"]\n')
    (root / "late" / "DYNAMIC").write_text("version=3.0\n")
    write_project(root / "open", "open", "", more='version = "4.0"\ndynamic = ["dependencies"]\n')
    (root / "open" / "DYNAMIC").write_text("requires=base\n")
    sources = "".join(f'{name} = {{ path = "../{name}" }}\n' for name in ("base", "late", "open"))
    return write_project(root / "app", "app", "1", "late", "open", "base", more=f"[tool.uv.sources]\n{sources}")


@case
def files(root: Path) -> Path:
    write_project(root / "lib", "lib", "1.0")
    write_project(root / "packed", "packed", "1.0", "lib")
    _wheel_of(root / "packed", root)
    with tarfile.open(root / "packed2-1.0.tar.gz", "w:gz") as archive:
        write_project(root / "packed2", "packed2", "1.0", "lib")
        (root / "packed2" / "PKG-INFO").write_text(
            "Metadata-Version: 2.2\nName: packed2\nVersion: 1.0\nRequires-Dist: lib\n"
        )
        archive.add(root / "packed2", "packed2-1.0")
    sources = '[tool.uv.sources]\nlib = { path = "../lib" }\npacked = { path = "../packed-1.0-py3-none-any.whl" }\n'
    sources += 'packed2 = { path = "../packed2-1.0.tar.gz" }\n'
    return write_project(root / "app", "app", "1", "packed", "packed2", "lib", more=sources)


@case
def no_packages(root: Path) -> Path:
    write_project(root / "base", "base", "2.0")
    more = '[tool.uv]\npackage = false\n[tool.uv.sources]\nbase = { path = "../base" }\n'
    write_project(root / "tasks", "tasks", "1.0", "base", more=more)
    more = '[tool.uv.sources]\ntasks = { path = "../tasks", package = false }\n'
    return write_project(root / "app", "app", "1", "tasks", more=more, builds=False)


@case
def references_of_a_repository(root: Path) -> Path:
    write_project(root / "repo", "one", "1.0")
    write_project(root / "repo" / "sub dir", "two", "2.0", "one")
    first = commit(root / "repo", tag="v1")
    write_project(root / "repo", "one", "1.1")
    commit(root / "repo")
    url = (root / "repo").as_uri()
    sources = f'[tool.uv.sources]\none = {{ git = "{url}", branch = "main" }}\n'
    sources += f'two = {{ git = "{url}", tag = "v1", subdirectory = "sub dir" }}\n'
    write_project(root / "other", "three", "3.0")
    commit(root / "other")
    third = f"three @ git+{(root / 'other').as_uri()}"
    write_project(root / "repo2", "four", "4.0")
    fourth = commit(root / "repo2")
    sources += f'four = {{ git = "{(root / "repo2").as_uri()}", rev = "{fourth}" }}\n'
    assert first
    return write_project(root / "app", "app", "1", "one", "two", third, "four", more=sources)


@case
def projects_within_a_repository(root: Path) -> Path:
    repo = root / "repo"
    more = '[tool.uv.workspace]\nmembers = ["packages/*"]\n[tool.uv.sources]\n'
    more += 'inner = { workspace = true }\nside = { path = "side", editable = true }\n'
    write_project(repo, "outer", "1.0", "inner", "side", more=more)
    write_project(repo / "packages" / "inner", "inner", "1.0")
    write_project(repo / "side", "side", "1.0")
    commit(repo)
    return write_project(root / "app", "app", "1", f"outer @ git+{repo.as_uri()}@main")


@case
def a_workspace(root: Path) -> Path:
    more = '[dependency-groups]\ndev = ["c"]\n[tool.uv]\nconstraint-dependencies = ["b<9"]\n'
    more += '[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/not"]\n'
    more += "[tool.uv.sources]\n" + "".join(f"{name} = {{ workspace = true }}\n" for name in "abc")
    write_project(root, "root", "0", "a[x]", "b>=0.1", more=more, builds=False)
    more = "[project.optional-dependencies]\nx = [\"c ; sys_platform == 'win32'\"]\nempty = []\n"
    more += '[dependency-groups]\ntest = ["b"]\n[tool.uv]\ndefault-groups = ["test"]\n'
    write_project(root / "packages" / "a", "a", "1.0", "b", more=more)
    write_project(root / "packages" / "b", "b", "2.0", python=">=3.10")
    write_project(root / "packages" / "c", "c", "3.0", python=">=3.11,<4")
    write_project(root / "packages" / "not", "not", "1.0")
    return root


@case
def a_member(root: Path) -> Path:
    more = '[tool.uv.workspace]\nmembers = ["a", "b"]\n[tool.uv.sources]\nb = { workspace = true }\n'
    write_project(root, "root", "0", more=more)
    write_project(root / "b", "b", "2.0")
    return write_project(root / "a", "a", "1.0", "b")


@case
def a_circle(root: Path) -> Path:
    more = '[tool.uv.workspace]\nmembers = ["a"]\n[tool.uv.sources]\na = { workspace = true }\nroot = { workspace = true }\n'
    write_project(root / "a", "a", "1.0", more='[dependency-groups]\ndev = ["root"]\n')
    return write_project(root, "root", "0", "a", more=more)


@case
def a_root_that_is_no_project(root: Path) -> Path:
    write_project(root / "outside" / "lib", "lib", "1.0")
    work = root / "work"
    write_project(work / "a", "a", "1.0", "b")
    write_project(work / "b", "b", "1.0", "lib")
    write_project(work / "tasks", "tasks", "1.0", "lib", more="[tool.uv]\npackage = false\n")
    (work / "pyproject.toml").write_text(
        '[tool.uv.workspace]\nmembers = ["a", "b", "tasks"]\n[dependency-groups]\ndev = ["lib"]\nlint = ["a"]\n'
        "[tool.uv.sources]\na = { workspace = true }\nb = { workspace = true, editable = false }\n"
        'lib = { path = "../outside/lib" }\n'
    )
    return work


@case
def extras_of_the_project_itself(root: Path) -> Path:
    write_project(root / "one", "one")
    more = '[project.optional-dependencies]\nx = ["one"]\n[dependency-groups]\ndev = ["app[x]"]\n'
    more += '[tool.uv.sources]\none = { path = "../one" }\napp = { workspace = true }\n'
    return write_project(root / "app", "app", "1", more=more, builds=False)


@case
def extras_of_a_member_itself(root: Path) -> Path:
    more = '[tool.uv.workspace]\nmembers = ["a", "b"]\n[tool.uv.sources]\na = { workspace = true, editable = false }\n'
    write_project(root, "root", "0", more=more, builds=False)
    own = '[project.optional-dependencies]\nx = []\n[dependency-groups]\ndev = ["a[x]"]\n'
    write_project(root / "a", "a", "1.0", more=own)
    own = own.replace("a[x]", "b[x]") + "[tool.uv.sources]\nb = { workspace = true, editable = false }\n"
    return write_project(root / "b", "b", "1.0", more=own)


@case
def extras_of_the_root_itself(root: Path) -> Path:
    more = '[project.optional-dependencies]\nx = []\n[dependency-groups]\ndev = ["root[x]"]\n'
    more += '[tool.uv.workspace]\nmembers = ["a"]\n[tool.uv.sources]\nroot = { workspace = true }\n'
    write_project(root / "a", "a", "1.0", "root", builds=False)
    return write_project(root, "root", "0", more=more, builds=False)


@case
def extras_of_the_root_that_another_requires(root: Path) -> Path:
    folder = extras_of_the_root_itself(root)
    more = "[tool.uv.sources]\nroot = { workspace = true }\n"
    write_project(root / "a", "a", "1.0", "root", more=more, builds=False)
    return folder


@case
def groups_without_a_project(root: Path) -> Path:
    write_project(root / "one", "one", "1.0", "two", more='[tool.uv.sources]\ntwo = { path = "../two" }\n')
    write_project(root / "two", "two")
    (root / "tasks").mkdir()
    (root / "tasks" / "pyproject.toml").write_text(
        '[dependency-groups]\ndev = ["one"]\ntest = ["two ; sys_platform != \'win32\'", { include-group = "dev" }]\n'
        '[tool.uv.sources]\none = { path = "../one" }\ntwo = { path = "../two" }\n'
    )
    return root / "tasks"


@case
def places_by_marker(root: Path) -> Path:
    write_project(root / "base", "base", "2.0", "lib")
    for version in ("1.0", "1.1"):
        write_project(root / version, "lib", version)
        _wheel_of(root / version, root)
    write_project(root / "repo", "lib", "3.0")
    commit(root / "repo", tag="v3")
    write_project(root / "repo", "lib", "3.1")
    commit(root / "repo")
    git = f'git = "{(root / "repo").as_uri()}"'
    platforms = [f"sys_platform == '{name}'" for name in ("win32", "darwin", "linux")]
    places = {
        'path = "../lib-1.0-py3-none-any.whl"': platforms[0],
        'path = "../1.1", editable = true': platforms[1],
        f'{git}, tag = "v3"': f"{platforms[2]} and python_version < '3.12'",
        f'{git}, branch = "main"': f"{platforms[2]} and python_version >= '3.12'",
    }
    sources = "".join(f'  {{ {place}, marker = "{marker}" }},\n' for place, marker in places.items())
    more = f'[tool.uv]\nenvironments = {platforms}\n[tool.uv.sources]\nbase = {{ path = "../base" }}\nlib = [\n{sources}]\n'
    return write_project(root / "app", "app", "1", "lib", "base", more=more)


@case
def places_by_marker_of_a_dependency(root: Path) -> Path:
    for version in ("1.0", "1.1"):
        write_project(root / version, "lib", version)
    sources = "[tool.uv.sources]\nlib = [\n"
    sources += "  { path = '../1.0', marker = \"python_version < '3.12'\" },\n"
    sources += "  { path = '../1.1', marker = \"python_version >= '3.12'\" },\n]\n"
    write_project(root / "base", "base", "2.0", "lib", more=sources)
    return write_project(root / "app", "app", "1", "base", more='[tool.uv.sources]\nbase = { path = "../base" }\n')


@case
def urls_by_marker(root: Path) -> Path:
    for version in ("1.0", "1.1"):
        write_project(root / version, "lib", version)
    one, other = ((root / version).as_uri() for version in ("1.0", "1.1"))
    roots = f"lib @ {one} ; sys_platform == 'linux'", f"lib @ {other} ; sys_platform != 'linux'"
    return write_project(root / "app", "app", "1", *roots)


@case
def absolute_paths(root: Path) -> Path:
    for name in ("one", "two", "three", "four"):
        write_project(root / name, name)
    _wheel_of(root / "three", root)
    sources = f"[tool.uv.sources]\none = {{ path = '{root}/one' }}\n"
    sources += f"two = {{ path = '{root}/two', editable = true }}\n"
    sources += f"three = {{ path = '{root}/three-1.0-py3-none-any.whl' }}\n"
    fourth = f"four @ {(root / 'four').as_uri()}"
    return write_project(root / "app", "app", "1", "one", "two", "three", fourth, more=sources)


@case
def places_of_conflicting_extras(root: Path) -> Path:
    write_project(root / "1.0", "lib", "1.0")
    write_project(root / "repo", "lib", "3.0")
    commit(root / "repo")
    more = '[project.optional-dependencies]\ncpu = ["lib"]\ngpu = ["lib"]\n'
    more += '[tool.uv]\nconflicts = [[{ extra = "cpu" }, { extra = "gpu" }]]\n[tool.uv.sources]\nlib = [\n'
    more += f"  {{ path = '../1.0', extra = 'cpu' }},\n  {{ git = '{(root / 'repo').as_uri()}', extra = 'gpu' }},\n]\n"
    return write_project(root / "app", "app", "1", more=more)


SELECTIONS: dict[str, tuple[list[str], ...]] = {
    "places_of_conflicting_extras": (["--extra", "cpu"], ["--extra", "gpu"], []),
    "extras_of_the_root_that_another_requires": (),  # it has no build system, and setuptools is not there
}
"""What to install, where it cannot be everything at once."""


def _wheel_of(folder: Path, out: Path) -> None:
    done = run_program(
        [sys.executable, "-c", f"import backend; backend.build_wheel({str(out)!r})"], dict(os.environ), folder
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_same_lock_and_files(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    folder = CASES[name](tmp_path / "place")
    (sandbox.root / "empty").mkdir()
    index = (sandbox.root / "empty").as_uri()
    sandbox.using({"UV_DEFAULT_INDEX": index})
    theirs = {**sandbox.environ, "UV_CACHE_DIR": str(tmp_path / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    theirs["UV_PYTHON"] = sys.executable

    def uv(*arguments: str) -> None:
        done = run_program([program("uv"), *arguments], theirs, folder)
        assert done.returncode == 0, done.stderr

    uv("lock")
    [lock] = (tmp_path / "place").rglob("uv.lock")
    text = lock.read_text()
    sandbox.cove("lock", "--check", cwd=folder).ok()
    sandbox.cove("lock", cwd=folder).ok()
    assert lock.read_text() == text
    lock.unlink()
    sandbox.cove("lock", cwd=folder).ok()
    assert lock.read_text() == text
    uv("lock", "--check")
    for form in ("requirements.txt", "pylock.toml"):
        argv = ("export", "--frozen", "--no-header", "--format", form)
        done = run_program([program("uv"), *argv, "--quiet"], theirs, folder)
        exported = sandbox.cove(*argv, cwd=folder).ok().stdout.replace('created-by = "cove"', 'created-by = "uv"')
        assert (done.returncode, exported) == (0, done.stdout), done.stderr
    theirs["UV_PROJECT_ENVIRONMENT"] = str(tmp_path / "env-theirs")
    ours = {"UV_PROJECT_ENVIRONMENT": str(tmp_path / "env-ours")}
    for selection in SELECTIONS.get(name, (["--all-extras", "--all-groups"],)):
        uv("sync", "--frozen", *selection)
        sandbox.cove("sync", "--frozen", *selection, cwd=folder, environ=ours).ok()
        assert dict(_installed(tmp_path / "env-ours")) == dict(_installed(tmp_path / "env-theirs"))


def _installed(environment: Path) -> Iterator[tuple[str, object]]:
    """What is installed, by path: digests, and of ``direct_url.json`` what it says."""
    [site] = environment.glob("lib/*/site-packages")
    for path in sorted(site.rglob("*")):
        shown = str(path.relative_to(site))
        if (
            path.is_dir()
            or "__pycache__" in shown
            or path.name.startswith(("INSTALLER", "RECORD", "REQUESTED", "uv_", "_virtualenv"))
        ):
            continue
        if path.name == "direct_url.json":
            said = json.loads(path.read_text())
            said.get("dir_info", {}).setdefault("editable", False)
            said.get("archive_info", {}).clear()
            yield shown, said
        else:
            yield shown, hashlib.sha256(path.read_bytes()).hexdigest()
