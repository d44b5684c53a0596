import pytest
from hypothesis import given
from hypothesis import strategies as st
from installer.utils import parse_entrypoints

from cove.formats.entry_points import EntryPoint, parse_scripts

_names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True)
_dotted = st.lists(st.from_regex(r"x_[a-z0-9]{0,5}", fullmatch=True), min_size=1, max_size=3).map(".".join)


@given(st.dictionaries(_names, st.tuples(_dotted, _dotted), max_size=4))
def test_installer_reads_the_same(scripts: dict[str, tuple[str, str]]) -> None:
    lines = [f"{name} = {module}:{attribute}" for name, (module, attribute) in scripts.items()]
    text = "\n".join(["[console_scripts]", *lines, "[other]", "x = y"])
    ours = [(entry.name, entry.module, entry.attribute, entry.group) for entry in parse_scripts(text)]
    assert ours == list(parse_entrypoints(text))


def test_both_groups_comments_and_extras() -> None:
    text = "# hello\n[console_scripts]\nFoo = foo.main : run [fast]\n\n[gui_scripts]\nbar=bar:a.b\n[DEFAULT]\nx=1\n"
    assert parse_scripts(text) == (
        EntryPoint("Foo", "foo.main", "run", "console"),
        EntryPoint("bar", "bar", "a.b", "gui"),
    )


@pytest.mark.parametrize("name", ["../evil", "a/b", "a\\b", "..", ".hidden", "-x", "c:", "a\x7fb"])
def test_a_name_that_leaves_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"name of a command|cannot be read"):
        parse_scripts(f"[console_scripts]\n{name} = a:b\n")


@pytest.mark.parametrize(
    "reference", ["a", "a:", ":b", "a:b;import os", "a b:c", "a..b:c", "import:x", "a:b()", "a:1b"]
)
def test_a_reference_that_is_not_one_is_refused(reference: str) -> None:
    with pytest.raises(ValueError, match="module:function"):
        parse_scripts(f"[console_scripts]\nfoo = {reference}\n")


def test_a_file_that_is_no_ini_file_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        parse_scripts("foo = bar:baz\n")
