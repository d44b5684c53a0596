import json
import os
import pty
import subprocess
import sys
import tomllib
from base64 import b64encode
from pathlib import Path

import pytest

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Ran, Sandbox
from support.programs import run
from support.scripted_server import Received, Reply, serving

CORP = "https://example.com/team/simple/"
CANARY = "c4n4ry"


@pytest.fixture
def corp(sandbox: Sandbox) -> Sandbox:
    sandbox.project(f'[[tool.uv.index]]\nname = "corp"\nurl = "{CORP}"\n')
    return sandbox


def file_of(sandbox: Sandbox) -> Path:
    return sandbox.home / ".local" / "share" / "uv" / "credentials" / "credentials.toml"


def stored(sandbox: Sandbox) -> list[tuple[str, str | None, str]]:
    path = file_of(sandbox)
    tables = tomllib.loads(path.read_text()).get("credential", []) if path.exists() else []
    return [(each["service"], each.get("username"), each.get("password", each.get("token"))) for each in tables]


def refused(ran: Ran, *words: str) -> None:
    assert (ran.status, ran.stdout) == (2, "")
    assert all(word in ran.stderr for word in words), ran.stderr
    assert CANARY not in ran.stderr


@pytest.mark.parametrize(
    "arguments, entry",
    [
        (["corp", "-u", "me", "--password", "p"], ("https://example.com/team", "me", "p")),
        ([CORP, "--username", "me", "--password", "p"], ("https://example.com/team", "me", "p")),
        (["example.com/team/+simple", "-u", "me", "--password", "p"], ("https://example.com/team", "me", "p")),
        (["EXAMPLE.com", "-t", "tok"], ("https://example.com/", "__token__", "tok")),
        (["example.com:8443", "--token", "tok"], ("https://example.com:8443/", "__token__", "tok")),
        (["localhost", "-t", "tok"], ("https://localhost/", "__token__", "tok")),
        (["http://localhost:8080/simple", "-t", "tok"], ("http://localhost:8080/", "__token__", "tok")),
        (["http://127.0.0.1/x", "-t", "tok"], ("http://127.0.0.1/x", "__token__", "tok")),
        (["https://me:a%40b@example.com/"], ("https://example.com/", "me", "a@b")),
        (["https://me@example.com/", "--password", " p "], ("https://example.com/", "me", " p ")),
        (["https://me@example.com/", "-u", "me", "--password", "p"], ("https://example.com/", "me", "p")),
        (["corp", "-u", "", "--password", "p"], ("https://example.com/team", "", "p")),
        (["corp", "-u", "me", "-t", "tok"], ("https://example.com/team", "me", "tok")),
        (["corp", "-t", "tok", "--bearer"], ("https://example.com/team", None, "tok")),
        (
            ["https://d-111122223333.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/", "-t", "tok"],
            ("https://d-111122223333.d.codeartifact.eu-west-1.amazonaws.com/pypi/r", "aws", "tok"),
        ),
    ],
)
def test_what_is_stored(corp: Sandbox, arguments: list[str], entry: tuple[str, str | None, str]) -> None:
    ran = corp.cove("auth", "login", *arguments).ok()
    assert stored(corp) == [entry]
    assert (ran.stdout, ran.requests) == ("", ())
    assert entry[2].strip() not in ran.stderr.replace(str(file_of(corp)), "").split()
    assert file_of(corp).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["http://example.com/", "-u", "me", "--password", CANARY], ["not HTTPS"]),
        (["http://127.0.0.2/", "-t", CANARY], ["not HTTPS"]),
        (["ftp://example.com/", "-t", CANARY], ["no HTTP address"]),
        (["file:///x", "-t", CANARY], ["no HTTP address"]),
        (["crop", "-t", CANARY], ["did you mean `corp`?"]),
        (["https://me@example.com/", "-u", "you", "--password", CANARY], ["`you`", "another in the URL"]),
        (["corp"], ["no user name", "`--username`", "`--token`"]),
        (["corp", "-u", "me"], ["no password", "`--password -`"]),
        (["corp", "-u", "me", "--password", ""], ["empty"]),
        (["corp", "-t", CANARY, "--password", CANARY], ["--password"]),
        (["corp", "--bearer", "-u", "me", "-t", CANARY], ["`--bearer`"]),
        (["corp", "--bearer", "-u", "me", "--password", CANARY], ["`--bearer`"]),
        ([f"https://me:{CANARY}/x@example.com/"], ["cannot be used"]),
        (["corp", "-u", "a:b", "--password", CANARY], ["colon"]),
        (["corp", "--bearer", "-t", f"{CANARY} {CANARY}"], ["characters that cannot be sent"]),
    ],
)
def test_what_is_not(corp: Sandbox, arguments: list[str], words: list[str]) -> None:
    refused(corp.cove("auth", "login", *arguments), *words)
    assert stored(corp) == []


