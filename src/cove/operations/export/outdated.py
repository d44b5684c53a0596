"""Which packages of a lock there is something newer of, on the very indexes that they are from."""

from collections.abc import Mapping

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.index.candidates import Rules, gather
from cove.index.source import Source
from cove.model.event import Warned
from cove.model.index import Index
from cove.model.lock import Lock, LockedPackage
from cove.model.name import Name
from cove.model.outcome import Found, Unavailable
from cove.operations.lock.reach import Key
from cove.operations.resolution.parallel import each
from cove.operations.resolution.policy import file_rules
from cove.wiring import Session

_Asked = tuple[Name, str]
"""A name, and the address of the index that is asked for it."""


def newer(
    session: Session, locked: Lock, shown: Mapping[Key, LockedPackage], homes: Mapping[Key, Index | None]
) -> dict[Key, Version]:
    """The newest version of each package of ``shown`` on its index of ``homes``, where it is newer than the locked one.

    Each index is asked side by side and once for a name. Pre-releases count only for those that are locked to one; what an
    index does not answer is told as a warning.
    """
    sources = {index.url.public: source for index, source in (*session.sources, *session.links)}
    asked: dict[Key, _Asked] = {}
    for key, package in shown.items():
        index = homes[key]
        if index is not None and index.url.public in sources:
            asked[key] = (package.name, index.url.public)
    wanted = sorted(set(asked.values()))
    rules = file_rules(session, Rules(requires_python=SpecifierSet(locked.requires_python)))

    def ask(one: _Asked) -> list[Version]:
        return _versions(session, sources[one[1]], one[0], rules(one[0]))

    answers = dict(zip(wanted, each(ask, wanted, workers=session.workers), strict=True))
    latest = {}
    for key, one in asked.items():
        here = _version(shown[key].version)
        likely = [each for each in answers[one] if here is not None and (not each.is_prerelease or here.is_prerelease)]
        if here is not None and likely and max(likely) > here:
            latest[key] = max(likely)
    return latest


def _versions(session: Session, source: Source, name: Name, rules: Rules) -> list[Version]:
    outcome = source.project(name)
    if isinstance(outcome, Unavailable):
        session.listener(Warned(f"whether there is a newer `{name}` cannot be told: {outcome.error.message}"))
    if not isinstance(outcome, Found):
        return []
    return [each.version for each in gather(name, (outcome,), rules).candidates if each.yanked is None]


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
