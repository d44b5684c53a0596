"""``cove tool list``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.operations.tool.tool import list_tools
from cove.wiring import Session

HELP = "List the tools that are installed, and their programs."
GROUPS = ("output",)


def arguments(parser: ArgumentParser) -> None:
    """``--show-paths``."""
    parser.add_argument("--show-paths", action="store_true", help="Say where environments and programs lie")


def run(context: Context) -> int:
    """Print each tool with its programs."""
    console, shows_paths = context.console, context.arguments.show_paths
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        tools = list_tools(session)
    if context.settings.output_format == "json":
        console.json(
            [
                {
                    "name": tool.name,
                    "version": tool.version,
                    "path": str(tool.folder),
                    "executables": [{"name": each.name, "path": each.install_path} for each in tool.receipt.programs],
                }
                for tool in tools
            ]
        )
        return 0
    if not tools:
        console.say("No tools installed")
    for tool in tools:
        console.print(f"{tool.name} v{tool.version}" + (f" ({tool.folder})" if shows_paths else ""))
        for each in tool.receipt.programs:
            console.print(f"- {each.name}" + (f" ({each.install_path})" if shows_paths else ""))
    return 0
