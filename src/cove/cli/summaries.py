"""What is said at the end of commands that lock and install."""

from collections.abc import Iterator, Mapping

from cove.formats.uv_lock import package_order
from cove.install.plan import Plan
from cove.model.lock import Lock
from cove.operations.lock.lock import Locked


def lock_summary(locked: Locked, *, dry_run: bool = False) -> Iterator[str]:
    """A line for each package whose locked version changed, or would; nothing for a lock that is as it was.

    A lock that was not there before is summed up by how many packages it has.
    """
    if locked.previous is None and not dry_run:
        return
    update, add, remove = ("Update", "Add", "Remove") if dry_run else ("Updated", "Added", "Removed")
    for name, old, new in lock_changes(locked):
        if old and new:
            yield f"{update} {name} {_told(old)} -> {_told(new)}"
        elif new:
            yield f"{add} {name} {_told(new)}"
        else:
            yield f"{remove} {name} {_told(old)}"


def lock_changes(locked: Locked) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """What changed in a lock: names with the versions before and after, of which a package can have several."""
    if not locked.changed:
        return
    before, after = _versions(locked.previous), _versions(locked.lock)
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, ()), after.get(name, ())
        if old != new:
            yield name, old, new


def _told(versions: tuple[str, ...]) -> str:
    return ", ".join(f"v{version}" if version else "(dynamic)" for version in versions)


def _versions(lock: Lock | None) -> Mapping[str, tuple[str, ...]]:
    """By name, in the order in which a lock is written; one that was just made may have another."""
    names: dict[str, tuple[str, ...]] = {}
    for package in sorted(lock.packages, key=package_order) if lock is not None else ():
        names[package.name] = (*names.get(package.name, ()), package.version)
    return names


def plan_summary(plan: Plan, *, dry_run: bool = False) -> Iterator[str]:
    """What was (or would be) installed and removed, and a line for each package."""
    if plan.is_empty:
        yield f"Audited {_count(len(plan.keep))}"
        return
    would = "Would have " if dry_run else ""
    if removed := len(plan.remove) + len(plan.replace):
        yield f"{_cased(would, 'Uninstalled')} {_count(removed)}"
    if installed := len(plan.incoming):
        yield f"{_cased(would, 'Installed')} {_count(installed)}"
    yield from str(plan).splitlines()


def plan_object(plan: Plan) -> dict[str, object]:
    """The same for programs."""
    return {
        "installed": [{"name": each.name, "version": each.version} for each in plan.incoming],
        "removed": [{"name": each.name, "version": each.version} for each in plan.outgoing],
        "kept": len(plan.keep),
    }


def _count(number: int) -> str:
    return f"{number} package{'' if number == 1 else 's'}"


def _cased(would: str, verb: str) -> str:
    return would + verb.lower() if would else verb
