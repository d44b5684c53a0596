"""What every provider of credentials must do, whichever it is.

A provider takes part with one ``Case`` in ``CASES``: its name, the URL of an index it is responsible for, and functions that
make it in a folder of its own, with a listener:

- ``knowing``: it has the password ``CANARY`` for the index (``None`` where only a terminal could give one);
- ``ignorant``: it is there, and has nothing for the index;
- ``slow``: what it relies on (a program, a service) does not answer in good time; its own time limit must be set to less
  than two seconds. ``None`` where it relies on nothing that can be slow.

``test_every_provider_takes_part`` fails for an entry of ``PROVIDERS`` without a case.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cove.auth.confirmed import Confirmed
from cove.auth.native import Native, Surroundings
from cove.auth.provider import Provider, Username
from cove.auth.providers import ProviderOptions, make_providers
from cove.auth.providers.azure import Azure
from cove.auth.providers.codeartifact import CodeArtifact
from cove.auth.providers.command import Command
from cove.auth.providers.environment import Environment
from cove.auth.providers.google import Google
from cove.auth.providers.huggingface import HuggingFace
from cove.auth.providers.inline import Inline
from cove.auth.providers.keyring import Keyring, Subprocess
from cove.auth.providers.netrc import Netrc
from cove.auth.providers.prompt import Prompt
from cove.auth.providers.stored import Stored
from cove.auth.store import CredentialStore
from cove.auth.tokens import Kept, Tokens
from cove.model.dataclasses import replace
from cove.model.event import Asking, Event, Listener, Warned
from cove.model.index import Index
from cove.model.secret import Credential
from cove.model.url import Url
from support.clouds import Machine

CANARY = "c4n4ry-secret"

Make = Callable[[Path, Listener], Provider]


@dataclass(frozen=True)
class Case:
    """See above. ``is_own_user`` says why a provider may answer for another user than the URL's, where it may."""

    name: str
    ignorant: Make
    knowing: Make | None = None
    slow: Make | None = None
    url: str = "https://ada@packages.example.com/team/simple/"
    is_own_user: str = ""
    command: tuple[str, ...] = ()
    """The index's own."""


def _program(folder: Path, body: str) -> Path:
    """A program called ``keyring``; the folder it is in."""
    folder.mkdir(exist_ok=True)
    path = folder / "keyring"
    path.write_text(f"#!{sys.executable}\nimport sys, time\n{body}\n")
    path.chmod(0o755)
    return folder


def _netrc(folder: Path, text: str, listener: Listener) -> Provider:
    (folder / "netrc").write_text(text)
    return Netrc(folder / "netrc", listener)


def _stored(folder: Path, text: str, listener: Listener) -> Provider:
    (folder / "credentials.toml").write_text(text)
    (folder / "credentials.toml").chmod(0o600)
    return Stored(CredentialStore(folder / "credentials.toml"), listener)


def _keyring(folder: Path, body: str, listener: Listener) -> Provider:
    place = _program(folder / "bin", body)
    return Keyring(Subprocess({"PATH": str(place)}, listener=listener, time_limit=0.7), listener)


def _cloud(kind: Callable[[Surroundings], Native], program: str, says: object, *, slow: bool = False) -> Make:
    def make(folder: Path, listener: Listener) -> Provider:
        machine = Machine(folder)
        if program:
            machine.program(program, says, script="/bin/sleep 20" if slow else "")
        at = machine.surroundings(program_limit=0.7 if slow else 30)
        return kind(replace(at, listener=listener))

    return make


def _command(folder: Path, body: str, listener: Listener) -> Provider:
    environ = {"PATH": str(_program(folder / "bin", body))}
    kept = Kept(Tokens(folder / "data", listener), listener)
    return Command(Confirmed(folder / "data", listener), kept, environ, listener, time_limit=0.7)


_ENTRY = f"""\
[[credential]]
service = "https://packages.example.com/team"
username = "ada"
scheme = "basic"
password = "{CANARY}"
"""

