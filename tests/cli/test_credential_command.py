import base64
import json
import os
import pty
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from select import select

import pytest

from support.commandline import Ran, Sandbox
from support.scripted_server import Received, Reply, ScriptedServer, serving

PAGE = b'<a href="foo-1.0-py3-none-any.whl">foo-1.0-py3-none-any.whl</a>'
TOKEN = "c4n4ry"
IN_AN_HOUR = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))


class Feed:
    """An index that lets one header in; ``accepted`` may change meanwhile."""

    def __init__(self) -> None:
        self.accepted = basic("__token__", TOKEN)
        self.header = "authorization"

    def __call__(self, asked: Received) -> Reply:
        if asked.headers.get(self.header) != self.accepted:
            return Reply(401)
        return Reply(200, PAGE, {"Content-Type": "text/html", "Cache-Control": "no-store"})


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


class Place:
    """A sandbox whose project has one index, ``corp``, and a program that logs each run and does ``body``."""

    def __init__(self, root: Path, server: ScriptedServer, feed: Feed) -> None:
        self.feed = feed
        self.sandbox = Sandbox(root)
        self.log = root / "log"
        self.helper = root / "helper"
        self.url = f"{server.url}/simple/"
        self.own = self.sandbox.home / ".config" / "cove" / "cove.toml"
        self.tokens = self.sandbox.home / ".local" / "share" / "cove" / "tokens.json"
        self.in_project("")

    def does(self, body: str, path: Path | None = None) -> None:
        path = path or self.helper
        path.parent.mkdir(parents=True, exist_ok=True)
        head = f"import json, os, sys\nread = sys.stdin.read()\nopen({str(self.log)!r}, 'a').write('run\\n')\n"
        path.write_text(f"#!{sys.executable}\n{head}{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def in_own_file(self, *options: str) -> None:
        self.own.parent.mkdir(parents=True, exist_ok=True)
        self.own.write_text("[index.corp]\n" + "\n".join(options or (self.command(),)) + "\n")

    def in_project(self, *options: str) -> None:
        self.sandbox.project(
            f'[project]\nname = "app"\nversion = "1"\n[[tool.uv.index]]\nname = "corp"\nurl = "{self.url}"\ndefault = true\n'
            "[tool.cove.index.corp]\n" + "\n".join(options) + "\n"
        )

    def command(self, *more: str) -> str:
        return f"credential-command = {json.dumps([str(self.helper), *more])}"

    def run(self, *flags: str, **variables: str) -> Ran:
        ran = self.sandbox.cove("index", "versions", "foo", *flags, environ=variables)
        assert TOKEN not in ran.stdout + ran.stderr
        return ran

    @property
    def runs(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


@pytest.fixture
def feed() -> Feed:
    return Feed()


def test_a_token_is_kept_until_it_ends(tmp_path: Path, feed: Feed) -> None:
    with serving(feed) as server:
        place = Place(tmp_path, server, feed)
        place.in_own_file()
        place.does(f"print(json.dumps({{'token': {TOKEN!r}, 'expires': {IN_AN_HOUR!r}}}))")
        for _ in range(2):
            assert "1.0" in place.run().ok().stdout
        assert place.runs == 1
        assert stat.S_IMODE(place.tokens.stat().st_mode) == 0o600
        found = [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
        assert sorted(found) == sorted([place.tokens, place.helper])
        place.sandbox.cove("cache", "clean").ok()
        place.run().ok()
        assert place.runs == 1, "cleaning the cache logs nobody out"
        place.tokens.write_text(place.tokens.read_text().replace(TOKEN, "stale"))
        ran = place.run().ok()
        assert place.runs == 2, "what the server refuses is made anew, once"
        assert [request.status for request in ran.requests] == [401, 200]
        assert "stale" not in place.tokens.read_text()
        feed.accepted = "nothing"
        ran = place.run()
        assert ran.status == 2
        assert [request.status for request in ran.requests] == [401], "the same again is not sent again"
        assert place.runs == 3


def test_a_password_without_an_end_is_asked_for_in_each_run(tmp_path: Path, feed: Feed) -> None:
    with serving(feed) as server:
        place = Place(tmp_path, server, feed)
        place.in_own_file()
        place.does(f"print({TOKEN!r})")
        for _ in range(2):
            assert len(place.run().ok().requests) == 1
        assert place.runs == 2
        assert not place.tokens.exists()


GIT = f"""
host = os.environ["COVE_INDEX_URL"].split("/")[2]
read == f"protocol=http\\nhost={{host}}\\npath=simple/\\n\\n" or sys.exit(9)
print("username=ada\\npassword={TOKEN}")
"""
BAZEL = f"""
sys.argv[1] == "get" and json.loads(read)["uri"] == os.environ["COVE_INDEX_URL"] or sys.exit(9)
print(json.dumps({{"headers": {{"Authorization": ["Bearer {TOKEN}"]}}}}))
"""
SPOKEN = {
    "JSON": ("auto", f"print(json.dumps({{'username': 'ada', 'password': {TOKEN!r}}}))", basic("ada", TOKEN)),
    "git": ("git", GIT, basic("ada", TOKEN)),
    "Bazel": ("bazel", BAZEL, f"Bearer {TOKEN}"),
    "header": ("auto", f"print(json.dumps({{'headers': {{'X-Api-Key': ['{TOKEN}']}}}}))", TOKEN),
    "text": ("text", f"print({TOKEN!r} * (os.environ['COVE_INDEX_NAME'] == 'corp'))", basic("__token__", TOKEN)),
}


@pytest.mark.parametrize("case", SPOKEN)
def test_the_protocols(case: str, tmp_path: Path, feed: Feed) -> None:
    protocol, body, feed.accepted = SPOKEN[case]
    feed.header = "x-api-key" if case == "header" else "authorization"
    with serving(feed) as server:
        place = Place(tmp_path, server, feed)
        place.in_own_file(place.command(), f'credential-protocol = "{protocol}"')
        place.does(body)
        assert len(place.run().ok().requests) == 1


@pytest.mark.parametrize(
    "body, words",
    [
        (
            f"print({TOKEN!r}); print('no {TOKEN} http://u:{TOKEN}@h', file=sys.stderr); sys.exit(7)",
            "failed (exit status 7)",
        ),
        (f'print(\'{{"token": "{TOKEN}"\')', "cannot be used: it is not JSON"),
        ("", ""),
    ],
)
def test_a_command_that_fails_is_told_and_has_nothing(body: str, words: str, tmp_path: Path, feed: Feed) -> None:
    with serving(feed) as server:
        place = Place(tmp_path, server, feed)
        place.in_own_file()
        place.does(body)
        ran = place.run()
        assert ran.status == 2
        assert ("the credential command `helper` of corp" in ran.stderr) is bool(words)
        assert words in ran.stderr
        assert "http://" not in ran.stderr.partition("hint")[0]
        detailed = place.run("-v")
        assert ("no **** http://****@h" in detailed.stderr) is ("stderr" in body)


def test_a_missing_program_is_named(tmp_path: Path, feed: Feed) -> None:
    with serving(feed) as server:
        place = Place(tmp_path, server, feed)
        place.in_own_file('credential-command = ["no-such-program"]')
        ran = place.run()
    assert "the credential command `no-such-program` of corp is not there" in ran.stderr
    assert f"{place.own}:2" in ran.stderr


@pytest.mark.parametrize("value", ['"echo x"', "[]", '[""]', '["a", 1]', "7"])
def test_a_command_is_a_list_of_words(value: str, tmp_path: Path, feed: Feed) -> None:
    with serving(feed) as server:
        place = Place(tmp_path, server, feed)
        place.in_own_file(f"credential-command = {value}")
        ran = place.run()
    assert ran.status == 2
    assert f"{place.own}:2: `credential-command`" in ran.stderr


# --- projects ---------------------------------------------------------------------------------------------------------


def on_a_terminal(place: Place, answer: str) -> str:
    """What a person sees who runs ``cove index versions foo``, types ``answer``, and gives no password."""
    replies = {b"[y/N] ": f"{answer}\n", b"User name for corp: ": "ada\n", b"Password for corp: ": "\n"}
    master, slave = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "cove", "index", "versions", "foo"],
        cwd=place.sandbox.work, env=place.sandbox.environ, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    seen = b""
    with suppress(OSError):  # the other end is closed
        while select([master], [], [], 20)[0]:
            seen += os.read(master, 4096)
            for question in [question for question in replies if seen.endswith(question)]:
                os.write(master, replies.pop(question).encode())
    os.close(master)
    child.kill()
    child.wait()
    return seen.decode()


def test_nothing_of_a_cloned_project_runs_unasked(tmp_path: Path, feed: Feed) -> None:
    with serving(feed) as server:
        place = Place(tmp_path, server, feed)
        helper = place.sandbox.work / "tools" / "helper"
        place.does(f"print({TOKEN!r})", helper)
        relative = 'credential-command = ["tools/helper"]'
        place.in_project(relative)
        ran = place.run()
        assert (ran.status, place.runs, ran.requests) == (2, 0, ())
        assert "wants to run a command for the password of corp, which nobody has allowed yet" in ran.stderr
        assert "pyproject.toml:9" in ran.stderr
        assert f"tools/helper', and {place.url} would get" in ran.stderr
        place.run(COVE_TRUST_CREDENTIAL_COMMANDS="1").ok()
        assert place.runs == 1
        assert place.run().status == 2, "for that run only"

        seen = on_a_terminal(place, "n")
        assert "Allow it from now on? [y/N]" in seen
        assert "was not allowed" in seen
        assert place.runs == 1
        seen = on_a_terminal(place, "y")
        assert f"index:   {place.url}" in seen
        assert "1.0" in seen
        assert place.runs == 2
        place.run().ok()
        assert place.runs == 3

        place.does(f"print({TOKEN!r}); 'changed'", helper)
        assert place.run().status == 2, "the program is another one"
        place.does(f"print({TOKEN!r})", helper)
        place.run().ok()
        place.in_project(relative.replace("]", ', "more"]'))
        assert place.run().status == 2, "the command is another one"
        place.in_project(relative)
        project = place.sandbox.work / "pyproject.toml"
        project.write_text(project.read_text().replace("/simple/", "/other/"))
        assert place.run().status == 2, "the index is another one"


def test_a_project_cannot_take_the_place_of_the_users_command(tmp_path: Path, feed: Feed) -> None:
    with serving(feed) as server:
        place = Place(tmp_path, server, feed)
        place.does(f"print({TOKEN!r})")
        place.in_own_file()
        place.in_project('credential-command = ["touch", "owned"]')
        assert place.run().status == 2
    assert not (place.sandbox.work / "owned").exists()
