"""Adding and removing: what differs from uv on purpose, what is refused, and that a failure leaves everything as it was."""

import json
import signal
import socket
import subprocess
import sys
import time
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.server.serve import RunningIndex
from cove.testing import BuiltFile, PackageFactory
from support.commandline import Sandbox
from support.local_projects import commit, write_project
from support.scripted_server import Received, Reply, serving

EMPTY = '[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = []\n'


@pytest.fixture
def index(sandbox: Sandbox) -> Iterator[RunningIndex]:
    make = PackageFactory()
    with RunningIndex(sandbox.root / "index") as running:
        files: list[BuiltFile] = [make.wheel("leaf", version) for version in ("1.0", "1.1", "2.0")]
        files += [make.wheel("web", requires=["leaf"]), make.wheel("epoch", "1!2.3")]
        for file in files:
            file.write_to(running.store.root / file.filename.partition("-")[0])
        sandbox.using({"UV_DEFAULT_INDEX": running.simple_url.public})
        yield running


def _lists(folder: Path) -> object:
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"]


def _all(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.suffix in (".toml", ".lock")}


@pytest.mark.parametrize(
    "bounds, wanted", [("major", "epoch>=1!2.3,<1!3.0"), ("minor", "epoch>=1!2.3,<1!2.4"), ("exact", "epoch==1!2.3")]
)
def test_bounds_are_of_the_same_epoch(sandbox: Sandbox, index: RunningIndex, bounds: str, wanted: str) -> None:
    project = sandbox.project(EMPTY)
    ran = sandbox.cove("add", "epoch", "--bounds", bounds, "--no-sync", "--output-format", "json").ok()
    assert _lists(project) == [wanted]
    assert json.loads(ran.stdout) == {"requirements": [wanted]}
    sandbox.cove("lock", "--check").ok()


def test_line_endings_and_indentation_stay(sandbox: Sandbox, index: RunningIndex) -> None:
    project = sandbox.project("")
    (project / "pyproject.toml").write_bytes(EMPTY.replace("\n", "\r\n").encode())
    sandbox.cove("add", "leaf", "--frozen").ok()
    assert (project / "pyproject.toml").read_bytes() == EMPTY.replace("[]", '[\n    "leaf",\n]').replace(
        "\n", "\r\n"
    ).encode()
    tabs = '[\n\t# first\n\t"leaf", # why\n\t"web" # no comma\n]'
    sandbox.project(EMPTY.replace("[]", tabs))
    sandbox.cove("remove", "leaf", "--frozen").ok()
    sandbox.cove("add", "epoch", "--frozen").ok()
    kept = '[\n\t"epoch",\n\t# first\n\t# why\n\t"web", # no comma\n]'
    assert (project / "pyproject.toml").read_text() == EMPTY.replace("[]", kept)


def test_a_mark_of_the_encoding_is_read_and_stays(sandbox: Sandbox, index: RunningIndex) -> None:
    project = sandbox.project("")
    (project / "pyproject.toml").write_text(EMPTY, encoding="utf-8-sig")
    (project / "more.txt").write_text("epoch\n", encoding="utf-8-sig")
    sandbox.cove("add", "leaf", "-r", "more.txt", "--no-sync").ok()
    text = (project / "pyproject.toml").read_text(encoding="utf-8")
    assert text.startswith("\ufeff[project]")
    assert '"epoch>=1!2.3"' in text
    sandbox.cove("lock", "--check").ok()


def test_a_digest_stays_in_the_requirement_and_is_checked(sandbox: Sandbox, index: RunningIndex) -> None:
    project, wheel = sandbox.project(EMPTY), PackageFactory().wheel("leaf")
    url = index.url.join(f"files/leaf/{wheel.filename}").public
    sandbox.cove("add", f"{url}#sha256={wheel.sha256}", "--no-sync").ok()
    assert _lists(project) == [f"leaf @ {url}#sha256={wheel.sha256}"]
    before = _all(project)
    wrong = sandbox.cove("add", f"leaf @ {url}#sha256={'0' * 64}", "--no-sync", "--no-cache")
    assert wrong.status == 1
    assert _all(project) == before


def test_an_index_that_is_given_again_moves_to_the_top(sandbox: Sandbox, index: RunningIndex) -> None:
    url = index.simple_url.public
    tables = f'\n[[tool.uv.index]]\nname = "one"\nurl = "https://example.com/"\n\n[[tool.uv.index]]\nurl = "{url}"\n'
    project = sandbox.project(EMPTY + tables)
    sandbox.cove("add", "leaf", "--index", f"mine={url}", "--no-sync").ok()
    uv = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["uv"]
    assert uv["index"] == [{"url": url, "name": "mine"}, {"name": "one", "url": "https://example.com/"}]
    assert uv["sources"] == {"leaf": {"index": "mine"}}


