from argparse import ArgumentParser
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cove.cli import options
from cove.cli.context import Command
from cove.config.settings import GROUPS, SETTINGS
from cove.errors import UsageError


def made(*groups: str, add: tuple[str, ...] = ()) -> ArgumentParser:
    def arguments(parser: ArgumentParser) -> None:
        for name in add:
            parser.add_argument(name)

    module = SimpleNamespace(HELP="Help.", GROUPS=groups, arguments=arguments, run=lambda context: 0)
    return options.parser("cove it", cast("Command", module))


def flags(*argv: str, groups: tuple[str, ...] = ("index", "resolver", "build")) -> dict[str, object]:
    return options.parse(made(*groups), argv)[0]


def test_what_is_not_given_is_absent() -> None:
    assert flags() == {}


def test_every_form() -> None:
    assert flags("--index", "a b", "--index", "c", "-i", "u", "-U", "-vv", "-q", "-P", "x", "--no-build") == {
        "index": ["a b", "c"],
        "index-url": "u",
        "upgrade": True,
        "verbose": 2,
        "quiet": 1,
        "upgrade-package": ["x"],
        "no-build": True,
    }
    assert flags("--no-upgrade", "--build", "--offline", "--no-offline") == {
        "upgrade": False, "no-build": False, "offline": False,
    }  # fmt: skip


def test_own_arguments_are_apart() -> None:
    found, own = options.parse(made("index", add=("name", "--index-name")), ["x", "--index", "y", "--index-name", "z"])
    assert found == {"index": ["y"]}
    assert vars(own) == {"name": "x", "index_name": "z"}


@pytest.mark.parametrize("argv", [["--ind", "x"], ["--token", "canary"], ["--index"], ["--offline=canary"]])
def test_words_that_mean_nothing_are_refused_without_being_quoted(argv: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        flags(*argv)
    assert "canary" not in str(caught.value)


def test_choices_of_a_command_are_not_quoted_either() -> None:
    parser = made()
    parser.add_argument("what", choices=["a", "b"])
    with pytest.raises(UsageError, match="not one of the choices") as caught:
        options.parse(parser, ["canary"])
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("group", [group for group in GROUPS if group not in ("global", "environment")])
def test_the_page_shows_every_flag_of_the_group(group: str) -> None:
    with pytest.raises(options.HelpShown) as shown:
        options.parse(made(group), ["--help"])
    for setting in SETTINGS:
        if setting.group in (group, "global") and setting.flag:
            assert setting.flag in shown.value.text


def test_help_on_a_terminal_is_coloured() -> None:
    module: Any = SimpleNamespace(HELP="Help.", GROUPS=("index",), arguments=lambda parser: None, run=None)
    with pytest.raises(options.HelpShown) as shown:
        options.parse(options.parser("cove it", module, color=True), ["-h"])
    assert "--index" in shown.value.text


def test_options_before_the_command() -> None:
    assert options.split_leading(["-q", "--directory", "d", "--color=never", "sync", "--frozen"]) == (
        ["-q", "--directory", "d", "--color=never"],
        ["sync", "--frozen"],
    )
    assert options.split_leading([]) == ([], [])