CASES = (
    Case(
        "environment",
        lambda *_: Environment((), {}),
        lambda *_: Environment((), {"UV_INDEX_CORP_USERNAME": "ada", "UV_INDEX_CORP_PASSWORD": CANARY}),
        is_own_user="the variables of an index replace the user of its URL",
    ),
    Case(
        "URL",
        lambda *_: Inline(),
        lambda *_: Inline(),
        url=f"https://ada:{CANARY}@packages.example.com/team/simple/",
    ),
    Case(
        "huggingface",
        lambda *_: HuggingFace({}),
        lambda *_: HuggingFace({"HF_TOKEN": CANARY}),
        url="https://huggingface.co/team/simple/",
    ),
    Case(
        "netrc",
        lambda folder, listener: _netrc(folder, "machine other.example.com login ada password x\n", listener),
        lambda folder, listener: _netrc(
            folder, f"machine packages.example.com login ada password {CANARY}\n", listener
        ),
    ),
    Case(
        "store",
        lambda folder, listener: _stored(folder, _ENTRY.replace("packages", "other"), listener),
        lambda folder, listener: _stored(folder, _ENTRY, listener),
    ),
    Case(
        "command",
        lambda folder, listener: _command(folder, "", listener),
        lambda folder, listener: _command(folder, f"print({CANARY!r})", listener),
        lambda folder, listener: _command(folder, "time.sleep(20)", listener),
        is_own_user="it is told of whom the URL speaks, and the answer is for that one",
        command=("keyring",),
    ),
    Case(
        "keyring",
        lambda folder, listener: _keyring(folder, "sys.exit(1)", listener),
        lambda folder, listener: _keyring(
            folder, f"print({CANARY!r}) if sys.argv[3] == 'ada' else sys.exit(1)", listener
        ),
        lambda folder, listener: _keyring(folder, "time.sleep(20)", listener),
    ),
    Case(
        "codeartifact",
        _cloud(CodeArtifact, "", ""),
        _cloud(CodeArtifact, "aws", {"authorizationToken": CANARY, "expiration": 4_000_000_000}),
        _cloud(CodeArtifact, "aws", "", slow=True),
        url="https://aws@team-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/repo/simple/",
    ),
    Case(
        "google",
        _cloud(Google, "", ""),
        _cloud(Google, "gcloud", {"credential": {"access_token": CANARY, "token_expiry": "2096-10-02T07:06:40Z"}}),
        _cloud(Google, "gcloud", "", slow=True),
        url="https://oauth2accesstoken@us-python.pkg.dev/project/repo/simple/",
    ),
    Case(
        "azure",
        _cloud(Azure, "", ""),
        _cloud(Azure, "az", {"accessToken": CANARY, "expires_on": 4_000_000_000}),
        _cloud(Azure, "az", "", slow=True),
        url="https://ada@pkgs.dev.azure.com/team/_packaging/feed/pypi/simple/",
        is_own_user="a token goes with any user name",
    ),
    Case("prompt", lambda folder, listener: Prompt(listener)),
)

KNOWING = [(case, case.knowing) for case in CASES if case.knowing is not None]
SLOW = [(case, case.slow) for case in CASES if case.slow is not None]


def named(value: object) -> str | None:
    return value.name if isinstance(value, Case) else ""


def index_of(case: Case) -> Index:
    return Index(Url.parse(case.url), name="corp", credential_command=case.command)


# What a provider does to the world, seen by the interpreter itself; hooks cannot be taken away again, only be told to rest.
_watched: list[str] | None = None
_WORLD = ("open", "subprocess.Popen", "os.posix_spawn", "os.fork", "socket.connect", "socket.getaddrinfo")


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _watched is not None and event in _WORLD:
        _watched.append(f"{event} {arguments[0] if arguments else ''}")


