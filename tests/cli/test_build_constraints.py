"""What limits builds: ``--build-constraints``, its variable, and ``build-constraint-dependencies``, wherever one builds."""

import hashlib
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cove.formats import tool_receipt
from support.commandline import Sandbox
from support.local_projects import BACKEND, commit
from support.simple_pages import MAKE

# A project whose module says with which version of `stamp` it was built.
SAYING_STAMP = (
    "import stamp\n"
    + BACKEND.replace("f\"version = '{version}'\"", 'f"STAMP = {stamp.VERSION!r}\\nmain = print"').replace(
        '    name, version = project["name"]',
        '    assert stamp.VERSION in os.environ.get("ALLOWED", "1.0 2.0")\n    name, version = project["name"]',
    )
    + """
def build_sdist(folder, settings=None):
    import tarfile
    with tarfile.open(os.path.join(folder, "lib-1.0.tar.gz"), "w:gz") as archive:
        for path in ("pyproject.toml", "backend.py", "DYNAMIC"):
            archive.add(path, "lib-1.0/" + path)
    return "lib-1.0.tar.gz"
"""
).replace(
    'f"{info}/METADATA":', 'f"{info}/entry_points.txt": "[console_scripts]\\nlib = lib:main\\n", f"{info}/METADATA":'
)
PROJECT = (
    '[project]\nname = "lib"\nrequires-python = ">=3.11"\ndynamic = ["version"]\n'
    '[build-system]\nrequires = ["stamp"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
)
CONFIGURED = '[tool.uv]\nbuild-constraint-dependencies = ["stamp<2"]\n'
IN_UV_TOML = 'build-constraint-dependencies = ["stamp<2"]\n'


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A place with ``lib`` as a folder, a repository and an sdist, and two versions of ``stamp`` to build it with."""
    for version in ("1.0", "2.0"):
        MAKE.wheel("stamp", version, files={"stamp.py": f"VERSION = {version!r}\n"}).write_to(tmp_path / "links")
    (tmp_path / "index").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "lib" / "backend.py").write_text(SAYING_STAMP)
    (tmp_path / "lib" / "DYNAMIC").write_text("version=1.0\n")
    with tarfile.open(tmp_path / "links" / "lib-1.0.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "lib", "lib-1.0")
    shutil.copytree(tmp_path / "lib", tmp_path / "repo")
    commit(tmp_path / "repo")
    (tmp_path / "limits.txt").write_text("stamp<2\n")
    return Sandbox(tmp_path).using(
        {
            "UV_DEFAULT_INDEX": (tmp_path / "index").as_uri(),
            "UV_FIND_LINKS": str(tmp_path / "links"),
            "UV_TOOL_DIR": str(tmp_path / "tools"),
            "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        }
    )


def _stamp(sandbox: Sandbox) -> str:
    """What the ``lib`` that was installed or built says."""
    modules = [*sandbox.root.glob("*/.venv/lib/*/site-packages/lib.py"), *sandbox.root.glob("tools/lib/lib/*/*/lib.py")]
    if modules:
        return modules[0].read_text().partition("\n")[0]
    [wheel] = sandbox.work.glob("out/*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read("lib.py").decode().partition("\n")[0]


def _project(sandbox: Sandbox, source: str = "", more: str = CONFIGURED) -> None:
    stated = f"[tool.uv.sources]\nlib = {source}\n" if source else ""
    sandbox.project(
        f'[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["lib"]\n{more}{stated}'
    )


PIP = [("lib",), ("../lib",), ("../links/lib-1.0.tar.gz",), ("lib @ git+{repo}",)]


@pytest.mark.parametrize("wanted", PIP, ids=["sdist of an index", "folder", "sdist", "repository"])
def test_pip_install(sandbox: Sandbox, wanted: tuple[str, ...]) -> None:
    sandbox.cove("venv").ok()
    words = [word.format(repo=(sandbox.root / "repo").as_uri()) for word in wanted]
    sandbox.cove("pip", "install", *words, "--build-constraint", "../limits.txt").ok()
    assert _stamp(sandbox) == "STAMP = '1.0'"


Setup = Callable[[Sandbox], None]


@pytest.mark.parametrize(
    "setup",
    [
        lambda sandbox: sandbox.using({"UV_BUILD_CONSTRAINT": "../limits.txt"}),
        lambda sandbox: sandbox.project(CONFIGURED),
        lambda sandbox: (sandbox.work / "uv.toml").write_text(IN_UV_TOML),
    ],
    ids=["variable", "pyproject.toml", "uv.toml"],
)
@pytest.mark.parametrize(
    "argv",
    [
        ("pip", "install", "lib"),
        ("pip", "sync", "in.txt"),
        ("build", "../lib", "--wheel", "-o", "out"),
        ("pip", "compile", "in.txt"),
    ],
    ids=lambda argv: " ".join(argv[:2]),
)
def test_where_else_it_may_be_said(sandbox: Sandbox, setup: Setup, argv: tuple[str, ...]) -> None:
    setup(sandbox)
    (sandbox.work / "in.txt").write_text("lib==1.0\n")
    sandbox.cove("venv").ok()
    sandbox.cove(*argv, ALLOWED="1.0").ok()
    if argv[:2] != ("pip", "compile"):
        assert _stamp(sandbox) == "STAMP = '1.0'"


@pytest.mark.parametrize(
    "source",
    [
        "",
        '{ path = "../lib" }',
        '{ path = "../links/lib-1.0.tar.gz" }',
        '{ git = "REPO" }',
        '{ path = "../lib", editable = true }',
    ],
    ids=["sdist of an index", "folder", "sdist", "repository", "in place"],
)
def test_sync_obeys_the_project(sandbox: Sandbox, source: str) -> None:
    _project(sandbox, source.replace("REPO", (sandbox.root / "repo").as_uri()))
    sandbox.cove("sync", ALLOWED="1.0").ok()
    if "editable" not in source:
        assert _stamp(sandbox) == "STAMP = '1.0'"


def test_a_lock_is_of_its_project_alone(sandbox: Sandbox) -> None:
    _project(sandbox, more="")
    (sandbox.work / "uv.toml").write_text(IN_UV_TOML)
    sandbox.cove("sync", UV_BUILD_CONSTRAINT="../limits.txt").ok()
    assert _stamp(sandbox) == "STAMP = '2.0'"


def test_a_pylock(sandbox: Sandbox) -> None:
    (sandbox.work / "in.txt").write_text("lib\n")
    sandbox.cove("pip", "compile", "in.txt", "-o", "pylock.toml").ok()
    sandbox.cove("venv").ok()
    sandbox.cove("pip", "install", "-r", "pylock.toml", "-b", "../limits.txt").ok()
    assert _stamp(sandbox) == "STAMP = '1.0'"


@pytest.mark.parametrize("argv", [("../lib",), ("../lib", "--wheel"), ("../links/lib-1.0.tar.gz",)])
def test_build(sandbox: Sandbox, argv: tuple[str, ...]) -> None:
    sandbox.cove("build", *argv, "-o", "out", "-b", "../limits.txt").ok()
    assert _stamp(sandbox) == "STAMP = '1.0'"


def test_a_tool_remembers_its_constraints(sandbox: Sandbox) -> None:
    sandbox.cove("tool", "install", "lib").ok()
    assert _stamp(sandbox) == "STAMP = '2.0'"
    sandbox.cove("tool", "install", "lib", "-b", "../limits.txt", "--reinstall").ok()
    assert _stamp(sandbox) == "STAMP = '1.0'"
    text = (sandbox.root / "tools" / "lib" / tool_receipt.FILE_NAME).read_text()
    [limit] = tool_receipt.parse(text).build_constraints
    assert (limit.name, limit.specifier) == ("stamp", "<2")
    assert "is already installed" in sandbox.cove("tool", "install", "lib", "-b", "../limits.txt").ok().stderr
    assert "is already installed" not in sandbox.cove("tool", "install", "lib").ok().stderr


def test_what_was_built_under_other_constraints_is_built_again(sandbox: Sandbox) -> None:
    sandbox.cove("venv").ok()
    for constraints, stamp in (([], "2.0"), (["-b", "../limits.txt"], "1.0"), ([], "2.0")):
        sandbox.cove("pip", "install", "lib", "--reinstall", *constraints).ok()
        assert _stamp(sandbox) == f"STAMP = '{stamp}'"


def test_the_option_stands_for_the_variable(sandbox: Sandbox) -> None:
    (sandbox.root / "other.txt").write_text("stamp>1\n")
    sandbox.cove(
        "build", "../lib", "--wheel", "-o", "out", "-b", "../other.txt", UV_BUILD_CONSTRAINT="../limits.txt"
    ).ok()
    assert _stamp(sandbox) == "STAMP = '2.0'"


# -- digests ----------------------------------------------------------------------------------------------------------

BUILDING = [("pip", "install", "lib"), ("build", "../lib", "--wheel", "-o", "out"), ("tool", "install", "lib")]


def _limit_to(sandbox: Sandbox, digest: str = "") -> None:
    text = f"stamp==1.0 --hash=sha256:{digest}\n" if digest else "stamp==1.0\n"
    (sandbox.root / "limits.txt").write_text(text)


@pytest.mark.parametrize("argv", BUILDING, ids=lambda argv: " ".join(argv[:2]))
def test_digests_of_build_constraints_are_compared(sandbox: Sandbox, argv: tuple[str, ...]) -> None:
    sandbox.cove("venv").ok()
    _limit_to(sandbox, "0" * 64)
    ran = sandbox.cove(*argv, "-b", "../limits.txt")
    assert (ran.status, "`stamp` 1.0" in ran.stderr) == (1, True), ran.stderr
    sandbox.cove(*argv, "-b", "../limits.txt", UV_NO_VERIFY_HASHES="1").ok()


@pytest.mark.parametrize("argv", BUILDING, ids=lambda argv: " ".join(argv[:2]))
def test_digests_may_be_required(sandbox: Sandbox, argv: tuple[str, ...]) -> None:
    sandbox.cove("venv").ok()
    _limit_to(sandbox)
    ran = sandbox.cove(*argv, "-b", "../limits.txt", "--require-build-hashes")
    assert (ran.status, "`stamp` has none" in ran.stderr) == (2, True), ran.stderr
    content = (sandbox.root / "links" / "stamp-1.0-py3-none-any.whl").read_bytes()
    _limit_to(sandbox, hashlib.sha256(content).hexdigest())
    sandbox.cove(*argv, "-b", "../limits.txt", "--require-build-hashes").ok()
    assert _stamp(sandbox) == "STAMP = '1.0'"


# -- the same for constraints, overrides and excludes ----------------------------------------------------------------


@pytest.mark.parametrize(
    "variable, text, expected",
    [
        ("UV_CONSTRAINT", "stamp<2", "stamp==1.0"),
        ("UV_OVERRIDE", "stamp==1.0", "stamp==1.0"),
        ("UV_EXCLUDE", "stamp", ""),
    ],
)
def test_variables_for_limits(sandbox: Sandbox, variable: str, text: str, expected: str) -> None:
    MAKE.wheel("app", "1.0", requires=["stamp"]).write_to(sandbox.root / "links")
    (sandbox.work / "in.txt").write_text("app\n")
    (sandbox.work / "limits.txt").write_text(text)
    ran = sandbox.cove(
        "pip", "compile", "in.txt", "--no-annotate", "--no-header", environ={variable: "limits.txt"}
    ).ok()
    assert ran.stdout.split() == ["app==1.0", *filter(None, [expected])]


@pytest.mark.parametrize("place", ["pyproject.toml", "uv.toml"])
@pytest.mark.parametrize(
    "key, value, expected",
    [
        ("constraint-dependencies", "stamp<2", ["stamp==1.0", "# via app, -c (workspace)"]),
        ("override-dependencies", "stamp==1.0", ["stamp==1.0", "# via app, --override (workspace)"]),
        ("exclude-dependencies", "stamp", []),
    ],
)
def test_limits_in_the_configuration(sandbox: Sandbox, place: str, key: str, value: str, expected: list[str]) -> None:
    MAKE.wheel("app", "1.0", requires=["stamp"]).write_to(sandbox.root / "links")
    (sandbox.work / "in.txt").write_text("app\n")
    (sandbox.work / place).write_text(f'{"" if place == "uv.toml" else "[tool.uv]"}\n{key} = ["{value}"]\n')
    ran = sandbox.cove("pip", "compile", "in.txt", "--no-header", "--annotation-style", "line").ok()
    found = [word for line in ran.stdout.splitlines()[1:] for word in line.split("  ") if word.strip()]
    assert [word.strip() for word in found] == expected
