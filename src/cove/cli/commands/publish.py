"""``cove publish``."""

from argparse import ArgumentParser

from cove.cli import options
from cove.cli.context import Context
from cove.cli.render import error_object
from cove.config.settings import BY_NAME
from cove.model.outcome import AlreadyThere, Refused, Uploaded, UploadOutcome
from cove.operations.publish import Published, publish
from cove.wiring import Session

HELP = """Upload wheels and sdists to an index.

Files that the index has already, with the same content, are passed over. Without other credentials the index's own are used."""
GROUPS = ("publish", "output")


def arguments(parser: ArgumentParser) -> None:
    """The files, ``--dry-run`` and ``--keyring-provider``."""
    parser.add_argument("files", nargs="*", metavar="FILES", help="Files or patterns; dist/* when none are given")
    parser.add_argument("--dry-run", action="store_true", help="Check everything; upload nothing")
    options.declare(parser.add_argument, BY_NAME["keyring-provider"])


def run(context: Context) -> int:
    """Publish, and say of each file what became of it."""
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        published = publish(session, context.arguments.files, dry_run=context.arguments.dry_run)
    refused = [outcome for outcome in published.outcomes if isinstance(outcome, Refused)]
    if context.settings.output_format == "json":
        context.console.json(_as_object(published, dry_run=context.arguments.dry_run))
    else:
        for outcome in refused:
            context.console.error(outcome.error)
    return 2 if refused else 0


def _as_object(published: Published, *, dry_run: bool) -> dict[str, object]:
    credential = published.credential
    return {
        "index": published.target.index.name if published.target.index is not None else None,
        "url": published.target.url.public,
        "credential": str(credential.origin) if credential is not None else None,
        "dry_run": dry_run,
        "files": [_file_object(outcome) for outcome in published.outcomes],
    }


def _file_object(outcome: UploadOutcome) -> dict[str, object]:
    match outcome:
        case Uploaded(filename):
            return {"filename": filename, "outcome": "uploaded"}
        case AlreadyThere(filename):
            return {"filename": filename, "outcome": "already there"}
        case Refused(filename, error):
            return {"filename": filename, "outcome": "refused", **error_object(error)}
