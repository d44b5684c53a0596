import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cove.auth.tokens import Kept, Tokens
from cove.model.event import Event, Warned
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret

NOW = datetime.now(UTC)


def token(text: str = "canary", minutes: float | None = 60, username: str = "aws") -> Credential:
    end = None if minutes is None else NOW + timedelta(minutes=minutes)
    return Credential(username, Secret(text), Origin("provider", "codeartifact (profile dev)"), expires=end)


def text_of(credential: Credential | None) -> str | None:
    return None if credential is None else credential.password.reveal()


def test_a_token_comes_back_as_it_was(tmp_path: Path) -> None:
    of_a_header = Credential(
        "", Secret("s"), Origin("provider", "command"), "header", NOW + timedelta(hours=1), "X-Key"
    )
    Tokens(tmp_path / "data").put("a", token())
    Tokens(tmp_path / "data").put("b", of_a_header)
    again = Tokens(tmp_path / "data")
    assert again.get("a", NOW) == token()
    assert again.get("b", NOW) == of_a_header
    assert again.get("c", NOW) is None


@pytest.mark.skipif(sys.platform == "win32", reason="no modes")
def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "data")
    tokens.put("a", token())
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    tokens.path.chmod(0o644)
    tokens.put("b", token())
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(tokens.path.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in tokens.path.parent.iterdir()) == ["tokens.json", "tokens.json.lock"]


@pytest.mark.parametrize("minutes, served", [(5.1, True), (4.9, False), (-1, False)])
def test_what_ends_soon_is_not_handed_out(tmp_path: Path, minutes: float, served: bool) -> None:
    Tokens(tmp_path).put("a", token(minutes=60))
    assert (Tokens(tmp_path).get("a", NOW + timedelta(minutes=60 - minutes)) is not None) == served


