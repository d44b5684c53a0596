"""``cove pip tree``."""

from argparse import ArgumentParser

from cove.cli import drawing, pip_options
from cove.cli.commands.tree import depth
from cove.cli.context import Context
from cove.model.event import Warned
from cove.operations.export.environment_tree import Branch, Tree, View, environment_tree
from cove.wiring import Session

HELP = """Show what is installed in an environment as a tree.

Which index a package came from is recorded nowhere in an environment: `cove tree` shows it for what a lock has."""
GROUPS = ("index", "resolver", "pip", "cache", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """Which part, and how."""
    add = parser.add_argument
    add("--show-version-specifiers", action="store_true", help="Show which versions each requirement allows")
    add("-d", "--depth", type=depth, default=255, metavar="N", help="Show so many levels below the roots")
    add("--prune", action="append", default=[], metavar="PACKAGE", help="Leave this package out")
    add("--package", action="append", default=[], metavar="PACKAGE", help="Begin with this package")
    add("--no-dedupe", action="store_true", help="Show the same branches again instead of a (*)")
    add("--invert", action="store_true", help="Show who requires a package, instead of what it requires")
    add("--outdated", action="store_true", help="Show the newest version that there is")
    add("--strict", action="store_true", help="Warn of requirements that are not met")


def run(context: Context) -> int:
    """Show it."""
    given = context.arguments
    view = View(
        packages=pip_options.names(given.package, "shown package"),
        pruned=pip_options.names(given.prune, "omitted package"),
        depth=given.depth,
        dedupe=not given.no_dedupe,
        invert=given.invert,
        outdated=given.outdated,
        strict=given.strict,
    )
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        found = environment_tree(session, view)
    for problem in found.problems:
        context.listener(Warned(problem))
    if context.settings.output_format == "json":
        context.console.json([_object(root, found) for root in found.roots])
        return 0

    def label(branch: Branch) -> str:
        return _label(branch, found, specifiers=given.show_version_specifiers, invert=given.invert)

    meaning = "is a cycle and cannot be shown" if given.no_dedupe else "already displayed"
    for line in drawing.lines(found.roots, label, repeated=f"Package tree {meaning}"):
        context.console.print(line)
    return 0


def _label(branch: Branch, found: Tree, *, specifiers: bool, invert: bool) -> str:
    text = f"{branch.name} v{branch.version}"
    if specifiers and branch.asker:
        wanted = branch.required or "*"
        text += f" [requires: {branch.asker} {wanted}]" if invert else f" [required: {wanted}]"
    if branch.name in found.latest and not branch.is_repeated:
        text += f" (latest: v{found.latest[branch.name]})"
    return text


def _object(branch: Branch, found: Tree) -> dict[str, object]:
    made: dict[str, object] = {"name": branch.name, "version": branch.version}
    if branch.asker:
        made["required"] = branch.required
    if branch.name in found.latest:
        made["latest"] = str(found.latest[branch.name])
    if branch.is_repeated:
        made["repeated"] = True
    return {**made, "branches": [_object(below, found) for below in branch.branches]}
