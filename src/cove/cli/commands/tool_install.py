"""``cove tool install``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.cli.summaries import plan_object, plan_summary
from cove.operations.tool.spec import parse_several, parse_tool
from cove.operations.tool.tool import ToolInstalled, install_tool
from cove.wiring import Session

HELP = """Install a program in an environment of its own, and make it reachable.

A tool belongs to no project: indexes are those of options, variables and the user's configuration."""
GROUPS = ("index", "resolver", "installer", "build", "build-limits", "binary", "cache", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """Which tool, what beside it, and whether other files may give way."""
    parser.add_argument("tool", metavar="TOOL", help="`name`, `name==1.0`, `name@1.0`, `name@latest`, a URL or a path")
    parser.add_argument(
        "--from", dest="source", metavar="TOOL", help="Where the tool is from, if its name says no more"
    )
    parser.add_argument(
        "-w", "--with", dest="others", action="append", default=[], metavar="PACKAGE", help="Install this beside it"
    )
    parser.add_argument("--force", action="store_true", help="Replace files that have the names of its programs")


def run(context: Context) -> int:
    """Install it, and say what it brings."""
    given = context.arguments
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        asked, others = parse_tool(session, given.tool, source=given.source), parse_several(session, given.others)
        done = install_tool(session, asked, others, force=given.force)
    if context.settings.output_format == "json":
        _print_object(context, done)
    else:
        _tell(context, done)
    if not done.is_on_path:
        folder = done.programs_folder
        context.console.warning(f"`{folder}` is not on your PATH", f'run `export PATH="{folder}:$PATH"`')
    return 0


def _print_object(context: Context, done: ToolInstalled) -> None:
    changed = plan_object(done.plan) if done.plan is not None else {}
    programs = [{"name": each.name, "path": each.install_path} for each in done.tool.receipt.programs]
    context.console.json({"name": done.tool.name, "version": done.tool.version, "executables": programs, **changed})


def _tell(context: Context, done: ToolInstalled) -> None:
    if done.plan is None:
        context.console.say(f"`{done.tool.name}` {done.tool.version} is already installed")
        return
    for line in plan_summary(done.plan):
        context.console.say(line)
    names = [each.name for each in done.tool.receipt.programs]
    context.console.say(f"Installed {len(names)} executable{'' if len(names) == 1 else 's'}: {', '.join(names)}")
