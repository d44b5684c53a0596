"""What every answer of an index means, for every strategy and format: the whole table, asked through the command line."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from cove.formats.negotiate import JSON
from support.commandline import Sandbox
from support.scripted_server import Received, Reply, ScriptedServer, serving

STRATEGIES = ("first-index", "unsafe-first-match", "unsafe-best-match")
FORMATS = ("json", "html", "flat")

FOUND, EMPTY, ABSENT = "found", "empty", "absent"
SIMPLE = {
    "200": FOUND, "200 empty page": EMPTY, "204": "unexpected-status", "300": "unexpected-status",
    "304": "unexpected-status", "400": "unexpected-status", "401": "credentials-missing", "403": "access-forbidden",
    "404": ABSENT, "407": "unexpected-status", "410": ABSENT, "429": "unexpected-status", "451": "unexpected-status",
    "500": "unexpected-status", "502": "unexpected-status", "503": "unexpected-status", "511": "unexpected-status",
    "refused": "index-unreachable", "time-out": "index-unreachable", "broken off": "truncated-download",
    "wrong content type": "invalid-response",
}  # fmt: skip
"""By the answer of the first of two indexes: what it comes to, the code of an error where it is one."""

FLAT = {
    # The one page of a list is missing: that says nothing of a project, and is a mistake in the configuration.
    "404": "configuration", "410": "configuration",
    # A list that lists nothing of this name; and uv checks no content type here either.
    "200 empty page": ABSENT, "wrong content type": FOUND,
}  # fmt: skip
"""Where a flat index differs."""

NUMBERS = count()
Ask = Callable[..., tuple[str, bool]]


class Answering:
    """A server whose first index answers as told, and whose second one, below ``/second``, has everything."""

    def __init__(self) -> None:
        self.answer, self.format, self.name = "200", "json", "foo"

    def __call__(self, request: Received) -> Reply:
        if request.path.startswith("/second"):
            return self.page(f"{self.name}-1-py3-none-any.whl")
        return self.reply()

    def page(self, *filenames: str) -> Reply:
        if self.format == "json":
            files = [{"filename": filename, "url": filename, "hashes": {}} for filename in filenames]
            body = json.dumps({"meta": {"api-version": "1.0"}, "name": self.name, "files": files}).encode()
            return Reply(200, body, {"Content-Type": JSON})
        links = "".join(f'<a href="{filename}">{filename}</a>' for filename in filenames)
        return Reply(200, f"<!DOCTYPE html><html><body>{links}</body></html>".encode(), {"Content-Type": "text/html"})

    def reply(self) -> Reply:
        page = self.page(f"{self.name}-1-py3-none-any.whl")
        match self.answer:
            case "200":
                return page
            case "200 empty page":
                return self.page()
            case "time-out":
                page.delay = 1.5
                return page
            case "broken off":
                page.announced = len(page.body) + 100
                return page
            case "wrong content type":
                page.headers["Content-Type"] = "image/png"
                return page
        return Reply(int(self.answer))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    return Sandbox(tmp_path_factory.mktemp("statuses"))


@pytest.fixture(scope="module")
def answering() -> Answering:
    return Answering()


@pytest.fixture(scope="module")
def server(answering: Answering) -> Iterator[ScriptedServer]:
    with serving(answering) as server:
        yield server


@pytest.fixture
def ask(place: Sandbox, answering: Answering, server: ScriptedServer, tmp_path: Path) -> Ask:
    """What comes of asking two indexes of which the first answers as told: its outcome, and whether the second was asked."""

    def ask(answer: str, strategy: str, form: str, ignored: str = "") -> tuple[str, bool]:
        number = next(NUMBERS)
        answering.answer, answering.format, answering.name = answer, form, f"foo{number}"
        first = "http://127.0.0.1:9" if answer == "refused" else server.url
        kind = "flat" if form == "flat" else "simple"
        (tmp_path / "pyproject.toml").write_text(
            f'[[tool.uv.index]]\nname = "first"\nurl = "{first}/first{number}"\nformat = "{kind}"\n{ignored}\n'
            f'[[tool.uv.index]]\nname = "second"\nurl = "{server.url}/second"\nformat = "{kind}"\ndefault = true\n'
            f'[tool.uv]\nindex-strategy = "{strategy}"\n'
        )
        timeout = {"UV_HTTP_TIMEOUT": "1"} if answer == "time-out" else {}
        ran = place.cove("index", "why", answering.name, "--output-format", "json", cwd=tmp_path, environ=timeout)
        told = json.loads(ran.stdout)
        answers = {each["index"]: each for each in told["answers"]}
        is_second_asked = "second" in answers
        assert is_second_asked == any("/second" in each.url for each in ran.requests)
        error = answers["first"].get("error")
        if error:
            assert (ran.status, told["chosen"]) == (2, None), "an index that did not say stops the command"
            assert not is_second_asked
            return error["code"], False
        chosen = (told["chosen"] or {}).get("index")
        outcome = str(answers["first"]["answer"])
        has_files = outcome == "found" and answer != "200 empty page"
        assert chosen == ("first" if has_files else "second" if is_second_asked else None)
        return (EMPTY if outcome == "found" and not has_files else outcome), is_second_asked

    return ask


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("answer", SIMPLE)
def test_the_table(ask: Ask, answer: str, strategy: str, form: str) -> None:
    expected = FLAT.get(answer, SIMPLE[answer]) if form == "flat" else SIMPLE[answer]
    goes_on = expected == ABSENT or (strategy != "first-index" and expected in (FOUND, EMPTY))
    assert ask(answer, strategy, form) == (expected, goes_on)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("answer", [each for each in SIMPLE if each.isdigit() and each != "200"])
def test_ignored_statuses_are_absence_everywhere(ask: Ask, answer: str, strategy: str, form: str) -> None:
    assert ask(answer, strategy, form, f"ignore-error-codes = [{answer}]") == (ABSENT, True)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_ignored_statuses_replace_nothing_else(ask: Ask, strategy: str, form: str) -> None:
    ignored = "ignore-error-codes = [418]"
    assert ask("403", strategy, form, ignored) == ("access-forbidden", False)
    assert ask("404", strategy, form, ignored)[0] == ("configuration" if form == "flat" else ABSENT)
