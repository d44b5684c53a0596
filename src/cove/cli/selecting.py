"""The options that say which part of a lock is installed or shown, shared by ``sync``, ``run``, ``export`` and ``tree``."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from cove.cli.options import declare
from cove.config.settings import BY_NAME, Settings
from cove.model.name import Name, normalize
from cove.operations.lock.wanted import Selection


def add_arguments(parser: ArgumentParser) -> None:
    """``--extra``, ``--group`` and their like, and what of the environment stays as it is."""
    add_extras(parser, "Install")
    add_groups(parser, "Install")
    add_left_out(parser)
    add_settings(parser, "no-editable", "no-editable-package")
    parser.add_argument(
        "--package", action="append", default=[], metavar="PACKAGE", help="For this member of the workspace"
    )
    parser.add_argument("--all-packages", action="store_true", help="For all members of the workspace")
    parser.add_argument("--inexact", action="store_true", help="Keep what is installed and not in the lock")


def add_settings(parser: ArgumentParser, *names: str) -> None:
    """The options of single settings."""
    for name in names:
        declare(parser.add_argument, BY_NAME[name])


def add_left_out(parser: ArgumentParser) -> None:
    """``--no-install-project`` and its like."""
    add_settings(parser, *(f"no-install-{what}" for what in ("project", "workspace", "local", "package")))


def add_extras(parser: ArgumentParser, verb: str) -> None:
    """``--extra``, ``--all-extras`` and ``--no-extra``; ``verb`` is what is done with them."""
    add = parser.add_argument
    add("--extra", action="append", default=[], metavar="EXTRA", help=f"{verb} this extra of the project")
    add("--all-extras", action="store_true", help=f"{verb} all extras")
    add("--no-extra", action="append", default=[], metavar="EXTRA", help="With --all-extras: leave this extra out")


def add_groups(parser: ArgumentParser, verb: str) -> None:
    """``--group`` and its like."""
    add = parser.add_argument
    add("--group", action="append", default=[], metavar="GROUP", help=f"{verb} this dependency group")
    add("--no-group", action="append", default=[], metavar="GROUP", help="Leave this group out")
    add("--only-group", action="append", default=[], metavar="GROUP", help=f"{verb} this group alone")
    add("--all-groups", action="store_true", help=f"{verb} all dependency groups")
    add("--dev", action="store_true", help=f"{verb} the group `dev` (as by default)")
    add("--only-dev", action="store_true", help=f"{verb} the group `dev` alone")
    add_settings(parser, "no-dev", "no-default-groups")


def selection(arguments: Namespace, settings: Settings) -> Selection:
    """What the options say; those that a command does not have are as if they were not given. One that names a group outranks
    what a variable says of all runs."""
    given = vars(arguments)
    takes_dev = arguments.dev or arguments.only_dev
    leaves_dev = settings.no_dev and not (takes_dev and settings.origin("no-dev").kind == "variable")
    return Selection(
        extras=_names(given.get("extra", ())),
        all_extras=bool(given.get("all_extras")),
        no_extras=_names(given.get("no_extra", ())),
        groups=_names([*arguments.group, *(["dev"] if arguments.dev else [])]),
        no_groups=_names([*arguments.no_group, *(["dev"] if leaves_dev else [])]),
        only_groups=_names([*arguments.only_group, *(["dev"] if arguments.only_dev else [])]),
        all_groups=arguments.all_groups,
        no_default_groups=settings.no_default_groups,
        members=_names(given.get("package", ())),
        all_members=bool(given.get("all_packages")),
        keeps_extraneous=bool(given.get("inexact")),
    )


def _names(texts: Iterable[str]) -> tuple[Name, ...]:
    return tuple(normalize(text) for text in texts)
