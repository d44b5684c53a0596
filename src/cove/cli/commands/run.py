"""``cove run``."""

from argparse import REMAINDER, ArgumentParser

from cove.cli import selecting
from cove.cli.context import Context
from cove.cli.summaries import lock_summary, plan_summary
from cove.errors import UsageError
from cove.operations.environment.run import run_command
from cove.wiring import Session

HELP = """Run a command in the project's environment, after making it what the lock says.

A command that ends in .py is run by the environment's Python. The exit status is the command's own."""
GROUPS = ("index", "resolver", "lock", "installer", "build", "binary", "cache", "python")


def arguments(parser: ArgumentParser) -> None:
    """The command, and which part of the lock it needs."""
    selecting.add_arguments(parser)
    selecting.add_settings(parser, "no-sync")
    parser.add_argument("--exact", action="store_true", help="Remove what is installed and not in the lock")
    parser.add_argument("-m", "--module", action="store_true", help="The command is a module: `python -m COMMAND`")
    parser.add_argument("command", nargs=REMAINDER, metavar="COMMAND ...", help="What to run, with its arguments")


def run(context: Context) -> int:
    """Sync quietly, then run."""
    command = context.arguments.command
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        raise UsageError("nothing to run", hints=("name a command: `cove run python`",))
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        ready = run_command(
            session,
            command,
            selecting.selection(context.arguments, context.settings),
            as_module=context.arguments.module,
            syncs=not context.settings.no_sync,
            exact=context.arguments.exact,
        )
        if ready.synced is not None and not ready.synced.plan.is_empty:
            for line in (*lock_summary(ready.synced.locked), *plan_summary(ready.synced.plan)):
                context.console.say(line)
    return ready.start()