def test_indexes_that_move_leave_no_gap(sandbox: Sandbox, index: RunningIndex) -> None:
    one, two = (
        f'\n[[tool.uv.index]]\nname = "{name}"\nurl = "https://example.com/{name}"\n' for name in ("one", "two")
    )
    given = [word for name in ("two", "one") for word in ("--index", f"{name}=https://example.com/{name}")]
    sources = '\n[tool.uv.sources]\nleaf = { index = "two" }\n'
    for more, argv, after in (
        (one + two, given[:2], two + one + sources),
        (one + two, given, two + one),
        (one + two + "\n[tool.x]\n", given, two + one + "\n[tool.x]\n"),
    ):
        project = sandbox.project(EMPTY + more)
        sandbox.cove("add", "leaf", *argv, "--frozen").ok()
        assert (project / "pyproject.toml").read_text() == EMPTY.replace("[]", '[\n    "leaf",\n]') + after


def test_old_ways_to_give_an_index_are_used_and_not_written(sandbox: Sandbox, index: RunningIndex) -> None:
    project = sandbox.project(EMPTY)
    ran = sandbox.cove("add", "leaf", "--index-url", index.simple_url.public, "--no-sync", UV_DEFAULT_INDEX="").ok()
    assert "what `--index-url` gives is not written to the project" in ran.stderr
    assert "tool" not in tomllib.loads((project / "pyproject.toml").read_text())


def test_what_cannot_be_locked_can_be_added_nevertheless(sandbox: Sandbox, index: RunningIndex) -> None:
    sandbox.project(EMPTY)
    hint = "hint: The project is as it was; `--frozen` adds the requirement without locking"
    for wanted in ("leaf>9", "absent"):
        ran = sandbox.cove("add", wanted)
        assert (ran.status, ran.stderr.count(hint)) == (1, 1), ran.stderr
    assert _lists(sandbox.work) == []
    sandbox.cove("add", "leaf>9", "--frozen").ok()
    assert _lists(sandbox.work) == ["leaf>9"]


def test_constraints_count_once(sandbox: Sandbox, index: RunningIndex) -> None:
    project = sandbox.project(EMPTY)
    (project / "limits.txt").write_text("leaf<2\n")
    sandbox.cove("add", "leaf", "-c", "limits.txt", "--no-sync").ok()
    assert _lists(project) == ["leaf>=1.1"]
    sandbox.cove("lock", "--check").ok()
    sandbox.cove("lock", "--upgrade").ok()
    assert 'name = "leaf"\nversion = "2.0"' in (project / "uv.lock").read_text()


def test_constraints_of_a_variable_count(sandbox: Sandbox, index: RunningIndex) -> None:
    project = sandbox.project(EMPTY)
    (project / "limits.txt").write_text("leaf<2\n")
    sandbox.cove("add", "leaf", "--no-sync", UV_CONSTRAINT="limits.txt").ok()
    assert _lists(project) == ["leaf>=1.1"]


@pytest.mark.parametrize("more", [("--no-sync",), ()])
def test_constraints_count_for_the_whole_run(sandbox: Sandbox, index: RunningIndex, more: tuple[str, ...]) -> None:
    project = sandbox.project(EMPTY)
    (project / "limits.txt").write_text("leaf<2\n")
    sandbox.cove("add", "web", "-c", "limits.txt", "--upgrade", *more).ok()
    assert 'name = "leaf"\nversion = "1.1"' in (project / "uv.lock").read_text()


def test_what_is_excluded_is_asked_of_no_index(sandbox: Sandbox, index: RunningIndex) -> None:
    sandbox.project(EMPTY.replace("[]", '["web", "leaf"]') + '[tool.uv]\nexclude-dependencies = ["leaf"]\n')
    sandbox.cove("lock").ok()
    sandbox.cove("add", "epoch", "--no-sync").ok()
    assert {seen.path.split("/")[2] for seen in index.requests if "/simple/" in seen.path} == {"web", "epoch"}


REFUSED = {
    ("add", "app"): "the project itself",
    ("add", "leaf", "--tag", "v1"): "`leaf` comes from no repository",
    ("add", "leaf", "--editable"): "`leaf` does not come from a folder",
    ("add", "../lib", "--workspace"): "outside of the workspace",
    ("add", "leaf", "-m", "nonsense"): "no environment marker",
    ("add", "leaf=="): "is not a requirement",
    ("add", "./none"): "no file or folder",
    ("add", "leaf>9"): "leaf",
    ("add", "twice>1"): "several requirements for `twice`",
    ("add", "leaf", "--rev", "a", "--tag", "b"): "not allowed with",
    ("add", "./inner", "unheard-of"): "unheard-of",
    ("add", "unheard-of", "--package", "member"): "unheard-of",
    ("add", "./inner", "unheard-of", "--package", "member"): "unheard-of",
    ("remove", "leaf"): "does not require `leaf` in its dependencies",
    ("remove", "leaf", "--dev"): "in the group `dev`",
    ("remove", "leaf", "--optional", "x"): "in the extra `x`",
}


