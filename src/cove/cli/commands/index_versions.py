"""``cove index versions``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.cli.render import Console, error_object
from cove.model.outcome import Absent, Found, Unavailable
from cove.operations.index.versions import Listed, OnIndex, Versions, versions
from cove.wiring import Session

HELP = """List the versions of a package, index by index.

Only indexes that a resolution would ask are asked, unless all are wanted. Exit status: 0 found, 1 absent, 2 an index could
not answer."""
GROUPS = ("index", "resolver", "build", "binary", "cache", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """The package, and ``--all-indexes``."""
    parser.add_argument("package", metavar="PACKAGE", help="The name of a package")
    parser.add_argument("--all-indexes", action="store_true", help="Ask every index, whatever another one answered")


def run(context: Context) -> int:
    """Ask, and list."""
    arguments = context.arguments
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        found = versions(session, arguments.package, everywhere=arguments.all_indexes)
    if context.settings.output_format == "json":
        context.console.json(_as_object(found))
    else:
        _list(context.console, found)
    outcomes = [each.outcome for each in found.indexes]
    if any(isinstance(outcome, Unavailable) for outcome in outcomes):
        return 2
    return 0 if any(isinstance(outcome, Found) for outcome in outcomes) else 1


def _list(console: Console, found: Versions) -> None:
    for number, each in enumerate(found.indexes):
        if number:
            console.print("")
        match each.outcome:
            case Found():
                console.print(f"{each.index.label}:")
                for listed in each.versions:
                    console.print(f"  {listed.version}{_marks(listed, each, found)}")
            case Absent(reason=reason):
                console.print(f"{each.index.label}: {reason}")
            case Unavailable(error=error):
                console.print(f"{each.index.label}: {error.code}")
                console.error(error)
    for index in found.unasked:
        console.print(f"\n{index.label}: not asked")


def _marks(listed: Listed, on: OnIndex, found: Versions) -> str:
    marks = []
    if found.latest == (listed.version, on.index):
        marks.append("the latest that fits")
    if not listed.fits:
        marks.append(listed.why_not or f"not for Python {found.python}")
    if listed.yanked is not None:
        marks.append(f"yanked: {listed.yanked}" if listed.yanked else "yanked")
    return f"  ({'; '.join(marks)})" if marks else ""


def _as_object(found: Versions) -> dict[str, object]:
    latest = found.latest
    return {
        "name": found.name,
        "python": found.python,
        "latest": None if latest is None else {"version": str(latest[0]), "index": latest[1].name},
        "indexes": [_index_object(each) for each in found.indexes],
        "not_asked": [index.label for index in found.unasked],
    }


def _index_object(each: OnIndex) -> dict[str, object]:
    about: dict[str, object] = {"index": each.index.name, "url": each.index.url.public}
    match each.outcome:
        case Found():
            return about | {"answer": "found", "versions": [_version_object(listed) for listed in each.versions]}
        case Absent(reason=reason):
            return about | {"answer": "absent", "reason": reason}
        case Unavailable(error=error):
            return about | {"answer": "unavailable", **error_object(error)}


def _version_object(listed: Listed) -> dict[str, object]:
    about = {"version": str(listed.version), "files": listed.files, "fits": listed.fits, "yanked": listed.yanked}
    return about | ({"why": listed.why_not} if listed.why_not else {})
