import netrc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cove.formats.netrc import NetrcEntry, NetrcError, find, find_default, parse

WORDS = st.text("abcXYZ019.-_@:#!$", min_size=1, max_size=8).filter(
    lambda word: not word.startswith("#") and word not in ("machine", "default", "macdef", "login", "password")
)


def revealed(entry: NetrcEntry | None) -> str:
    assert entry is not None
    assert entry.password is not None
    return entry.password.reveal()


def found(text: str) -> list[tuple[str | None, str, str, int]]:
    return [(entry.machine, entry.login, revealed(entry), entry.line) for entry in parse(text)]


def test_entries_comments_macros_and_quotes() -> None:
    text = (
        "# a comment machine nobody\n"
        "machine example.com login ada password p#1 # trailing\n"
        "macdef init\nmachine not login an password entry\n\n"
        'machine example.org\n  login "two words"\n  password a\\ b\\"c\n  account x\n'
        "default user anonymous password guest\n"
    )
    assert found(text) == [
        ("example.com", "ada", "p#1", 2),
        ("example.org", "two words", 'a b"c', 6),
        (None, "anonymous", "guest", 10),
    ]


@pytest.mark.parametrize(
    "text", ["machine", "hello", "machine a login", "machine a login b secret canary", "machine a password"]
)
def test_what_cannot_be_read_gives_the_line_and_no_secret(text: str) -> None:
    with pytest.raises(NetrcError, match="line 2") as caught:
        parse("\n" + text)
    assert "canary" not in str(caught.value)


def test_no_password_is_not_an_empty_one() -> None:
    none, empty = parse('machine a login x machine b login x password ""')
    assert none.password is None
    assert revealed(empty) == ""


def test_finding() -> None:
    entries = parse("machine a login x password 1\nmachine A login y password 2\ndefault login z password 3")
    assert find(entries, "A").login == "x"  # type: ignore[union-attr]
    assert revealed(find(entries, "a", "y")) == "2"
    assert find(entries, "a", "z") is None
    assert find(entries, "b") is None
    assert find_default(entries).login == "z"  # type: ignore[union-attr]
    assert find_default(entries, "x") is None
    assert "3" not in repr(entries[2].password)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.lists(st.tuples(WORDS, WORDS, WORDS), max_size=5, unique_by=lambda row: row[0]),
    st.sampled_from([" ", "\n", "\t", "\n  "]),
)
def test_agrees_with_the_standard_library(tmp_path: Path, rows: list[tuple[str, str, str]], space: str) -> None:
    text = "\n".join(
        f"machine{space}{host}{space}login{space}{login}{space}password{space}{password}"
        for host, login, password in rows
    )
    path = tmp_path / "netrc"
    path.write_text(text)
    theirs = netrc.netrc(str(path)).hosts
    assert {entry.machine: (entry.login, revealed(entry)) for entry in parse(text)} == {
        host: (login, password) for host, (login, _, password) in theirs.items()
    }


@given(st.text(alphabet='machinedefault lop"\\#\n\t', max_size=60))
def test_nothing_else_is_ever_raised(text: str) -> None:
    with suppress(NetrcError):
        parse(text)
