import json
import subprocess
import sys

import pytest

from support.commandline import Sandbox
from support.programs import run

CORP = "https://example.com/team"


@pytest.fixture
def corp(sandbox: Sandbox) -> Sandbox:
    sandbox.cove("auth", "login", CORP, "-u", "me", "--password", "s3cret").ok()
    return sandbox


def ask(sandbox: Sandbox, protocol: str, action: str, stdin: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cove", "auth", "helper", "--protocol", protocol, action]
    return run(command, sandbox.environ, sandbox.work, stdin=stdin)


def test_bazel(corp: Sandbox) -> None:
    known = ask(corp, "bazel", "get", json.dumps({"uri": f"{CORP}/x.whl", "more": 1}))
    assert (known.returncode, known.stderr) == (0, "")
    assert json.loads(known.stdout) == {"headers": {"Authorization": ["Basic bWU6czNjcmV0"]}}
    for uri in ("https://example.com/teams/x", "http://example.com/team", "https://you@example.com/team/"):
        assert json.loads(ask(corp, "bazel", "get", json.dumps({"uri": uri})).stdout) == {"headers": {}}
    corp.cove("auth", "login", "example.org", "--bearer", "-t", "tok").ok()
    bearer = ask(corp, "bazel", "get", '{"uri": "https://example.org/x"}')
    assert json.loads(bearer.stdout) == {"headers": {"Authorization": ["Bearer tok"]}}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"uri": 5}', '{"uri": "example.com"}', '"x"'])
def test_bazel_asks_in_another_form(corp: Sandbox, text: str) -> None:
    done = ask(corp, "bazel", "get", text)
    assert (done.returncode, done.stdout) == (2, "")
    assert '{"uri": "https://…"}' in done.stderr
    assert ask(corp, "bazel", "store", "{}").returncode == 2


def git(sandbox: Sandbox, action: str, stdin: str) -> str:
    """git itself, with the helper as its only one."""
    helper = f"!{sys.executable} -m cove auth helper --protocol git"
    options = ["-c", "credential.helper=", "-c", f"credential.helper={helper}", "-c", "credential.useHttpPath=true"]
    done = run(
        ["git", *options, "credential", action],
        {**sandbox.environ, "GIT_TERMINAL_PROMPT": "0"},
        sandbox.work,
        stdin=stdin,
    )
    return done.stdout


def request(path: str = "team/repo.git", *more: str) -> str:
    return "\n".join(("protocol=https", "host=example.com", f"path={path}", *more)) + "\n\n"


def test_git(corp: Sandbox) -> None:
    filled = git(corp, "fill", request())
    assert "username=me\npassword=s3cret\n" in filled
    assert git(corp, "fill", request("other.git")) == ""
    assert git(corp, "fill", request("team/repo.git", "username=you")) == ""
    before = corp.cove("auth", "token", CORP).ok().stdout
    git(corp, "approve", request("team/repo.git", "username=me", "password=s3cret"))  # what it had from here
    assert corp.cove("auth", "token", "https://example.com/team/repo.git").ok().stdout == before
    git(corp, "approve", request("other.git", "username=you", "password=n3w"))
    assert "password=n3w" in git(corp, "fill", request("other.git"))
    git(corp, "reject", request("other.git", "username=you", "password=another"))
    assert "password=n3w" in git(corp, "fill", request("other.git"))
    git(corp, "reject", request("other.git", "username=you", "password=n3w"))
    assert git(corp, "fill", request("other.git")) == ""


@pytest.mark.parametrize(
    "stdin",
    [
        "",
        "protocol=ssh\nhost=example.com\n",
        "protocol=https\nhost=\n",
        "protocol=http\nhost=example.com\nusername=a\npassword=b\n",
    ],
)
def test_git_asks_for_what_is_not_to_be_had(corp: Sandbox, stdin: str) -> None:
    before = corp.cove("auth", "dir").ok().stdout
    for action in ("get", "store", "erase"):
        done = ask(corp, "git", action, stdin)
        assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
    assert corp.cove("auth", "token", CORP).ok().stdout == "s3cret\n"
    assert corp.cove("auth", "dir").ok().stdout == before
