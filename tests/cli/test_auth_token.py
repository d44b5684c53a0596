from pathlib import Path

import pytest

from support.commandline import Sandbox

CANARY = "c4n4ry p4ss\x1b"


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    made = Sandbox(tmp_path)
    made.project('[[tool.uv.index]]\nname = "corp"\nurl = "https://example.com/simple"\n')
    return made


def test_the_password_as_it_is_and_nothing_else(sandbox: Sandbox) -> None:
    sandbox.using({"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": CANARY})
    ran = sandbox.cove("auth", "token", "corp").ok()
    assert (ran.stdout, ran.stderr, ran.requests) == (CANARY + "\n", "", ())
    below = sandbox.cove("auth", "token", "https://example.com/simple/foo/", "-v").ok()
    assert below.stdout == CANARY + "\n"
    assert below.stderr == "the password of user `me` comes from $UV_INDEX_CORP_PASSWORD\n"
    assert sandbox.cove("auth", "token", "corp", "--username", "me").ok().stdout == CANARY + "\n"


@pytest.mark.parametrize("where", ["corp", "https://example.com/simple/"])
def test_without_one_the_places_are_named(sandbox: Sandbox, where: str) -> None:
    ran = sandbox.cove("auth", "token", where)
    assert (ran.status, ran.stdout) == (2, "")
    assert "$UV_INDEX_CORP_USERNAME and $UV_INDEX_CORP_PASSWORD" in ran.stderr
    assert str(sandbox.home / ".netrc") in ran.stderr
    assert "`--keyring-provider subprocess`" in ran.stderr


def test_another_user_does_not_do(sandbox: Sandbox) -> None:
    (sandbox.home / ".netrc").write_text("machine example.com login you password p1\n")
    assert sandbox.cove("auth", "token", "corp").ok().stdout == "p1\n"
    other = sandbox.cove("auth", "token", "corp", "-u", "me")
    assert (other.status, other.stdout) == (2, "")
    assert "for the user `me`" in other.stderr


def test_the_url_of_an_index_with_user_info(sandbox: Sandbox) -> None:
    given = {"UV_INDEX": "b=https://me:s%40cret@example.org/simple"}
    assert sandbox.cove("auth", "token", "b", environ=given).ok().stdout == "s@cret\n"
    assert sandbox.cove("auth", "token", "b", "-u", "me", environ=given).ok().stdout == "s@cret\n"
    assert sandbox.cove("auth", "token", "https://me:s%40cret@example.net/").ok().stdout == "s@cret\n"


def test_what_is_neither_an_index_nor_a_url(sandbox: Sandbox) -> None:
    unknown = sandbox.cove("auth", "token", "crop")
    assert unknown.status == 2
    assert "did you mean `corp`?" in unknown.stderr
    bad = sandbox.cove("auth", "token", "https://u:canary/x@example.com/")
    assert bad.status == 2
    assert "canary" not in bad.stderr
