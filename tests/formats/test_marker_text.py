"""The spelling is compared with what uv wrote into locks; the meaning with ``packaging``'s evaluation."""

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from cove.formats.marker_sets import marker_set
from cove.formats.marker_text import NEVER, disjoint, impossible, normalized, stated
from cove.model.name import Name

SPELLINGS = json.loads((Path(__file__).parent / "data" / "marker_spellings.json").read_text())
ANY = SpecifierSet("")

PYTHONS = ("3.8.0", "3.10.4", "3.11.0", "3.12.0", "3.12.1", "3.12.7", "3.13.0", "3.14.2", "4.0.0")
PLATFORMS = (
    ("linux", "posix", "Linux"),
    ("win32", "nt", "Windows"),
    ("darwin", "posix", "Darwin"),
    ("freebsd14", "posix", "FreeBSD"),
)
ENVIRONMENTS = [
    {
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": platform,
        "os_name": os_name,
        "platform_system": system,
        "platform_machine": machine,
        "implementation_name": "cpython",
        "extra": extra,
    }
    for python, (platform, os_name, system), machine, extra in product(
        PYTHONS, PLATFORMS, ("x86_64", "arm64"), ("", "fast")
    )
]

_comparisons = st.one_of(
    st.builds(
        "python_version {} '{}'".format,
        st.sampled_from(("<", "<=", ">", ">=", "==", "!=")),
        st.sampled_from(("3.8", "3.11", "3.12", "3.13", "3.14")),
    ),
    st.builds(
        "python_full_version {} '{}'".format,
        st.sampled_from(("<", "<=", ">", ">=", "==", "!=", "~=")),
        st.sampled_from(("3.11.0", "3.12.1", "3.12.7", "3.13.0")),
    ),
    st.builds(
        "python_full_version {} '{}'".format, st.sampled_from(("==", "!=")), st.sampled_from(("3.12.*", "3.13.*"))
    ),
    st.builds(
        "{} {} '{}'".format,
        st.sampled_from(("sys_platform", "platform_machine", "os_name", "platform_system")),
        st.sampled_from(("==", "!=")),
        st.sampled_from(("linux", "win32", "darwin", "x86_64", "arm64", "nt", "posix", "Windows", "Linux", "FreeBSD")),
    ),
    st.sampled_from(
        ("sys_platform in 'linux darwin'", "'bsd' not in sys_platform", "extra == 'fast'", "extra != 'fast'")
    ),
)
_markers = st.recursive(
    _comparisons,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(("and", "or")), inner),
    max_leaves=6,
).map(Marker)
_ranges = st.sampled_from((">=3.11", ">=3.8,<3.13", ">=3.12.1", "==3.12.*", ">=3.8,!=3.12.*", "~=3.11")).map(
    SpecifierSet
)


def _holds(text: str, environment: dict[str, str]) -> bool:
    return not text or Marker(text).evaluate(environment)


@pytest.mark.parametrize("row", SPELLINGS, ids=lambda row: f"{row['requires-python']}: {row['marker']}")
def test_markers_are_spelt_as_uv_spells_them(row: dict[str, str]) -> None:
    marker = Marker(row["marker"])
    assert normalized(marker, SpecifierSet(row["requires-python"])) == row["dependency"]
    assert stated(marker) == row["stated"]
    assert impossible(marker, SpecifierSet(row["requires-python"])) == (row["dependency"] == NEVER)


@settings(deadline=None)
@given(_markers)
def test_a_stated_marker_means_the_same(marker: Marker) -> None:
    text = stated(marker)
    for environment in ENVIRONMENTS:
        assert _holds(text, environment) == marker.evaluate(environment), environment


@settings(deadline=None)
@given(_markers, _ranges)
def test_a_normalised_marker_means_the_same_within_the_range(marker: Marker, pythons: SpecifierSet) -> None:
    inside = [environment for environment in ENVIRONMENTS if environment["python_full_version"] in pythons]
    for extra in ("", "fast"):
        text = normalized(marker, pythons, Name(extra) if extra else None)
        assert "extra" not in text
        for environment in inside:
            if environment["extra"] == extra:
                assert _holds(text, environment) == marker.evaluate(environment), environment
        if impossible(marker, pythons, Name(extra) if extra else None):
            assert text == NEVER


@settings(deadline=None)
@given(_markers, _markers)
def test_disjoint_markers_never_hold_together(one: Marker, other: Marker) -> None:
    if disjoint(one, other):
        assert not any(one.evaluate(environment) and other.evaluate(environment) for environment in ENVIRONMENTS)
    assert disjoint(one, Marker(f"({one}) and python_version < '0'"))


@settings(deadline=None)
@given(_markers, _ranges)
def test_spelling_is_stable(marker: Marker, pythons: SpecifierSet) -> None:
    text = stated(marker)
    if text:
        assert stated(Marker(text)) == text
    shorter = normalized(marker, pythons)
    if shorter and shorter != NEVER:
        assert normalized(Marker(shorter), pythons) == shorter


def test_no_marker_is_no_text() -> None:
    assert normalized(None, ANY) == ""
    assert stated(None) == ""
    assert not impossible(None, ANY)


def test_a_hostile_marker_is_kept_as_written() -> None:
    pairs = (f"('a{n}' in sys_platform and 'b{n}' in platform_machine)" for n in range(40))
    marker = Marker(" or ".join(pairs))
    assert Marker(normalized(marker, ANY)) == marker
    assert not impossible(marker, ANY)


def _parity(extras: list[str], *, odd: bool) -> str:
    """A marker that holds where an odd (even) number of extras is asked for: few nodes, and exponentially many ways."""
    if len(extras) == 1:
        return f"extra {'==' if odd else '!='} '{extras[0]}'"
    left, right = extras[: len(extras) // 2], extras[len(extras) // 2 :]
    return (
        f"({_parity(left, odd=True)} and {_parity(right, odd=not odd)}"
        f" or {_parity(left, odd=False)} and {_parity(right, odd=odd)})"
    )


def test_a_marker_with_many_ways_through_it_takes_no_longer_than_it_has_parts() -> None:
    marker = Marker(_parity([f"e{number:02}" for number in range(40)], odd=True))
    assert normalized(marker, SpecifierSet(">=3.9"), Name("e01")) == ""
    assert impossible(marker, SpecifierSet(">=3.9"))
    assert Marker(stated(marker)) == marker
    found = marker_set(marker)
    assert found.without_extras.is_everything
    assert found.python_only.is_everything
    assert found.lowest_python is None
    assert found.order == marker_set(marker).order
