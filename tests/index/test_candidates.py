from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from cove.errors import ConfigurationError
from cove.index.candidates import Rules, gather
from cove.model.candidate import Candidate, Candidates
from cove.model.dist import File
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Found
from cove.model.page import Page
from cove.model.target import Target
from cove.model.url import Url

ACME = Name("acme")
INDEX = Index(Url.parse("https://example.com/simple"), name="corp")
LINKS = Index(Url.parse("https://example.org/links"), name="links")
TAGS = (
    "cp311-cp311-manylinux_2_17_x86_64",
    "cp311-abi3-manylinux_2_17_x86_64",
    "cp311-none-any",
    "py3-none-manylinux_2_17_x86_64",
    "py3-none-any",
)
TARGET = Target("3.11.7", {}, TAGS)


def file(filename: str, **details: object) -> File:
    return File(filename, Url.parse(f"https://example.com/f/{filename}"), {}, **details)  # type: ignore[arg-type]


def found(*files: File | str, index: Index = INDEX) -> Found:
    return Found(index, Page(ACME, tuple(file(f) if isinstance(f, str) else f for f in files)))


def choose(*files: File | str, rules: Rules | None = None) -> Candidates:
    return gather(ACME, [found(*files)], rules or Rules(TARGET))


def only(candidates: Candidates) -> Candidate:
    (candidate,) = candidates.candidates
    return candidate


def why(candidates: Candidates) -> str:
    assert not candidates.candidates
    (rejected,) = candidates.rejected
    return rejected.why


def test_versions_ascend_and_each_has_its_best_file() -> None:
    candidates = choose(
        "acme-1.10.tar.gz", "acme-1.9-py3-none-any.whl", "acme-1.9.tar.gz", "acme-2.0rc1.tar.gz", "acme-1.09.zip"
    )
    assert [(str(c.version), c.file.filename) for c in candidates.candidates] == [
        ("1.9", "acme-1.9-py3-none-any.whl"),
        ("1.10", "acme-1.10.tar.gz"),
        ("2.0rc1", "acme-2.0rc1.tar.gz"),
    ]
    assert len(candidates.candidates[0].files) == 3


wheels = st.lists(st.sampled_from(TAGS), min_size=1, unique=True)


@given(wheels, st.permutations(range(len(TAGS))))
def test_the_wheel_with_the_best_tag_wins_in_any_order_of_the_page(tags: list[str], order: list[int]) -> None:
    shuffled = [TAGS[n] for n in order if TAGS[n] in tags]
    best = min(tags, key=TAGS.index)
    assert only(choose(*(f"acme-1-{tag}.whl" for tag in shuffled))).file.filename == f"acme-1-{best}.whl"


builds = st.integers(0, 20).flatmap(lambda number: st.sampled_from([f"{number}", f"{number}a", f"{number}_b"]))


@given(st.lists(builds, min_size=1, unique=True))
def test_of_equal_tags_the_highest_build_number_wins(builds: list[str]) -> None:
    names = [f"acme-1-{build}-py3-none-any.whl" for build in builds]
    assert only(choose(*names)).file.filename == max(names, key=lambda name: parse_wheel_filename(name)[2])


@pytest.mark.parametrize(
    "filename, reason",
    [
        ("acme-1-py3-none-win_amd64.whl", "has no wheel for this target, but for py3 with ABI none on win_amd64"),
        ("acme-1-cp312-cp312-manylinux_2_17_x86_64.whl", "has no wheel for this target"),
        ("acme-1.exe", "neither a wheel nor an sdist"),
        ("acme-1.egg", "neither a wheel nor an sdist"),
        ("acme-lib-1.0-py3-none-any.whl", "version 'lib' is not valid"),
        ("other-1.0-py3-none-any.whl", "file of the project other"),
        ("acme-one.tar.gz", "'one' is not valid"),
    ],
)
def test_rejected_files_have_a_reason(filename: str, reason: str) -> None:
    assert reason in why(choose(filename))


@pytest.mark.parametrize(
    "requires, fits",
    [(">=3.9", True), (">=3.12", False), ("<3.11", True), (">=2.7.*", True), ("==3.11.*", True), ("", True)],
)
def test_requires_python(requires: str, fits: bool) -> None:
    candidates = choose(file("acme-1.tar.gz", requires_python=requires))
    assert bool(candidates.candidates) == fits
    if not fits:
        assert why(candidates) == f"requires Python {requires}, and this is 3.11.7"


def test_an_unreadable_python_range_is_a_reason() -> None:
    assert "cannot be read, 'snake'" in why(choose(file("acme-1.tar.gz", requires_python="snake")))


def test_a_release_candidate_of_python_counts_as_the_release() -> None:
    rules = Rules(Target("3.14.0rc2", {}, TAGS))
    assert choose(file("acme-1.tar.gz", requires_python=">=3.14"), rules=rules).candidates


def test_wheels_or_builds_may_be_forbidden() -> None:
    files = ("acme-1-py3-none-any.whl", "acme-1.tar.gz")
    assert only(choose(*files, rules=Rules(TARGET, no_binary=True))).file.filename == files[1]
    assert only(choose(*files, rules=Rules(TARGET, no_build=True))).file.filename == files[0]
    assert not choose(*files, rules=Rules(TARGET, no_build=True, no_binary=True)).candidates
    assert "--no-build" in why(choose("acme-1.tar.gz", rules=Rules(TARGET, no_build=True)))


