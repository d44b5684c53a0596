import base64
import subprocess
import sys
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.scripted_server import Received, Reply, serving

TOKEN = "c4n4ry"
PAGE = b'<a href="foo-1.0-py3-none-any.whl">foo-1.0-py3-none-any.whl</a>'
WORDS = ("index", "versions", "foo")

BACKEND = """
from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential

class Backend(KeyringBackend):
    priority = 1
    def set_password(self, service, username, password):
        raise NotImplementedError
    def get_password(self, service, username):
        return None
    def get_credential(self, service, username):
        if service == "http://broken.example/simple/":
            raise RuntimeError("c4n4ry")
        return SimpleCredential("ada", "c4n4ry") if service.endswith("/simple/") else None
"""
"""A backend for the real library."""


def feed(asked: Received) -> Reply:
    accepted = "Basic " + base64.b64encode(f"ada:{TOKEN}".encode()).decode()
    if asked.headers.get("authorization") != accepted:
        return Reply(401)
    return Reply(200, PAGE, {"Content-Type": "text/html"})


def install(sandbox: Sandbox, body: str) -> Path:
    """The program ``keyring``, which logs its calls."""
    log = sandbox.root / "calls"
    program = sandbox.home / "bin" / "keyring"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\n{body}\n')
    program.chmod(0o755)
    sandbox.using({"PATH": f"{program.parent}:{sandbox.environ['PATH']}"})
    return log


@pytest.mark.parametrize("way", ["variable", "flag", "file", "auto"])
def test_the_program_gives_the_first_request_its_credential(way: str, sandbox: Sandbox) -> None:
    log = install(sandbox, f"echo ada; echo {TOKEN}")
    with serving(feed) as server:
        index = f'[[tool.uv.index]]\nname = "corp"\nurl = "{server.url}/simple/"\ndefault = true\n'
        setting = '[tool.uv]\nkeyring-provider = "subprocess"\n' if way == "file" else ""
        sandbox.project(f'[project]\nname = "app"\nversion = "1"\n{setting}{index}')
        flags = ("--keyring-provider", "subprocess") if way == "flag" else ()
        variables = {"variable": {"UV_KEYRING_PROVIDER": "subprocess"}}.get(way, {})
        if way == "auto":  # a cove that has no library beside it
            ran = subprocess.run(
                [sys.executable, "-c", WITHOUT_LIBRARY, *WORDS, "--keyring-provider", "auto"],
                cwd=sandbox.work, env=sandbox.environ, capture_output=True, text=True, check=True, timeout=60,
            )  # fmt: skip
            assert "1.0" in ran.stdout
        else:
            done = sandbox.cove(*WORDS, *flags, environ=variables).ok()
            assert [request.status for request in done.requests] == [200]
        assert len(server.log) == 1
    assert log.read_text() == f"get {server.url}/simple/ --mode creds\n"


WITHOUT_LIBRARY = """
import sys
sys.modules["keyring"] = None
from cove.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("provider", ["import", "auto"])
def test_the_library_beside_cove(provider: str, sandbox: Sandbox) -> None:
    log = install(sandbox, "exit 9")
    (sandbox.root / "backends").mkdir()
    (sandbox.root / "backends" / "shelf.py").write_text(BACKEND)
    sandbox.using({"PYTHONPATH": str(sandbox.root / "backends"), "PYTHON_KEYRING_BACKEND": "shelf.Backend"})

    def run(url: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "cove", *WORDS, "--default-index", url, "--keyring-provider", provider],
            cwd=sandbox.work, env=sandbox.environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    with serving(feed) as server:
        assert "1.0" in run(f"{server.url}/simple/").stdout
        assert len(server.log) == 1
    sandbox.using({"HTTP_PROXY": "http://127.0.0.1:9"})
    failed = run("http://broken.example/simple/")
    assert "keyring failed for http://broken.example/simple/ (RuntimeError)" in failed.stderr
    assert TOKEN not in failed.stderr
    assert not log.exists()


@pytest.mark.parametrize(
    "body, words", [(None, "neither on PATH nor among the tools"), ("echo x >&2; exit 3", "exit status 3")]
)
def test_trouble_is_a_warning_once(body: str | None, words: str, sandbox: Sandbox) -> None:
    if body is not None:
        install(sandbox, body)
    with serving(feed) as server:
        sandbox.using({"UV_KEYRING_PROVIDER": "subprocess", "UV_DEFAULT_INDEX": f"{server.url}/b/simple/"})
        ran = sandbox.cove(*WORDS, "--all-indexes", "--index", f"{server.url}/a/simple/")
    assert ran.stderr.count("warning: the keyring program") == 1
    assert words in ran.stderr


def test_another_word_is_an_error(sandbox: Sandbox) -> None:
    ran = sandbox.cove(*WORDS, UV_KEYRING_PROVIDER="native")
    assert ran.status == 2
    assert "disabled, subprocess, import, auto" in ran.stderr
