"""Arguments that several of the pip commands share, and what they come to."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cove.cli.context import Context
from cove.config.settings import Settings
from cove.errors import UsageError
from cove.model.name import Name, is_valid_name, normalize
from cove.operations.compile.inputs import Inputs

if TYPE_CHECKING:
    from cove.operations.environment.install import Done


def add_requirements(parser: ArgumentParser, what: str) -> None:
    """Requirements as arguments, ``-e`` and ``-r``."""
    parser.add_argument("requirements", nargs="*", metavar="REQUIREMENT", help=what)
    parser.add_argument(
        "-e",
        "--editable",
        action="append",
        default=[],
        metavar="PATH",
        help="Install the project at this path in place",
    )
    parser.add_argument(
        "-r", "--requirements", "--requirement", action="append", default=[], dest="files", metavar="FILE",
        help="A requirements file, pyproject.toml or pylock.toml",
    )  # fmt: skip


def add_parts(parser: ArgumentParser) -> None:
    """Extras and groups of a ``pyproject.toml``."""
    parser.add_argument(
        "--extra",
        action="append",
        default=[],
        metavar="EXTRA",
        help="Take this extra of the pyproject.toml or pylock.toml too",
    )
    parser.add_argument(
        "--all-extras", action="store_true", help="Take all extras of the pyproject.toml or pylock.toml"
    )
    parser.add_argument(
        "--group",
        action="append",
        default=[],
        metavar="[PATH:]GROUP",
        help="Take this group of the pyproject.toml or pylock.toml",
    )


def inputs(arguments: Namespace, limits: Settings | None = None) -> Inputs:
    """What the arguments ask for, within ``limits``; a ``-`` among the files is standard input, which is read now."""
    given = vars(arguments)
    files = tuple(given.get("files", ()))
    return Inputs(
        arguments=tuple(given.get("requirements", ())),
        editables=tuple(given.get("editable", ())),
        files=files,
        constraints=limits.constraint if limits else (),
        overrides=limits.override if limits else (),
        excludes=limits.exclude if limits else (),
        build_constraints=limits.build_constraint if limits else (),
        extras=names(given.get("extra", ()), "extra"),
        all_extras=bool(given.get("all_extras")),
        groups=tuple(given.get("group", ())),
        stdin=sys.stdin.read() if "-" in files else "",
    )


def names(texts: Sequence[str], what: str) -> tuple[Name, ...]:
    """Names that were typed, normalised; raises ``UsageError``."""
    for text in texts:
        if not is_valid_name(text):
            raise UsageError(f"`{text}` cannot be the name of an {what}")
    return tuple(dict.fromkeys(normalize(text) for text in texts))


def report(context: Context, done: "Done") -> None:
    """Say what became of an environment."""
    from cove.cli.summaries import plan_object, plan_summary

    if context.settings.output_format == "json":
        context.console.json(plan_object(done.plan))
    elif done.plan.is_empty:
        context.console.say(f"Audited {done.asked} package{'' if done.asked == 1 else 's'}")
    else:
        for line in plan_summary(done.plan, dry_run=context.arguments.dry_run):
            context.console.say(line)