def test_one_line_of_stdin(corp: Sandbox) -> None:
    for secret, number in (("--password", 0), ("--token", 1)):
        arguments = ["auth", "login", "corp", "-u", f"u{number}", secret, "-"]
        done = run([sys.executable, "-m", "cove", *arguments], corp.environ, corp.work, stdin="s3cret \r\nmore\n")
        assert done.returncode == 0, done.stderr
        assert stored(corp)[number] == ("https://example.com/team", f"u{number}", "s3cret ")


def test_a_person_is_asked_and_the_password_is_not_shown(corp: Sandbox) -> None:
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "cove", "auth", "login", "corp"]
    process = subprocess.Popen(
        command, env=corp.environ, cwd=corp.work, stdin=inner, stdout=inner, stderr=inner, start_new_session=True
    )
    os.close(inner)
    shown = ""
    for prompt, answer in (("user name: ", "me\n"), ("password: ", f"{CANARY}\n")):
        while prompt not in shown:
            shown += os.read(outer, 1024).decode()
        os.write(outer, answer.encode())
    assert process.wait(30) == 0
    with open(outer, "rb", buffering=0) as rest:
        shown += rest.read(4096).decode()
    assert CANARY not in shown
    assert stored(corp) == [("https://example.com/team", "me", CANARY)]


def test_it_says_what_it_is_good_for(corp: Sandbox) -> None:
    first = corp.cove("auth", "login", "corp", "-u", "me", "--password", "p1").ok()
    assert first.stderr.splitlines() == [
        f"Stored the password of user `me` for https://example.com/team in {file_of(corp)}",
        "It is sent with every request below https://example.com/team, so for the index `corp`",
    ]
    other = corp.cove("auth", "login", "example.com", "-t", "tok").ok()
    assert other.stderr.splitlines()[1:] == ["It is sent with every request below https://example.com/"]
    hidden = corp.cove("auth", "login", "corp", "-u", "me", "--password", "p2", UV_INDEX_CORP_PASSWORD="p3").ok()
    assert "warning: for `corp`, the credential from $UV_INDEX_CORP_PASSWORD comes before it" in hidden.stderr
    second = corp.cove("auth", "login", "corp", "-u", "you", "--password", "p4").ok()
    assert "user `me` is stored too: none is sent where no user name is given" in second.stderr
    about = json.loads(
        corp.cove("auth", "login", "corp", "-u", "me", "--password", "p5", "--output-format", "json").stdout
    )
    assert about == {
        "service": "https://example.com/team", "username": "me", "scheme": "basic", "path": str(file_of(corp)), "used-for": [],
        "hidden": [], "other-users": ["you"],
    }  # fmt: skip


def test_two_users_of_one_service(corp: Sandbox) -> None:
    for user in ("me", "you"):
        corp.cove("auth", "login", "corp", "-u", user, "--password", f"of-{user}").ok()
    unsaid = corp.cove("auth", "token", "corp")
    refused(unsaid, "user `me` and user `you`", "$UV_INDEX_CORP_USERNAME")
    assert corp.cove("auth", "token", "corp", UV_INDEX_CORP_USERNAME="you").ok().stdout == "of-you\n"
    assert corp.cove("auth", "token", "corp", "-u", "me").ok().stdout == "of-me\n"
    assert corp.cove("auth", "token", "https://you@example.com/team/x").ok().stdout == "of-you\n"
    corp.cove("auth", "login", "corp", "-t", "tok").ok()
    assert corp.cove("auth", "token", "corp").ok().stdout == "tok\n"
    refused(corp.cove("auth", "token", "corp", UV_INDEX_CORP_USERNAME="nobody"), "no password is known for corp")
    refused(corp.cove("auth", "logout", "corp", "-u", "nobody"), "of the user `nobody`")
    corp.cove("auth", "logout", "corp").ok()
    assert [user for _, user, _ in stored(corp)] == ["me", "you"]
    refused(corp.cove("auth", "logout", "corp"), "user `me`, user `you`", "`--username`")
    corp.cove("auth", "logout", "corp", "-u", "me").ok()
    gone = corp.cove("auth", "logout", "https://you@EXAMPLE.com:443/team/").ok()
    assert gone.stderr == "Removed the password of user `you` for https://example.com/team\n"
    assert stored(corp) == []


def test_logout_of_what_is_not_there(corp: Sandbox) -> None:
    refused(corp.cove("auth", "logout", "corp"), "nothing is stored for https://example.com/team", str(file_of(corp)))
    corp.cove("auth", "login", "example.com", "-t", "tok", "--bearer").ok()
    refused(corp.cove("auth", "logout", "corp"), "there is one for https://example.com/")
    about = corp.cove("auth", "logout", "example.com", "--output-format", "json").ok()
    assert json.loads(about.stdout) == {"service": "https://example.com/", "username": None}


