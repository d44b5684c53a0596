"""Which versions of a package there are, index by index: ``cove index versions``."""

from packaging.version import InvalidVersion, Version

from cove.index.candidates import Rules, gather
from cove.model.dataclasses import dataclass
from cove.model.dist import parse_filename
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Found, Outcome
from cove.operations.index.why import why
from cove.operations.resolution.policy import file_rules
from cove.wiring import Session


@dataclass(frozen=True, slots=True)
class Listed:
    """One version. ``yanked`` is the reason when all its files are yanked, else ``None``; ``files`` is how many there are."""

    version: Version
    files: int
    fits: bool
    yanked: str | None
    why_not: str = ""
    """Why none of its files can be used, where that is the same for all of them."""


@dataclass(frozen=True, slots=True)
class OnIndex:
    """What one index answered, with its versions, highest first."""

    outcome: Outcome
    versions: tuple[Listed, ...]

    @property
    def index(self) -> Index:
        """Who answered."""
        return self.outcome.index


@dataclass(frozen=True, slots=True)
class Versions:
    """``latest`` is the version that would be taken, and the index it would be taken from; ``None`` when none fits."""

    name: Name
    python: str
    indexes: tuple[OnIndex, ...]
    unasked: tuple[Index, ...]
    latest: tuple[Version, Index] | None


def versions(session: Session, text: str, *, everywhere: bool = False) -> Versions:
    """The versions of ``text`` on the indexes that a resolution would ask for it; ``everywhere`` asks the others as well.

    Raises as ``cove.operations.index.why.why`` does. A name is sent to no index that would not get it anyway, unless
    ``everywhere`` is wished.
    """
    found = why(session, text)
    name = found.search.name
    outcomes = [*found.search.answers, *found.search.links]
    unasked = found.unasked
    if everywhere:
        asked = [outcome.index for outcome in outcomes]
        outcomes += [source.project(name) for index, source in session.sources if index not in asked]
        unasked = ()
    rules = file_rules(session, Rules(target=found.interpreter.target))(name)
    best = found.best
    return Versions(
        name,
        found.interpreter.version,
        tuple(OnIndex(outcome, _listed(name, outcome, rules)) for outcome in outcomes),
        unasked,
        (best.version, best.index) if best is not None else None,
    )


def _listed(name: Name, outcome: Outcome, rules: Rules) -> tuple[Listed, ...]:
    if not isinstance(outcome, Found):
        return ()
    gathered = gather(name, (outcome,), rules)
    fitting = {candidate.version for candidate in gathered.candidates}
    rejected = {each.filename: each.why for each in gathered.rejected}
    reasons: dict[Version, set[str]] = {}
    yanks: dict[Version, list[str | None]] = {}
    for file in outcome.page.files:
        parsed = parse_filename(file.filename, name)
        try:
            version = Version(parsed.version) if parsed is not None else None
        except InvalidVersion:
            continue
        if version is not None:
            yanks.setdefault(version, []).append(file.yanked)
            reasons.setdefault(version, set()).add(rejected.get(file.filename, ""))
    return tuple(
        Listed(
            version,
            len(yanks[version]),
            version in fitting,
            _yanked(yanks[version]),
            "" if version in fitting else _only(reasons[version]),
        )
        for version in sorted(yanks, reverse=True)
    )


def _only(reasons: set[str]) -> str:
    return next(iter(reasons)) if len(reasons) == 1 else ""


def _yanked(reasons: list[str | None]) -> str | None:
    return None if None in reasons else reasons[0]
