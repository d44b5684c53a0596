"""``cove lock``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.cli.summaries import lock_changes, lock_summary
from cove.errors import UsageError
from cove.operations.lock.lock import lock
from cove.operations.project import project
from cove.wiring import Session

HELP = """Bring the project's lock, uv.lock, up to date.

A lock that still fits is left alone, to the byte, and no index is asked."""
GROUPS = ("index", "resolver", "lock", "build", "binary", "cache", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """``--check`` and ``--dry-run``."""
    parser.add_argument("--check", action="store_true", help="Fail if the lock is not up to date; write nothing")
    parser.add_argument("--dry-run", action="store_true", help="Say what would change; write nothing")


def run(context: Context) -> int:
    """Lock, and say what changed."""
    settings = context.settings
    if settings.frozen and (context.arguments.check or settings.locked):
        raise UsageError("--check and --frozen contradict each other: one judges the lock, the other takes it as it is")
    with Session(settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        place = project.locate(session)
        locked = lock(session, place, check=context.arguments.check, dry_run=context.arguments.dry_run)
    count = len(locked.lock.packages)
    if settings.output_format == "json":
        changes = [{"name": name, "before": old, "after": new} for name, old, new in lock_changes(locked)]
        context.console.json(
            {"changed": locked.changed, "packages": count, "path": str(place.lock_path), "changes": changes}
        )
        return 0
    if not locked.changed:
        context.console.say(f"{place.lock_path.name} is up to date: {count} package{'' if count == 1 else 's'}")
    elif context.arguments.dry_run and locked.previous is not None and locked.why:
        context.console.say(f"{place.lock_path.name} would change: {locked.why}")
    for line in lock_summary(locked, dry_run=context.arguments.dry_run):
        context.console.say(line)
    return 0