sys.addaudithook(_hook)


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is opened, started and connected to meanwhile."""
    global _watched  # noqa: PLW0603
    found: list[str] = []
    _watched = found
    try:
        yield found
    finally:
        _watched = None


def test_every_provider_takes_part(tmp_path: Path) -> None:
    (tmp_path / "credentials.toml").touch()
    everything = ProviderOptions(
        indexes=(Index(Url("https://packages.example.com/simple/"), name="corp", credential_command=("keyring",)),),
        environ={"PATH": str(_program(tmp_path / "bin", ""))},
        netrc=tmp_path / "netrc",
        store=tmp_path / "credentials.toml",
        native=True,
        keyring="subprocess",
        on_terminal=True,
    )
    assert {provider.name for provider in make_providers(everything)} <= {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=named)
def test_absent_is_not_an_error(case: Case, tmp_path: Path) -> None:
    events: list[Event] = []
    provider = case.ignorant(tmp_path, events.append)
    assert provider.name == case.name
    index = index_of(case) if case.name != "URL" else Index(Url("https://packages.example.com/simple/"), name="corp")
    assert provider.get(index, index.url) is None
    assert provider.get(None, index.url.without_credentials()) is None
    assert events == []


@pytest.mark.parametrize("case, make", KNOWING, ids=named)
def test_what_it_knows_it_says_and_where_it_is_from(case: Case, make: Make, tmp_path: Path) -> None:
    index = index_of(case)
    provider = make(tmp_path, lambda _: None)
    assert provider.covers(index, index.url)
    found = provider.get(index, index.url)
    assert isinstance(found, Credential)
    assert found.password.reveal() == CANARY
    assert found.username == (index.url.username or "") or not index.url.username
    assert str(found.origin) not in ("", "default")


@pytest.mark.parametrize("case, make", KNOWING, ids=named)
def test_nothing_leaks(case: Case, make: Make, tmp_path: Path) -> None:
    index = index_of(case)
    events: list[Event] = []
    provider = make(tmp_path, events.append)
    found = provider.get(index, index.url)
    assert isinstance(found, Credential)
    said = f"{provider!r} {provider} {found!r} {found} {found.origin} {events!r}"
    assert CANARY not in said
    with pytest.raises(TypeError):
        json.dumps(found.password)


@pytest.mark.parametrize("case, make", KNOWING, ids=named)
def test_it_never_answers_for_another_user(case: Case, make: Make, tmp_path: Path) -> None:
    index = replace(index_of(case), url=Url(index_of(case).url.public, "somebody-else"))
    found = make(tmp_path, lambda _: None).get(index, index.url)
    if isinstance(found, Credential | Username) and not case.is_own_user:
        assert found.username == "somebody-else"
        assert isinstance(found, Username)


@pytest.mark.parametrize("case", CASES, ids=named)
def test_covering_is_cheap_and_touches_nothing(case: Case, tmp_path: Path) -> None:
    index = index_of(case)
    makes = [make for make in (case.ignorant, case.knowing, case.slow) if make is not None]
    for number, make in enumerate(makes):
        folder = tmp_path / str(number)
        folder.mkdir()
        provider = make(folder, lambda _: None)
        with watched() as seen:
            began = time.process_time()
            answers = {provider.covers(at, index.url) for _ in range(300) for at in (index, index)}
            spent = time.process_time() - began
        assert seen == []
        assert len(answers) == 1
        assert spent < 0.3, "half a millisecond for each call"


@pytest.mark.parametrize("case, make", SLOW, ids=named)
def test_a_slow_helper_is_not_waited_for(case: Case, make: Make, tmp_path: Path) -> None:
    index = index_of(case)
    events: list[Event] = []
    provider = make(tmp_path, events.append)
    began = time.monotonic()
    assert provider.get(index, index.url) is None
    assert time.monotonic() - began < 8
    assert [event for event in events if isinstance(event, Warned)], "it says that it gave up"


@pytest.mark.parametrize("case", CASES, ids=named)
def test_nobody_is_asked_without_a_terminal(case: Case, tmp_path: Path) -> None:
    index = index_of(case)
    events: list[Event] = []
    provider = case.ignorant(tmp_path, events.append)
    with watched() as seen:
        provider.get(index, index.url)
    assert not [event for event in events if isinstance(event, Asking)]
    assert not [event for event in seen if "/dev/tty" in event]


@pytest.mark.parametrize("case, make", KNOWING, ids=named)
def test_threads_get_the_same_answer(case: Case, make: Make, tmp_path: Path) -> None:
    index = index_of(case)
    provider = make(tmp_path, lambda _: None)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(provider.get(index, index.url))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert all(each == found[0] and each is not None for each in found)
