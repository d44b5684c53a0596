"""The command that a written file shows in its header, made anew from what it was understood to be."""

import shlex
from collections.abc import Collection, Iterator

from cove.cli.context import Context
from cove.config.settings import SETTINGS
from cove.model.url import Url

_SHOWN = frozenset({"index", "resolver", "lock", "build", "binary", "pip-binary", "pip", "compile", "python"})
_HIDDEN = frozenset({"upgrade", "upgrade-package"})
_INDEXES = frozenset({"index", "default-index", "index-url", "extra-index-url"})
_LINKS = frozenset({"find-links"})


def of(context: Context, *words: str, positional: str = "", index_url: bool, find_links: bool) -> str:
    """The command of these ``words`` with its arguments on one line. ``positional`` is the name of the arguments that have no
    flag; where indexes are is shown with ``index_url``, and where links are with ``find_links``. What may hold a secret does
    not get in.
    """
    hidden = _HIDDEN | (frozenset() if index_url else _INDEXES) | (frozenset() if find_links else _LINKS)
    return shlex.join(("cove", *words, *_own(context, positional), *_of_settings(context, hidden)))


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


def _of_settings(context: Context, hidden: Collection[str]) -> Iterator[str]:
    # What a command says of its own result comes first.
    for setting in sorted(SETTINGS, key=lambda each: each.group != "compile"):
        given = [item for item in context.settings.given(setting.name) if item.origin.kind == "flag"]
        if not given or setting.group not in _SHOWN or setting.name in hidden:
            continue
        if setting.form == "switch":
            yield given[0].origin.name
        else:
            yield from (word for item in given for word in (setting.flag, _without_secret(str(item.value))))


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
