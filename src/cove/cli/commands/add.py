"""``cove add``."""

from argparse import ArgumentParser, BooleanOptionalAction, Namespace

from packaging.markers import InvalidMarker, Marker

from cove.cli import selecting
from cove.cli.context import Context
from cove.cli.options import declare
from cove.cli.summaries import lock_summary, plan_summary
from cove.config.edit import DEPENDENCIES, DEV, Section
from cove.config.settings import BY_NAME
from cove.errors import UsageError
from cove.operations.compile.inputs import Inputs
from cove.operations.project.add import Edited, add
from cove.operations.project.additions import Wishes
from cove.wiring import Session

HELP = """Add requirements to the project, lock and install them.

Indexes given with --index or --default-index are written to the project, without credentials; if it is one and has a name,
what is added is pinned to it. On any failure all files are as they were."""
GROUPS = ("index", "resolver", "lock", "installer", "build", "binary", "cache", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """What to add, and where."""
    parser.add_argument(
        "requirements", nargs="*", metavar="REQUIREMENT", help="`name`, `name>=1.0`, `name @ URL`, a URL or a path"
    )
    parser.add_argument(
        "-r",
        "--requirements",
        dest="files",
        action="append",
        default=[],
        metavar="FILE",
        help="Add what this file lists",
    )
    selecting.add_settings(parser, "constraint")
    where(parser)
    parser.add_argument("-m", "--marker", metavar="MARKER", help="For these environments only")
    parser.add_argument(
        "--extra", dest="extras", action="append", default=[], metavar="EXTRA", help="With this extra of what is added"
    )
    declare(parser.add_argument, BY_NAME["add-bounds"])
    parser.add_argument(
        "--raw", action="store_true", help="Write requirements as given: no bounds, URLs where they are"
    )
    parser.add_argument("--editable", action=BooleanOptionalAction, help="Install a folder in place")
    parser.add_argument(
        "--workspace",
        action=BooleanOptionalAction,
        help="Make a folder a member of the workspace (default: if it lies within)",
    )
    reference = parser.add_mutually_exclusive_group()
    reference.add_argument("--rev", metavar="REV", help="This commit of a repository")
    reference.add_argument("--tag", metavar="TAG", help="This tag of a repository")
    reference.add_argument("--branch", metavar="BRANCH", help="This branch of a repository")
    parser.add_argument("--lfs", action="store_true", help="Take the files of a repository that Git LFS keeps")
    selecting.add_settings(parser, "no-sync")
    selecting.add_left_out(parser)


def where(parser: ArgumentParser) -> None:
    """``--package``, ``--group``, ``--dev``, ``--optional``."""
    parser.add_argument("--package", default="", metavar="PACKAGE", help="In this member of the workspace")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--group", default="", metavar="GROUP", help="In this dependency group")
    place.add_argument("--dev", action="store_true", help="In the group `dev`")
    place.add_argument("--optional", dest="extra", default="", metavar="EXTRA", help="In this extra")


def section(given: Namespace) -> Section:
    """What the options of ``where`` say."""
    return DEV if given.dev else Section(given.group, given.extra)


def run(context: Context) -> int:
    """Add, and say what changed."""
    given = context.arguments
    inputs = Inputs(
        arguments=tuple(given.requirements), files=tuple(given.files), constraints=context.settings.constraint
    )
    if not inputs.arguments and not inputs.files:
        raise UsageError("nothing to add", hints=("name what to add: `cove add httpx`",))
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        edited = add(
            session,
            inputs,
            DEV if context.settings.dev and section(given) == DEPENDENCIES else section(given),
            wishes=_wishes(given),
            package=given.package,
            installs=not context.settings.no_sync,
        )
    tell(context, edited)
    return 0


def _wishes(given: Namespace) -> Wishes:
    references = [(kind, name) for kind in ("rev", "tag", "branch") if (name := getattr(given, kind)) is not None]
    return Wishes(
        extras=tuple(given.extras),
        marker=_marker(given.marker),
        reference=references[0] if references else None,
        lfs=given.lfs,
        editable=given.editable,
        workspace=given.workspace,
        is_raw=given.raw,
    )


def _marker(text: str | None) -> Marker | None:
    try:
        return Marker(text) if text is not None else None
    except InvalidMarker as error:
        raise UsageError(
            f"{text!r} is no environment marker",
            causes=(str(error).partition("\n")[0],),
            hints=("it is written as in `sys_platform == 'win32'`",),
        ) from None


def tell(context: Context, edited: Edited) -> None:
    """What became of the project."""
    if context.settings.output_format == "json":
        context.console.json({"requirements": list(edited.requirements)})
    elif edited.synced is not None:
        for line in (*lock_summary(edited.synced.locked), *plan_summary(edited.synced.plan)):
            context.console.say(line)
