import io
import json

import pytest

from cove.cli.render import Console, table_lines
from cove.config.merge import merge
from cove.config.settings import Given
from cove.errors import StaleLock
from cove.model.origin import Origin


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def console(*, terminal: bool = False, **settings: object) -> Console:
    given = {name.replace("_", "-"): (Given(value, Origin("flag", name)),) for name, value in settings.items()}
    made = Console(io.StringIO(), Terminal() if terminal else io.StringIO())
    made.configure(merge([given]))
    return made


def err(of: Console) -> str:
    assert isinstance(of.err, io.StringIO)
    return of.err.getvalue()


def out(of: Console) -> str:
    assert isinstance(of.out, io.StringIO)
    return of.out.getvalue()


ERROR = StaleLock("the lock\nis old", causes=("a changed", "b changed\ntwice"), hints=("run `cove lock`", "x", "x"))


def test_an_error_has_the_shape_of_uv() -> None:
    made = console(quiet=1)
    made.error(ERROR)
    assert err(made) == (
        "error: the lock\n       is old\n  cause: a changed\n  cause: b changed\n         twice\n\n"
        "hint: run `cove lock`\n\nhint: x\n"
    )


def test_an_error_as_json_is_data_on_stdout() -> None:
    made = console(output_format="json")
    made.error(ERROR)
    assert err(made) == ""
    assert json.loads(out(made)) == {
        "error": {
            "code": "stale-lock",
            "message": "the lock\nis old",
            "causes": ["a changed", "b changed\ntwice"],
            "hints": ["run `cove lock`", "x"],
        }
    }


@pytest.mark.parametrize(
    "terminal, settings, colored",
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"no_color": True}, False),
        (False, {"force_color": True}, True),
        (True, {"color": "never", "force_color": True}, False),
        (False, {"color": "always", "no_color": True}, True),
    ],
)
def test_colours(terminal: bool, settings: dict[str, object], colored: bool) -> None:
    made = console(terminal=terminal, **settings)
    made.warning("w")
    assert ("\x1b[" in err(made)) is colored


def test_q_leaves_errors_only() -> None:
    made = console(quiet=1, verbose=1)
    made.say("a")
    made.detail("b")
    made.warning("c", "d")
    assert err(made) == ""
    made.error(ERROR)
    assert err(made) != ""


@pytest.mark.parametrize("verbose, shown", [(0, ""), (1, "x\n")])
def test_details_are_for_v(verbose: int, shown: str) -> None:
    made = console(verbose=verbose)
    made.detail("x")
    assert err(made) == shown


def test_what_others_say_cannot_move_the_cursor() -> None:
    made = console(terminal=True, color="never")
    made.warning("\x1b[2Jgone\r\u202e\x9b\ttab\nline")
    assert err(made) == "warning: �[2Jgone���\ttab\n         line\n"
    made.print("\x1b]0;title\x07")
    assert "\x1b" not in out(made)


def test_tables() -> None:
    assert table_lines(("Name", "V"), [("a", "1.0"), ("longer", "")]) == [
        "Name   V", "------ ---", "a      1.0", "longer",
    ]  # fmt: skip
    assert table_lines(("Name",), []) == ["Name", "----"]
