"""What people read when there is no answer, through the real command line."""

import json
from pathlib import Path

import pytest

from cove.testing import PackageFactory
from support.commandline import Sandbox
from support.compilations import compiling

MAKE = PackageFactory()
DYNAMIC = """
[project]
name = "n"
dynamic = ["version", "dependencies"]
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
NOTICED = 'open({place!r}, "w").close()\nraise RuntimeError("built")\n'


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(tmp_path)


def test_nothing_is_built_to_tell_what_is_clear_without(sandbox: Sandbox) -> None:
    """The newest of what is required is looked at ahead of time; but not if it would have to be built for that."""
    place, index = sandbox.root / "built", sandbox.root / "index"
    MAKE.wheel("p", "2.0", requires=["n>=2"]).write_to(index)
    old = "Metadata-Version: 2.1\nName: n\nVersion: 1.0\n"
    files = {"backend.py": NOTICED.format(place=str(place)), "pyproject.toml": DYNAMIC}
    MAKE.sdist("n", "1.0", metadata=old, files=files).write_to(index)
    MAKE.wheel("n", "2.0").write_to(index)
    options = ("--no-index", "--find-links", str(index))
    (sandbox.work / "requirements.in").write_text("p\nn<2\n")
    ran = sandbox.cove("pip", "compile", "requirements.in", *options)
    assert ran.stderr.startswith("error: Because p 2.0 depends on n>=2 and you require n<2")
    assert not place.exists()
    (sandbox.work / "requirements.in").write_text("n<2\n")
    assert "built" in sandbox.cove("pip", "compile", "requirements.in", *options).stderr
    assert place.exists()


TWO_PARTS = """
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["a"]
[project.optional-dependencies]
old = ["b<2"]
[dependency-groups]
new = ["b>=2"]
{tool}
"""


@pytest.fixture
def libraries(sandbox: Sandbox) -> Sandbox:
    """An index with ``a`` and two versions of ``b``."""
    index = sandbox.root / "index"
    for name, version in (("a", "1.0"), ("b", "1.0"), ("b", "2.0")):
        MAKE.wheel(name, version).write_to(index)
    (sandbox.root / "empty").mkdir()
    return sandbox.using({"UV_DEFAULT_INDEX": (sandbox.root / "empty").as_uri(), "UV_FIND_LINKS": str(index)})


def test_extras_and_groups_that_exclude_each_other_are_named(libraries: Sandbox) -> None:
    libraries.project(TWO_PARTS.format(tool=""))
    said = libraries.cove("lock").stderr
    assert "`app` depends on b>=2 (group new) and b<2 (extra old), the requirements of `app` cannot be met" in said
    assert "hint: extra old and group new may exclude each other: `conflicts` in [tool.uv] says so" in said
    conflicts = '[tool.uv]\nconflicts = [[{ extra = "old" }, { group = "new" }]]'
    libraries.project(TWO_PARTS.format(tool=conflicts))
    libraries.cove("lock").ok()


def test_settings_of_a_project_are_named_as_the_cause(libraries: Sandbox) -> None:
    limits = '[tool.uv]\nconstraint-dependencies = ["a>=3"]\noverride-dependencies = ["b==3"]'
    libraries.project(TWO_PARTS.format(tool=limits))
    said = libraries.cove("lock").stderr
    assert "`constraint-dependencies` allows only a>=3, of which " in said or "b==3 (`override-dependencies`)" in said
    libraries.project(TWO_PARTS.format(tool=limits.replace("a>=3", "a>=1")))
    assert "depends on b==3 (`override-dependencies`)" in libraries.cove("lock").stderr


def test_members_of_a_workspace_are_told_apart(libraries: Sandbox) -> None:
    head = '[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["{wants}"]\n'
    libraries.project(head.format(name="app", wants="b<2") + '[tool.uv.workspace]\nmembers = ["part"]\n')
    libraries.project(head.format(name="part", wants="b>=2"), "part")
    said = libraries.cove("lock").stderr
    assert "the workspace depends on b>=2 (part) and b<2 (app), " in said or "b<2 (app) and b>=2 (part), " in said


def test_who_wants_what_an_index_refuses(sandbox: Sandbox) -> None:
    told = {
        "requires": ["b"],
        "options": {"main": {"status": {"a": 401}}},
        "index": {"main": {"b 1": {"requires": ["a"]}}},
    }
    with compiling(told) as place:
        place.write_to(sandbox.work)
        said = sandbox.cove(*place.argv()).stderr
    assert said.startswith("error: main wants credentials for `a` (401 Unauthorized)")
    assert "  cause: b 1 depends on a\n" in said


def test_programs_read_the_same(libraries: Sandbox) -> None:
    libraries.project(TWO_PARTS.format(tool=""))
    ran = libraries.cove("lock", "--output-format", "json")
    error = json.loads(ran.stdout)["error"]
    assert (ran.status, error["code"]) == (1, "no-solution")
    assert error["message"].startswith("Because `app` depends on b>=2 (group new)")
    assert error["packages"] == ["b"]
    assert len(error["hints"]) == 1
    libraries.project('[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["c"]\n')
    error = json.loads(libraries.cove("lock", "--output-format", "json").stdout)["error"]
    assert (error["code"], error["packages"]) == ("project-not-found", ["c"])
    assert error["indexes"] == []


NOT_BUILT = 'print("\\n".join(f"step {n}" for n in range(30)))\nraise RuntimeError("out of luck")\n'


def _must_be_built(sandbox: Sandbox, *versions: str) -> None:
    """``n`` as sdists that say nothing of themselves, and cannot be built."""
    for version in versions:
        metadata = f"Metadata-Version: 2.1\nName: n\nVersion: {version}\n"
        files = {"backend.py": NOT_BUILT, "pyproject.toml": DYNAMIC}
        MAKE.sdist("n", version, metadata=metadata, files=files).write_to(sandbox.root / "index")


def test_what_had_to_be_built_is_told_with_what_needs_no_build(sandbox: Sandbox) -> None:
    _must_be_built(sandbox, "2.0", "2.1")
    index = sandbox.root / "index"
    for version in ("1.0", "1.5", "3.0", "3.1", "4.0", "5.0rc1"):
        MAKE.wheel("n", version).write_to(index)
    MAKE.wheel("n", "2.0", tag="cp39-cp39-win_amd64").write_to(index)
    (sandbox.work / "requirements.in").write_text("n<3,>1.5\n")
    options = ("requirements.in", "--no-index", "--find-links", str(index))
    ran = sandbox.cove("pip", "compile", *options)
    assert ran.status == 1
    said = ran.stderr.replace(index.as_uri(), "INDEX")
    assert said.startswith("error: `n==2.1` from ")
    assert (
        "had to be built to learn what it requires, and that failed\n  cause: n 2.1 has no wheel, and its sdist" in said
    )
    assert "n 2.1 cannot be built: get_requires_for_build_wheel ended with exit status 1 (backend backend)" in said
    assert "RuntimeError: out of luck" in said
    assert "pyproject_hooks" not in said
    assert len(said.splitlines()) < 25
    assert "hint: n 1.5, n 3.0 and n 4.0 need no build, for there are wheels: `--no-build-package n`" in said
    assert "step 0\n" not in said
    assert "step 0\n" in sandbox.cove("pip", "compile", *options, "-v").stderr
    (sandbox.work / "requirements.in").write_text("n==2.0\n")
    said = sandbox.cove("pip", "compile", *options, "--python-platform", "linux").stderr
    assert (
        "on Linux x86_64 with glibc 2.28, but for cp39 with ABI cp39 on win_amd64, and its sdist does not state" in said
    )
    (sandbox.work / "requirements.in").write_text("n<3\n")
    assert sandbox.cove("pip", "compile", *options, "--only-binary", "n").ok().stdout.count("n==1.5") == 1


def test_what_has_no_wheel_at_all_is_told_to_have_none(sandbox: Sandbox) -> None:
    _must_be_built(sandbox, "2.0")
    options = ("--no-index", "--find-links", str(sandbox.root / "index"))
    (sandbox.work / "requirements.in").write_text("n\n")
    said = sandbox.cove("pip", "compile", "requirements.in", *options).stderr
    assert "hint: no version of n on " in said
    assert "has a wheel that could be used instead" in said


def test_what_backends_of_others_warn_of_is_a_detail(sandbox: Sandbox) -> None:
    """The maintainer of a project reads it when building that; who only uses it can do nothing about it."""
    metadata = "Metadata-Version: 2.1\nName: n\nVersion: 1.0\n"
    backend = (
        "import warnings\n"
        "def get_requires_for_build_wheel(config_settings=None):\n"
        "    warnings.warn('old ways')\n"
        "    return []\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        "    with open(folder + '/n-1.0-py3-none-any.whl', 'wb') as made:\n"
        f"        made.write({MAKE.wheel('n', '1.0').content!r})\n"
        "    return 'n-1.0-py3-none-any.whl'\n"
    )
    files = {"backend.py": backend, "pyproject.toml": DYNAMIC}
    MAKE.sdist("n", "1.0", metadata=metadata, files=files).write_to(sandbox.root / "index")
    options = ("--no-index", "--find-links", str(sandbox.root / "index"), "--no-cache")
    (sandbox.work / "requirements.in").write_text("n\n")
    assert "old ways" not in sandbox.cove("pip", "compile", "requirements.in", *options).ok().stderr
    assert "old ways" in sandbox.cove("pip", "compile", "requirements.in", *options, "-v").ok().stderr


def test_metadata_that_cannot_be_used_are_a_reason_in_a_sentence(sandbox: Sandbox) -> None:
    index, wheel = sandbox.root / "index", MAKE.wheel("other", "1.0")
    index.mkdir()
    (index / "n-1.0-py3-none-any.whl").write_bytes(wheel.content)
    (sandbox.work / "requirements.in").write_text("n\n")
    said = sandbox.cove("pip", "compile", "requirements.in", "--no-index", "--find-links", str(index)).stderr
    assert (
        "Because n 1.0 has no usable metadata (`n-1.0-py3-none-any.whl` says that it is other) and you require n"
        in said
    )


def test_what_backends_write_can_be_hidden(sandbox: Sandbox) -> None:
    _must_be_built(sandbox, "2.0")
    (sandbox.work / "requirements.in").write_text("n\n")
    options = ("--no-index", "--find-links", str(sandbox.root / "index"))
    said = sandbox.cove("pip", "compile", "requirements.in", *options, "-v", UV_HIDE_BUILD_OUTPUT="1").stderr
    assert "n 2.0 cannot be built: get_requires_for_build_wheel ended with exit status 1" in said
    assert "step" not in said
    assert "out of luck" not in said


def test_it_is_told_for_whom_something_had_to_be_built(sandbox: Sandbox) -> None:
    _must_be_built(sandbox, "2.0")
    index = sandbox.root / "index"
    MAKE.wheel("p", "1.0", requires=["n>1"]).write_to(index)
    for stated, expected in (("p", True), ("p\nn", False)):
        (sandbox.work / "requirements.in").write_text(f"{stated}\n")
        said = sandbox.cove("pip", "compile", "requirements.in", "--no-index", "--find-links", str(index)).stderr
        assert "`n==2.0` from " in said
        assert ("cause: p 1.0 depends on n" in said) is expected, said


def test_what_is_taken_from_below_without_a_bound_is_named(sandbox: Sandbox) -> None:
    """As in uv: whoever asks for the lowest versions has forgotten one."""
    index = sandbox.root / "index"
    for name in ("a", "b", "c", "d"):
        MAKE.wheel(name, "1.0").write_to(index)
        MAKE.wheel(name, "2.0").write_to(index)
    (sandbox.work / "requirements.in").write_text("a\nb<2\nc>=1\nd\n")
    (sandbox.work / "limits.txt").write_text("d>1\n")
    options = ("requirements.in", "--no-index", "--find-links", str(index), "-c", "limits.txt")
    for mode in ("lowest", "lowest-direct"):
        said = sandbox.cove("pip", "compile", *options, "--resolution", mode).ok().stderr
        told = [line for line in said.splitlines() if "without a lower bound" in line]
        takes = f"is required without a lower bound, and `--resolution {mode}` begins with the oldest version there is"
        assert told == [f"warning: `a` {takes}", f"warning: `b` {takes}"]
    assert "lower bound" not in sandbox.cove("pip", "compile", *options).ok().stderr


def test_the_extras_that_there_are_stand_beside_the_one_that_is_missing(sandbox: Sandbox) -> None:
    index = sandbox.root / "index"
    MAKE.wheel("few", "1.0", metadata=_with_extras("few", "socks", "http2")).write_to(index)
    MAKE.wheel("many", "1.0", metadata=_with_extras("many", *(f"part{n}" for n in range(20)), "socks5")).write_to(index)
    (sandbox.work / "requirements.in").write_text("few[sock]\nmany[socks]\n")
    said = sandbox.cove("pip", "compile", "requirements.in", "--no-index", "--find-links", str(index)).ok().stderr
    assert "warning: few 1.0 has no extra named sock, but http2 and socks\n" in said
    assert "warning: many 1.0 has no extra named socks, but socks5\n" in said


def _with_extras(name: str, *extras: str) -> str:
    return "".join(
        [f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", *(f"Provides-Extra: {e}\n" for e in extras)]
    )
