"""From pages to candidates: every file is either usable, with a rank, or rejected, with a reason. Pure."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.errors import ConfigurationError
from cove.formats.core_metadata import read_specifiers
from cove.formats.python_range import wheel_may_run
from cove.index.misfits import called, made_for, made_for_others
from cove.model.candidate import Candidate, Candidates, Rejected
from cove.model.dataclasses import dataclass, field
from cove.model.dist import File, SdistName, WheelName, parse_filename
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Found
from cove.model.target import Target

_NO_WHEEL = "has no wheel for "
_OTHER_PYTHON = "requires Python "

_Rank = tuple[int, int, int, tuple[int, str]]
"""Higher is better: not yanked, wheel before sdist, tag, build number."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes a file usable.

    With a ``target`` its tags and its Python decide; without one (a universal lock) every platform will do, and
    ``requires_python`` is the project's own range. ``exclude_newer`` is the moment from which on files do not exist yet; an
    index's own setting comes before it. ``digests`` (``sha256:…``), where there are any, are those of the only files allowed.
    With ``is_exempt`` no index's setting does: the cutoff is that of the project. ``uploaded`` tells when a file was uploaded
    of which the page does not say it, ``None`` if nobody knows.
    With ``any_python`` no file is judged by its ``Requires-Python``: a universal resolution does that for each of its parts.
    """

    target: Target | None = None
    requires_python: SpecifierSet | None = None
    no_binary: bool = False
    no_build: bool = False
    exclude_newer: datetime | None = None
    is_exempt: bool = False
    uploaded: Callable[[File, Index], datetime | None] = lambda _file, _index: None
    digests: frozenset[str] = frozenset()
    any_python: bool = False


@dataclass(slots=True)
class _Usable:
    """A usable file and how good it is."""

    rank: _Rank
    file: File
    index: Index


@dataclass(slots=True)
class _Release:
    """Everything about one version: its files by the page they are on, and the usable ones in the order of the pages."""

    files: dict[int, list[File]] = field(default_factory=dict)
    usable: dict[int, list[_Usable]] = field(default_factory=dict)


def gather(name: Name, found: Sequence[Found], rules: Rules, *, links: Sequence[Found] = ()) -> Candidates:
    """All candidates of ``name`` on the pages ``found``, lowest version first; see ``Releases``."""
    releases = Releases(name, found, rules, links=links)
    usable = tuple(candidate for version in releases.versions if (candidate := releases.judge(version)) is not None)
    return Candidates(name, releases.index, usable, releases.rejected)


class Releases:
    """What pages offer of a project, by version; a version is judged when it is looked at.

    Of several pages that have a version, the first with a usable file gives it. The files of ``links`` (``--find-links``)
    stand beside those and may be better. At least one page must be given; ``index`` is the first one's.
    """

    def __init__(self, name: Name, found: Sequence[Found], rules: Rules, *, links: Sequence[Found] = ()) -> None:
        self._answers = (*found, *links)
        self._first_link = len(found)
        self._judge = _Judge(name, rules)
        self._cutoffs = [_cutoff(answer.index, rules) for answer in self._answers]
        self._misfits: list[Rejected] = []
        self._rejected: dict[Version, list[Rejected]] = {}
        self._judged: dict[Version, Candidate | None] = {}
        self._files = self._by_version()
        self.index = self._answers[0].index
        self.versions = tuple(sorted(self._files))
        """Every version that a file name gives, usable or not, lowest first."""

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """The files that were looked at and cannot be used, by version."""
        by_version = (rejected for version in sorted(self._rejected) for rejected in self._rejected[version])
        return (*self._misfits, *by_version)

    def why_not(self, version: Version) -> tuple[Rejected, ...]:
        """The files of a version that was judged, as far as they cannot be used."""
        return tuple(self._rejected.get(version, ()))

    def reasons(self) -> tuple[tuple[Version, str], ...]:
        """One reason for each version that was judged, and of which no file can be used: that of its last file, wheels
        before the sdist; but that of its ``Requires-Python``, if there is one."""
        usable = {version for version, candidate in self._judged.items() if candidate is not None}
        misfits: dict[Version, list[Rejected]] = {}
        for each in self._misfits:
            version = _version(each.version) if each.version else None
            if version is not None and version not in usable:
                misfits.setdefault(version, []).append(each)
        unusable = sorted({*misfits, *self._rejected} - usable)
        return tuple(
            (version, self._reason([*misfits.get(version, ()), *self.why_not(version)])) for version in unusable
        )

    def reason(self, version: Version) -> str:
        """The same for one version that was judged; empty where nothing is known against it."""
        rejected = self.why_not(version)
        return self._reason(rejected) if rejected else ""

    def why_no_wheel(self, version: Version) -> str:
        """Why a version that was judged has to be built."""
        wheels = [each for each in self.why_not(version) if each.filename.endswith(".whl")]
        return self._reason(wheels) if wheels else "has no wheel"

    def _reason(self, rejected: Sequence[Rejected]) -> str:
        for each in rejected:
            if each.why.startswith(_OTHER_PYTHON):
                return each.why
        return self._no_wheel(rejected) if rejected[-1].why.startswith(_NO_WHEEL) else rejected[-1].why

    def _no_wheel(self, rejected: Sequence[Rejected]) -> str:
        """For what there is no wheel, and for what there are some instead."""
        parsed = [parse_filename(each.filename) for each in rejected if each.why.startswith(_NO_WHEEL)]
        target, wanted = self._judge.rules.target, self._judge.rules.requires_python
        lacks = called(target) if target is not None else f"{wanted}, which the project supports"
        others = made_for_others([wheel for wheel in parsed if isinstance(wheel, WheelName)], target)
        return f"{_NO_WHEEL}{lacks}, but for {others}"

    def judge(self, version: Version) -> Candidate | None:
        """The candidate of a version, ``None`` when no file of it can be used."""
        if version not in self._judged:
            self._judged[version] = self._candidate(version)
        return self._judged[version]

    def is_partly_yanked(self, version: Version) -> bool:
        """Whether a file of a version is yanked (PEP 592), usable or not."""
        return any(number in self._answers[position].page.yanked for position, number in self._files[version])

    def _by_version(self) -> dict[Version, list[tuple[int, int]]]:
        """For each version its files, as positions of the page and of the file on it. Only names are looked at here."""
        by_text: dict[str, list[tuple[int, int]]] = {}
        for position, answer in enumerate(self._answers):
            for number, filename in enumerate(answer.page.names):
                text = _version_text(filename, self._judge.name)
                files = by_text.get(text)
                if files is None:
                    by_text[text] = [(position, number)]
                else:
                    files.append((position, number))
        by_version: dict[Version, list[tuple[int, int]]] = {}
        for text, places in by_text.items():
            version = _version(text)
            if version is not None:
                by_version.setdefault(version, []).extend(places)
                continue
            names = dict.fromkeys(self._answers[position].page.names[number] for position, number in places)
            self._misfits += [_misfit(filename, self._judge.name) for filename in names]
        return by_version

    def _candidate(self, version: Version) -> Candidate | None:
        """The version with its best file; its ``files`` are those of the page that one is on, for a lock names one source."""
        release = self._release(version)
        own = min((position for position in release.usable if position < self._first_link), default=None)
        positions = [position for position in release.usable if position == own or position >= self._first_link]
        if not positions:
            return None
        # ``max`` keeps the first of equals, and so prefers an index to a list of links.
        best_position, best = max(
            ((position, usable) for position in positions for usable in release.usable[position]),
            key=lambda pair: pair[1].rank,
        )
        files = tuple(release.files[best_position])
        return Candidate(self._judge.name, version, best.file, files, best.index, best.file.yanked)

    def _release(self, version: Version) -> _Release:
        release, seen = _Release(), set()
        for position, number in self._files[version]:
            answer = self._answers[position]
            file = answer.page.file(number)
            if file is None or (position, file.filename) in seen:  # of files with one name the first counts
                continue
            seen.add((position, file.filename))
            parsed = parse_filename(file.filename, self._judge.name)
            if parsed is None or parsed.name != self._judge.name:
                self._misfits.append(_misfit(file.filename, self._judge.name))
                continue
            is_closed = answer.page.status == "quarantined"  # PEP 792: such files are not to be offered
            closed = "is of a project that is quarantined" if is_closed else ""
            rank, too_new = closed or self._judge.rank(file, parsed), ""
            if file.upload_time is not None or not isinstance(
                rank, str
            ):  # to find out costs a request where none is given
                too_new = self._judge.why_too_new(file, self._cutoffs[position], answer.index)
            if not too_new:
                release.files.setdefault(position, []).append(file)
            elif not isinstance(rank, str):
                rank = too_new
            if isinstance(rank, str):
                self._rejected.setdefault(version, []).append(Rejected(file.filename, parsed.version, rank))
                continue
            release.usable.setdefault(position, []).append(_Usable(rank, file, answer.index))
        return release


def _version_text(filename: str, name: Name) -> str:
    """The version that a file name gives, empty when it gives none; of a wheel it is what stands behind the name."""
    if filename.endswith(".whl"):
        parts = filename.split("-", 2)
        return parts[1].replace("_", "-") if len(parts) == 3 else ""
    parsed = parse_filename(filename, name)
    return parsed.version if parsed is not None else ""


def _misfit(filename: str, name: Name) -> Rejected:
    parsed = parse_filename(filename, name)
    if parsed is None:
        return Rejected(filename, "", "is neither a wheel nor an sdist by its name")
    if parsed.name != name:
        return Rejected(filename, parsed.version, f"is a file of the project {parsed.name}")
    return Rejected(filename, parsed.version, f"its version {parsed.version!r} is not valid (PEP 440)")


def why_not_python(text: str, rules: Rules) -> str:
    """Why a ``Requires-Python`` excludes the target's Python, or the lowest one of the project's range; else empty."""
    specifiers = _specifiers(text)
    if specifiers is None:
        return f"has a Python range that cannot be read, {text!r}"
    if rules.target is not None:
        # A range such as >=3.14 admits the release candidates of 3.14; upper bounds are ignored, as below.
        bound = _lowest(specifiers)
        fits = bound is None or bound <= Version(Version(rules.target.python).base_version)
        return "" if fits else f"{_OTHER_PYTHON}{text}, and this is {rules.target.python}"
    # Upper bounds are ignored: projects that set them mean "not tested yet", and the lock is to outlive them.
    wanted = rules.requires_python
    needed, lowest = _lowest(specifiers), _lowest(wanted) if wanted is not None else None
    if needed is not None and wanted is not None and (lowest is None or lowest < needed):
        return f"{_OTHER_PYTHON}{text}, and the project supports {wanted or 'any'}"
    return ""


def readable(text: str) -> bool:
    """Whether a ``Requires-Python`` can be read."""
    return _specifiers(text) is not None


def lowest_admitted(text: str) -> tuple[int, ...] | None:
    """The release of the lowest Python that a ``Requires-Python`` admits, ``None`` when it sets no lower bound."""
    specifiers = _specifiers(text)
    lowest = _lowest(specifiers) if specifiers is not None else None
    return lowest.release if lowest is not None else None


class _Judge:
    """Ranks files of one project, remembering what recurs from file to file."""

    def __init__(self, name: Name, rules: Rules) -> None:
        self.name = name
        self.rules = rules
        target = rules.target
        self._tags = {tag: position for position, tag in enumerate(reversed(target.tags))} if target else {}
        self._ranks: dict[tuple[tuple[str, ...], ...], int | str] = {}
        self._pythons: dict[str, str] = {}

    def rank(self, file: File, parsed: WheelName | SdistName) -> "_Rank | str":
        """How good a file is, or in words why it cannot be used."""
        why = self._why_python(file.requires_python) or self._why_digests(file)
        if why:
            return why
        unyanked = int(file.yanked is None)
        if isinstance(parsed, SdistName):
            if self.rules.no_build:
                return "is an sdist, and building is forbidden (--no-build)"
            return (unyanked, 0, 0, (0, ""))
        if self.rules.no_binary:
            return "is a wheel, and wheels are forbidden (--no-binary)"
        tag = self._rank_of_tags(parsed)
        return tag if isinstance(tag, str) else (unyanked, 1, tag, _build_number(parsed.build))

    def _why_python(self, text: str | None) -> str:
        if not text or self.rules.any_python:
            return ""
        why = self._pythons.get(text)
        if why is None:
            why = self._pythons[text] = why_not_python(text, self.rules)
        return why

    def why_too_new(self, file: File, cutoff: datetime | None, index: Index) -> str:
        """In words why a file is too new; empty if it is not."""
        if cutoff is None:
            return ""
        uploaded = self.rules.uploaded(file, index) if file.upload_time is None else _moment(file.upload_time)
        if uploaded is None and file.upload_time is None:
            return "has no upload time, which exclude-newer needs"
        if uploaded is None:
            return f"has an upload time that cannot be read, {file.upload_time!r}"
        when = uploaded.astimezone(UTC).strftime("%Y-%m-%d")
        return f"was uploaded on {when}, after exclude-newer" if uploaded >= cutoff else ""

    def _why_digests(self, file: File) -> str:
        """A file of which the page gives no digest to compare is judged when it is downloaded."""
        if not self.rules.digests:
            return ""
        algorithms = {digest.partition(":")[0] for digest in self.rules.digests}
        told = {f"{algorithm}:{digest}" for algorithm, digest in file.hashes.items() if algorithm in algorithms}
        return "has another digest than those that are required" if told and told.isdisjoint(self.rules.digests) else ""

    def _rank_of_tags(self, wheel: WheelName) -> int | str:
        key = (wheel.pythons, wheel.abis, wheel.platforms)
        rank = self._ranks.get(key)
        if rank is None:
            rank = self._ranks[key] = self._generality(wheel) if self.rules.target is None else self._best_tag(wheel)
        return rank

    def _best_tag(self, wheel: WheelName) -> int | str:
        best = max((self._tags[tag] for tag in wheel.tags() if tag in self._tags), default=None)
        return f"{_NO_WHEEL}this target, but for {made_for(wheel)}" if best is None else best

    def _generality(self, wheel: WheelName) -> int | str:
        """Without a target: the wheel that stands for all, pure ones first; its metadata is read for the lock."""
        wanted = self.rules.requires_python
        if wanted is not None and not wheel_may_run(wheel, wanted):
            return f"{_NO_WHEEL}{wanted}, which the project supports, but for {made_for(wheel)}"
        return 2 * ("any" in wheel.platforms) + ("none" in wheel.abis)


def _cutoff(index: Index, rules: Rules) -> datetime | None:
    if index.exclude_newer is None or rules.is_exempt:
        return rules.exclude_newer
    if index.exclude_newer is False:
        return None
    cutoff = _moment(index.exclude_newer)
    if cutoff is None:
        raise ConfigurationError(
            f"exclude-newer of the index {index.label} cannot be read: {index.exclude_newer!r}",
            hints=("it is a date or an RFC 3339 time, such as 2026-01-31 or 2026-01-31T12:00:00Z",),
        )
    return cutoff


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(maxsize=65536)
def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


@lru_cache(maxsize=4096)
def _specifiers(text: str) -> SpecifierSet | None:
    return read_specifiers(text)


@lru_cache(maxsize=4096)
def _lowest(specifiers: SpecifierSet) -> Version | None:
    """The highest of the lower bounds, ``None`` when there is none: ``>=3.9, !=3.9.1, <4`` gives 3.9."""
    bounds = []
    for specifier in specifiers:
        if specifier.operator in (">=", ">", "~=", "=="):
            version = _version(specifier.version.removesuffix(".*"))
            if version is not None:
                bounds.append(version)
    return max(bounds, default=None)


def _build_number(build: str) -> tuple[int, str]:
    """PEP 427: "sort as a two-item tuple": the initial digits as a number, the rest as text."""
    digits = len(build) - len(build.lstrip("0123456789"))
    return (int(build[:digits]), build[digits:]) if digits else (0, "")
