"""``cove index why``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.cli.render import Console, error_object
from cove.errors import ProjectNotFound
from cove.model.candidate import Candidate, Rejected
from cove.model.outcome import Absent, Found, Outcome, Unavailable
from cove.operations.index.why import Reply, Why, why
from cove.wiring import Session

HELP = """Say which index a package is taken from, by which rule, and what each index answered.

Files that cannot be used here are listed with the reason. Exit status: 0 found, 1 absent, 2 an index could not answer."""
GROUPS = ("index", "resolver", "build", "binary", "cache", "python", "output")

_SHOWN = 10
"""So many rejected files are listed, the newest, unless all are wanted."""


def arguments(parser: ArgumentParser) -> None:
    """The package, and ``--all-files``."""
    parser.add_argument("package", metavar="PACKAGE", help="The name of a package")
    parser.add_argument("--all-files", action="store_true", help="List every file that cannot be used")


def run(context: Context) -> int:
    """Ask, and explain."""
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        found = why(session, context.arguments.package)
    outcome = found.search.outcome
    if context.settings.output_format == "json":
        context.console.json(_as_object(found))
    else:
        _explain(context.console, found, limit=None if context.arguments.all_files else _SHOWN)
        if isinstance(outcome, Unavailable):
            context.console.error(outcome.error)
        elif isinstance(outcome, Absent):
            context.console.error(ProjectNotFound(f"`{found.search.name}` was not found on {found.search.absent}"))
    return {Found: 0, Absent: 1, Unavailable: 2}[type(outcome)]


# -- for people ------------------------------------------------------------------------------------------------------


def _explain(console: Console, found: Why, *, limit: int | None) -> None:
    origin = "" if found.origin.kind == "default" else f" ({found.origin})"
    console.print(f"{found.search.name}: {found.search.rule}{origin}")
    rows = [_row(reply) for reply in found.replies]
    rows += [(index.label, "not asked", "-", "-", str(index.origin)) for index in found.unasked]
    if rows:
        console.print("")
        console.table(("Index", "Answer", "Files", "Best", "Defined in"), rows)
    if found.candidates is None or isinstance(found.search.outcome, Unavailable):
        return
    target = f"Python {found.interpreter.version}"
    console.print("")
    if found.best is None:
        console.print(f"None of its files can be used on {target}.")
    else:
        console.print(f"Taken from {found.best.index.label}: {found.best.version} ({found.best.file.filename})")
    _list(console, found.candidates.rejected, target, limit)


def _list(console: Console, rejected: tuple[Rejected, ...], target: str, limit: int | None) -> None:
    if not rejected:
        return
    shown = rejected if limit is None else rejected[-limit:]
    console.print("")
    console.print(f"{len(rejected)} {'file' if len(rejected) == 1 else 'files'} cannot be used on {target}:")
    for each in shown:
        console.print(f"  {each.filename}: {each.why}")
    if len(shown) < len(rejected):
        console.print(f"  and {len(rejected) - len(shown)} more, which `--all-files` lists")


def _row(reply: Reply) -> tuple[str, str, str, str, str]:
    outcome = reply.outcome
    files = str(len(outcome.page.files)) if isinstance(outcome, Found) else "-"
    best = str(reply.best.version) if reply.best is not None else "-"
    return (outcome.index.label, _answer(outcome), files, best, str(outcome.index.origin))


def _answer(outcome: Outcome) -> str:
    match outcome:
        case Found():
            return "found"
        case Absent(reason=reason):
            return reason
        case Unavailable(error=error):
            return error.code


# -- for programs ----------------------------------------------------------------------------------------------------


def _as_object(found: Why) -> dict[str, object]:
    rejected = found.candidates.rejected if found.candidates is not None else ()
    return {
        "name": found.search.name,
        "rule": found.search.rule,
        "origin": str(found.origin),
        "python": found.interpreter.version,
        "answers": [_reply_object(reply) for reply in found.replies],
        "not_asked": [index.label for index in found.unasked],
        "chosen": _candidate_object(found.best) if not isinstance(found.search.outcome, Unavailable) else None,
        "rejected": [{"filename": each.filename, "version": each.version, "why": each.why} for each in rejected],
    }


def _reply_object(reply: Reply) -> dict[str, object]:
    outcome = reply.outcome
    index = outcome.index
    about: dict[str, object] = {"index": index.name, "url": index.url.public, "origin": str(index.origin)}
    match outcome:
        case Found(page=page):
            return about | {"answer": "found", "files": len(page.files), "best": _candidate_object(reply.best)}
        case Absent(reason=reason):
            return about | {"answer": "absent", "reason": reason}
        case Unavailable(error=error):
            return about | {"answer": "unavailable", **error_object(error)}


def _candidate_object(candidate: Candidate | None) -> dict[str, object] | None:
    if candidate is None:
        return None
    return {"version": str(candidate.version), "filename": candidate.file.filename, "index": candidate.index.name}
