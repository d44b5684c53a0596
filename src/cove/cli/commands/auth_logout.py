"""``cove auth logout``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.operations.auth.logins import logout
from cove.wiring import Session

HELP = """Remove what is stored for an index, a URL or a host.

Without `--username`, the token is removed, or whatever is the only one."""
GROUPS = ("index", "output")


def arguments(parser: ArgumentParser) -> None:
    """The service, and ``--username``."""
    parser.add_argument("service", metavar="SERVICE", help="The name of a configured index, a URL, or a host")
    parser.add_argument("-u", "--username", metavar="NAME", help="The user whose password is removed")


def run(context: Context) -> int:
    """Remove it."""
    given = context.arguments
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        gone = logout(session, given.service, username=given.username)
    if context.settings.output_format == "json":
        context.console.json({"service": gone.service.public, "username": gone.username})
    else:
        what = f"the password of {gone.whose}" if gone.username is not None else gone.whose
        context.console.say(f"Removed {what} for {gone.service}")
    return 0
