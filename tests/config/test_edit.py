import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

from cove.config.atomic import write_whole
from cove.config.edit import ProjectFile, Section
from cove.errors import ConfigurationError
from cove.model.index import Index
from cove.model.name import Name, normalize
from cove.model.url import Url

TEXT = """\
# my project
[project]
name = "app"  # keep
dependencies = [
    "attrs>=23", # why
    "Rich",
]

[dependency-groups]
Dev = ["pytest"]

[tool.other]
x = 1
"""


def edited(text: str = TEXT) -> ProjectFile:
    return ProjectFile(Path("pyproject.toml"), text.encode())


def test_a_dependency_is_added_where_the_alphabet_has_it_and_comments_stay() -> None:
    file = edited()
    file.add_dependency(Requirement("httpx>=0.28"))
    assert tomllib.loads(file.text)["project"]["dependencies"] == ["attrs>=23", "httpx>=0.28", "Rich"]
    assert "# my project" in file.text
    assert "# keep" in file.text
    assert "# why" in file.text


def test_an_unsorted_list_gets_it_last() -> None:
    file = edited('[project]\ndependencies = ["b", "a"]\n')
    file.add_dependency(Requirement("aa"))
    assert tomllib.loads(file.text)["project"]["dependencies"] == ["b", "a", "aa"]


def test_the_same_name_is_replaced_in_place_and_markers_tell_apart() -> None:
    file = edited('[project]\ndependencies = ["A_b>1", "c", "a-b ; os_name == \'nt\'"]\n')
    file.add_dependency(Requirement("a.b>=2"))
    assert tomllib.loads(file.text)["project"]["dependencies"] == ["a-b>=2", "c", "a-b ; os_name == 'nt'"]


def test_groups_and_extras_are_made_when_needed() -> None:
    file = edited()
    file.add_dependency(Requirement("mypy"), Section(group="dev"))
    file.add_dependency(Requirement("uvloop"), Section(extra="fast"))
    made = tomllib.loads(file.text)
    assert made["dependency-groups"] == {"Dev": ["mypy", "pytest"]}
    assert made["project"]["optional-dependencies"] == {"fast": ["uvloop"]}


def test_what_is_removed_is_gone_and_what_is_not_there_is_said() -> None:
    file = edited()
    assert file.remove_dependency(Name("rich"))
    assert not file.remove_dependency(Name("rich"))
    assert not file.remove_dependency(Name("rich"), Section(group="none"))
    assert tomllib.loads(file.text)["project"]["dependencies"] == ["attrs>=23"]


def test_an_index_goes_in_first_and_without_credentials() -> None:
    file = edited(TEXT + '[[tool.uv.index]]\nname = "old"\nurl = "https://example.com/old"\n')
    file.add_index(Index(Url.parse("https://user:canary@example.com/new"), name="new"))
    assert "canary" not in file.text
    assert tomllib.loads(file.text)["tool"]["uv"]["index"] == [
        {"name": "new", "url": "https://example.com/new"},
        {"name": "old", "url": "https://example.com/old"},
    ]


def test_an_index_of_the_same_name_changes_its_url_and_keeps_the_rest() -> None:
    file = edited('[[tool.uv.index]]\nname = "one"\nurl = "https://example.com/old"\nexplicit = true\n')
    file.add_index(Index(Url.parse("https://example.com/new"), name="one"))
    assert tomllib.loads(file.text)["tool"]["uv"]["index"] == [
        {"name": "one", "url": "https://example.com/new", "explicit": True}
    ]


def test_a_new_default_takes_the_place_of_the_old() -> None:
    file = edited('[[tool.uv.index]]\nurl = "https://example.com/old"\ndefault = true\n')
    file.add_index(Index(Url.parse("https://example.com/new"), default=True))
    assert tomllib.loads(file.text)["tool"]["uv"]["index"] == [{"url": "https://example.com/new", "default": True}]


def test_pins_are_set_and_removed() -> None:
    file = edited()
    file.set_source(Name("my-lib"), {"index": "corp"})
    assert tomllib.loads(file.text)["tool"]["uv"]["sources"] == {"my-lib": {"index": "corp"}}
    assert file.remove_source(Name("my-lib"))
    assert not file.remove_source(Name("my-lib"))


def test_writing_gives_back_what_was_there_and_restoring_undoes_it(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(TEXT)
    path.chmod(0o640)
    file = ProjectFile.open(path)
    file.add_dependency(Requirement("zope"))
    assert file.write() == TEXT.encode()
    assert "zope" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    file.restore()
    assert path.read_text() == TEXT
    assert [each.name for each in tmp_path.iterdir()] == ["pyproject.toml"]


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("a = 1\n")
    (tmp_path / "link.toml").symlink_to("real.toml")
    write_whole(tmp_path / "link.toml", b"a = 2\n")
    assert (tmp_path / "link.toml").is_symlink()
    assert (tmp_path / "real.toml").read_bytes() == b"a = 2\n"


@pytest.mark.parametrize("text", ["[project", "project = 1\n", "[project]\ndependencies = 'a'\n"])
def test_files_that_cannot_be_edited_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml"):
        edited(text).add_dependency(Requirement("a"))


NAMES = st.lists(st.from_regex(r"[a-c][a-c_-]{0,2}[a-c]", fullmatch=True), unique_by=normalize, max_size=5)


@given(NAMES, st.from_regex(r"[a-c]{1,3}", fullmatch=True))
@settings(max_examples=60, deadline=None)
def test_adding_then_removing_leaves_the_other_dependencies_and_sortedness(names: list[str], new: str) -> None:
    ordered = sorted(names, key=normalize)
    file = edited(f"[project]\ndependencies = {ordered!r}\n")
    file.add_dependency(Requirement(new))
    after = tomllib.loads(file.text)["project"]["dependencies"]
    assert [normalize(name) for name in after] == sorted({normalize(name) for name in [*names, new]})
    assert file.remove_dependency(normalize(new))
    remaining = tomllib.loads(file.text)["project"]["dependencies"]
    assert remaining == [name for name in ordered if normalize(name) != normalize(new)]


def test_new_tables_have_a_blank_line_before_them_and_nothing_else_moves() -> None:
    before = '[project]\nname = """\n[x]\n"""\n[tool.tight]\nrows = [\n[1],\n[2],\n]\n'
    file = edited(before)
    file.add_index(Index(Url.parse("https://example.com/a"), name="a"))
    file.add_index(Index(Url.parse("https://example.com/b"), name="b"))
    file.set_source(Name("x"), {"index": "a"})
    assert file.text.startswith(before)
    assert file.text.removeprefix(before) == (
        '\n[[tool.uv.index]]\nname = "b"\nurl = "https://example.com/b"\n'
        '\n[[tool.uv.index]]\nname = "a"\nurl = "https://example.com/a"\n'
        '\n[tool.uv.sources]\nx = { index = "a" }\n'
    )
