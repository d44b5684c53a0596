"""``cove export``."""

from argparse import ArgumentParser
from pathlib import Path

from cove.cli import header, pip_options, selecting
from cove.cli.context import Context
from cove.errors import UsageError
from cove.formats.pylock_name import ALL_FORMATS, format_of
from cove.model.name import Name
from cove.operations.export.export import Scope, Style, export
from cove.wiring import Session

HELP = """Write what the project's lock has as requirements.txt, pylock.toml or CycloneDX, for all platforms and Pythons.

The lock is brought up to date before. Other installers read the first two; the files hold no credentials."""
GROUPS = ("index", "resolver", "lock", "build", "binary", "cache", "python")


def arguments(parser: ArgumentParser) -> None:
    """Which part of the lock, and how it is written."""
    add = parser.add_argument
    add("--format", choices=ALL_FORMATS, help="The format; a file called pylock.toml needs no telling")
    add("-o", "--output-file", metavar="FILE", help="Write the result to this file")
    selecting.add_extras(parser, "Include")
    selecting.add_groups(parser, "Include")
    add("--package", action="append", default=[], metavar="PACKAGE", help="Start from this member of the workspace")
    add("--all-packages", action="store_true", help="Start from all members of the workspace")
    add(
        "--prune", action="append", default=[], metavar="PACKAGE", help="Leave this package out, and what only it needs"
    )
    add("--no-emit-package", action="append", default=[], metavar="PACKAGE", help="Leave this package out")
    add("--no-emit-project", action="store_true", help="Leave the project itself out")
    add("--no-emit-workspace", action="store_true", help="Leave all members of the workspace out")
    add("--no-emit-local", action="store_true", help="Leave out what comes from a path")
    selecting.add_settings(parser, "no-editable", "no-editable-package")
    add(
        "--no-hashes",
        action="store_true",
        help="Leave the hashes out of requirements.txt, and the files out of CycloneDX",
    )
    add("--no-header", action="store_true", help="Leave out the comment with the command")
    add("--no-annotate", action="store_true", help="Leave out the comments on who requires what")
    add("--emit-index-url", action="store_true", help="Add the indexes, without credentials")
    add("--emit-find-links", action="store_true", help="Add the places of --find-links")
    add("--emit-index-annotation", action="store_true", help="Add a comment on the index of each package")


def run(context: Context) -> int:
    """Export, and print the result unless it goes to a file."""
    settings, given = context.settings, context.arguments
    if settings.locked and settings.frozen:
        raise UsageError(
            "--locked and --frozen contradict each other: one judges the lock, the other takes it as it is"
        )
    output = context.cwd / Path(given.output_file) if given.output_file else None
    format_ = format_of(given.format, given.output_file)
    emits = {"index_url": given.emit_index_url, "find_links": given.emit_find_links}
    header_ = "" if given.no_header else header.of(context, "export", **emits)
    style = Style(
        header=header_,
        editable=lambda name: not settings.no_editable and name not in settings.no_editable_package,
        hashes=not given.no_hashes,
        annotations=not given.no_annotate,
        index_url=given.emit_index_url,
        find_links=given.emit_find_links,
        index_annotations=given.emit_index_annotation,
    )
    with Session(settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        text = export(session, scope(context), style, format=format_, output=output)
    if output is None and text:
        context.console.print(text.removesuffix("\n"))
    return 0


def scope(context: Context) -> Scope:
    """Which part of the lock the arguments ask for."""
    given = context.arguments

    def named(option: str, what: str) -> tuple[Name, ...]:
        return pip_options.names(getattr(given, option), what)

    return Scope(
        selection=selecting.selection(given, context.settings),
        no_extras=named("no_extra", "extra"),
        members=named("package", "included package"),
        all_members=given.all_packages,
        without=named("prune", "omitted package"),
        silent=named("no_emit_package", "omitted package"),
        no_project=given.no_emit_project,
        no_members=given.no_emit_workspace,
        no_local=given.no_emit_local,
    )
