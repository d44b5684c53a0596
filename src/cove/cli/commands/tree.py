"""``cove tree``."""

from argparse import ArgumentParser, ArgumentTypeError

from cove.cli import drawing, pip_options, selecting
from cove.cli.context import Context
from cove.errors import UsageError
from cove.model.dataclasses import replace
from cove.operations.export.tree import Branch, Tree, View, tree
from cove.operations.lock.reach import key_of
from cove.wiring import Session

HELP = """Show what the project's lock has as a tree, with the index of every package where there are several.

The lock is brought up to date before."""
GROUPS = ("index", "resolver", "lock", "build", "binary", "cache", "python", "output")


def arguments(parser: ArgumentParser) -> None:
    """Which part, and how."""
    add = parser.add_argument
    add("-d", "--depth", type=depth, default=255, metavar="N", help="Show so many levels below the roots")
    add("--prune", action="append", default=[], metavar="PACKAGE", help="Leave this package out")
    add("--package", action="append", default=[], metavar="PACKAGE", help="Begin with this package")
    add("--no-dedupe", action="store_true", help="Show the same branches again instead of a (*)")
    add("--invert", action="store_true", help="Show who requires a package, instead of what it requires")
    add("--outdated", action="store_true", help="Show the newest version that each package's index has")
    add("--show-index", action="store_true", help="Show the index of every package even where there is only one")
    add("--show-sizes", action="store_true", help="Show the size of a wheel of each package")
    add("--universal", action="store_true", help="Show all platforms and Pythons")
    add("--python-version", default="", metavar="VERSION", help="Show what this Python needs")
    add("--python-platform", default="", metavar="PLATFORM", help="Show what this platform needs")
    selecting.add_groups(parser, "Show")


def run(context: Context) -> int:
    """Show it."""
    settings, given = context.settings, context.arguments
    if settings.locked and settings.frozen:
        raise UsageError(
            "--locked and --frozen contradict each other: one judges the lock, the other takes it as it is"
        )
    view = View(
        selection=replace(selecting.selection(given, settings), members=()),  # `--package` is any package here
        packages=pip_options.names(given.package, "shown package"),
        pruned=pip_options.names(given.prune, "omitted package"),
        depth=given.depth,
        dedupe=not given.no_dedupe,
        invert=given.invert,
        outdated=given.outdated,
        universal=given.universal,
        python_version=given.python_version,
        python_platform=given.python_platform,
    )
    with Session(settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        found = tree(session, view)
    if settings.output_format == "json":
        context.console.json([_object(root, found, sizes=given.show_sizes) for root in found.roots])
        return 0
    names_index = given.show_index or len(set(found.indexes.values())) > 1

    def label(branch: Branch) -> str:
        return _label(branch, found, names_index=names_index, sizes=given.show_sizes)

    for line in drawing.lines(found.roots, label, repeated="Package tree already displayed"):
        context.console.print(line)
    return 0


def depth(text: str) -> int:
    """A number of levels."""
    if not text.isdigit():
        raise ArgumentTypeError("it must be a number")
    return int(text)


def _label(branch: Branch, found: Tree, *, names_index: bool, sizes: bool) -> str:
    package, key = branch.package, key_of(branch.package)
    text = package.name + (f"[{', '.join(branch.extras)}]" if branch.extras else "")
    text += f" v{package.version}" if package.version else ""
    text += f" ({branch.kind}: {branch.part})" if branch.kind else ""
    size = _size(branch) if sizes else None
    text += f" ({drawing.size(size)})" if size is not None else ""
    text += f" (latest: v{found.latest[key]})" if key in found.latest else ""
    text += f" [{found.indexes[key]}]" if names_index and key in found.indexes else ""
    return text


def _size(branch: Branch) -> int | None:
    """That of the first wheel of which the lock has one."""
    return next((wheel.size for wheel in branch.package.wheels if wheel.size is not None), None)


def _object(branch: Branch, found: Tree, *, sizes: bool) -> dict[str, object]:
    package, key = branch.package, key_of(branch.package)
    made: dict[str, object] = {"name": package.name, "version": package.version or None}
    made["source"] = {package.source.kind: package.source.location}
    if key in found.indexes:
        made["index"] = found.indexes[key]
    if branch.extras:
        made["extras"] = list(branch.extras)
    if branch.kind:
        made[branch.kind] = branch.part
    if sizes and (size := _size(branch)) is not None:
        made["size"] = size
    if key in found.latest:
        made["latest"] = str(found.latest[key])
    if branch.is_repeated:
        made["repeated"] = True
    return {**made, "branches": [_object(below, found, sizes=sizes) for below in branch.branches]}
