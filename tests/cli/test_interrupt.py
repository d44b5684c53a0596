"""Ctrl-C while a server is silent."""

import signal
import socket
import subprocess
import sys
import time

import pytest

from cove.testing import PackageFactory
from support.commandline import Sandbox

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are sent another way there")

COMMANDS = {
    "resolving": ("pip", "compile", "requirements.in"),
    "locking": ("lock",),
    "publishing": ("publish", "wheel.whl", "--publish-url", "{url}upload/", "-u", "ann", "-p", "pw"),
}


@pytest.mark.parametrize("argv", COMMANDS.values(), ids=COMMANDS)
def test_it_ends_at_once(argv: tuple[str, ...], sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    wheel_factory.wheel("acme").write_to(sandbox.work).rename(sandbox.work / "acme-1.0-py3-none-any.whl")
    (sandbox.work / "requirements.in").write_text("foo\nbar\n")
    sandbox.project(
        '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["foo", "bar"]\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        words = [word.format(url=url).replace("wheel.whl", "acme-1.0-py3-none-any.whl") for word in argv]
        process = subprocess.Popen(
            [sys.executable, "-m", "cove", *words],
            cwd=sandbox.work,
            env={**sandbox.environ, "UV_DEFAULT_INDEX": url + "simple/"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        with process, silent.accept()[0]:
            time.sleep(0.2)  # the request is on its way
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
            assert process.stderr is not None
            assert b"Traceback" not in process.stderr.read()
