import tomllib
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageSdist,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from cove.errors import ConfigurationError, NoCompatibleFile, PythonIncompatible, UsageError
from cove.formats.pylock import dump, parse, select
from cove.formats.pylock_name import format_of, is_pylock
from cove.model.name import Name
from cove.model.target import Target

DIGEST = "ab" * 32
TARGET = Target(
    "3.11.7",
    {
        "python_version": "3.11", "python_full_version": "3.11.7", "implementation_version": "3.11.7",
        "sys_platform": "linux", "os_name": "posix", "platform_system": "Linux", "platform_machine": "x86_64",
        "platform_python_implementation": "CPython", "implementation_name": "cpython", "platform_release": "",
        "platform_version": "",
    },
    ("cp311-cp311-linux_x86_64", "py3-none-any"),
)  # fmt: skip

HEAD = 'lock-version = "1.0"\ncreated-by = "test"\n'


def entry(name: str = "foo", more: str = "", version: str = "1.0") -> str:
    stem = f"{name}-{version}-py3-none-any.whl"
    wheel = f'{{ url = "https://files.example.org/{stem}", hashes = {{ sha256 = "{DIGEST}" }} }}'
    return f'[[packages]]\nname = "{name}"\nversion = "{version}"\n{more}\nwheels = [{wheel}]\n'


# -- both ways


hashes = st.dictionaries(
    st.sampled_from(["sha256", "sha512", "blake2b"]), st.text("0123456789abcdef", min_size=1), min_size=1
)
moments = st.none() | st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(tzinfo=UTC)
)
sizes = st.none() | st.integers(0, 2**40)
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=6).map(NormalizedName)
paths = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=10)
markers = st.none() | st.sampled_from(
    [Marker(text) for text in ("sys_platform == 'win32'", "python_full_version < '3.12' or 'gpu' in extras")]
)
versions = st.sampled_from(["1.0", "2!1.0.post1", "1.0a1", "3.0+local.1"]).map(Version)
values = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(blacklist_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab-_. é", max_size=4), inner, max_size=3),
    max_leaves=6,
)
tables = st.dictionaries(st.text("abc", min_size=1), values, min_size=1, max_size=2)


@st.composite
def packages(draw: st.DrawFn) -> Package:
    name, version = draw(words), draw(versions)
    source = draw(st.sampled_from(["index", "vcs", "directory", "archive"]))
    common: dict[str, Any] = {
        "name": name,
        "marker": draw(markers),
        "tool": draw(st.none() | tables),
        "attestation_identities": draw(
            st.none() | st.lists(tables.map(lambda table: {**table, "kind": "x"}), max_size=2)
        ),
    }
    path = draw(paths)
    if source == "vcs":
        vcs = PackageVcs(type="git", url=f"https://git.example.org/{name}", commit_id="c0ffee", subdirectory=path)
        return Package(**common, version=version, vcs=vcs)
    if source == "directory":
        return Package(**common, directory=PackageDirectory(path=path, editable=draw(st.none() | st.booleans())))
    if source == "archive":
        archive = PackageArchive(path=path, size=draw(sizes), upload_time=draw(moments), hashes=draw(hashes))
        return Package(**common, version=version, archive=archive)
    escaped = f"{name}-{str(version).replace('!', '%21')}"
    sdist = PackageSdist(url=f"https://files.example.org/{escaped}.tar.gz", hashes=draw(hashes), size=draw(sizes))
    wheels = [
        PackageWheel(
            url=f"https://files.example.org/{escaped}-{tag}.whl", hashes=draw(hashes), upload_time=draw(moments)
        )
        for tag in sorted(draw(st.sets(st.sampled_from(["py3-none-any", "cp311-cp311-linux_x86_64"]))))
    ]
    return Package(
        **common,
        version=version,
        requires_python=draw(st.none() | st.just(SpecifierSet(">=3.11"))),
        index="https://index.example.org/simple",
        sdist=sdist,
        wheels=wheels or None,
    )


@given(
    st.lists(packages(), max_size=4, unique_by=lambda package: (package.name, package.version)),
    st.none() | tables,
    st.none() | st.lists(words, unique=True),
)
def test_what_is_written_reads_the_same(
    several: list[Package], tool: dict[str, object] | None, extras: list[NormalizedName] | None
) -> None:
    lock = Pylock(
        lock_version=Version("1.0"),
        created_by="cove",
        environments=[Marker("sys_platform == 'linux'")],
        requires_python=SpecifierSet(">=3.11"),
        extras=extras,
        default_groups=["dev"],
        packages=several,
        tool=tool,
    )
    text = dump(lock, header="cove export")
    again = parse(text, "pylock.toml")
    order = {package.name: package for package in again.packages}
    assert again.tool == lock.tool
    assert again.extras == lock.extras
    assert len(again.packages) == len(several)
    for package in several:
        if [each.name for each in several].count(package.name) == 1:
            assert order[package.name] == package
    assert dump(again, header="cove export") == text


