import base64
import json
import sys
import time
from pathlib import Path

import pytest

from support.commandline import Sandbox

CANARY = "c4n4ry"


def token_ending(at: int) -> str:
    """A JSON web token that ends at ``at``, in seconds."""
    parts = (json.dumps(part).encode() for part in ({"alg": "none"}, {"exp": at, "sub": CANARY}))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + ".c4n4ry"


@pytest.fixture
def corp(sandbox: Sandbox) -> Sandbox:
    sandbox.project(
        '[[tool.uv.index]]\nname = "corp"\nurl = "https://example.com/team/simple/"\ndefault = true\n'
        '[[tool.uv.index]]\nname = "open"\nurl = "https://u:c4n4ry@example.org/simple/"\n'
        '[[tool.uv.index]]\nname = "bare"\nurl = "https://example.net/simple/"\nauthenticate = "never"\n'
    )
    return sandbox


def keyring(sandbox: Sandbox) -> Path:
    """A program that has a password for everything and everyone; the file in which it counts its calls."""
    folder, calls = sandbox.root / "bin", sandbox.root / "calls"
    folder.mkdir()
    path = folder / "keyring"
    path.write_text(f'#!{sys.executable}\nopen({str(calls)!r}, "a").write("x")\nprint("me")\nprint("{CANARY}")\n')
    path.chmod(0o755)
    sandbox.using({"PATH": f"{folder}:{sandbox.environ['PATH']}", "UV_KEYRING_PROVIDER": "subprocess"})
    return calls


def test_what_is_in_force_and_what_it_hides(corp: Sandbox) -> None:
    (corp.home / ".netrc").write_text(f"machine example.com login n password {CANARY}-1\n")
    corp.cove("auth", "login", "corp", "-u", "s", "--password", f"{CANARY}-2").ok()
    store = corp.home / ".local" / "share" / "uv" / "credentials" / "credentials.toml"
    ran = corp.cove("auth", "status").ok()
    assert (ran.stderr, ran.requests) == ("", ())
    assert ran.stdout.splitlines() == [
        "corp https://example.com/team/simple/",
        f"  in force: user `n` from {corp.home / '.netrc'}:1",
        f"  hidden:   user `s` from {store}:1",
        "",
        "open https://example.org/simple/",
        "  in force: user `u` from the URL of open",
        "",
        "bare https://example.net/simple/",
        "  no credential is ever sent",
    ]
    given = {"UV_INDEX_CORP_USERNAME": "e", "UV_INDEX_CORP_PASSWORD": CANARY}
    (found,) = json.loads(corp.cove("auth", "status", "corp", "--output-format", "json", environ=given).ok().stdout)
    assert found == {
        "index": "corp",
        "url": "https://example.com/team/simple/",
        "authenticate": "auto",
        "active": about("e", "$UV_INDEX_CORP_PASSWORD"),
        "hidden": [about("n", f"{corp.home / '.netrc'}:1"), about("s", f"{store}:1")],
        "not-asked": [],
        "error": None,
    }


def about(username: str | None, origin: str) -> dict[str, object]:
    return {"username": username, "scheme": "basic", "origin": origin, "expires": None, "expired": False}


def test_programs_are_asked_where_it_matters_or_when_it_is_wanted(corp: Sandbox) -> None:
    calls = keyring(corp)
    corp.cove("auth", "login", "corp", "-u", "me", "--password", "other").ok()
    assert not calls.exists()
    hidden = corp.cove("auth", "status", "corp").ok()
    assert "  not asked: keyring (`--all` asks)" in hidden.stdout.splitlines()
    assert not calls.exists()
    every = corp.cove("auth", "status", "corp", "--all").ok()
    assert "hidden:   user `me` from keyring" in every.stdout
    assert len(calls.read_text()) == 1
    corp.cove("auth", "logout", "corp").ok()
    needed = corp.cove("auth", "status", "corp").ok()
    assert "in force: user `me` from keyring" in needed.stdout
    for ran in (hidden, every, needed):
        assert CANARY not in ran.stdout + ran.stderr


def test_the_end_of_a_token(corp: Sandbox) -> None:
    corp.cove("auth", "login", "corp", "--bearer", "-t", token_ending(4102444800)).ok()
    ran = corp.cove("auth", "status", "corp").ok()
    assert "in force: a token from" in ran.stdout
    assert ", until 2100-01-01 00:00 UTC" in ran.stdout
    corp.cove("auth", "login", "corp", "--bearer", "-t", token_ending(int(time.time()) - 60)).ok()
    ran = corp.cove("auth", "status", "corp", "--output-format", "json").ok()
    assert json.loads(ran.stdout)[0]["active"]["expired"] is True
    assert ", expired 20" in corp.cove("auth", "status", "corp").ok().stdout


def test_one_index_that_is_wrong_does_not_hide_the_others(corp: Sandbox) -> None:
    ran = corp.cove("auth", "status", UV_INDEX_BARE_USERNAME="u", UV_INDEX_BARE_PASSWORD=CANARY)
    assert ran.status == 2
    assert "`authenticate`" in ran.stderr
    assert "in force: user `u` from the URL of open" in ran.stdout
    assert CANARY not in ran.stdout + ran.stderr
    unknown = corp.cove("auth", "status", "crop")
    assert unknown.status == 2
    assert "did you mean `corp`?" in unknown.stderr
