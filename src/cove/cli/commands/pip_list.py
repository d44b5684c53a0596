"""``cove pip list``."""

from argparse import ArgumentParser
from collections.abc import Sequence

from cove.cli import pip_options
from cove.cli.context import Context
from cove.operations.environment.listing import Listed, listing
from cove.wiring import Session

HELP = """List what is installed in an environment."""
GROUPS = ("pip", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """Which, and in which form."""
    parser.add_argument("--format", choices=("columns", "freeze", "json"), default="columns", help="How it is listed")
    parser.add_argument("-e", "--editable", action="store_true", help="Only what is installed in place")
    parser.add_argument("--exclude-editable", action="store_true", help="Leave out what is installed in place")
    parser.add_argument("--exclude", action="append", default=[], metavar="PACKAGE", help="Leave out this package")


def run(context: Context) -> int:
    """Print one row for each distribution."""
    arguments_, console = context.arguments, context.console
    excluded = pip_options.names(arguments_.exclude, "excluded package")
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        found = [each for each in listing(session) if each.name not in excluded]
    if arguments_.editable:
        found = [each for each in found if each.editable_location]
    if arguments_.exclude_editable:
        found = [each for each in found if not each.editable_location]
    if arguments_.format == "json" or context.settings.output_format == "json":
        console.json([_as_object(each) for each in found])
    elif arguments_.format == "freeze":
        for each in found:
            console.print(f"{each.name}=={each.version}")
    elif found:
        console.table(*_columns(found))
    return 0


def _columns(found: Sequence[Listed]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    if any(each.editable_location for each in found):
        rows = [(each.name, each.version, each.editable_location) for each in found]
        return ("Package", "Version", "Editable project location"), [tuple(row) for row in rows]
    return ("Package", "Version"), [(each.name, each.version) for each in found]


def _as_object(listed: Listed) -> dict[str, str]:
    plain = {"name": str(listed.name), "version": listed.version}
    return plain | ({"editable_project_location": listed.editable_location} if listed.editable_location else {})
