import json
from pathlib import Path

import pytest

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.scripted_server import Received, Reply, serving

PAGE = b"""
<a href="foo-1.0-py3-none-any.whl">foo-1.0-py3-none-any.whl</a>
<a href="foo-10.0-py3-none-any.whl" data-yanked="broken">foo-10.0-py3-none-any.whl</a>
<a href="foo-2.0-py3-none-any.whl">foo-2.0-py3-none-any.whl</a>
<a href="foo-2.0.tar.gz">foo-2.0.tar.gz</a>
<a href="foo-3.0-py3-none-any.whl" data-requires-python="&gt;=3.99">foo-3.0-py3-none-any.whl</a>
<a href="what.txt">what.txt</a>
"""


@pytest.fixture
def sandbox(tmp_path: Path, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> Sandbox:
    """``last``, the default index, has ``foo`` 9.0 and ``bar``."""
    cove_index.add(wheel_factory.wheel("foo", "9.0"), wheel_factory.wheel("bar", "1.0"))
    return Sandbox(tmp_path).using(
        {
            "UV_DEFAULT_INDEX": f"last={cove_index.running.simple_url}",
            "UV_INDEX_LAST_USERNAME": cove_index.username,
            "UV_INDEX_LAST_PASSWORD": cove_index.password.reveal(),
        }
    )


def script(asked: Received) -> Reply:
    return Reply(200, PAGE, {"Content-Type": "text/html"}) if asked.path == "/foo/" else Reply(404)


def test_versions_highest_first_with_marks(sandbox: Sandbox) -> None:
    with serving(script) as server:
        ran = sandbox.cove("index", "versions", "Foo", "--index", f"corp={server.url}").ok()
        lines = ran.stdout.splitlines()
        assert lines[0] == "corp:"
        assert lines[1] == "  10.0  (yanked: broken)"
        assert lines[2].startswith("  3.0  (requires Python >=3.99, and this is 3.")
        assert lines[3:5] == ["  2.0  (the latest that fits)", "  1.0"]
        assert lines[-1] == "last: not asked"
        absent = sandbox.cove("index", "versions", "bar", "--index", f"corp={server.url}").ok()
        assert absent.stdout == "corp: 404 Not Found\n\nlast:\n  1.0  (the latest that fits)\n"


def test_every_index_only_when_wished(sandbox: Sandbox) -> None:
    with serving(script) as server:
        words = ("index", "versions", "foo", "--index", f"corp={server.url}", "--output-format", "json")
        told = json.loads(sandbox.cove(*words).ok().stdout)
        assert (told["latest"], told["not_asked"]) == ({"version": "2.0", "index": "corp"}, ["last"])
        assert told["indexes"][0]["versions"][2] == {"version": "2.0", "files": 2, "fits": True, "yanked": None}
        everything = json.loads(sandbox.cove(*words, "--all-indexes").ok().stdout)
    assert [each["index"] for each in everything["indexes"]] == ["corp", "last"]
    assert everything["indexes"][1]["versions"][0]["version"] == "9.0"
    assert everything["latest"] == {"version": "2.0", "index": "corp"}


def test_exit_statuses(sandbox: Sandbox) -> None:
    assert sandbox.cove("index", "versions", "nowhere").status == 1
    with serving(lambda _: Reply(500)) as server:
        ran = sandbox.cove("index", "versions", "foo", "--index", f"corp={server.url}")
    assert ran.status == 2
    assert "error: corp answered 500" in ran.stderr
