"""``cove auth helper``."""

from argparse import ArgumentParser

from cove.cli.asking import all_of_stdin
from cove.cli.context import Context
from cove.errors import UsageError
from cove.operations.auth.helper import bazel_get, git_erase, git_get, git_store
from cove.wiring import Session

HELP = """Give other programs the credential that would be sent to a URL: a credential helper.

For Bazel: a script with `exec cove auth helper --protocol bazel "$@"`, named by `--credential_helper`. For git:
`git config credential.helper "!cove auth helper --protocol git"`. Requests are read from stdin."""
GROUPS = ("index",)


def arguments(parser: ArgumentParser) -> None:
    """The protocol and its command."""
    parser.add_argument(
        "--protocol", required=True, choices=("bazel", "git"), help="Who is asking, and understands the answer"
    )
    parser.add_argument(
        "action", metavar="get|store|erase", choices=("get", "store", "erase"), help="`get`, with git more"
    )


def run(context: Context) -> int:
    """Answer on stdout."""
    given = context.arguments
    if given.protocol == "bazel" and given.action != "get":
        raise UsageError(f"Bazel's protocol has no `{given.action}`", hints=("there is `get`",))
    text = all_of_stdin()
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        if given.protocol == "bazel":
            context.console.verbatim(bazel_get(session, text))
        elif given.action == "get":
            context.console.verbatim(git_get(session, text).rstrip("\n"))
        elif given.action == "store":
            git_store(session, text)
        else:
            git_erase(session, text)
    return 0
