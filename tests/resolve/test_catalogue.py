"""Which versions a requirement accepts: ``packaging`` is the oracle."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from cove.model.name import Name
from cove.resolve.catalogue import Listing, exact_versions, masked, mentions_prerelease
from cove.resolve.questions import Versions
from cove.resolve.term import positions

NUMBERS = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))
SUFFIXES = st.sampled_from(["", "", "", "a1", "rc1", ".dev1", ".post1", ".post1.dev2", "a1.dev1"])
LOCALS = st.sampled_from(["", "", "", "+x.1"])
TEXTS = st.builds("{}{}".format, NUMBERS, SUFFIXES)
OPERATORS = st.sampled_from(["==", "!=", ">=", "<=", ">", "<", "~=", "===", "==*", "!=*"])


@st.composite
def specifier_sets(draw: st.DrawFn) -> SpecifierSet:
    clauses = []
    for _ in range(draw(st.integers(0, 3))):
        operator, text = draw(OPERATORS), draw(TEXTS)
        clause = f"{operator[:-1]}{draw(NUMBERS)}.*" if operator.endswith("*") else f"{operator}{text}"
        try:
            SpecifierSet(clause)
        except InvalidSpecifier:
            continue
        clauses.append(clause)
    return SpecifierSet(",".join(clauses))


@settings(max_examples=1000, deadline=None)
@given(st.sets(st.builds("{}{}".format, TEXTS, LOCALS).map(Version), max_size=12), specifier_sets())
def test_matching_agrees_with_packaging(versions: set[Version], specifiers: SpecifierSet) -> None:
    listing = Listing(Name("foo"), Versions(tuple(sorted(versions))))
    accepted = {listing.versions[position] for position in positions(listing.matching(specifiers))}
    assert accepted == {version for version in versions if specifiers.contains(version, prereleases=True)}


def test_a_listing_holds_what_was_rejected() -> None:
    answer = Versions(
        (Version("1"), Version("3")), {Version("3"): "broken"}, ((Version("2"), "why"), (Version("1"), "one file"))
    )
    listing = Listing(Name("foo"), answer)
    assert [str(version) for version in listing.versions] == ["1", "2", "3"]
    assert listing.usable == 0b1010
    assert listing.unusable == {"why": 0b100}
    assert listing.yanked == 0b1000
    assert listing.yanked_because == {"broken": 0b1000}


@pytest.mark.parametrize(
    "text, mentioned", [(">=1a1", True), ("==2.0.dev1", True), ("!=1a1", False), ("==1.*", False), ("", False)]
)
def test_what_asks_for_prereleases(text: str, mentioned: bool) -> None:
    assert mentions_prerelease(SpecifierSet(text)) is mentioned


@pytest.mark.parametrize(
    "text, pinned", [("==1", ("1",)), ("===1.0", ("1.0",)), ("==1.*", ()), (">=1,<2", ()), ("===what", ())]
)
def test_what_pins(text: str, pinned: tuple[str, ...]) -> None:
    assert exact_versions(SpecifierSet(text)) == tuple(map(Version, pinned))


def test_urls_are_masked() -> None:
    assert masked("https://user:secret@example.com/a.whl") == "https://****@example.com/a.whl"
    assert masked("user:secret@nowhere") == "a URL that cannot be read"
