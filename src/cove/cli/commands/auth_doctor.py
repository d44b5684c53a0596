"""``cove auth doctor``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.cli.credential_text import as_object, told
from cove.cli.render import Console, error_object
from cove.operations.auth.doctor import Diagnosis, diagnose
from cove.operations.auth.question import Question, Verdict
from cove.operations.auth.sources import Source
from cove.wiring import Session

HELP = """Find out what is wrong with the credentials for an index, and how to mend it.

Every source is asked in order (no person is), then the index for a page, one of its files for one byte, and its upload URL with
an empty form, which publishes nothing. No secret is printed. Without an argument every index in force is examined.

Exit status: 0 fine, 3 no credential is known, 4 it is refused (wrong or expired), 5 it may not read this package (or not
publish, with --publish), 6 the host cannot be reached, 7 TLS failed, 2 anything else; that of the first index with trouble."""
GROUPS = ("index", "output")

STATUSES: dict[Verdict, int] = {"missing": 3, "refused": 4, "forbidden": 5, "unreachable": 6, "tls": 7, "other": 2}

_WORDS: dict[Verdict, str] = {
    "fine": "fine",
    "missing": "no credential",
    "unreachable": "unreachable",
    "tls": "TLS failed",
    "other": "trouble",
}


def arguments(parser: ArgumentParser) -> None:
    """The index, ``--package`` and ``--publish``."""
    parser.add_argument("where", nargs="?", metavar="INDEX|URL", help="The name of a configured index, or a URL")
    parser.add_argument("--package", metavar="NAME", help="A package that the index has, to ask for it and its files")
    parser.add_argument(
        "--publish",
        action="store_true",
        help="Ask the upload URL as `cove publish` would, and let its answer count",
    )


def run(context: Context) -> int:
    """One paragraph, or JSON object, for each index."""
    given = context.arguments
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        found = diagnose(session, given.where, package=given.package, to_publish=given.publish)
    if context.settings.output_format == "json":
        context.console.json([_as_object(each) for each in found])
    else:
        for position, each in enumerate(found):
            if position:
                context.console.print("")
            _tell(context.console, each)
    return next((_status(each) for each in found if _status(each)), 0)


def _status(found: Diagnosis) -> int:
    return STATUSES.get(found.verdict, 0)


def _tell(console: Console, found: Diagnosis) -> None:
    console.print(f"{found.index.name or '(no name)'} {found.index.url.without_credentials()} ({found.registry.title})")
    for source in found.sources:
        console.print(f"  {source.name:<12} {source.state:<9}  {_about(source)}".rstrip())
        for note in source.notes:
            console.print(f"  {'':<22}  {note}")
    for asked in found.questions:
        console.print(f"  {asked.what:<12} {_WORDS.get(asked.verdict, asked.verdict):<13}  {asked.text}")
        for line in asked.server:
            console.print(f"  {'':<26}  the server says: {line}")
    if found.error is not None:
        console.print(f"  {'':<12} {'trouble':<13}  {found.error.message}")
    advice = found.advice
    if advice:
        console.print("")
    for each in advice:
        console.print(f"  to do: {each}")


def _about(source: Source) -> str:
    if source.credential is None:
        return source.detail
    return f"{told(source.credential)}" + (f": {source.detail}" if source.detail else "")


def _as_object(found: Diagnosis) -> dict[str, object]:
    about: dict[str, object] = {
        "index": found.index.name,
        "url": found.index.url.public,
        "registry": found.registry.name,
        "package": found.package,
        "verdict": found.verdict,
        "status": _status(found),
        "sources": [
            {
                "source": source.name,
                "state": source.state,
                "detail": source.detail,
                "credential": as_object(source.credential) if source.credential is not None else None,
                "notes": list(source.notes),
            }
            for source in found.sources
        ],
        "questions": [_question_object(asked) for asked in found.questions],
        "advice": list(found.advice),
    }
    return about | (error_object(found.error) if found.error is not None else {})


def _question_object(asked: Question) -> dict[str, object]:
    return {
        "question": asked.what,
        "verdict": asked.verdict,
        "counts": asked.counts,
        "url": asked.url.without_credentials().public if asked.url is not None else None,
        "status": asked.status,
        "text": asked.text,
        "server": list(asked.server),
        "credential": str(asked.sent.origin) if asked.sent is not None else None,
    }
