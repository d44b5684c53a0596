"""``cove sync``."""

from argparse import ArgumentParser

from cove.cli import selecting
from cove.cli.context import Context
from cove.cli.summaries import lock_summary, plan_object, plan_summary
from cove.errors import UsageError
from cove.operations.environment.sync import sync
from cove.wiring import Session

HELP = """Make the project's environment what its lock says, after bringing the lock up to date.

What is installed and not in the lock is removed. An environment that is right is left alone, and no index is asked."""
GROUPS = ("index", "resolver", "lock", "installer", "build", "binary", "cache", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """Which part of the lock, and ``--dry-run``."""
    selecting.add_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="Say what would change; change nothing")
    parser.add_argument("--check", action="store_true", help="Fail if anything would change; change nothing")


def run(context: Context) -> int:
    """Sync, and say what changed."""
    settings, arguments_ = context.settings, context.arguments
    if settings.locked and settings.frozen:
        raise UsageError(
            "--locked and --frozen contradict each other: one judges the lock, the other takes it as it is"
        )
    is_dry = arguments_.dry_run or arguments_.check
    with Session(settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        synced = sync(session, selecting.selection(arguments_, settings), dry_run=is_dry)
    if settings.output_format == "json":
        context.console.json({"lock_changed": synced.locked.changed, **plan_object(synced.plan)})
    else:
        for line in (*lock_summary(synced.locked), *plan_summary(synced.plan, dry_run=is_dry)):
            context.console.say(line)
    return int(arguments_.check and (synced.locked.changed or not synced.plan.is_empty))
