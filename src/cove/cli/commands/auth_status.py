"""``cove auth status``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.cli.credential_text import as_object, told
from cove.operations.auth.inspection import Status, status
from cove.wiring import Session

HELP = """Say for each index which credential is in force, where it is from, when it ends, and what it hides.

No index is asked, and no secret is printed. Places that start a program or ask a service (keyring, the clouds) are asked only
if nothing before them has a credential; with `--all`, always."""
GROUPS = ("index", "output")


def arguments(parser: ArgumentParser) -> None:
    """The index, and ``--all``."""
    parser.add_argument("index", nargs="?", metavar="INDEX", help="The name of one index; all when not given")
    parser.add_argument("--all", action="store_true", help="Ask every place, to find all that is hidden")


def run(context: Context) -> int:
    """One paragraph, or JSON object, for each index; status 2 where it could not be found out."""
    given = context.arguments
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        found = status(session, given.index, asks_all=given.all)
    if context.settings.output_format == "json":
        context.console.json([_as_object(each) for each in found])
    else:
        for position, each in enumerate(found):
            if position:
                context.console.print("")
            _tell(context, each)
    return 2 if any(each.error is not None for each in found) else 0


def _tell(context: Context, found: Status) -> None:
    console, index = context.console, found.index
    console.print(f"{index.name or '(no name)'} {index.url.without_credentials()}")
    if found.error is not None:
        console.error(found.error)
    elif found.active is None:
        console.print("  no credential" + (" is ever sent" if index.authenticate == "never" else ""))
    else:
        console.print(f"  in force: {told(found.active)}")
    for each in found.shadowed:
        console.print(f"  hidden:   {told(each)}")
    if found.unasked:
        console.print(f"  not asked: {', '.join(found.unasked)} (`--all` asks)")


def _as_object(found: Status) -> dict[str, object]:
    return {
        "index": found.index.name,
        "url": found.index.url.public,
        "authenticate": found.index.authenticate,
        "active": as_object(found.active) if found.active is not None else None,
        "hidden": [as_object(each) for each in found.shadowed],
        "not-asked": list(found.unasked),
        "error": found.error.message if found.error is not None else None,
    }
