"""The command that a written file shows in its header, made anew from what it was understood to be."""

import shlex
from collections.abc import Iterator

from cove.cli.context import Context
from cove.config.settings import SETTINGS, Setting
from cove.model.url import Url

_SHOWN = frozenset({"resolver", "lock", "build", "binary", "pip-binary", "pip", "python"})
_NOT_SHOWN = frozenset({"upgrade", "upgrade-package"})
_PLACES = frozenset({"index", "default-index", "index-url", "extra-index-url", "find-links"})


def of(context: Context, *words: str, positional: str = "") -> str:
    """The command of these ``words`` with its arguments on one line, empty with ``--no-header``. ``positional`` is the name of
    the arguments that have no flag. What may hold a secret does not get in.
    """
    given = vars(context.arguments)
    if given["no_header"]:
        return ""
    custom = given.get("custom_compile_command") or context.settings.custom_compile_command
    if custom and positional:
        return " ".join(custom.split())
    return shlex.join(("cove", *words, *_own(context, positional), *_of_settings(context)))


def _own(context: Context, positional: str) -> Iterator[str]:
    for name, value in vars(context.arguments).items():
        flag = "--" + name.replace("_", "-")
        if name == positional:
            yield from map(_without_secret, value)
        elif value is True:
            yield flag
        elif isinstance(value, list):
            yield from (word for each in value for word in (flag, _without_secret(each)))
        elif isinstance(value, str):
            yield from (flag, _without_secret(value))


def _of_settings(context: Context) -> Iterator[str]:
    for setting in SETTINGS:
        given = [item for item in context.settings.given(setting.name) if item.origin.kind == "flag"]
        if not given or not _is_shown(setting, context):
            continue
        if setting.form == "switch":
            yield given[0].origin.name
        else:
            yield from (word for item in given for word in (setting.flag, _without_secret(str(item.value))))


def _is_shown(setting: Setting[object], context: Context) -> bool:
    if setting.name in _PLACES:
        arguments_ = context.arguments
        return bool(arguments_.emit_find_links if setting.name == "find-links" else arguments_.emit_index_url)
    return (setting.group in _SHOWN and setting.name not in _NOT_SHOWN) or setting.group == "index"


def _without_secret(text: str) -> str:
    """User info is left out of URLs, also behind the name of an index."""
    name, equals, place = text.partition("=")
    prefix, url = (name + equals, place) if equals and "://" not in name else ("", text)
    if "://" not in url:
        return text
    try:
        return prefix + Url.parse(url).public
    except ValueError:
        return prefix + "<URL>"
