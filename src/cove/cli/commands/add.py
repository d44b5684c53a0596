"""``cove add``."""

from argparse import ArgumentParser
from pathlib import Path

from cove.cli.context import Context
from cove.cli.summaries import lock_summary, plan_summary
from cove.errors import UsageError
from cove.operations.add import Edited, add
from cove.wiring import Session

HELP = """Add requirements to the project, lock and install them.

Indexes given with --index or --default-index are written to the project, without credentials; if it is one and has a name,
what is added is pinned to it. On any failure all files are as they were."""
GROUPS = ("index", "resolver", "lock", "installer", "build", "binary", "cache", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """What to add, and where."""
    parser.add_argument("requirements", nargs="*", metavar="REQUIREMENT", help="`name`, `name>=1.0`, `name @ URL`")
    parser.add_argument(
        "-r",
        "--requirements",
        dest="files",
        action="append",
        default=[],
        metavar="FILE",
        help="Add what this file lists",
    )
    where(parser)
    parser.add_argument("--raw", action="store_true", help="Write requirements as given, without a lower bound")
    parser.add_argument("--no-sync", action="store_true", help="Lock, but install nothing")


def where(parser: ArgumentParser) -> None:
    """``--package``, ``--group``, ``--dev``, ``--optional``."""
    parser.add_argument("--package", default="", metavar="PACKAGE", help="In this member of the workspace")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--group", default="", metavar="GROUP", help="In this dependency group")
    place.add_argument("--dev", dest="group", action="store_const", const="dev", help="In the group `dev`")
    place.add_argument("--optional", dest="extra", default="", metavar="EXTRA", help="In this extra")


def run(context: Context) -> int:
    """Add, and say what changed."""
    arguments_ = context.arguments
    texts = [*arguments_.requirements, *(line for file in arguments_.files for line in _lines(context.cwd / file))]
    if not texts:
        raise UsageError("nothing to add", hints=("name what to add: `cove add httpx`",))
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        edited = add(
            session,
            texts,
            group=arguments_.group or "",
            extra=arguments_.extra,
            package=arguments_.package,
            raw=arguments_.raw,
            installs=not arguments_.no_sync,
        )
    tell(context, edited)
    return 0


def tell(context: Context, edited: Edited) -> None:
    """What became of the project."""
    if context.settings.output_format == "json":
        context.console.json({"requirements": list(edited.requirements)})
    elif edited.synced is not None:
        for line in (*lock_summary(edited.synced.locked), *plan_summary(edited.synced.plan)):
            context.console.say(line)


def _lines(path: Path) -> list[str]:
    from cove.formats.requirements_txt import parse

    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    found = parse(text, str(path), read=lambda name: Path(name).read_text(encoding="utf-8"), environ={})
    return [str(entry.requirement) for entry in found.entries if entry.requirement is not None]