def test_yanked_files_are_used_only_when_all_are() -> None:
    wheel, sdist = file("acme-1-py3-none-any.whl", yanked="broken"), file("acme-1.tar.gz")
    mixed = only(choose(wheel, sdist))
    assert (mixed.file, mixed.yanked) == (sdist, None)
    assert only(choose(wheel)).yanked == "broken"


CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "uploaded, reason",
    [
        ("2025-12-31T23:59:59.9Z", None),
        ("2026-01-01T00:00:00Z", "after exclude-newer"),
        ("2026-01-01T00:30:00+01:00", None),
        (None, "no upload time"),
        ("soon", "cannot be read"),
    ],
)
def test_exclude_newer(uploaded: str | None, reason: str | None) -> None:
    candidates = choose(file("acme-1.tar.gz", upload_time=uploaded), rules=Rules(TARGET, exclude_newer=CUTOFF))
    assert bool(candidates.candidates) == (reason is None)
    if reason:
        assert reason in why(candidates)


def test_a_file_that_came_later_is_none_of_its_version() -> None:
    old = file("acme-1.tar.gz", upload_time="2025-01-01T00:00:00Z")
    elsewhere = "acme-1-cp312-cp312-win_amd64.whl"
    for late in (
        file("acme-1-py3-none-any.whl", upload_time="2027-01-01T00:00:00Z"),
        file(elsewhere, upload_time="2027-01-01"),
    ):
        (candidate,) = choose(old, late, rules=Rules(TARGET, exclude_newer=CUTOFF)).candidates
        assert candidate.files == (old,)


def test_an_indexs_own_exclude_newer_comes_first() -> None:
    new = file("acme-1.tar.gz", upload_time="2026-06-01T00:00:00Z")
    rules = Rules(TARGET, exclude_newer=CUTOFF)
    never = Index(INDEX.url, exclude_newer=False)
    later = Index(INDEX.url, exclude_newer="2026-07-01")
    for index in (never, later):
        assert gather(ACME, [found(new, index=index)], rules).candidates
    with pytest.raises(ConfigurationError, match="exclude-newer"):
        gather(ACME, [found(new, index=Index(INDEX.url, exclude_newer="whenever"))], rules)


# ------------------------------------------------------------------------------------------------ several pages


def test_of_several_indexes_the_first_with_a_usable_file_gives_a_version() -> None:
    other = Index(Url.parse("https://example.net/simple"), name="other")
    first = found("acme-1.tar.gz", "acme-2-py3-none-win32.whl")
    second = found("acme-1-py3-none-any.whl", "acme-2.tar.gz", "acme-3.tar.gz", index=other)
    candidates = gather(ACME, [first, second], Rules(TARGET)).candidates
    assert [(str(c.version), c.index.name, len(c.files)) for c in candidates] == [
        ("1", "corp", 1),
        ("2", "other", 1),
        ("3", "other", 1),
    ]


def test_a_better_file_of_the_links_wins_and_an_equal_one_does_not() -> None:
    links = found("acme-1-py3-none-any.whl", "acme-2.tar.gz", "acme-3.tar.gz", index=LINKS)
    candidates = gather(ACME, [found("acme-1.tar.gz", "acme-2.tar.gz")], Rules(TARGET), links=[links]).candidates
    assert [c.index.name for c in candidates] == ["links", "corp", "links"]
    assert gather(ACME, [], Rules(TARGET), links=[links]).index is LINKS


def test_a_file_listed_twice_counts_once() -> None:
    assert len(only(choose("acme-1.tar.gz", "acme-1.tar.gz")).files) == 1


# -------------------------------------------------------------------------------------------- without a target


def lock(*files: File | str, requires_python: str = ">=3.11") -> Candidates:
    return choose(*files, rules=Rules(requires_python=SpecifierSet(requires_python)))


def test_without_a_target_any_platform_will_do_and_the_most_general_wheel_stands_for_all() -> None:
    pure, windows = "acme-1-py3-none-any.whl", "acme-1-cp311-cp311-win32.whl"
    assert only(lock("acme-1.tar.gz", windows, pure)).file.filename == pure
    assert only(lock("acme-1.tar.gz", windows)).file.filename == windows
    assert len(only(lock("acme-1.tar.gz", windows, pure)).files) == 3


@pytest.mark.parametrize(
    "requires, project, fits",
    [
        (">=3.9", ">=3.11", True),
        (">=3.12", ">=3.11", False),
        ("<3.12", ">=3.11", True),
        (">=3.12", "<4", False),
        (">=3.9,!=3.9.1,<4", ">=3.9", True),
        ("~=3.10", "==3.11.*", True),
    ],
)
def test_without_a_target_the_lowest_python_of_the_project_decides(requires: str, project: str, fits: bool) -> None:
    candidates = lock(file("acme-1.tar.gz", requires_python=requires), requires_python=project)
    assert bool(candidates.candidates) == fits


def test_versions_equal_in_other_spellings_are_one() -> None:
    candidate = only(choose("acme-1.0.tar.gz", "acme-1-py3-none-any.whl", "acme-1.0.0.zip"))
    assert candidate.version == Version("1")
    assert len(candidate.files) == 3
