"""uv and cove log in for each other."""

from pathlib import Path

import pytest

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.programs import clean_environment, program, run


class Both:
    """uv and cove with one home folder."""

    def __init__(self, root: Path) -> None:
        self.sandbox = Sandbox(root)

    def uv(self, *arguments: str) -> tuple[int, str]:
        finished = run([program("uv"), *arguments], clean_environment(self.sandbox.home), self.sandbox.work)
        return finished.returncode, finished.stdout + finished.stderr


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path)


@pytest.fixture
def filled(cove_index: PrivateIndex, wheel_factory: PackageFactory) -> PrivateIndex:
    cove_index.add(wheel_factory.wheel("app", requires=["lib"]), wheel_factory.wheel("lib"))
    return cove_index


def test_where_uv_logged_in_cove_is(both: Both, filled: PrivateIndex) -> None:
    simple = filled.running.simple_url.public
    login = ["--username", filled.username, "--password", filled.password.reveal()]
    assert both.uv("auth", "login", simple, *login)[0] == 0
    assert both.sandbox.cove("auth", "token", simple).ok().stdout == f"{filled.password.reveal()}\n"
    both.sandbox.cove("venv").ok()
    ran = both.sandbox.cove("pip", "install", "--default-index", simple, "app").ok()
    assert all(request.status in (200, 206) for request in ran.requests)


def test_where_cove_logged_in_uv_is(both: Both, filled: PrivateIndex) -> None:
    simple, password = filled.running.simple_url.public, filled.password.reveal()
    both.sandbox.cove("auth", "login", simple, "-u", filled.username, "--password", password).ok()
    assert both.uv("auth", "token", simple, "--username", filled.username) == (0, f"{password}\n")
    site = both.sandbox.work / "site"
    status, output = both.uv("pip", "install", "--target", str(site), "--default-index", simple, "app")
    assert status == 0, output
    assert (site / "lib.py").exists() or (site / "lib").exists()


def test_each_sees_what_the_other_changes(both: Both) -> None:
    cove = both.sandbox.cove
    secrets = ['p"w\\x', " sp ace ", "ünïcödé ✓", "a#b=[c]'d'", "new\\nline"]
    for number, secret in enumerate(secrets):
        first, second = f"https://a{number}.example.com/x/simple/", f"b{number}.example.com"
        cove("auth", "login", first, "-u", "me", f"--password={secret}").ok()
        assert both.uv("auth", "login", second, "--username", "you", f"--password={secret}")[0] == 0
        assert both.uv("auth", "token", f"{first}foo", "-u", "me") == (0, f"{secret}\n")
        assert cove("auth", "token", f"{second}/foo").ok().stdout == f"{secret}\n"
    assert cove("auth", "dir").ok().stdout == both.uv("auth", "dir")[1]
    assert both.uv("auth", "logout", "https://a0.example.com/x", "--username", "me")[0] == 0
    cove("auth", "logout", "b0.example.com").ok()
    assert cove("auth", "token", "https://a0.example.com/x").status == 2
    assert both.uv("auth", "token", "b0.example.com", "--username", "you")[0] == 2
    assert both.uv("auth", "token", "b1.example.com", "--username", "you") == (0, f"{secrets[1]}\n")


def test_tokens_two_users_and_a_bearer(both: Both) -> None:
    cove = both.sandbox.cove
    for user in ("me", "you"):
        assert both.uv("auth", "login", "example.com/a", "--username", user, "--password", f"of-{user}")[0] == 0
    assert cove("auth", "token", "example.com/a").status == 2
    assert cove("auth", "token", "example.com/a/b", "-u", "you").ok().stdout == "of-you\n"
    assert both.uv("auth", "login", "example.com/a", "--token", "tok")[0] == 0
    assert cove("auth", "token", "example.com/a").ok().stdout == "tok\n"
    cove("auth", "login", "example.org", "--token", "cove").ok()
    assert both.uv("auth", "token", "example.org") == (0, "cove\n")
    cove("auth", "login", "example.net", "--bearer", "--token", "bear").ok()
    command = [program("uv"), "auth", "helper", "--protocol", "bazel", "get"]
    said = run(
        command, clean_environment(both.sandbox.home), both.sandbox.work, stdin='{"uri":"https://example.net/x"}'
    )
    assert "Bearer bear" in said.stdout


def test_what_uv_stored_with_user_info_can_be_removed(both: Both) -> None:
    """``uv auth logout`` cannot: the service it wrote holds the user info."""
    assert both.uv("auth", "login", "https://me:c4n4ry@example.com/a")[0] == 0
    assert both.uv("auth", "logout", "example.com/a", "--username", "me")[0] == 2
    gone = both.sandbox.cove("auth", "logout", "example.com/a", "-u", "me").ok()
    assert "c4n4ry" not in gone.stderr
    store = both.sandbox.home / ".local" / "share" / "uv" / "credentials" / "credentials.toml"
    assert "c4n4ry" not in store.read_text()
