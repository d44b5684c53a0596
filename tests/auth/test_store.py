import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cove.auth.providers import ProviderOptions, make_providers
from cove.auth.providers.stored import Stored
from cove.auth.store import CredentialStore
from cove.config.file_lock import locked
from cove.errors import ConfigurationError
from cove.formats.credentials_edit import put
from cove.formats.credentials_toml import StoredCredential
from cove.model.event import Event, Warned
from cove.model.index import Index
from cove.model.secret import Credential, Secret
from cove.model.url import Url
from support.programs import clean_environment, program

TEAM = "https://example.com/team"

STORES = """
import sys
from pathlib import Path
from cove.auth.store import CredentialStore
from cove.formats.credentials_toml import StoredCredential
from cove.model.secret import Secret
from cove.model.url import Url
for number in range(5):
    name = f"{sys.argv[2]}-{number}"
    CredentialStore(Path(sys.argv[1])).put(StoredCredential(Url.parse("https://example.com"), name, Secret(name)))
"""


@pytest.fixture
def store(tmp_path: Path) -> CredentialStore:
    return CredentialStore(tmp_path / "data" / "uv" / "credentials" / "credentials.toml")


def entry(username: str | None = "me", service: str = TEAM, secret: str = "p") -> StoredCredential:
    scheme = "bearer" if username is None else "basic"
    return StoredCredential(Url.parse(service), username, Secret(secret), scheme)  # type: ignore[arg-type]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def users(store: CredentialStore) -> list[str]:
    return sorted(each.username or "" for each in store.read())


def test_only_its_owner_can_read_it(store: CredentialStore) -> None:
    assert store.read() == ()
    assert store.remove(Url.parse(TEAM), "me") is False
    assert not store.path.parent.exists()
    store.put(entry())
    lock = store.path.with_name("credentials.toml.lock")
    assert (mode(store.path), mode(lock), mode(store.path.parent)) == (0o600, 0o600, 0o700)
    assert sorted(path.name for path in store.path.parent.iterdir()) == ["credentials.toml", "credentials.toml.lock"]
    store.path.chmod(0o644)
    store.path.parent.chmod(0o755)
    store.put(entry("you"))
    assert (mode(store.path), mode(store.path.parent)) == (0o600, 0o755)
    store.path.chmod(0o644)
    assert store.remove(Url.parse(f"{TEAM}/"), "me") is True
    assert (mode(store.path), users(store)) == (0o600, ["you"])


def test_processes_that_store_at_the_same_time_lose_nothing(store: CredentialStore, tmp_path: Path) -> None:
    environment = clean_environment(tmp_path / "home")
    commands = [[sys.executable, "-c", STORES, str(store.path), f"cove-{number}"] for number in range(4)]
    started = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for command in commands]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert users(store) == [f"cove-{a}-{b}" for a in range(4) for b in range(5)]


def test_uv_waits_until_we_are_done(store: CredentialStore, tmp_path: Path) -> None:
    """It takes the same lock, and reads what we wrote meanwhile. (What is changed after that, between its reading and its
    writing, it loses: it gives the lock back in between.)"""
    environment = clean_environment(tmp_path / "home", UV_CREDENTIALS_DIR=str(store.path.parent))
    store.put(entry("before"))
    login = [program("uv"), "auth", "login", "example.com", "--username", "uv", "--password", "p"]
    with locked(store.path.with_name("credentials.toml.lock")):
        uv = subprocess.Popen(login, env=environment, stderr=subprocess.PIPE)
        with pytest.raises(subprocess.TimeoutExpired):
            uv.wait(1)
        store.path.write_text(put(store.path.read_text(), entry("meanwhile")))
    _, errors = uv.communicate(timeout=60)
    assert uv.returncode == 0, errors
    assert users(store) == ["before", "meanwhile", "uv"]


