"""Being asked at the terminal: a real process, on a terminal of its own."""

import os
import pty
import select
import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from support.commandline import Sandbox
from support.gate import Gate, basic
from support.scripted_server import serving
from support.simple_pages import MAKE, Place, project

GOOD = basic("ada", "typed-s3cret")


@dataclass
class Typed:
    """What came of a command at whose terminal somebody typed."""

    status: int
    shown: str


def at_terminal(sandbox: Sandbox, *argv: str, answers: dict[str, str], **variables: str) -> Typed:
    """``cove *argv`` on a terminal; when one of ``answers`` is shown, what it maps to is typed."""
    terminal, other_side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cove", *argv],
        cwd=sandbox.work,
        env={**sandbox.environ, **variables},
        stdin=other_side,
        stdout=other_side,
        stderr=other_side,
        start_new_session=True,
    )
    os.close(other_side)
    shown, waiting, ends = "", dict(answers), time.monotonic() + 30
    with process:
        try:
            while time.monotonic() < ends and (piece := _read(terminal)) is not None:
                shown += piece
                for question in [question for question in waiting if question in shown]:
                    os.write(terminal, waiting.pop(question).encode() + b"\n")
        finally:
            process.kill() if time.monotonic() >= ends else process.wait()
            os.close(terminal)
    return Typed(process.returncode, shown)


def _read(terminal: int) -> str | None:
    """What is shown next, if anything is; ``None`` at the end."""
    if not select.select([terminal], [], [], 0.2)[0]:
        return ""
    try:
        return os.read(terminal, 4096).decode("utf-8", "replace") or None
    except OSError:  # Linux: the other side has been closed
        return None


def place() -> Place:
    return Place().add(MAKE.wheel("main", requires=["lib"]), MAKE.wheel("lib"))


QUESTIONS = {"User name for corp: ": "ada", "Password for corp: ": "typed-s3cret"}


def test_a_person_is_asked_once_after_a_401(sandbox: Sandbox) -> None:
    gate = Gate(place(), {GOOD})
    with serving(gate) as server:
        sandbox.project(project(f"{server.url}/simple/", "main"))
        typed = at_terminal(sandbox, "lock", answers=QUESTIONS)
    assert typed.status == 0, typed.shown
    assert typed.shown.count("Password for corp: ") == 1
    assert "typed-s3cret" not in typed.shown, "it is not echoed"
    assert gate.seen[0] == ""
    assert set(gate.seen) == {"", GOOD}
    for path in sandbox.root.rglob("*"):
        assert path.is_dir() or b"typed-s3cret" not in path.read_bytes(), "it is kept nowhere"


def test_the_user_name_in_the_url_is_not_asked_for_and_a_refused_answer_ends_it(sandbox: Sandbox) -> None:
    gate = Gate(place(), set())
    with serving(gate) as server:
        sandbox.project(project(f"{server.url}/simple/".replace("://", "://ada@"), "main"))
        typed = at_terminal(sandbox, "lock", answers=QUESTIONS)
    assert typed.status == 2
    assert "User name for" not in typed.shown
    assert typed.shown.count("Password for corp: ") == 1
    assert "they came from the prompt" in typed.shown.replace("\r\n", " ")
    assert set(gate.seen) == {"", GOOD}


def test_an_index_that_wants_to_know_always_is_asked_nothing_before(sandbox: Sandbox) -> None:
    gate = Gate(place(), {GOOD})
    with serving(gate) as server:
        text = project(f"{server.url}/simple/", "main")
        sandbox.project(text.replace("default = true", 'default = true\nauthenticate = "always"'))
        assert at_terminal(sandbox, "lock", answers=QUESTIONS).status == 0
    assert set(gate.seen) == {GOOD}


@pytest.mark.parametrize(
    "status, argv, variables",
    [
        (401, ("lock",), {"CI": "true"}),
        (401, ("lock", "--no-progress"), {}),
        (401, ("lock", "--quiet"), {}),
        (403, ("lock",), {}),
        (200, ("lock",), {}),
    ],
)
def test_nobody_is_asked_otherwise(
    sandbox: Sandbox, status: int, argv: tuple[str, ...], variables: dict[str, str]
) -> None:
    gate = Gate(place(), {""} if status == 200 else set(), statuses={"": status})
    with serving(gate) as server:
        sandbox.project(project(f"{server.url}/simple/", "main"))
        typed = at_terminal(sandbox, *argv, answers=QUESTIONS, **variables)
    assert typed.status == (0 if status == 200 else 2)
    assert "Password for" not in typed.shown
    assert "User name for" not in typed.shown


def test_nobody_is_asked_without_a_terminal(sandbox: Sandbox) -> None:
    with serving(Gate(place(), set())) as server:
        sandbox.project(project(f"{server.url}/simple/", "main"))
        done = subprocess.run(
            [sys.executable, "-m", "cove", "lock"],
            cwd=sandbox.work,
            env=sandbox.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert "wants credentials for `main` (401 Unauthorized); none are known" in done.stderr
    assert "Password" not in done.stderr
