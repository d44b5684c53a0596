import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cove.config.toml_arrays import TomlArray

TALL = '[ # all\n  # first\n  "a", # one\n\n  \'b\',  # two\n  {c = ["#", "]"]} # three\n  # last\n]'


def read(array: object) -> list[object]:
    found: list[object] = tomllib.loads(f"x = {array}")["x"]
    return found


def test_what_stands_in_and_beside_it_stays() -> None:
    array = TomlArray.parse(TALL)
    assert array.values == ['"a"', "'b'", '{c = ["#", "]"]}']
    assert str(array) == TALL.replace("\n\n", "\n").replace("} #", "}, #")
    array.insert(1, '"new"')
    array.insert(0, '"top"')
    array.insert(5, '"end"')
    array.remove(1)
    array.replace(2, "'B'")
    assert str(array).splitlines() == [
        "[ # all",
        '  "top",',
        "  # first",
        "  # one",
        '  "new",',
        "  'B',  # two",
        '  {c = ["#", "]"]}, # three',
        "  # last",
        '  "end",',
        "]",
    ]


@pytest.mark.parametrize("text", ["[]", "[ ]", "[\n]"])
def test_an_empty_one_is_short(text: str) -> None:
    array = TomlArray.parse(text)
    assert str(array) == "[]"
    array.insert(0, '"a"')
    assert str(array) == '[\n    "a",\n]'
    array.remove(0)
    assert str(array) == "[]"


VALUES = st.sampled_from(
    ['"a"', "'b'", '"#"', '"]"', '"\\""', "'''x\n'y'#\n'''", '"""\n"#,"""', "1", "{ a = '}' }", "[1, [2]]"]
)
GAPS = st.sampled_from(["", " ", "\n", "\n    ", " # why\n", "\n  # a, 'b' ]\n  "])


@given(st.lists(st.tuples(GAPS, VALUES, GAPS)), GAPS, st.booleans(), st.data())
@settings(max_examples=300, deadline=None)
def test_it_reads_what_toml_reads_and_keeps_every_comment(
    items: list[tuple[str, str, str]], end: str, has_comma: bool, data: st.DataObject
) -> None:
    text = "[" + ",".join(before + value + after for before, value, after in items)
    text += ("," if has_comma and items else "") + end + "]"
    array = TomlArray.parse(text)
    assert array.values == [value for _, value, _ in items]
    assert read(array) == read(text)
    comments = sum(gap.count("# ") for before, _, after in items for gap in (before, after)) + end.count("# ")
    place = data.draw(st.integers(0, len(items)))
    array.insert(place, '"new"')
    assert read(array) == [*read(text)[:place], "new", *read(text)[place:]]
    array.remove(place)
    assert read(array) == read(text)
    assert str(array).count("# ") == comments
    assert str(TomlArray.parse(str(array))) == str(array)