def test_no_user_info_is_written() -> None:
    lock = Pylock(
        lock_version=Version("1.0"),
        created_by="cove",
        packages=[
            Package(
                name=NormalizedName("a"),
                version=Version("1"),
                index="https://me:s3cret@x.example.org/simple",
                sdist=PackageSdist(url="https://me:s3cr@et@x.example.org/a-1.tar.gz", hashes={"sha256": DIGEST}),
            ),
            Package(
                name=NormalizedName("b"),
                vcs=PackageVcs(type="git", url="ssh://git:s3cret@x.example.org/b@v1", commit_id="c0ffee"),
            ),
        ],
    )
    text = dump(lock)
    assert "s3cr" not in text
    assert 'index = "https://x.example.org/simple"' in text
    assert 'url = "ssh://git@x.example.org/b@v1"' in text  # the user is part of the address there


# -- strictness


@pytest.mark.parametrize(
    "text, message",
    [
        ("x", "pylock.toml: not valid TOML"),
        ('lock-version = "2.0"\ncreated-by = "x"\npackages = []', "version 2.0 is not supported"),
        ('created-by = "x"\npackages = []', "lock-version: Missing required value"),
        (HEAD, "packages: Missing required value"),
        (HEAD + entry("Foo_Bar"), "package `Foo_Bar`: name: Name 'Foo_Bar' is not normalized"),
        (HEAD + entry(more='marker = "nonsense"'), "package `foo`: marker: "),
        (HEAD + entry(more='directory = { path = "." }'), "package `foo`: "),
        (HEAD + '[[packages]]\nname = "foo"\n', "package `foo`: "),
        (HEAD + entry().replace(DIGEST, "xyz"), r"package `foo`: wheels\[0\]\.hashes\.sha256: not a hexadecimal digest"),
        (HEAD + entry().replace("hashes = {", "size = -1, hashes = {"), r"package `foo`: wheels\[0\]\.size: "),
        (HEAD + entry().replace(f'sha256 = "{DIGEST}"', ""), "At least one hash must be provided"),
        (HEAD + entry(more='dependencies = [{ name = "bar" }]'), "package `foo`: .*it refers to no entry"),
        (
            HEAD + entry(more='dependencies = [{ name = "bar" }]') + entry("bar") + entry("bar", version="2.0"),
            "it refers to 2 entries",
        ),
    ],
)  # fmt: skip
def test_errors_name_file_and_package(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        parse(text, "pylock.toml")
    assert str(caught.value).startswith("pylock.toml: ")


def test_a_newer_minor_version_is_told_and_read() -> None:
    told: list[str] = []
    lock = parse(HEAD.replace("1.0", "1.7") + "news = 1\n" + entry(), "pylock.toml", warn=told.append)
    assert [package.name for package in lock.packages] == ["foo"]
    assert told == ["pylock.toml has the format version 1.7, and 1.0 is known: what is new in it is ignored"]


# -- choosing


def chosen(text: str, **parts: list[Name]) -> list[str]:
    return [package.name for package, _ in select(parse(text, "pylock.toml"), "pylock.toml", TARGET, **parts)]  # type: ignore[arg-type]


def test_markers_extras_and_groups_choose() -> None:
    text = (
        HEAD.replace(
            "created", 'extras = ["gpu"]\ndependency-groups = ["dev", "docs"]\ndefault-groups = ["dev"]\ncreated'
        )
        + entry("always")
        + entry("elsewhere", '''marker = "sys_platform == 'win32'"''')
        + entry("graphics", '''marker = "'gpu' in extras"''')
        + entry("develop", '''marker = "'dev' in dependency_groups"''')
        + entry("sphinx", '''marker = "'docs' in dependency_groups"''')
    )
    assert chosen(text) == ["always", "develop"]
    assert chosen(text, extras=[Name("gpu")], groups=[Name("docs")]) == ["always", "graphics", "develop", "sphinx"]
    with pytest.raises(ConfigurationError, match="has no extra `nope`"):
        chosen(text, extras=[Name("nope")])


def test_locks_for_elsewhere_are_refused() -> None:
    with pytest.raises(PythonIncompatible, match=r"requires Python >=3\.99"):
        chosen('requires-python = ">=3.99"\n' + HEAD + entry())
    with pytest.raises(NoCompatibleFile, match="environments"):
        chosen("""environments = ["sys_platform == 'win32'"]\n""" + HEAD + entry())
    with pytest.raises(NoCompatibleFile, match="No wheel found"):
        chosen(HEAD + entry().replace("py3-none-any", "cp39-cp39-win32"))
    with pytest.raises(NoCompatibleFile, match="Multiple packages"):
        chosen(HEAD + entry() + entry(version="2.0"))


@pytest.mark.parametrize(
    "name, is_one",
    [
        ("pylock.toml", True), ("a/b/pylock.dev.toml", True), ("https://x.example.org/pylock.toml?x=1", True),
        ("pylock.a.b.toml", False), ("pylock..toml", False), ("mypylock.toml", False), ("pyproject.toml", False),
    ],
)  # fmt: skip
def test_names(name: str, is_one: bool) -> None:
    assert is_pylock(name) is is_one


def test_formats_follow_names() -> None:
    assert format_of(None, "x/pylock.toml") == "pylock.toml"
    assert format_of(None, "requirements.txt") == format_of("requirements.txt", "pylock.toml") == "requirements.txt"
    with pytest.raises(UsageError, match="cannot be the name"):
        format_of("pylock.toml", "lock.toml")


def test_toml_is_laid_out_for_reading() -> None:
    text = HEAD + entry()
    written = dump(parse(text, "pylock.toml"))
    assert tomllib.loads(written) == tomllib.loads(text)
    assert "\nwheels = [{ url = " in written
