"""``cove auth token``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.operations.auth.inspection import credential_for
from cove.wiring import Session

HELP = """Print the password or token that would be sent to an index or URL, for programs that need it.

Where it was found is said with -v. This is the only command that shows a secret."""
GROUPS = ("index",)


def arguments(parser: ArgumentParser) -> None:
    """The index, and ``--username``."""
    parser.add_argument("where", metavar="SERVICE", help="The name of a configured index, a URL, or a host")
    parser.add_argument("-u", "--username", metavar="NAME", help="Only this user's password will do")


def run(context: Context) -> int:
    """Print it, and nothing else, on stdout."""
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        credential = credential_for(session, context.arguments.where, username=context.arguments.username)
    context.console.detail(f"the password of {credential.whose} comes from {credential.origin}")
    context.console.verbatim(credential.password.reveal())
    return 0
