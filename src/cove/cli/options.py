"""The options of a command, derived from the settings it takes; and its words, read back as settings."""

from argparse import SUPPRESS, Action, ArgumentParser, HelpFormatter, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from typing import Never

from cove.cli.context import Command
from cove.config.settings import GROUPS, SETTINGS, Setting
from cove.errors import UsageError

_PREFIX = "setting:"


class HelpShown(Exception):
    """Raised by ``parse`` when help was asked for; ``text`` is the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class _Parser(ArgumentParser):
    """An ``ArgumentParser`` that raises instead of printing and leaving."""

    def error(self, message: str) -> Never:
        # argparse quotes what was typed in these three forms only, and what was typed may be a secret
        if message.startswith("argument ") and "invalid choice: " in message:
            name, _, rest = message.partition(": invalid choice: ")
            message = f"{name}: not one of the choices {rest[rest.rfind('(') :]}"
        elif ": ignored explicit argument " in message:
            message = f"{message.partition(':')[0]}: takes no value"
        elif message.startswith("ambiguous option"):
            message = "ambiguous option"
        raise UsageError(message, hints=(f"`{self.prog} --help` describes the options",))


class _Help(Action):
    def __call__(self, parser: ArgumentParser, *_: object) -> Never:
        raise HelpShown(parser.format_help().rstrip())


def parser(program: str, command: Command, *, color: bool = False) -> ArgumentParser:
    """The parser of one command: its own arguments first, then the options of its groups of settings."""
    made = _Parser(
        prog=program,
        description=command.HELP,
        formatter_class=_formatter(color=color),
        add_help=False,
        allow_abbrev=False,
    )
    command.arguments(made)
    groups = (*command.GROUPS, "global")
    sections = {heading: made.add_argument_group(heading) for heading in dict.fromkeys(map(GROUPS.__getitem__, groups))}
    for group in groups:
        section = sections[GROUPS[group]]
        for setting in SETTINGS:
            if setting.group == group and setting.flag:
                declare(section.add_argument, setting)
        if group == "global":
            section.add_argument("-h", "--help", action=_Help, nargs=0, default=SUPPRESS, help="Show this page")
    return made


def declare(add: Callable[..., object], setting: Setting[object]) -> None:
    """The option of one setting, for commands that take it without the rest of its group; ``add`` is ``add_argument``."""
    names = tuple(filter(None, (setting.short, setting.flag, setting.also)))
    target = {"dest": _PREFIX + setting.name, "default": SUPPRESS}
    variables = f" [env: {setting.env[0]}]" if setting.env else ""
    help_line = (setting.help + variables).replace("%", "%%")
    if setting.form == "switch":
        add(*names, action="store_true", help=help_line, **target)
        if setting.negative:
            add(setting.negative, action="store_false", help=SUPPRESS, **target)
    elif setting.form == "count":
        add(*names, action="count", help=help_line, **target)
    else:
        action = "append" if setting.form == "list" else "store"
        metavar = f"{{{','.join(setting.choices)}}}" if setting.choices else setting.metavar
        add(*names, action=action, metavar=metavar, help=help_line, **target)


def _formatter(*, color: bool) -> type[HelpFormatter]:
    if not color:
        return RawDescriptionHelpFormatter
    from rich_argparse import RawDescriptionRichHelpFormatter

    return RawDescriptionRichHelpFormatter


def parse(made: ArgumentParser, argv: Sequence[str]) -> tuple[dict[str, object], Namespace]:
    """The settings that ``argv`` gives, by name and raw, and the command's own arguments.

    Raises ``UsageError`` for words that mean nothing, ``HelpShown`` when help was asked for.
    """
    found, rest = made.parse_known_args(list(argv))
    if rest:
        raise UsageError(_unexpected(rest), hints=(f"`{made.prog} --help` describes the options",))
    flags: dict[str, object] = {}
    own = Namespace()
    for name, value in vars(found).items():
        if name.startswith(_PREFIX):
            flags[name.removeprefix(_PREFIX)] = value
        else:
            setattr(own, name, value)
    return flags, own


def _unexpected(rest: Sequence[str]) -> str:
    """Name what was not understood, without values: one of them may be a password."""
    options = [word.partition("=")[0] for word in rest if word.startswith("-") and word != "--"]
    if options:
        return f"unknown option `{options[0]}`"
    first = rest[0]
    return "there is an argument too many" if "@" in first or "://" in first else f"unexpected argument `{first}`"


def split_leading(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Options that stand before the command (``cove --offline sync``), with their values, and the words from it on."""
    with_value = {
        name
        for setting in SETTINGS
        if setting.group == "global" and setting.form in ("value", "list")
        for name in (setting.flag, setting.short)
    }
    words = list(argv)
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 2 if words[at] in with_value else 1
    return words[:at], words[at:]
