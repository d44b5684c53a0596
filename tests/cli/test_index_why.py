import json
from pathlib import Path

import pytest

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.scripted_server import Received, Reply, serving


@pytest.fixture
def sandbox(tmp_path: Path, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> Sandbox:
    """Two indexes: ``first``, a server that has nothing; ``second``, which has ``foo``."""
    cove_index.add(
        wheel_factory.wheel("foo", "1.0"),
        wheel_factory.wheel("foo", "2.0"),
        wheel_factory.wheel("foo", "2.1a1"),
        wheel_factory.wheel("foo", "3.0", requires_python=">=3.99"),
        *(wheel_factory.wheel("foo", f"0.{minor}", tag="cp27-cp27mu-win32") for minor in range(12)),
    )
    made = Sandbox(tmp_path)
    for folder in ("empty", "other"):
        (made.work / folder).mkdir()
    return made.using(
        {
            "UV_INDEX": f"first=./empty second={cove_index.running.simple_url}",
            "UV_DEFAULT_INDEX": "last=./other",
            "UV_INDEX_SECOND_USERNAME": cove_index.username,
            "UV_INDEX_SECOND_PASSWORD": cove_index.password.reveal(),
        }
    )


def test_outside_a_project(sandbox: Sandbox) -> None:
    ran = sandbox.cove("index", "why", "Foo").ok()
    lines = ran.stdout.splitlines()
    assert lines[0] == "foo: search order (first-index)"
    table = [line.split() for line in lines[4:7]]
    assert table[0][0] == "first"
    assert table[1] == ["second", "found", "16", "2.0", "$UV_INDEX"]
    assert table[2] == ["last", "not", "asked", "-", "-", "$UV_DEFAULT_INDEX"]
    assert "Taken from second: 2.0 (foo-2.0-py3-none-any.whl)" in ran.stdout
    assert "13 files cannot be used on Python 3." in ran.stdout
    assert "  foo-3.0-py3-none-any.whl: requires Python >=3.99" in ran.stdout
    assert "and 3 more, which `--all-files` lists" in ran.stdout
    everything = sandbox.cove("index", "why", "foo", "--all-files").ok().stdout
    assert everything.count("has no wheel for this target") == 12
    assert ran.stderr == ""


def test_as_json_it_is_complete(sandbox: Sandbox) -> None:
    told = json.loads(sandbox.cove("index", "why", "foo", "--output-format", "json").ok().stdout)
    assert [(each["index"], each["answer"]) for each in told["answers"]] == [("first", "absent"), ("second", "found")]
    assert told["not_asked"] == ["last"]
    assert told["chosen"] == {"version": "2.0", "filename": "foo-2.0-py3-none-any.whl", "index": "second"}
    assert len(told["rejected"]) == 13
    newest = json.loads(
        sandbox.cove("index", "why", "foo", "--prerelease", "allow", "--output-format", "json").ok().stdout
    )
    assert newest["chosen"]["version"] == "2.1a1"


def test_a_pin_and_a_route_are_named_with_their_lines(sandbox: Sandbox) -> None:
    place = sandbox.project(
        '[project]\nname = "demo"\nversion = "0"\ndependencies = ["Foo"]\n'
        '[tool.uv.sources]\nFoo = { index = "second" }\nlocal = { path = "empty" }\n'
        '[tool.cove.index.first]\npackages = ["corp-*"]\n'
    )
    pinned = sandbox.cove("index", "why", "foo").ok()
    assert pinned.stdout.startswith(f"foo: pinned to second by tool.uv.sources ({place / 'pyproject.toml'}:6)\n")
    assert "not asked" not in pinned.stdout
    routed = sandbox.cove("index", "why", "corp-tool")
    assert routed.status == 1
    assert routed.stdout.startswith("corp-tool: routed to first by packages = ['corp-*'] ")
    assert f"{place / 'pyproject.toml'}:9" in routed.stdout
    assert "error: `corp-tool` was not found on first" in routed.stderr


def test_a_name_that_is_nowhere_is_1(sandbox: Sandbox) -> None:
    ran = sandbox.cove("index", "why", "bar")
    assert ran.status == 1
    assert "error: `bar` was not found on first (" in ran.stderr
    assert "second (404 Not Found)" in ran.stderr
    told = sandbox.cove("index", "why", "bar", "--output-format=json")
    assert (told.status, json.loads(told.stdout)["chosen"]) == (1, None)


def test_an_index_that_cannot_answer_is_2_and_ends_the_search(sandbox: Sandbox) -> None:
    with serving(lambda _: Reply(500)) as server:
        given = {"UV_INDEX": f"broken={server.url} " + sandbox.environ["UV_INDEX"]}
        ran = sandbox.cove("index", "why", "foo", environ=given)
        told = sandbox.cove("index", "why", "foo", "--output-format=json", environ=given)
    assert (ran.status, told.status) == (2, 2)
    assert "unexpected-status" in ran.stdout
    assert "error: broken answered 500 Internal Server Error for `foo`" in ran.stderr
    assert "Taken from" not in ran.stdout
    assert json.loads(told.stdout)["not_asked"] == ["first", "second", "last"]
    assert json.loads(told.stdout)["answers"][0]["error"]["code"] == "unexpected-status"


def test_nothing_that_fits(sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    cove_index.add(wheel_factory.wheel("old", tag="cp27-none-win32"))
    ran = sandbox.cove("index", "why", "old").ok()
    assert "None of its files can be used on Python 3." in ran.stdout
    assert "1 file cannot be used" in ran.stdout


def test_what_is_not_asked_for_on_an_index(sandbox: Sandbox) -> None:
    assert sandbox.cove("index", "why", "foo==1").status == 2
    sandbox.project(
        '[project]\nname = "demo"\nversion = "0"\ndependencies = ["foo"]\n[tool.uv.sources]\nfoo = { path = "empty" }\n'
    )
    ran = sandbox.cove("index", "why", "foo")
    assert ran.status == 2
    assert "tool.uv.sources sends it to empty" in ran.stderr
    assert sandbox.cove("index", "why", "foo", "--no-sources").status == 0


@pytest.mark.parametrize("command", ["why", "versions"])
def test_files_without_upload_times_are_judged_as_a_resolution_judges_them(command: str, sandbox: Sandbox) -> None:
    page = "".join(f'<a href="/{name}">{name}</a>' for name in ("old-1.0-py3-none-any.whl", "old-2.0-py3-none-any.whl"))
    since = {"1.0": "Wed, 01 Jan 2020 00:00:00 GMT", "2.0": "Sat, 01 Jan 2022 00:00:00 GMT"}

    def script(received: Received) -> Reply:
        if not received.path.endswith(".whl"):
            return Reply(200, page.encode(), {"Content-Type": "text/html"})
        return Reply(200, b"", {"Last-Modified": since[received.path.split("-")[1]]})

    with serving(script) as server:
        given = {"UV_INDEX": f"links={server.url}/simple/"}
        ran = sandbox.cove("index", command, "old", "--exclude-newer", "2021-01-01", environ=given).ok()
    assert "has no upload time" not in ran.stdout
    assert "exclude-newer goes by the Last-Modified of each file" in ran.stderr
    assert "was uploaded on 2022-01-01, after exclude-newer" in ran.stdout
