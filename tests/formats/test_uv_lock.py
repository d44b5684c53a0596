"""Locks that uv made (host names replaced) must survive reading and writing to the byte."""

from pathlib import Path

import pytest

from cove.errors import ConfigurationError
from cove.formats import uv_lock
from cove.model.lock import Lock, LockedDependency, LockedFile, LockedPackage, LockedRequirement, LockedSource
from cove.model.name import Name

LOCKS = sorted((Path(__file__).parent / "data" / "locks").glob("*.lock"))
REGISTRY = LockedSource("registry", "https://files.example.org/simple")


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_a_lock_of_uv_survives_to_the_byte(path: Path) -> None:
    text = path.read_text()
    assert uv_lock.dump(uv_lock.parse(text, str(path))) == text


def test_order_of_the_parts_does_not_matter() -> None:
    path = next(path for path in LOCKS if path.stem == "forks")
    lock = uv_lock.parse(path.read_text(), str(path))
    shuffled = Lock(
        lock.requires_python,
        tuple(reversed(lock.packages)),
        lock.resolution_markers,
        manifest=lock.manifest,
        revision=uv_lock.REVISION,
    )
    assert uv_lock.dump(shuffled) == path.read_text()


def test_what_is_read() -> None:
    path = next(path for path in LOCKS if path.stem == "extras")
    packages = {package.name: package for package in uv_lock.parse(path.read_text(), str(path)).packages}
    project = packages[Name("extras")]
    assert project.source == LockedSource("editable", ".")
    assert project.dependencies[0] == LockedDependency(Name("delta"), (Name("fast"), Name("slow")))
    assert project.provides_extras == ("web", "all", "none")
    assert project.requires_dev[Name("empty")] == ()
    assert project.requires_dist[0] == LockedRequirement(Name("alpha"), specifier="==1.0", marker="extra == 'web'")
    wheel = packages[Name("epsilon")].wheels[0]
    assert wheel.filename == "epsilon-1.0-py3-none-any.whl"
    assert wheel.size == 641


def test_versions_sort_as_versions() -> None:
    packages = tuple(LockedPackage(Name("a"), version, REGISTRY) for version in ("1.10", "1.9", "1.9rc1", "1.9.dev0"))
    text = uv_lock.dump(Lock(">=3.11", packages))
    assert [line for line in text.splitlines() if line.startswith("version = ")][1:] == [
        'version = "1.9.dev0"',
        'version = "1.9rc1"',
        'version = "1.9"',
        'version = "1.10"',
    ]


@pytest.mark.parametrize(
    "text",
    [
        'plain "text"',
        "both ' and \"",
        "ends in ' \"",
        "back\\slash",
        "back\\slash 'quoted'",
        "line\nbreak\x7f",
        "ümlaut",
        '"""',
        "",
    ],
)
def test_any_text_survives(text: str) -> None:
    package = LockedPackage(Name("a"), "1", REGISTRY, wheels=(LockedFile(text + "x", path=text),))
    again = uv_lock.parse(uv_lock.dump(Lock(text, (package,))), "uv.lock")
    assert again.requires_python == text
    assert again.packages[0].wheels[0].url == text + "x"


def test_a_newer_format_is_refused_and_a_newer_revision_is_not() -> None:
    assert uv_lock.parse('version = 1\nrevision = 99\nrequires-python = ""\nnews = 1\n', "uv.lock").revision == 99
    with pytest.raises(ConfigurationError, match=r"uv\.lock: lock format version 2") as caught:
        uv_lock.parse("version = 2\n", "uv.lock")
    assert "upgrade cove" in caught.value.hints[0]


@pytest.mark.parametrize(
    "text",
    [
        "version = ",
        "revision = 1",
        'version = "1"',
        "version = 1\npackage = 3",
        "version = 1\nconflicts = 3",
        "version = 1\n[[package]]\nversion = '1'",
        "version = 1\n[[package]]\nname = 'a'\nsource = 'x'",
        "version = 1\n[[package]]\nname = 'a'\nsource = { moon = 'x' }",
        "version = 1\n[[package]]\nname = 'a'\nsource = { registry = 'x' }\nwheels = [1]",
        "version = 1\n[[package]]\nname = 'a'\nsource = { registry = 'x' }\nwheels = [{ size = -1 }]",
        "version = 1\n[[package]]\nname = 'a'\nsource = { registry = 'x' }\ndependencies = [{ name = 'b', extra = 'c' }]",
    ],
)
def test_a_malformed_lock_names_the_file(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^the/uv\.lock: ") as caught:
        uv_lock.parse(text, "the/uv.lock")
    assert caught.value.hints


def test_members_stand_one_below_the_other_even_when_there_is_one() -> None:
    text = 'version = 1\nrequires-python = ">=3.11"\n\n[manifest]\nmembers = [\n    "app",\n]\n'
    assert uv_lock.dump(uv_lock.parse(text, "uv.lock")) == text
