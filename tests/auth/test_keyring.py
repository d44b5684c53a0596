import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.auth.providers.keyring import Found, Keyring, Library, Subprocess, Trouble, make_keyring
from cove.model.event import Event, Listener, Noted, Warned, ignore
from cove.model.index import DEFAULT_INDEX_URL, Authenticate, Index
from cove.model.secret import Credential
from cove.model.url import Url

CODEARTIFACT = "https://d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/"


def index(url: str = "https://example.com/simple", authenticate: Authenticate = "auto") -> Index:
    return Index(Url.parse(url), name="corp", authenticate=authenticate)


def shown(answer: Credential | None) -> tuple[str, ...] | None:
    return None if answer is None else (answer.username, answer.password.reveal(), str(answer.origin))


def program(folder: Path, body: str) -> Path:
    """A stand-in for the keyring program that also writes down its arguments."""
    path = folder / "keyring"
    log = folder / "log"
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"#!{sys.executable}\nimport os, sys\nopen({str(log)!r}, 'a').write(' '.join(sys.argv[1:]) + '\\n')\n{body}\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


def calls(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def by_program(folder: Path, listener: Listener = ignore, time_limit: float = 30.0) -> Keyring:
    return Keyring(Subprocess({"PATH": str(folder)}, listener=listener, time_limit=time_limit), listener)


ASKED = {
    "http://ada@example.com:8080/simple/": [
        "http://example.com:8080/simple/ ada", "example.com:8080 ada", "http://example.com:8080 ada",
    ],
    "http://ada@example.com:80/simple#x": ["http://example.com:80/simple ada", "example.com ada", "http://example.com ada"],
    "https://ada:@example.com/simple/": ["https://example.com/simple/ ada", "example.com ada"],
    "https://ada@[::1]:8443/a?b=c": ["https://[::1]:8443/a?b=c ada", "[::1]:8443 ada"],
    "https://example.com/simple": ["https://example.com/simple --mode creds", "example.com --mode creds"],
    "http://h.example/": ["http://h.example/ --mode creds", "h.example --mode creds", "http://h.example --mode creds"],
    CODEARTIFACT.replace("://", "://dummy@"): [
        f"{CODEARTIFACT} dummy", f"{CODEARTIFACT} aws", "d-123456789012.d.codeartifact.eu-west-1.amazonaws.com dummy",
    ],
    CODEARTIFACT.replace("://", "://aws@"): [
        f"{CODEARTIFACT} aws", "d-123456789012.d.codeartifact.eu-west-1.amazonaws.com aws",
    ],
}  # fmt: skip
"""Index URLs as written, and everything the program is asked for them when it knows nothing, in order."""


@pytest.mark.parametrize("url", ASKED)
def test_what_the_program_is_asked(tmp_path: Path, url: str) -> None:
    keyring = by_program(program(tmp_path, "exit(1)"))
    asked = index(url)
    assert keyring.covers(asked, asked.url)
    assert keyring.get(asked, asked.url) is None
    assert calls(tmp_path) == [f"get {question}" for question in ASKED[url]]


def test_the_first_answer_ends_the_round_and_there_is_one_round(tmp_path: Path) -> None:
    keyring = by_program(program(tmp_path, "if sys.argv[2] != 'example.com': exit(1)\nprint('p  ')"))
    for _ in range(2):
        assert shown(keyring.get(None, Url.parse("http://ada@example.com/simple/"))) == (
            "ada", "p", "keyring (example.com)",
        )  # fmt: skip
    assert len(calls(tmp_path)) == 2
    assert shown(keyring.get(None, Url.parse("http://eve@example.com/simple/"))) is not None
    assert len(calls(tmp_path)) == 4


@pytest.mark.parametrize(
    "output, expected",
    [("ada\np ", ("ada", "p")), ("\np", ("", "p")), ("ada\n\n", ("ada", "")), ("", None), ("\n", None)],
)
def test_whoever_is_stored(tmp_path: Path, output: str, expected: tuple[str, str] | None) -> None:
    keyring = by_program(program(tmp_path, f"sys.stdout.write({output!r})"))
    answer = shown(keyring.get(index(), index().url))
    assert (answer and answer[:2]) == expected


def test_an_empty_password_of_a_user_is_one(tmp_path: Path) -> None:
    answer = by_program(program(tmp_path, "print()")).get(None, Url.parse("https://ada@example.com/"))
    assert shown(answer) == ("ada", "", "keyring (https://example.com/)")


@pytest.mark.parametrize(
    "url, authenticate, covered",
    [
        ("https://example.com/simple", "auto", True),
        (DEFAULT_INDEX_URL, "auto", False),
        (DEFAULT_INDEX_URL, "always", True),
        (DEFAULT_INDEX_URL.replace("://", "://ada@"), "auto", True),
        ("https://download.pytorch.org/whl/cpu", "auto", False),
        ("file:///srv/wheels", "auto", False),
    ],
)
def test_who_is_asked_about(url: str, authenticate: Authenticate, covered: bool) -> None:
    asked = index(url, authenticate)
    assert Keyring(Library()).covers(asked, asked.url) is covered
    assert Keyring(Library()).covers(None, Url.parse("https://example.com/")) is False
    assert Keyring(Library()).covers(None, Url.parse("https://ada@example.com/")) is True


@pytest.mark.parametrize(
    "body, words",
    [
        ("sys.stderr.write('error: unrecognized arguments: --mode'); exit(2)", "too old"),
        ("sys.stderr.write('Traceback http://u:canary@h/ '); exit(1)", "exit status 1"),
        ("import time; time.sleep(50)", "did not answer within 0.5 seconds"),
        ("import subprocess, time; subprocess.Popen(['/bin/sleep', '50']); time.sleep(50)", "did not answer"),
        ("import signal; os.kill(os.getpid(), signal.SIGSEGV)", None),
    ],
)
def test_trouble_with_the_program_is_told_once(tmp_path: Path, body: str, words: str | None) -> None:
    events: list[Event] = []
    keyring = by_program(program(tmp_path, body), events.append, time_limit=0.5)
    for user in ("ada", "eve"):
        assert keyring.get(None, Url.parse(f"https://{user}@example.com/")) is None
    warned = [event for event in events if isinstance(event, Warned)]
    assert len(warned) == (words is not None)
    assert all((words or "") in event.message for event in warned)
    assert "canary" not in repr(events)
    assert [type(event) for event in events if event not in warned] in ([], [Noted] * 4)


def test_a_program_that_leaves_another_behind_does_not_hold_us(tmp_path: Path) -> None:
    body = "import subprocess; subprocess.Popen(['/bin/sleep', '8']); print('p')"
    keyring = by_program(program(tmp_path, body), time_limit=5)
    assert shown(keyring.get(None, Url.parse("https://ada@example.com/"))) is not None


def test_a_program_on_a_terminal_may_speak_to_the_person(tmp_path: Path) -> None:
    events: list[Event] = []
    body = "import time; print('open https://u:canary@h/ enter code', file=sys.stderr, flush=True); time.sleep(1); print('p')"
    ring = Subprocess({"PATH": str(program(tmp_path, body))}, listener=events.append, on_terminal=True, patience=0.3)
    assert ring.ask("https://example.com/", "ada") == Found("ada", "p")
    assert events == [Warned("keyring: open https://****@h/ enter code")]


def test_a_missing_program_is_told(tmp_path: Path) -> None:
    events: list[Event] = []
    keyring = by_program(tmp_path, events.append)
    assert keyring.get(None, Url.parse("https://ada@example.com/")) is None
    assert "neither on PATH nor among the tools" in repr(events)
    assert len(events) == 1


def test_a_program_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    events: list[Event] = []
    (tmp_path / "keyring").write_text("#!/no/such/interpreter\n")
    (tmp_path / "keyring").chmod(0o755)
    assert by_program(tmp_path, events.append).get(None, Url.parse("https://ada@example.com/")) is None
    assert len(events) == 1


def test_the_program_is_found_among_tools(tmp_path: Path) -> None:
    places = (tmp_path / "none", program(tmp_path / "tool", "print('p')"))
    ring = Subprocess({"PATH": str(tmp_path / "empty")}, places)
    assert ring.find() == str(tmp_path / "tool" / "keyring")
    on_path = Subprocess({"PATH": str(program(tmp_path / "path", ""))}, places)
    assert on_path.find() == str(tmp_path / "path" / "keyring")


def test_auto_takes_what_is_there(tmp_path: Path) -> None:
    events: list[Event] = []
    folder = program(tmp_path, "print('p')")
    assert make_keyring("disabled") is None
    assert make_keyring("subprocess", environ={"PATH": ""}) is not None
    found = make_keyring("auto", environ={"PATH": str(folder)}, listener=events.append)
    nothing = make_keyring("auto", environ={"PATH": ""}, listener=events.append)
    assert found is not None
    assert Library.is_there() or nothing is None
    assert events == []


# --- tokens -----------------------------------------------------------------------------------------------------------

JWT = "eyJhbGciOiJub25lIn0.eyJleHAiOjQwMDAwMDAwMDB9.x"
"""Ends in 2096."""


class Rings:
    """Answers from a list, and the questions."""

    def __init__(self, *answers: Found | None) -> None:
        self._answers: Iterator[Found | None] = iter(answers)
        self.asked: list[tuple[str, str | None]] = []

    def ask(self, service: str, username: str | None) -> Found | None:
        self.asked.append((service, username))
        return next(self._answers)


def test_a_token_ends_when_it_says() -> None:
    url = Url.parse("https://ada@example.com/")
    ring = Rings(Found("ada", JWT), Found("ada", JWT.replace("x", "y")))
    keyring = Keyring(ring, fresh=0.0)
    first = keyring.get(None, url)
    assert first is not None
    assert first.expires is not None
    assert first.expires.year == 2096
    assert keyring.forget(None, url, first)
    second = keyring.get(None, url)
    assert second is not None
    assert second.password != first.password
    assert keyring.forget(None, url, first), "the other one is there already"
    assert keyring.get(None, url) is second
    assert len(ring.asked) == 2


@pytest.mark.parametrize("password, fresh", [("plain", 0.0), (JWT, 60.0)])
def test_what_would_be_the_same_again_is_not_asked_again(password: str, fresh: float) -> None:
    url = Url.parse("https://ada@example.com/")
    keyring = Keyring(Rings(Found("ada", password)), fresh=fresh)
    first = keyring.get(None, url)
    assert first is not None
    assert not keyring.forget(None, url, first)
    assert not keyring.forget(None, Url.parse("https://eve@example.com/"), first)


# --- import -----------------------------------------------------------------------------------------------------------

MODULE = """
from types import SimpleNamespace
def get_credential(service, username):
    if service == "boom": raise RuntimeError("canary")
    if service == "slow": import time; time.sleep(5)
    if service == "none": return None
    return SimpleNamespace(username="aws", password="token")
def get_password(service, username):
    return f"of {username}" if service == "https://example.com/" else None
"""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A package called ``keyring`` in the place of the real one."""
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "keyring"}
    (tmp_path / "keyring.py").write_text(MODULE)
    sys.path.insert(0, str(tmp_path))
    try:
        yield Library(time_limit=0.5)
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("keyring", None)
        sys.modules.update(before)


def test_the_library_is_asked_for_a_credential(library: Library) -> None:
    assert library.is_there()
    assert library.ask("https://example.com/", None) == Found("aws", "token")
    assert library.ask("https://example.com/", "aws") == Found("aws", "token")
    assert library.ask("https://example.com/", "ada") == Found("ada", "of ada"), "not that of another user"
    assert library.ask(CODEARTIFACT, "dummy") == Found("aws", "token"), "here all have the same user name"
    assert library.ask("example.com", "ada") is None
    assert library.ask("none", "ada") is None


@pytest.mark.parametrize("service, words", [("boom", "RuntimeError"), ("slow", "within 0.5 seconds")])
def test_trouble_with_the_library_names_its_kind(library: Library, service: str, words: str) -> None:
    with pytest.raises(Trouble, match=words) as caught:
        library.ask(service, "ada")
    assert "canary" not in f"{caught.value} {caught.value.hint} {caught.value.detail}"


def test_auto_prefers_the_library(library: Library, tmp_path: Path) -> None:
    keyring = make_keyring("auto", environ={"PATH": str(program(tmp_path / "bin", "exit(3)"))})
    assert keyring is not None
    answer = keyring.get(None, Url.parse("https://ada@example.com/"))
    assert shown(answer) == ("ada", "of ada", "keyring (https://example.com/)")