def test_what_does_not_end_is_not_kept_and_what_has_ended_leaves(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    tokens.put("a", token())
    tokens.put("a", token("other", None))
    assert tokens.get("a", NOW) is None
    tokens.put("b", token("ended", minutes=-1))
    tokens.put("c", token("lives"))
    content = tokens.path.read_text()
    assert "lives" in content
    assert not any(gone in content for gone in ("canary", "other", "ended"))


ENTRY = b'{"username": "", "secret": "canary", "scheme": "%s", "header": "", "origin": "", "expires": "%s"}'
DAMAGED = (
    b"", b"{canary", b"\xff", b"[]", b'{"format": 2, "tokens": {}}', b'{"format": 1, "tokens": []}',
    b'{"format": 1, "tokens": {"a": {"secret": "canary"}}}',
    b'{"format": 1, "tokens": {"a": %s}}' % (ENTRY % (b"basic", b"canary")),
    b'{"format": 1, "tokens": {"a": %s}}' % (ENTRY % (b"canary", b"2099-01-01T00:00:00+00:00")),
    b'{"format": 1, "tokens": {"a": %s}}' % (ENTRY % (b"basic", b"2099-01-01T00:00:00")),
)  # fmt: skip


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_dropped_and_told_once(tmp_path: Path, content: bytes) -> None:
    events: list[Event] = []
    tokens = Tokens(tmp_path, events.append)
    tokens.path.write_bytes(content)
    assert tokens.get("a", NOW) is None
    assert tokens.get("a", NOW) is None
    assert [type(event) for event in events] == [Warned]
    assert "canary" not in repr(events) + tokens.path.read_text()


def test_a_folder_that_cannot_be_written_costs_no_run(tmp_path: Path) -> None:
    events: list[Event] = []
    (tmp_path / "file").touch()
    tokens = Tokens(tmp_path / "file" / "data", events.append)
    tokens.put("a", token())
    assert tokens.get("a", NOW) is None
    assert "not kept" in repr(events)
    assert "canary" not in repr(events)


def test_a_newer_token_is_not_dropped_for_an_older_one(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    tokens.put("a", token("new"))
    tokens.drop("a", Secret("old"))
    assert text_of(tokens.get("a", NOW)) == "new"
    tokens.drop("a", Secret("new"))
    assert tokens.get("a", NOW) is None
    tokens.put("a", token())
    assert tokens.clear() == 1
    assert tokens.get("a", NOW) is None


PUT_MANY = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from cove.auth.tokens import Tokens
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
folder, name = sys.argv[1:]
for number in range(20):
    end = datetime.now(UTC) + timedelta(hours=1)
    credential = Credential("", Secret(f"{name}{number}"), Origin("provider", "test"), expires=end)
    Tokens(Path(folder)).put(f"{name}{number}", credential)
"""


def test_processes_lose_nothing(tmp_path: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", PUT_MANY, str(tmp_path), name]) for name in "abc"]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    for key in (f"{name}{number}" for name in "abc" for number in range(20)):
        assert text_of(Tokens(tmp_path).get(key, datetime.now(UTC))) == key


# --- Kept -------------------------------------------------------------------------------------------------------------


class Service:
    """Makes tokens, and counts them."""

    def __init__(self, *made: Credential | None) -> None:
        self._made: Iterator[Credential | None] = iter(made)
        self.calls = 0

    def __call__(self) -> Credential | None:
        self.calls += 1
        return next(self._made)


def test_one_token_serves_threads_and_later_runs(tmp_path: Path) -> None:
    service = Service(token())
    kept = Kept(Tokens(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        assert {text_of(each) for each in pool.map(lambda _: kept.get("a", service), range(8))} == {"canary"}
    assert text_of(Kept(Tokens(tmp_path)).get("a", service)) == "canary"
    assert service.calls == 1


def test_a_token_is_renewed_before_it_ends(tmp_path: Path) -> None:
    now = NOW
    service = Service(token("one", 60), token("two", 120))
    kept = Kept(Tokens(tmp_path), now=lambda: now)
    assert text_of(kept.get("a", service)) == "one"
    now = NOW + timedelta(minutes=54)
    assert text_of(kept.get("a", service)) == "one"
    now = NOW + timedelta(minutes=56)
    assert text_of(kept.get("a", service)) == "two"
    assert text_of(Tokens(tmp_path).get("a", NOW)) == "two"


def test_a_token_of_minutes_serves_the_run_that_made_it() -> None:
    now = NOW
    service = Service(token("one", 2), token("two", 60))
    kept = Kept(None, now=lambda: now)
    assert text_of(kept.get("a", service)) == "one"
    assert text_of(kept.get("a", service)) == "one"
    now = NOW + timedelta(seconds=61)
    assert text_of(kept.get("a", service)) == "two"


def test_what_has_ended_when_it_is_made_is_not_made_again() -> None:
    service = Service(token("ended", -1))
    kept = Kept(None)
    assert text_of(kept.get("a", service)) == text_of(kept.get("a", service)) == "ended"
    assert service.calls == 1


def test_a_refused_token_is_made_anew_once_for_all_who_hold_it(tmp_path: Path) -> None:
    service = Service(token("one"), token("two"))
    kept = Kept(Tokens(tmp_path))
    first = kept.get("a", service)
    assert first is not None
    for _ in range(3):
        assert kept.forget("a", first)
        assert text_of(kept.get("a", service)) == "two"
    assert not kept.forget("other", first)
    assert text_of(Tokens(tmp_path).get("a", NOW)) == "two"


def test_a_refused_token_that_another_run_has_renewed_is_not_made_anew(tmp_path: Path) -> None:
    service = Service(token("one"))
    kept = Kept(Tokens(tmp_path))
    first = kept.get("a", service)
    assert first is not None
    Tokens(tmp_path).put("a", token("of another run"))
    assert kept.forget("a", first)
    assert text_of(kept.get("a", service)) == "of another run"


def test_nothing_is_not_kept_and_a_failure_is_told(tmp_path: Path) -> None:
    service = Service(None, token())
    kept = Kept(Tokens(tmp_path))
    assert kept.get("a", service) is None
    assert text_of(kept.get("a", service)) == "canary"

    def fail() -> Credential | None:
        raise ValueError("no network")

    with pytest.raises(ValueError, match="no network"):
        kept.get("b", fail)
