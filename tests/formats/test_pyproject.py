from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.errors import ConfigurationError
from cove.formats import pyproject, uv_lock
from cove.formats.locked_requirement import requirement_entry, specifier_text
from cove.formats.pyproject import SourceSpec
from cove.model.lock import LockedRequirement
from cove.model.name import Name

HEAD = '[project]\nname = "x"\nversion = "1"\n'

FULL = """
[project]
name = "My.Project"
version = "1.2"
requires-python = ">=3.11"
dependencies = ["delta[slow,fast]>1,<3", "gamma ; python_version < '3.13' and platform_system=='Windows'"]
dynamic = ["readme"]
[project.optional-dependencies]
Web = ["alpha==1.0", "beta"]
[project.scripts]
run = "my:main"
[project.entry-points."a.b"]
c = "d:e"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[dependency-groups]
dev = ["eta>=1", {include-group = "Test_It"}, "epsilon"]
test-it = ["epsilon", "delta[fast]"]
[tool.uv]
dev-dependencies = ["late"]
constraint-dependencies = ["gamma<2"]
override-dependencies = ["epsilon==1.0"]
environments = "sys_platform == 'linux'"
[tool.uv.sources]
alpha = { index = "private" }
beta = [
    { index = "one", marker = "sys_platform == 'win32'" },
    { git = "https://git.example.org/beta", tag = "v1", marker = "sys_platform != 'win32'" },
]
gamma = { path = "../gamma", editable = true, extra = "web" }
"""


def test_everything_is_read() -> None:
    project = pyproject.parse(FULL.encode(), "pyproject.toml")
    assert project.name == "my-project"
    assert project.version == Version("1.2")
    assert project.requires_python == SpecifierSet(">=3.11")
    assert [requirement.name for requirement in project.dependencies] == ["delta", "gamma"]
    assert project.optional_dependencies == {"web": (Requirement("alpha==1.0"), Requirement("beta"))}
    assert project.scripts == {"run": "my:main"}
    assert project.entry_points == {"a.b": {"c": "d:e"}}
    assert project.build_system is not None
    assert project.build_system.backend == "hatchling.build"
    assert project.is_package
    assert [str(requirement) for requirement in project.dependency_groups[Name("dev")]] == [
        "eta>=1",
        "epsilon",
        "delta[fast]",
        "late",
    ]
    assert project.selected_by_default == ("dev",)
    assert [str(marker) for marker in project.environments] == ['sys_platform == "linux"']
    assert project.sources[Name("beta")][1].reference == ("tag", "v1")
    gamma = project.sources[Name("gamma")]
    assert gamma == (SourceSpec("path", "../gamma", extra=Name("web"), editable=True),)
    assert project.source_of(Requirement("gamma")) == ()
    assert project.source_of(Requirement("Gamma"), extra=Name("web")) == gamma


def test_a_blank_range_of_a_group_says_nothing() -> None:
    text = HEAD + "[dependency-groups]\na = ['b']\n[tool.uv.dependency-groups]\na = { requires-python = ' ' }"
    found = pyproject.parse(text, "p.toml")
    assert not found.group_requires_python
    assert found.dependency_groups == {"a": (Requirement("b"),)}


def test_what_is_not_said() -> None:
    project = pyproject.parse(HEAD, "pyproject.toml")
    assert not project.is_package
    assert project.managed
    assert project.default_groups == ("dev",)
    assert project.selected_by_default == ()
    assert pyproject.parse(HEAD + "[tool.uv]\npackage = true\n", "p").is_package
    assert not pyproject.parse(HEAD + "[build-system]\nrequires = []\n[tool.uv]\npackage = false\n", "p").is_package
    assert pyproject.parse("[tool.uv]\nmanaged = false\n", "p").managed is False
    everything = pyproject.parse(HEAD + '[dependency-groups]\na = []\nb = []\n[tool.uv]\ndefault-groups = "all"', "p")
    assert everything.selected_by_default == ("a", "b")


