"""Locks of small projects by both programs: some made at random, of which ``agreement.fuzz`` runs as many as somebody has
time for, and the smallest ones that were once locked in two ways."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agreement.cases import Case, Indexes, indexes
from agreement.compare import NEITHER, Both
from agreement.generate import at_random

SEEDS = range(24)


@pytest.fixture(scope="module")
def served() -> Iterator[Indexes]:
    """One server for all."""
    with indexes() as made:
        yield made


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_lock_twice(seed: int, served: Indexes, tmp_path: Path) -> None:
    found = Both(served, tmp_path).difference(at_random(seed))
    assert found is None or found.kind.endswith(NEITHER), found.details


_INDEX = [{"name": "main", "url": "{main}", "default": True}]


def _case(
    packages: dict[str, Any], dependencies: list[str], settings: dict[str, Any] | None = None, **more: Any
) -> Case:
    project = {"name": "app", "version": "0.1.0", "requires-python": ">=3.9", "dependencies": dependencies}
    projects = {"": {"project": {**project, **more}, "tool": {"uv": {**(settings or {}), "index": _INDEX}}}}
    return {"projects": projects, "indexes": {"main": packages}}


def _later(case: Case, argv: list[str], packages: dict[str, Any], dependencies: list[str] | None = None) -> Case:
    """The case with another lock after the index, and perhaps the project, has changed."""
    root = case["projects"][""]
    project = {**root["project"], "dependencies": dependencies or root["project"]["dependencies"]}
    later = {"argv": argv, "indexes": {"main": packages}, "projects": {"": {**root, "project": project}}}
    return {**case, "later": later}


def _elsewhere(key: str, pin: dict[str, Any]) -> Case:
    """A case with two locks of a project that comes from another index, and of which a setting says something."""
    settings = {f"{key}-dependencies": ["a<2 ; python_version >= '3.10'"], "sources": {"a": {"index": "second", **pin}}}
    case = _case({"a 1.0": {}, "a 2.0": {}}, ["a"], settings)
    case["projects"][""]["tool"]["uv"]["index"] = [*_INDEX, {"name": "second", "url": "{second}", "explicit": True}]
    case["indexes"]["second"] = {"a 1.5": {}}
    return {**case, "later": {"argv": []}}


_PARTED = {"a 1.0": {"requires": ["b", "b ; python_version == '3.13'"]}, "b 1.0": {}}
_RELEASES = {"a 1.0": {}, "a 2.0a1": {}, "b 1.0": {"requires": ["a", "a<=2.0a1 ; sys_platform == 'win32'"]}}
_ACCELERATED = [
    "cp312-cp312-linux_x86_64",
    "cp312-cp312-win_amd64",
    "cp311-cp311-linux_x86_64",
    "cp311-cp311-win_amd64",
]
_MACOS = ["cp312-none-macosx_11_0_arm64", "cp311-none-macosx_11_0_arm64"]
_TORCH = {  # as its index has it
    "t 2.0": {"tags": [*_MACOS, "cp312-cp312-manylinux_2_17_aarch64", "cp311-cp311-manylinux_2_17_aarch64"], "requires": ["u"]},
    "t 2.0+cpu": {"tags": _ACCELERATED, "requires": ["u", "v ; sys_platform != 'win32'"]},
    "t 1.0": {"tags": _MACOS}, "t 1.0+cpu": {"tags": _ACCELERATED},
    "u 1.0": {}, "v 1.0": {"requires": ["u"]},
}  # fmt: skip
SMALL = {
    "a locked version that was yanked since": _later(
        _case({"a 1.0": {}, "b 1.0": {}}, ["a"]), [], {"a 1.0": {"yanked": "broken"}, "b 1.0": {}}, ["a", "b"]
    ),
    "the parts of a lock where a package is upgraded": _later(
        _case(_PARTED, ["a"]), ["--upgrade-package", "a"], {**_PARTED, "a 2.0": {}}
    ),
    "parts of a lock that is for the oldest first": _later(
        _case(_PARTED, ["b ; python_full_version >= '3.11'"], {"resolution": "lowest"}), [], _PARTED, ["a"]
    ),
    "what is required already": _later(_case({"a 1.0": {}}, ["a>=1,<2"]), [], {"a 1.0": {}}, ["a", "a>=1", "a<2"]),
    "another way to choose": _later(_case({"a 1.0": {}}, ["a"]), ["--resolution", "lowest"], {"a 1.0": {}, "a 0.9": {}}),
    "a constraint without limits": _case(
        {"a 1.0": {}}, ["a"], {"constraint-dependencies": ["a ; os_name == 'posix'"]}
    ),
    "a constraint on what is marked": _case(
        {"a 1.0": {}, "a 2.0": {}}, ["a ; os_name == 'posix'", "a"], {"constraint-dependencies": ["a<2"]}
    ),
    "names that go before what is stated first": _case(
        {"b 3.0": {"requires": ["c<2.0"]}, "b 2.5": {}, "c 1.1": {}, "c 2.0": {}}, ["c", "b"]
    ),
    "a pre-release where a release fits": _case(_RELEASES, ["a>=0.5a1", "b"]),
    "a pre-release in one part only": _case(
        {"a 1.0": {}, "a 2.0a1": {}}, ["a", "a>1.0 ; sys_platform == 'win32'"]
    ),
    "pre-releases where they are named": _case({"a 1.0": {}, "a 2.0a1": {}}, ["a>=0.5a1"], {"prerelease": "explicit"}),
    "what is direct in one part": _case(
        {"a 4.0": {"requires": ["b"]}, "b 3.0": {}, "b 2.5": {}},
        ["a", "b ; python_version ~= '3.12'"],
        {"resolution": "lowest-direct"},
    ),
    "specifiers in order": _case({"a 2.0": {}}, ["a", "a==2.*", "a<=3.0", "a~=2.0", "a>=1"]),
    "markers in order": _case(
        {"a 2.0": {}},
        ["a ; python_version != '3.13'"],
        **{"optional-dependencies": {"p": ["a==2.* ; python_version >= '3.13'"]}},
    ),
    "extras by name": _case(
        {"a 1.0": {}, "b 1.0": {}},
        [],
        **{
            "optional-dependencies": {
                "p": ["a", "a ; sys_platform == 'win32'"], "q": ["b<=1.0 ; sys_platform != 'win32'"], "all": ["app[p,q]"],
            }
        },
    ),
    "what no platform is": _case(
        {
            "a 1.0": {"requires": ["b ; os_name == 'nt'"]},
            "b 1.0": {},
            "c 1.0": {"requires": ["b", "b ; sys_platform != 'win32'"]},
        },
        ["a ; sys_platform == 'darwin'", "c"],
    ),
    "a marker of many parts": _case(
        {"a 1.0": {}},
        ["a ; (python_version == '3.11' or python_version == '3.13') and (sys_platform == 'linux' or os_name == 'nt')"],
    ),
    "a build for accelerators, and another for macOS": _case(_TORCH, ["t"]),
    "a build for accelerators that was locked, and another for macOS": _later(_case(_TORCH, ["t"]), [], _TORCH, ["t", "u"]),
    "a build for accelerators that is required for macOS": _case(
        _TORCH, ["t"], {"required-environments": ["sys_platform == 'darwin' and platform_machine == 'arm64'"]}
    ),
    "a build for accelerators where there is no macOS": _case(_TORCH, ["t ; sys_platform == 'win32'"]),
    "environments without a build for accelerators": _case(_TORCH, ["t"], {"environments": ["sys_platform == 'darwin'"]}),
    "a build for accelerators by its name": _case(_TORCH, ["t==2.0+cpu"]),
    "an older build for accelerators": _case(_TORCH, ["t<2"]),
    "a build for accelerators where another has an sdist": _case(
        {"t 2.0": {"tags": ["sdist"]}, "t 2.0+cpu": {"tags": _ACCELERATED}}, ["t"]
    ),
    "a build for accelerators for every platform": _case({"t 1.0": {"tags": ["sdist"]}, "t 1.0+cpu": {}}, ["t"]),
    "a build for accelerators with macOS": _case({"t 1.0": {}, "t 1.0+cpu": {"tags": _MACOS}}, ["t"]),
    "wheels for environments where extras exclude each other": _case(
        {"t 1.0": {"tags": [*_ACCELERATED, *_MACOS]}, "u 1.0": {}},
        [],
        {"environments": ["sys_platform == 'linux'"], "conflicts": [[{"extra": "p"}, {"extra": "q"}]]},
        **{"optional-dependencies": {"p": ["t"], "q": ["u"]}},
    ),
    **{
        f"{key} for what comes from an index of its own": _elsewhere(key, {})
        for key in ("constraint", "override", "build-constraint")
    },
    **{
        f"{key} for what comes from an index of its own on one platform": _elsewhere(key, {"marker": "os_name == 'nt'"})
        for key in ("constraint", "override", "build-constraint")
    },
    "a build for accelerators chosen elsewhere": _case(
        {
            "t 1.0": {"requires": ["v"]},
            "t 1.0+cpu": {"requires": ["w>3 ; platform_python_implementation == 'CPython'"]},
            "w 1.0": {},
            "v 1.0": {"requires": ["u", "u ; platform_python_implementation == 'CPython'"]},
            "u 1.0": {},
        },
        ["t"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SMALL.values(), ids=SMALL)
def test_the_same_lock(case: Case, served: Indexes, tmp_path: Path) -> None:
    found = Both(served, tmp_path).difference(case)
    assert found is None, found.details