def test_threads_lose_nothing_either(store: CredentialStore) -> None:
    threads = [threading.Thread(target=store.put, args=(entry(f"u{number}"),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert users(store) == [f"u{number}" for number in range(8)]


@pytest.mark.parametrize(
    "content, place, reason",
    [
        (b'a = "canary', "", "not TOML"),
        (b"\xff", "", "not UTF-8"),
        (b'\n# x\n[[credential]]\nservice = "https://x.com"\nusername = "u"\n', ":3", "no text `password`"),
    ],
)
def test_a_broken_file_is_an_error_with_its_place_and_stays(
    store: CredentialStore, content: bytes, place: str, reason: str
) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_bytes(content)
    for work in (store.read, lambda: store.put(entry()), lambda: store.remove(Url.parse(TEAM), "me")):
        with pytest.raises(ConfigurationError) as caught:
            work()
        assert f"{store.path}{place}" in caught.value.message
        assert reason in caught.value.message
        assert "canary" not in str(caught.value)
    assert store.path.read_bytes() == content


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        CredentialStore(tmp_path / "file" / "credentials.toml").put(entry())


# -- the provider


def asked(store: CredentialStore, url: str, index: Index | None = None) -> tuple[str | None, list[str]]:
    told: list[Event] = []
    provider = Stored(store, told.append)
    answers = {provider.get(index, Url.parse(url)) for _ in range(3)}
    assert len(answers) == 1
    found = answers.pop()
    assert found is None or isinstance(found, Credential)
    shown = None if found is None else f"{found.scheme} {found.username}:{found.password.reveal()}"
    return shown, [f"{event.message}; {event.hint}" for event in told if isinstance(event, Warned)]


def test_the_longest_service_and_where_it_stands(store: CredentialStore) -> None:
    store.put(entry("host", "https://example.com/", "1"))
    store.put(entry(None, TEAM, "2"))
    assert asked(store, f"{TEAM}/simple/") == ("bearer :2", [])
    assert asked(store, "https://example.com/teams/simple/") == ("basic host:1", [])
    assert asked(store, "https://host@example.com/team/") == ("basic host:1", [])
    assert asked(store, "https://other@example.com/team/") == (None, [])
    assert asked(store, "http://example.com/team/") == (None, [])
    found = Stored(store).get(None, Url.parse(TEAM))
    assert isinstance(found, Credential)
    assert (found.origin.name, found.origin.line) == (str(store.path), 7)
    assert not Stored(store).covers(None, Url.parse("file:///x"))


def test_two_users_and_none_known_is_told_once_and_nobody_is_guessed(store: CredentialStore) -> None:
    store.put(entry("me", secret="canary"))
    store.put(entry("you", secret="canary"))
    index = Index(Url.parse(f"{TEAM}/simple"), name="corp")
    found, warnings = asked(store, f"{TEAM}/simple", index)
    assert (found, len(warnings)) == (None, 1)
    assert all(
        word in warnings[0] for word in ("user `me` and user `you`", TEAM, "$UV_INDEX_CORP_USERNAME", "https://NAME@")
    )
    assert "canary" not in warnings[0]
    assert asked(store, "https://you@example.com/team/simple", index) == ("basic you:canary", [])


def test_a_broken_file_counts_as_empty_and_that_is_told_once(store: CredentialStore) -> None:
    store.path.parent.mkdir(parents=True)
    store.path.write_text('a = "canary')
    found, warnings = asked(store, TEAM)
    assert (found, len(warnings)) == (None, 1)
    assert str(store.path) in warnings[0]
    assert "canary" not in warnings[0]


def test_without_a_file_there_is_no_provider(store: CredentialStore) -> None:
    def names() -> list[str]:
        return [provider.name for provider in make_providers(ProviderOptions(environ={}, store=store.path))]

    assert "store" not in names()
    store.put(entry())
    assert "store" in names()
    store.path.unlink()
    os.symlink("nowhere", store.path)
    assert "store" in names()
    assert asked(store, TEAM) == (None, [])
