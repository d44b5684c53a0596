"""Writes ``docs/settings.md`` from the declarations in ``cove.config.settings``: ``python docs/settings_page.py``."""

from pathlib import Path

from cove.config.settings import GROUPS, SETTINGS, Setting

_HEAD = """\
# Settings

Written by `python docs/settings_page.py` from the declarations in `cove.config.settings`; do not edit.

A flag outranks its variable; both outrank the project's files, these the user's `uv.toml`, and that the system's. Of
lists, the items of all files count, those of higher sources first. Keys stand in `[tool.uv]` of `pyproject.toml` or at the top
of `uv.toml` where nothing else is said; the `pip` commands read `[tool.uv.pip]` first. Keys of `tool.cove` also stand,
without this prefix, in a `cove/cove.toml` beside the folder of the user's or system's `uv/uv.toml`: for all projects and tools.
"""


def page() -> str:
    """The text of the page."""
    return "\n".join([_HEAD, *(line for group in GROUPS for line in _section(group))]).rstrip() + "\n"


def _section(group: str) -> list[str]:
    rows = [_row(setting) for setting in SETTINGS if setting.group == group]
    heading = f"## {GROUPS[group]} (`{group}`)"
    return [heading, "", "| flag | variable | key | meaning | default |", "|---|---|---|---|---|", *rows, ""]


def _row(setting: Setting[object]) -> str:
    flag = ", ".join(f"`{word}`" for word in (setting.short, setting.flag, setting.negative) if word)
    variables = ", ".join(f"`{name}`" for name in setting.env)
    cells = (flag, variables, _key(setting), _meaning(setting), _default(setting))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _key(setting: Setting[object]) -> str:
    if not setting.toml:
        return ""
    where = {"uv": "", "pip": "pip.", "cove": "tool.cove."}[setting.table]
    return f"`{where}{setting.toml}`"


def _meaning(setting: Setting[object]) -> str:
    choices = ", ".join(f"`{word}`" for word in setting.choices)
    return f"{setting.help} ({choices})" if choices else setting.help


def _default(setting: Setting[object]) -> str:
    if setting.form in ("switch", "list", "count") or not setting.default:
        return ""
    return f"`{setting.default}`"


if __name__ == "__main__":
    Path(__file__).with_name("settings.md").write_text(page(), encoding="utf-8")
