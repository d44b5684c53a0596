"""Which index each locked package has to come from: the one the lock has it from, until somebody says otherwise."""

from collections.abc import Mapping

from cove.index.chain import Kept
from cove.model.dataclasses import replace
from cove.model.event import Warned
from cove.model.index import Index
from cove.model.lock import Lock, LockedRequirement
from cove.model.name import Name
from cove.operations.lock.moving import Homes, Moves
from cove.operations.lock.staleness import project_in
from cove.operations.project.project import Place, address, location_of
from cove.operations.project.requirements import Asked
from cove.wiring import Session

_EVERYTHING = ":all:"


def kept_indexes(session: Session, lock: Lock, place: Place, asked: Asked) -> dict[Name, Kept]:
    """Where every package of ``lock`` has to come from, by name.

    Free to move are those that ``--allow-index-change`` names, those that are pinned (whoever pins says where from), and
    those whose pin was removed. An index that has another address now keeps its packages, with a warning; what another index
    serves under the digests of the lock has moved there.
    """
    settings, indexes = session.settings, (*session.indexes.all, *session.indexes.find_links)
    if _EVERYTHING in settings.allow_index_change:
        return {}
    before = _pins_in(lock, place)
    free = {*settings.allow_index_change, *asked.pins, *asked.places, *before}
    here = {address(location_of(index, place), place): index for index in reversed(indexes)}
    renamed = _renamed(before, asked, here)
    homes = Homes(session, place, asked)
    bound = [each for each in lock.packages if each.source.kind == "registry" and each.name not in free]
    kept = {
        each.name: Kept(each.source.location, homes.index_of(each) or renamed.get(address(each.source.location, place)))
        for each in bound
    }
    lost = [each for each in bound if kept[each.name].index is None]
    if lost:
        found = Moves(session, place, asked, homes).moved(lost)
        kept |= {name: replace(kept[name], index=index) for name, index in found.items()}
    for location in sorted({address(each.location, place) for each in kept.values()} & renamed.keys()):
        session.listener(
            Warned(
                f"the index {renamed[location].label} had the address {location}, and has {renamed[location].url} now"
            )
        )
    return kept


def _pins_in(lock: Lock, place: Place) -> dict[Name, str]:
    """The projects that were pinned when the lock was written, with the addresses of their indexes then."""
    stated: list[LockedRequirement] = []
    for own in filter(None, (project_in(lock, member) for member in place.members)):
        stated += own.requires_dist
        for several in own.requires_dev.values():
            stated += several
    return {each.name: address(each.index, place) for each in stated if each.index}


def _renamed(before: Mapping[Name, str], asked: Asked, here: Mapping[str, Index]) -> dict[str, Index]:
    """Indexes by the address that they had before: a lock has no names of indexes, but what is pinned tells some.

    Where a project was pinned to an address that no index has any more, and is pinned to an index still, that index has moved.
    A variable may give an index another address than its file does. An index that is now reached by ``https`` is the one that
    was reached by ``http``.
    """
    found: dict[str, Index] = {}
    by_name = {index.name: index for index in here.values() if index.name}
    for name, location in before.items():
        index = by_name.get(asked.pins.get(name, ""))
        if location not in here and index is not None:
            found[location] = index
    for location, index in here.items():
        written = index.written_url.removesuffix("/") if "${" not in index.written_url else ""
        plain = location.replace("https://", "http://", 1)
        for former in (written, plain):
            if former and former not in here:
                found.setdefault(former, index)
    return found
