import json
import tomllib
from base64 import b64encode

import pytest

from cove.testing import PackageFactory
from support.commandline import Sandbox
from support.scripted_server import Received, Reply, serving

PASSWORD = "c4n4ry p@ss"
QUOTED = "c4n4ry%20p%40ss"
RIGHT = "Basic " + b64encode(f"me:{PASSWORD}".encode()).decode()
PROJECT = '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = []\n[tool.uv]\nno-index = true\n'


@pytest.mark.parametrize("more", [[], ["--no-sync"], ["--frozen"], ["--group", "dev"], ["--raw"]])
def test_a_typed_password_is_used_and_written_nowhere(
    sandbox: Sandbox, wheel_factory: PackageFactory, more: list[str]
) -> None:
    wheel = wheel_factory.wheel("foo")

    def answer(received: Received) -> Reply:
        return Reply(200, wheel.content) if received.headers.get("authorization") == RIGHT else Reply(401)

    with serving(answer) as server:
        place = f"{server.url}/files/{wheel.filename}"
        typed = place.replace("://", f"://me:{QUOTED}@")
        project = sandbox.project(PROJECT)
        ran = sandbox.cove("add", f"foo @ {typed}", "--output-format", "json", *more).ok()
        assert json.loads(ran.stdout) == {"requirements": [f"foo @ {place}"]}
        written = tomllib.loads((project / "pyproject.toml").read_text())
        if "--raw" in more:
            assert written["project"]["dependencies"] == [f"foo @ {place}"]
        else:
            assert written["tool"]["uv"]["sources"] == {"foo": {"url": place}}
        assert f"cove auth login {server.url}/files" in ran.stderr
        for path in sandbox.root.rglob("*"):
            assert not path.is_file() or b"c4n4ry" not in path.read_bytes(), path
        assert "c4n4ry" not in ran.stdout + ran.stderr
        if not more:
            sandbox.cove("auth", "login", f"{server.url}/files", "-u", "me", "--password", PASSWORD).ok()
            sandbox.cove("sync", "--reinstall", "--no-cache").ok()


def test_user_info_that_holds_no_secret_stays(sandbox: Sandbox) -> None:
    project = sandbox.project(PROJECT)
    texts = ["a @ git+ssh://git@example.com/a.git", "b @ https://${USER}:${TOKEN}@example.com/b-1-py3-none-any.whl"]
    ran = sandbox.cove("add", "--frozen", *texts).ok()
    written = tomllib.loads((project / "pyproject.toml").read_text())
    assert written["project"]["dependencies"] == ["a", texts[1]]
    assert written["tool"]["uv"]["sources"] == {"a": {"git": "ssh://git@example.com/a.git"}}
    assert "warning" not in ran.stderr


def test_git_over_https_is_no_exception(sandbox: Sandbox) -> None:
    project = sandbox.project(PROJECT)
    ran = sandbox.cove("add", "--frozen", "a @ git+https://c4n4ry@example.com/team/a.git@v1#subdirectory=x").ok()
    written = (project / "pyproject.toml").read_text()
    assert 'a = { git = "https://example.com/team/a.git", subdirectory = "x", rev = "v1" }' in written
    assert "c4n4ry" not in ran.stdout + ran.stderr
    assert "https://example.com/team" in ran.stderr
    sandbox.cove("add", "--frozen", "b @ HTTPS://me:c4n4ry@example.com/b+http://x@y").ok()
    assert "c4n4ry" not in (project / "pyproject.toml").read_text()
