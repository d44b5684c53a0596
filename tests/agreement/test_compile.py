"""What uv compiles from the scenarios of ``pip compile``: the same pins, or no answer either.

A scenario where it does not says in ``uv`` what uv does instead.
"""

import sys
import tomllib
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.compilations import compiling
from support.programs import program
from support.programs import run as run_program

FOLDER = Path(__file__).parent.parent / "scenarios"
FILES = sorted(path for path in FOLDER.glob("*/*.toml") if path.parent.name != "universal")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_same_answer(path: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    told = tomllib.loads(path.read_text())
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(tmp_path / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    environ["UV_PYTHON"] = sys.executable
    with compiling(told) as place:
        place.write_to(sandbox.work)
        done = run_program([program("uv"), *place.argv("uv")], environ, sandbox.work)
        written = (sandbox.work / told["written"]).read_text() if "written" in told else done.stdout
        is_same = place.stable(written) == told["pins"] if "pins" in told else done.returncode != 0
    assert is_same == ("uv" not in told), done.stderr


WRITTEN = (
    "extras/several-extras",
    "extras/groups-of-a-project",
    "limits/constraint-of-a-project",
    "limits/override-and-constraint",
    "limits/override-with-a-marker",
    "cutoffs/a-file-that-came-later",
    "requirements/self-requirement",
    "indexes/explicit",
)
STYLES = (
    (),
    ("--no-strip-markers",),
    ("--annotation-style", "line"),
    ("--annotation-style", "line", "--generate-hashes", "--no-strip-extras"),
    ("--no-strip-extras", "--emit-marker-expression", "--no-emit-package", "a"),
    ("--emit-index-url", "--emit-find-links", "--emit-build-options", "--emit-index-annotation", "--generate-hashes"),
    ("--universal",),
    ("--format", "pylock.toml"),
)


@pytest.mark.parametrize("style", STYLES, ids=" ".join)
def test_the_same_text(style: tuple[str, ...], sandbox: Sandbox, tmp_path: Path) -> None:
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(tmp_path / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    environ["UV_PYTHON"] = sys.executable
    for name in WRITTEN:
        told = tomllib.loads((FOLDER / f"{name}.toml").read_text())
        with compiling(told) as place:
            folder = sandbox.work / name
            place.write_to(folder)
            argv = [word for word in (*place.argv("uv"), *style, "--quiet") if word != "--no-annotate"]
            if "--universal" in style:
                at = argv.index("--python-platform")
                del argv[at : at + 2]
            done = run_program([program("uv"), *argv], environ, folder)
            ran = sandbox.cove(*argv, cwd=folder).ok()
            lines = [line for line in ran.stdout.splitlines() if not line.startswith("index = ")]  # uv leaves it out
            expected = done.stdout.replace('created-by = "uv"', 'created-by = "cove"').splitlines()
            assert (done.returncode, lines) == (0, expected), (name, done.stderr)
