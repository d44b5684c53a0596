"""Ranges of Pythons against packaging, and in uv's words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from cove.formats.python_range import requires_python_text, wheel_may_run
from cove.model.dist import WheelName, parse_filename


@pytest.mark.parametrize(
    "written, text",
    [
        (">=3.12,<3.13", "==3.12.*"),
        ("~=3.12.0", "==3.12.*"),
        (">=3.9.0,<3.10.0", "==3.9.*"),
        (">=3,<3.1", "==3.0.*"),
        ("~=3.11", ">=3.11, <4"),
        ("~=3.11.2", ">=3.11.2, <3.12"),
        (">=3.8.1,<3.9", ">=3.8.1, <3.9"),
        ("==3.12.*,>=3.12.3", ">=3.12.3, <3.13"),
        (">3.8,<3.9", ">3.8, <3.9"),
        (">=3.9,<=3.12", ">=3.9, <=3.12"),
        (">=3.10.0,<4.0.0", ">=3.10.0, <4.0.0"),
        (">=3.10,>=3.11", ">=3.11"),
        ("~=3.8,!=3.9.*,<9,>=3.0", ">=3.8, !=3.9.*, <4"),
        (">=3.9,!=3.9.*", ">=3.10"),
        (">=2.7,!=3.0.*,!=3.1.*", ">=2.7, !=3.0.*, !=3.1.*"),
        (">=3.9,<4,!=3.9.7,!=3.11.*", ">=3.9, !=3.9.7, !=3.11.*, <4"),
        (">=3.9,!=3.12.1,!=3.12.2", ">=3.9, !=3.12.1, !=3.12.2"),
        (">=3.9,!=3.12.1.*", ">=3.9"),
        ("!=3.9.1", "!=3.9.1"),
        ("!=3.5.*,!=3.6", ""),
        (">=3.4,!=3.5.*,!=3.6,!=3.6.1", ">=3.4, !=3.6.1"),
        (">=3.4,!=3.6.*,!=3.7.0", ">=3.4"),
        (">=3.9rc1", ">=3.9"),
        ("===3.12.1", "==3.12.1"),
        ("===anything", "===anything"),
        (">=4,<3", "<3, >=4"),
        ("", ""),
    ],
)
def test_ranges_in_the_words_of_a_lock(written: str, text: str) -> None:
    assert requires_python_text(SpecifierSet(written)) == text


MINORS = st.integers(0, 14).map(lambda minor: f"3.{minor}")
SPECIFIERS = st.one_of(
    st.tuples(st.sampled_from([">=", "<", ">", "<=", "~=", "==", "!="]), MINORS).map("".join),
    st.tuples(st.sampled_from(["==", "!="]), MINORS, st.just(".*")).map("".join),
    st.tuples(st.sampled_from([">=", "<", "!="]), MINORS, st.sampled_from([".0", ".3"])).map("".join),
)
PYTHONS = [f"3.{minor}{patch}" for minor in range(16) for patch in ("", ".1", ".3", ".5")]


@given(st.lists(SPECIFIERS, max_size=4))
def test_the_text_admits_what_was_admitted(written: list[str]) -> None:
    whole = SpecifierSet(",".join(written))
    spelled = SpecifierSet(requires_python_text(whole))
    # packaging's ``>3.8`` leaves out no release of 3.8.1, as ours does
    admitted, told = ([each for each in PYTHONS if each in specifiers] for specifiers in (whole, spelled))
    assert set(admitted) <= set(told)
    if sum(each.startswith("!=") for each in written) < 2:  # holes that touch have no spelling
        assert admitted == told
    assert requires_python_text(spelled) == requires_python_text(whole)


def wheel(tags: str) -> WheelName:
    parsed = parse_filename(f"acme-1-{tags}.whl")
    assert isinstance(parsed, WheelName)
    return parsed


@pytest.mark.parametrize(
    "tags, runs",
    [
        ("cp311-cp311-win32", True),
        ("cp310-cp310-win32", False),
        ("cp39-abi3-win32", True),
        ("cp315-abi3t-win32", True),
        ("cp39-none-win32", False),
        ("cp312-none-win32", True),
        ("cp314-none-any", False),
        ("py314-none-any", False),
        ("py2-none-any", False),
        ("py2.py3-none-any", True),
        ("py37-none-any", True),
        ("cp27-cp27mu-linux_x86_64", False),
        ("cp313-cp313t-win32", True),
        ("cp314-cp314t-win32", False),
        ("pp310-pypy310_pp73-win32", False),
        ("graalpy-x-any", True),
    ],
)
def test_which_wheels_a_range_of_pythons_can_use(tags: str, runs: bool) -> None:
    assert wheel_may_run(wheel(tags), SpecifierSet(">=3.11,<3.14")) == runs


def test_wheels_at_the_ends_of_ranges() -> None:
    for written, tags, runs in (
        ("", "cp39-cp39-win32", True),
        ("", "cp27-cp27m-win32", False),
        (">=3.11.4", "cp311-cp311-win32", True),
        ("<3.12", "cp312-cp312-win32", False),
        ("<=3.12", "cp312-cp312-win32", True),
        ("<3.12.1", "cp312-cp312-win32", True),
        ("<4", "cp399-cp399-win32", True),
        ("==3.12.*", "cp313-cp313-win32", False),
        ("===anything", "cp39-cp39-win32", True),
    ):
        assert wheel_may_run(wheel(tags), SpecifierSet(written)) == runs, (written, tags)
