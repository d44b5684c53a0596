"""``cove tool uninstall``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.errors import UsageError
from cove.operations.tool.tool import uninstall_tools
from cove.wiring import Session

HELP = "Remove tools: their environments, and the links to their programs."
GROUPS = ("output",)


def arguments(parser: ArgumentParser) -> None:
    """Which, or ``--all``."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="The tools to remove")
    parser.add_argument("--all", action="store_true", help="Remove every tool")


def run(context: Context) -> int:
    """Remove them, and say which programs went."""
    names, console = context.arguments.names, context.console
    if bool(names) == context.arguments.all:
        raise UsageError("either name the tools to remove, or pass `--all`")
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        removed = uninstall_tools(session, names)
    programs = [each.name for tool in removed for each in tool.receipt.programs]
    if context.settings.output_format == "json":
        console.json({"removed": [{"name": tool.name, "version": tool.version} for tool in removed]})
    elif not removed:
        console.say("Nothing to uninstall")
    else:
        ending = "" if len(programs) == 1 else "s"
        console.say(f"Uninstalled {len(programs)} executable{ending}: {', '.join(programs)}")
    return 0
