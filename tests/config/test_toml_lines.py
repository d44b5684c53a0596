import tomllib
from typing import Any

import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from cove.config.toml_lines import Lines

TEXT = """\
# a comment [not.a.table]
name = "x"
[tool.uv]
index-url = "https://example.com/simple" # = [[
list = [
  "a", # ]
  "b",
]
multi = '''
[tool.fake]
key = 1
'''
"quoted.key" = { a = 1, b = [2] }

[[tool.uv.index]]
name = "one"
url = "https://example.com/one"
[tool.uv.index.cache-control]
api = "x"

[[tool.uv.index]]
name = "two"
[tool."o.o".'x']
last = 1
"""


def test_every_table_and_key_is_found_where_it_stands() -> None:
    lines = Lines(TEXT)
    numbered = dict(enumerate(TEXT.splitlines(), 1))
    assert numbered[lines.of(("name",))] == 'name = "x"'
    assert lines.of(("tool", "uv", "index-url")) == 4
    assert lines.of(("tool", "uv", "multi")) == 9
    assert lines.of(("tool", "uv", "quoted.key")) == 13
    assert lines.of(("tool", "uv", "index", 0)) == 15
    assert lines.of(("tool", "uv", "index", 0, "url")) == 17
    assert lines.of(("tool", "uv", "index", 0, "cache-control", "api")) == 19
    assert lines.of(("tool", "uv", "index", 1, "name")) == 22
    assert lines.of(("tool", "o.o", "x", "last")) == 24


def test_what_is_not_written_has_the_line_of_the_table_around_it() -> None:
    lines = Lines(TEXT)
    assert lines.of(("tool", "uv", "list", 1)) == 5
    assert lines.of(("tool", "uv", "index", 1, "url")) == 21
    assert lines.of(("nowhere",)) == 0


def test_windows_line_ends_count_once() -> None:
    assert Lines("a = 1\r\nb = 2\r\n").of(("b",)) == 2


KEYS = st.text(st.sampled_from("ab-_.é \"'#=[]{}\\"), min_size=1, max_size=4)
LEAVES = st.one_of(st.integers(0, 9), st.booleans(), st.text(st.sampled_from("ab\"'\\#=[]{}\n "), max_size=8))
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
TABLES = st.recursive(
    st.dictionaries(KEYS, LEAVES, min_size=1, max_size=3),
    lambda inner: st.dictionaries(
        KEYS, inner | LEAVES | st.lists(inner, min_size=1, max_size=3), min_size=1, max_size=3
    ),
    max_leaves=8,
)


@given(TABLES)
@settings(max_examples=150, deadline=None)
def test_the_line_of_every_key_holds_that_key(data: dict[str, Any]) -> None:
    text = tomlkit.dumps(data)
    assert tomllib.loads(text) == data
    lines, rows = Lines(text), text.split("\n")

    def check(table: dict[str, Any], path: tuple[str | int, ...]) -> None:
        for key, value in table.items():
            line = lines.of((*path, key))
            assert line >= 1
            if not isinstance(value, (dict, list)):
                row = rows[line - 1].strip()
                assert key in row or "\\" in row
            if isinstance(value, dict):
                check(value, (*path, key))
            elif isinstance(value, list):
                for number, item in enumerate(value):
                    if isinstance(item, dict):
                        check(item, (*path, key, number))

    check(data, ())
