"""Several sources of raw values become one ``Settings``."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from cove.config.readers import bool_of_text, int_of_text
from cove.config.settings import SETTINGS, Given, Interface, Setting, Settings
from cove.errors import ConfigurationError, CoveError, UsageError
from cove.model.event import Event

Tier = Mapping[str, tuple[Given, ...]]
"""What one source gives, by the settings' names: one value, or the items of a list one by one."""


def merge(
    tiers: Sequence[Tier],
    *,
    interface: Interface = "project",
    notices: tuple[Event, ...] = (),
    member_indexes: tuple[Given, ...] = (),
) -> Settings:
    """The settings that ``tiers``, highest first, add up to: the highest value wins, lists are joined highest first,
    but for those of which only the highest source counts.

    Raises ``UsageError`` for a flag and ``ConfigurationError`` for a variable or file whose value cannot be used.
    """
    values: dict[str, object] = {}
    given: dict[str, tuple[Given, ...]] = {}
    for setting in SETTINGS:
        found = [tier[setting.name] for tier in tiers if setting.name in tier]
        if not found:
            continue
        if setting.merge == "override":
            given[setting.name] = found[0]
            values[setting.name] = _read(setting, found[0][0])
        else:
            items = tuple(item for items in (found[:1] if setting.alone else found) for item in items)
            given[setting.name] = items
            values[setting.name] = tuple(element for item in items for element in _read_items(setting, item))
    return Settings(values, given, interface, notices, member_indexes)


def with_fallback(settings: Settings, lower: Tier) -> Settings:
    """``settings`` with one more source, below all others."""
    present = {setting.name: given for setting in SETTINGS if (given := settings.given(setting.name))}
    return merge(
        [present, lower],
        interface=settings.interface,
        notices=settings.notices,
        member_indexes=settings.member_indexes,
    )


def _read(setting: Setting[object], given: Given) -> object:
    try:
        return setting.read(given.value)
    except ValueError as error:
        raise refusal(setting, given, str(error)) from None


def _read_items(setting: Setting[object], item: Given) -> tuple[object, ...]:
    read = _read(setting, Given([item.value], item.origin, item.folder))
    assert isinstance(read, tuple)
    return read


def refusal(setting: Setting[object], given: Given, reason: str) -> CoveError:
    """The error for a value that cannot be used, naming the place where it was given.

    The value is quoted only where it cannot be a secret: where a word, a number or a yes was expected.
    """
    hints: tuple[str, ...] = ()
    shown = ""
    if isinstance(given.value, str) and (setting.choices or setting.text in (bool_of_text, int_of_text)):
        shown = f" has the value `{given.value}`, which"
        near = get_close_matches(given.value, setting.choices, n=1)
        hints = (f"did you mean `{near[0]}`?",) if near else ()
    ending = f"{shown} cannot be used: {reason}" if shown else f" cannot be used: {reason}"
    if given.origin.kind == "flag":
        return UsageError(f"the option `{given.origin}`{ending}", hints=hints)
    if given.origin.kind == "variable":
        return ConfigurationError(f"the environment variable `{given.origin.name}`{ending}", hints=hints)
    return ConfigurationError(f"{given.origin}: `{setting.toml}`{ending}", hints=hints)
