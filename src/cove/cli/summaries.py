"""What is said at the end of commands that lock and install."""

from collections.abc import Iterator, Mapping

from cove.install.plan import Plan
from cove.model.lock import Lock
from cove.operations.lock import Locked


def lock_summary(locked: Locked) -> Iterator[str]:
    """A line for each package whose locked version changed; nothing for a lock that is as it was."""
    if not locked.changed:
        return
    before, after = _versions(locked.previous), _versions(locked.lock)
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, ""), after.get(name, "")
        if old and new and old != new:
            yield f"Updated {name} {old} -> {new}"
        elif locked.previous is not None and new and not old:
            yield f"Added {name} {new}"
        elif old and not new:
            yield f"Removed {name} {old}"


def _versions(lock: Lock | None) -> Mapping[str, str]:
    if lock is None:
        return {}
    names: dict[str, list[str]] = {}
    for package in lock.packages:
        names.setdefault(package.name, []).append(package.version or "(dynamic)")
    return {name: ", ".join(sorted(versions)) for name, versions in names.items()}


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
