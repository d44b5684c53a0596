"""The options that say which part of a lock is installed or shown, shared by ``sync``, ``run``, ``export`` and ``tree``."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from cove.model.name import Name, normalize
from cove.operations.sync import Selection


def add_arguments(parser: ArgumentParser) -> None:
    """``--extra``, ``--group`` and their like, and what of the environment stays as it is."""
    add_extras(parser, "Install")
    add_groups(parser, "Install")
    parser.add_argument("--no-install-project", action="store_true", help="Do not install the project itself")
    parser.add_argument(
        "--package", action="append", default=[], metavar="PACKAGE", help="For this member of the workspace"
    )
    parser.add_argument("--all-packages", action="store_true", help="For all members of the workspace")
    parser.add_argument("--inexact", action="store_true", help="Keep what is installed and not in the lock")


def add_extras(parser: ArgumentParser, verb: str) -> None:
    """``--extra`` and ``--all-extras``; ``verb`` is what is done with them."""
    parser.add_argument(
        "--extra", action="append", default=[], metavar="EXTRA", help=f"{verb} this extra of the project"
    )
    parser.add_argument("--all-extras", action="store_true", help=f"{verb} all extras")


def add_groups(parser: ArgumentParser, verb: str) -> None:
    """``--group`` and its like."""
    parser.add_argument("--group", action="append", default=[], metavar="GROUP", help=f"{verb} this dependency group")
    parser.add_argument("--no-group", action="append", default=[], metavar="GROUP", help="Leave this group out")
    parser.add_argument("--only-group", action="append", default=[], metavar="GROUP", help=f"{verb} this group alone")
    parser.add_argument("--all-groups", action="store_true", help=f"{verb} all dependency groups")
    parser.add_argument("--no-default-groups", action="store_true", help="Leave out the groups taken by default")
    parser.add_argument("--dev", action="store_true", help=f"{verb} the group `dev` (as by default)")
    parser.add_argument("--no-dev", action="store_true", help="Leave out the group `dev`")
    parser.add_argument("--only-dev", action="store_true", help=f"{verb} the group `dev` alone")


def selection(arguments: Namespace) -> Selection:
    """What the options say; those that a command does not have are as if they were not given."""
    given = vars(arguments)
    return Selection(
        extras=_names(given.get("extra", ())),
        all_extras=bool(given.get("all_extras")),
        groups=_names([*arguments.group, *(["dev"] if arguments.dev else [])]),
        no_groups=_names([*arguments.no_group, *(["dev"] if arguments.no_dev else [])]),
        only_groups=_names([*arguments.only_group, *(["dev"] if arguments.only_dev else [])]),
        all_groups=arguments.all_groups,
        no_default_groups=arguments.no_default_groups,
        no_project=bool(given.get("no_install_project")),
        members=_names(given.get("package", ())),
        all_members=bool(given.get("all_packages")),
        keeps_extraneous=bool(given.get("inexact")),
    )


def _names(texts: Iterable[str]) -> tuple[Name, ...]:
    return tuple(normalize(text) for text in texts)