def test_the_folder(sandbox: Sandbox) -> None:
    assert sandbox.cove("auth", "dir").ok().stdout == f"{file_of(sandbox).parent}\n"
    elsewhere = str(sandbox.root / "data")
    assert sandbox.cove("auth", "dir", XDG_DATA_HOME=elsewhere).ok().stdout == f"{elsewhere}/uv/credentials\n"
    assert sandbox.cove("auth", "dir", UV_CREDENTIALS_DIR=elsewhere).ok().stdout == f"{elsewhere}\n"
    sandbox.cove("auth", "login", "example.com", "-t", "tok", UV_CREDENTIALS_DIR=elsewhere).ok()
    assert (Path(elsewhere) / "credentials.toml").exists()


def test_a_broken_file(corp: Sandbox) -> None:
    path = file_of(corp)
    path.parent.mkdir(parents=True)
    path.write_text(f'a = 1\npassword = "{CANARY}\n')
    for argv in (("login", "corp", "-t", "x"), ("logout", "corp")):
        refused(corp.cove("auth", *argv), str(path), "line 2")
    told = corp.cove("auth", "status").ok()
    assert told.stderr.count("it counts as empty") == 1
    assert CANARY not in told.stderr


# -- what is stored is used


def answer(received: Received) -> Reply:
    """404 to the right password, like an index that does not have what is asked for."""
    right = "Basic " + b64encode(b"me:right").decode()
    sent = received.headers.get("authorization")
    if received.path.startswith("/open/"):
        return Reply(404)
    return Reply(404 if sent == right else 403 if sent and "Zm9yYmlkZGVu" in sent else 401)


def test_check_asks_first_and_stores_nothing_that_is_refused(sandbox: Sandbox) -> None:
    with serving(answer) as server:
        url = f"{server.url}/team/simple/"
        wrong = sandbox.cove("auth", "login", url, "-u", "me", "--password", CANARY, "--check")
        refused(wrong, "refused the credentials", "nothing was stored")
        forbidden = sandbox.cove("auth", "login", url, "-u", "forbidden", "--password", CANARY, "--check")
        refused(forbidden, "denied access", "nothing was stored")
        assert stored(sandbox) == []
        right = sandbox.cove("auth", "login", url, "-u", "me", "--password", "right", "--check").ok()
        assert f"{url} accepts it" in right.stderr
        assert stored(sandbox) == [(f"{server.url}/team", "me", "right")]
        anyone = sandbox.cove("auth", "login", f"{server.url}/open/", "-u", "me", "--password", "x", "--check").ok()
        assert "would not ask for one either (404 Not Found without)" in anyone.stderr
    away = sandbox.cove("auth", "login", url, "-u", "you", "--password", CANARY, "--check")
    assert away.status == 2
    assert [user for _, user, _ in stored(sandbox)] == ["me", "me"]


def test_a_project_installs_with_it_and_asks_no_more_often(
    sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(wheel_factory.wheel("app", requires=["lib"]), wheel_factory.wheel("lib"))
    simple = cove_index.running.simple_url.public
    sandbox.project(
        '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = ["app"]\n'
        f'[[tool.uv.index]]\nname = "corp"\nurl = "{simple}"\ndefault = true\n'
        f'publish-url = "{cove_index.upload_url}"\n'
    )
    sandbox.cove("auth", "login", "corp", "-u", cove_index.username, "--password", cove_index.password.reveal()).ok()
    ran = sandbox.cove("sync").ok()
    assert {request.status for request in ran.requests} <= {200, 206}
    assert all(request.credential == f"{file_of(sandbox)}:1" for request in ran.requests)
    wheel_factory.wheel("mine").write_to(sandbox.work / "dist")
    sandbox.cove("publish", "--index", "corp").ok()
    assert (cove_index.running.store.root / "mine").exists()


def test_uploads_take_what_is_stored_for_their_own_url(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    with serving(lambda received: Reply(200 if received.method == "POST" else 404)) as server:
        sandbox.project(
            f'[[tool.uv.index]]\nname = "corp"\nurl = "{server.url}/team/simple"\n'
            f'publish-url = "{server.url}/team/upload/"\n'
        )
        wheel_factory.wheel("mine").write_to(sandbox.work / "dist")
        for service, user in (("corp", "reader"), (f"{server.url}/team/upload", "writer")):
            sandbox.cove("auth", "login", service, "-u", user, "--password", "p").ok()
        sandbox.cove("publish", "--index", "corp").ok()
        assert senders(server.log) == {"GET": "reader", "POST": "writer"}
        server.log.clear()
        sandbox.cove("publish", "--index", "corp", UV_INDEX_CORP_USERNAME="ci", UV_INDEX_CORP_PASSWORD="p").ok()
        assert senders(server.log) == {"GET": "ci", "POST": "ci"}
        server.log.clear()
        sandbox.cove("publish", "--publish-url", f"{server.url}/team/upload/").ok()
        assert senders(server.log) == {"POST": "writer"}


def senders(log: list[Received]) -> dict[str, str]:
    """The user of each method."""
    from base64 import b64decode

    found = {each.method: each.headers["authorization"].removeprefix("Basic ") for each in log}
    return {method: b64decode(sent).decode().partition(":")[0] for method, sent in found.items()}