@pytest.mark.parametrize("argv", REFUSED, ids=" ".join)
def test_a_failure_leaves_every_file_as_it_was(argv: tuple[str, ...], sandbox: Sandbox, index: RunningIndex) -> None:
    write_project(sandbox.root / "lib", "lib")
    project = sandbox.project(
        EMPTY.replace("[]", "['epoch']")
        + '[dependency-groups]\nx = ["web"]\n[tool.uv.workspace]\nmembers = ["member"]\n'
    )
    write_project(project / "member", "member")
    write_project(project / "inner", "inner")
    sandbox.cove("lock").ok()
    if "twice>1" in argv:
        text = (project / "pyproject.toml").read_text()
        (project / "pyproject.toml").write_text(text.replace("'epoch'", "'twice<1', 'twice<2'"))
    before = _all(sandbox.root)
    ran = sandbox.cove(*argv)
    assert ran.status in (1, 2)
    assert REFUSED[argv] in ran.stderr
    assert "unexpected" not in ran.stderr
    assert _all(sandbox.root) == before


def test_an_excluded_folder_becomes_no_member(sandbox: Sandbox, index: RunningIndex) -> None:
    project = sandbox.project(EMPTY + '[tool.uv.workspace]\nmembers = []\nexclude = ["inner"]\n')
    write_project(project / "inner", "inner")
    sandbox.cove("add", "./inner").ok()
    uv = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["uv"]
    assert uv["workspace"]["members"] == []
    assert uv["sources"] == {"inner": {"path": "inner"}}


def test_what_was_added_is_installed(sandbox: Sandbox, index: RunningIndex) -> None:
    project = sandbox.project(EMPTY)
    write_project(project / "inner", "inner", "1.0", "leaf")
    write_project(sandbox.root / "repo", "one", "1.0")
    commit(sandbox.root / "repo", tag="v1")
    ran = sandbox.cove("add", "./inner", f"git+{(sandbox.root / 'repo').as_uri()}", "--tag", "v1")
    assert "`inner` comes from no repository" in ran.stderr
    ran = sandbox.cove("add", "./inner").ok()
    assert "Made `inner` a member of the workspace" in ran.stderr
    sandbox.cove("add", f"git+{(sandbox.root / 'repo').as_uri()}", "--tag", "v1", "--dev").ok()
    found = {path.name.partition("-")[0] for path in project.glob(".venv/lib/*/site-packages/*.dist-info")}
    assert found == {"inner", "leaf", "one"}
    sandbox.cove("remove", "inner").ok()
    sandbox.cove("remove", "one", "--dev").ok()
    text = (project / "pyproject.toml").read_text()
    assert "sources" not in text
    assert not list(project.glob(".venv/lib/*/site-packages/*.dist-info"))


def test_a_password_in_a_bare_url_is_used_and_written_nowhere(sandbox: Sandbox) -> None:
    project, wheel = sandbox.project(EMPTY + "[tool.uv]\nno-index = true\n"), PackageFactory().wheel("foo")
    right = "Basic " + b64encode(b"me:c4n4ry").decode()

    def answer(received: Received) -> Reply:
        return Reply(200, wheel.content) if received.headers.get("authorization") == right else Reply(401)

    with serving(answer) as server:
        place = f"{server.url}/files/{wheel.filename}"
        ran = sandbox.cove("add", place.replace("://", "://me:c4n4ry@")).ok()
        assert tomllib.loads((project / "pyproject.toml").read_text())["tool"]["uv"]["sources"] == {
            "foo": {"url": place}
        }
    assert "c4n4ry" not in ran.stdout + ran.stderr
    for path in sandbox.root.rglob("*"):
        assert not path.is_file() or b"c4n4ry" not in path.read_bytes(), path


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent another way there")
def test_an_interrupt_leaves_every_file_as_it_was(sandbox: Sandbox) -> None:
    project = sandbox.project(EMPTY)
    write_project(project / "inner", "inner")
    before = _all(project)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        process = subprocess.Popen(
            [sys.executable, "-m", "cove", "add", "./inner", "foo"],
            cwd=project,
            env={**sandbox.environ, "UV_DEFAULT_INDEX": f"http://127.0.0.1:{silent.getsockname()[1]}/simple/"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        with process, silent.accept()[0]:
            assert _all(project) != before
            time.sleep(0.2)  # the request is on its way
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 130
    assert _all(project) == before
