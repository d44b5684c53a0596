import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cove.model.secret import Secret
from cove.server.accounts import hash_password
from cove.testing import PackageFactory
from support.browser import ask
from support.commandline import Sandbox

CANARY = "c4n4ry-p4ss"


class Serving:
    """A ``cove serve`` of its own process; ``told`` is what it said before it was ready."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stderr is not None
        self.told = ""
        for line in process.stderr:
            self.told += line
            if line.startswith("publish-url"):
                break
        self.urls = dict(re.findall(r'^([\w-]+) = "(http.+)"$', self.told, re.MULTILINE))


@contextmanager
def serving(sandbox: Sandbox, *argv: str, **variables: str) -> Iterator[Serving]:
    command = [sys.executable, "-m", "cove", "serve", "--port", "0", *argv]
    environ = {**sandbox.environ, **variables}
    with subprocess.Popen(
        command, env=environ, cwd=sandbox.work, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Serving(process)
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=10)
            assert (process.returncode, out) == (0, ""), err
            assert CANARY not in err


def test_serve_publish_and_end_in_order(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    wheel = wheel_factory.wheel("foo").write_to(sandbox.work / "dist")
    with serving(sandbox, "files", "--user", "me", "-v", COVE_SERVE_PASSWORD=CANARY) as server:
        assert CANARY not in server.told
        block = server.told[server.told.index("[[tool.uv.index]]") :]
        sandbox.project(block)
        assert ask(server.urls["url"]).status == 401
        own = {"UV_INDEX_PRIVATE_USERNAME": "me", "UV_INDEX_PRIVATE_PASSWORD": CANARY}
        assert "Uploaded" in sandbox.cove("publish", "--index", "private", environ=own).ok().stderr
        assert (sandbox.work / "files" / "foo" / wheel.name).is_file()
        assert server.process.stderr is not None
        assert server.process.stderr.readline() == "GET /simple/ 401\n"
        assert server.process.stderr.readline() == "GET /simple/foo/ 404 by me\n"


def test_a_password_is_made_up_and_shown_once(sandbox: Sandbox) -> None:
    with serving(sandbox, "--user", "me", "--anonymous-read") as server:
        (password,) = re.findall(r"shown only now: (\S+)", server.told)
        assert ask(server.urls["url"]).status == 200
        assert ask(server.urls["publish-url"], "POST", user=("me", "wrong")).status == 401
        assert ask(server.urls["publish-url"], "POST", user=("me", password)).status == 400


def test_passwords_and_accounts_from_files(sandbox: Sandbox) -> None:
    (sandbox.work / "password").write_text(f"{CANARY}\nnot this\n")
    (sandbox.work / "accounts").write_text(f"reader:read:{hash_password(Secret('r34d'))}\n")
    with serving(sandbox, "--user", "me", "--password-file", "password", "--accounts", "accounts") as server:
        assert ask(server.urls["url"], user=("me", CANARY)).status == 200
        assert ask(server.urls["url"], user=("reader", "r34d")).status == 200
        assert ask(server.urls["publish-url"], "POST", user=("reader", "r34d")).status == 403


def test_an_open_index_is_warned_of(sandbox: Sandbox) -> None:
    with serving(sandbox) as server:
        assert server.told.startswith("warning: everybody who reaches 127.0.0.1 may read and publish")
        assert ask(server.urls["url"]).status == 200


@pytest.mark.parametrize(
    "argv, words",
    [
        (["--password-file", "x"], "--password-file without a user"),
        (["--user", "a:b"], "has no colon"),
        (["--user", "me", "--password-file", "missing"], "missing cannot be read: No such file"),
        (["--user", "me", "-q"], "nobody would see the generated password"),
        (["--accounts", "bad"], "bad:1 is not an account"),
        (["--port", "many"], "invalid int value"),
    ],
)
def test_what_cannot_be_served(sandbox: Sandbox, argv: list[str], words: str) -> None:
    (sandbox.work / "bad").write_text("me\n")
    ran = sandbox.cove("serve", *argv)
    assert (ran.status, ran.stdout) == (2, "")
    assert words in ran.stderr


def test_without_its_libraries_it_says_how_to_get_them(sandbox: Sandbox) -> None:
    code = "import sys; sys.modules['granian'] = None; from cove.cli.main import main; sys.exit(main(['serve']))"
    done = subprocess.run(
        [sys.executable, "-c", code], env=sandbox.environ, cwd=sandbox.work, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "hint: pip install 'cove[server]'" in done.stderr