@pytest.mark.parametrize(
    "text, message",
    [
        ("[project\n", r"p\.toml: not valid TOML"),
        ("[project]\nname = '-'", r"p\.toml:2: `project\.name`"),
        ("[project]\nname = 'x'", r"`project\.version` is missing"),
        ("[project]\nname = 'x'\nversion = 'one'", r"p\.toml:3: `project\.version` is 'one'"),
        (HEAD + "requires-python = '3.11 or so'", r"p\.toml:4: `project\.requires-python`"),
        (HEAD + 'dependencies = [\n  "ok",\n  "not ok"]', r"p\.toml:6: `project\.dependencies` holds 'not ok'"),
        (HEAD + "dependencies = 'a'", "must be a list of strings"),
        (HEAD + "[project.optional-dependencies]\nA_b = []\na-b = []", "is given twice"),
        (
            HEAD + "[dependency-groups]\na = [{include-group = 'b'}]\nb = [{include-group = 'a'}]",
            "includes itself: a → b → a",
        ),
        (HEAD + "[dependency-groups]\na = [{include-group = 'b'}]", "group 'b', which does not exist"),
        (HEAD + "[dependency-groups]\na = [1]", "may hold requirements"),
        (HEAD + "[dependency-groups]\na = []\nA = []", "is given twice"),
        (HEAD + "[build-system]\nbuild-backend = 'x'", r"`build-system\.requires` is missing"),
        (HEAD + "[tool.uv]\ndefault-groups = ['nope']", "group 'nope', which does not exist"),
        (HEAD + "[tool.uv]\npackage = 1", "must be true or false"),
        (HEAD + "[tool.uv]\nenvironments = ['moon']", "not an environment marker"),
        (HEAD + "[tool.uv.sources]\na = 1", "must be a table or a list of tables"),
        (HEAD + "[tool.uv.sources]\na = {}", "must have exactly one of index, path"),
        (HEAD + "[tool.uv.sources]\na = { index = 'i', path = 'p' }", "must have exactly one of"),
        (HEAD + "[tool.uv.sources]\na = { index = 'i', tag = 'v1' }", "with git only"),
        (HEAD + "[tool.uv.sources]\na = [{ index = 'i' }, { index = 'j' }]", "each needs a `marker`"),
        (
            HEAD + "[tool.uv.sources]\na = [{ index = 'i', marker = \"os_name == 'nt'\" }, "
            "{ index = 'j', marker = \"python_version > '3'\" }]",
            "markers overlap",
        ),
        ("tool = 3", "`tool` must be a table"),
        (HEAD + "dependencies = ['b @ ./b']", r"p\.toml:4: .* leads to no URL"),
        (HEAD + "dependencies = ['b @ file:b']", "leads to no URL"),
        (HEAD + f"dependencies = ['b; {'(' * 3000}']", "too many parentheses"),
    ],
)
def test_errors_name_the_place(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        pyproject.parse(text, "p.toml")


def test_a_broken_url_is_not_quoted() -> None:
    with pytest.raises(ConfigurationError, match=r"p:5: .* near 'a'") as caught:
        pyproject.parse(HEAD + 'dependencies = [\n "a @ https://u:s3cret@x.example.org/ ; what",\n]', "p")
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_bytes_that_are_not_text() -> None:
    with pytest.raises(ConfigurationError, match="byte 3"):
        pyproject.parse(b"# a\xff", "p.toml")


def test_nested_inclusions_stay_small() -> None:
    lines = [f"g{n} = [{{include-group='g{n + 1}'}}, {{include-group='g{n + 1}'}}]" for n in range(60)]
    project = pyproject.parse("[dependency-groups]\n" + "\n".join(lines) + "\ng60 = ['a']", "p.toml")
    assert project.dependency_groups[Name("g0")] == (Requirement("a"),)


def test_entries_agree_with_uv() -> None:
    """The same project as ``data/locks/extras.lock``, which uv made."""
    path = Path(__file__).parent / "data" / "locks" / "extras.lock"
    locked = {package.name: package for package in uv_lock.parse(path.read_text(), str(path)).packages}[Name("extras")]
    optional = {"web": ("alpha==1.0", "beta"), "all": ("extras[web]", "epsilon")}
    plain = ("delta[slow,fast]<3,>1", "gamma ; python_version < '3.13' and platform_system=='Windows'")
    entries = [requirement_entry(Requirement(text)) for text in plain]
    entries += [
        requirement_entry(Requirement(text), extra=Name(extra)) for extra, texts in optional.items() for text in texts
    ]
    key = repr
    theirs = [
        LockedRequirement(entry.name, tuple(sorted(entry.extras)), entry.specifier, entry.marker)
        for entry in locked.requires_dist
    ]
    assert sorted(entries, key=key) == sorted(theirs, key=key)


def test_places_of_requirements() -> None:
    assert (
        requirement_entry(Requirement("a"), index="https://x.example.org/simple").index
        == "https://x.example.org/simple"
    )
    assert requirement_entry(Requirement("a"), source=("editable", "libs/a")).editable == "libs/a"
    direct = requirement_entry(Requirement("a @ https://u:secret@x.example.org/a-1-py3-none-any.whl"))
    assert direct.url == "https://x.example.org/a-1-py3-none-any.whl"
    git = requirement_entry(Requirement("a @ git+https://u:secret@x.example.org/a@v1#subdirectory=s"))
    assert git.git == "https://x.example.org/a?subdirectory=s&rev=v1"


@pytest.mark.parametrize(
    "written, specifier",
    [
        ("<4,>=3.11,!=3.11.2", ">=3.11,!=3.11.2,<4"),
        ("~=3.11.2", "~=3.11.2"),
        ("~=1.0,!=1.5.*,<9,>=0.10.0", ">=0.10.0,~=1.0,!=1.5.*,<9"),
        ("<2,>=1.0,>0.5,<3", ">0.5,>=1.0,<2,<3"),
        ("===anything", "===anything"),
        ("", ""),
    ],
)
def test_specifiers_are_ordered_by_version(written: str, specifier: str) -> None:
    assert specifier_text(SpecifierSet(written)) == specifier


def test_conflicts_may_name_other_projects() -> None:
    project = pyproject.parse(
        '[project]\nname = "demo"\nversion = "1"\n'
        '[tool.uv]\nconflicts = [[{ group = "docs" }, { package = "other", extra = "GPU" }, { package = "other" }]]\n',
        "pyproject.toml",
    )
    assert [[choice.code for choice in members] for members in project.conflicts] == [
        ["group-4-demo-docs", "extra-5-other-gpu", "project-5-other"]
    ]


@pytest.mark.parametrize(
    "members, problem",
    [
        ('{ extra = "a" }', "at least two"),
        ('{ extra = "a" }, { extra = "A" }', "at least two"),
        ('{ extra = "a", group = "b" }, { extra = "c" }', "not both"),
        ('{}, { extra = "c" }', "an extra, a group or a package"),
        ('{ extra = "a", of = "b" }, { extra = "c" }', "must hold tables"),
    ],
)
def test_conflicts_that_say_nothing_clear(members: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        pyproject.parse(
            f'[project]\nname = "demo"\nversion = "1"\n[tool.uv]\nconflicts = [[{members}]]\n', "pyproject.toml"
        )


def test_conflicts_without_a_project_name_packages() -> None:
    with pytest.raises(ConfigurationError, match="`package`"):
        pyproject.parse('[tool.uv]\nconflicts = [[{ extra = "a" }, { package = "b" }]]\n', "pyproject.toml")
