"""Requirements that come from git repositories, through the command line and the real git."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.commandline import Sandbox
from support.local_projects import commit, git, write_project


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "index").mkdir()
    return Sandbox(tmp_path).using({"UV_DEFAULT_INDEX": (tmp_path / "index").as_uri()})


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = write_project(tmp_path / "repo", "one", "1.0")
    commit(folder, tag="v1")
    return folder


def _app(sandbox: Sandbox, source: str, *requires: str) -> Path:
    return write_project(
        sandbox.work, "app", "0", *(requires or ("one",)), more=f"[tool.uv.sources]\n{source}\n", builds=False
    )


def _lock(sandbox: Sandbox) -> str:
    return (sandbox.work / "uv.lock").read_text()


def _installed(sandbox: Sandbox, name: str) -> dict[str, object]:
    [found] = sandbox.work.glob(f".venv/lib/*/site-packages/{name}-*.dist-info/direct_url.json")
    said: dict[str, object] = json.loads(found.read_text())
    return said


def test_a_branch_moves_only_when_it_is_told_to(sandbox: Sandbox, repo: Path) -> None:
    _app(sandbox, f'one = {{ git = "{repo.as_uri()}", branch = "main" }}')
    first = git(repo, "rev-parse", "HEAD")
    sandbox.cove("sync").ok()
    assert f'source = {{ git = "{repo.as_uri()}?branch=main#{first}" }}' in _lock(sandbox)
    info = {"vcs": "git", "commit_id": first, "requested_revision": "main"}
    assert _installed(sandbox, "one") == {"url": repo.as_uri(), "vcs_info": info}
    write_project(repo, "one", "1.1")
    second = commit(repo)
    sandbox.cove("lock", "--check").ok()
    (sandbox.work / "pyproject.toml").write_text(
        (sandbox.work / "pyproject.toml").read_text() + "\n[dependency-groups]\nx = []\n"
    )
    sandbox.cove("sync").ok()
    assert first in _lock(sandbox)
    sandbox.cove("lock", "--upgrade-package", "other").ok()
    assert first in _lock(sandbox)
    sandbox.cove("sync", "--upgrade-package", "one").ok()
    assert second in _lock(sandbox)
    assert first not in _lock(sandbox)
    assert _installed(sandbox, "one")["vcs_info"] == {**info, "commit_id": second}
    assert "Audited" in sandbox.cove("sync").ok().stderr + sandbox.cove("sync").stdout


def test_each_kind_of_reference(sandbox: Sandbox, repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    git(repo, "checkout", "--quiet", "-b", "feature/x")
    write_project(repo, "one", "2.0")
    second = commit(repo)
    git(repo, "checkout", "--quiet", "main")
    git(repo, "update-ref", "refs/pull/1/head", second)
    for said, wanted in (
        ("", first),
        (', rev = "v1"', first),
        (f', rev = "{second[:10]}"', second),
        (f', rev = "{second}"', second),
        (', rev = "feature/x"', second),
        (', rev = "refs/pull/1/head"', second),
        (', branch = "feature/x"', second),
        (', tag = "v1"', first),
    ):
        _app(sandbox, f'one = {{ git = "{repo.as_uri()}"{said} }}')
        (sandbox.work / "uv.lock").unlink(missing_ok=True)
        sandbox.cove("lock").ok()
        assert f"#{wanted}" in _lock(sandbox), said


def test_a_requirement_with_a_url(sandbox: Sandbox, repo: Path) -> None:
    write_project(repo / "lib", "two", "2.0")
    commit(repo)
    write_project(sandbox.work, "app", "0", f"two @ git+{repo.as_uri()}@main#subdirectory=lib", builds=False)
    sandbox.cove("sync").ok()
    assert _installed(sandbox, "two")["subdirectory"] == "lib"
    sandbox.cove("venv", "other").ok()
    ran = sandbox.cove(
        "pip", "install", f"two @ git+{repo.as_uri()}#subdirectory=lib", VIRTUAL_ENV=str(sandbox.work / "other")
    )
    assert "two==2.0" in ran.ok().stdout + ran.stderr


@pytest.mark.parametrize("output", ["requirements.txt", "pylock.toml"])
def test_what_is_compiled_has_the_commit_and_is_installed(sandbox: Sandbox, repo: Path, output: str) -> None:
    write_project(repo / "lib", "two", "2.0", "one")
    first = commit(repo)
    texts = [f"one @ git+{repo.as_uri()}@main", f"two @ git+{repo.as_uri()}@main#subdirectory=lib"]
    (sandbox.work / "r.in").write_text("\n".join(texts) + "\n")
    sandbox.cove("pip", "compile", "r.in", "-o", output).ok()
    text = (sandbox.work / output).read_text()
    assert text.count(first) == 2
    if output == "requirements.txt":
        assert f"two @ git+{repo.as_uri()}@{first}#subdirectory=lib\n" in text
    write_project(repo, "one", "1.1")
    commit(repo)
    sandbox.cove("venv").ok()
    sandbox.cove("pip", "install", "-r", output).ok()
    assert _installed(sandbox, "one")["vcs_info"]["commit_id"] == first  # type: ignore[index]
    assert _installed(sandbox, "two")["subdirectory"] == "lib"


@pytest.mark.parametrize("instead", ["ext::touch pwned", "https://-oProxyCommand=touch/x"])
def test_a_pylock_cannot_name_another_transport(sandbox: Sandbox, repo: Path, instead: str) -> None:
    (sandbox.work / "r.in").write_text(f"one @ git+{repo.as_uri()}@main\n")
    sandbox.cove("pip", "compile", "r.in", "-o", "pylock.toml").ok()
    lock = sandbox.work / "pylock.toml"
    lock.write_text(lock.read_text().replace(f'"{repo.as_uri()}"', f'"{instead}"'))
    sandbox.cove("venv").ok()
    ran = sandbox.cove("pip", "install", "-r", "pylock.toml")
    assert (ran.status, "from a repository that cannot be used" in ran.stderr) == (2, True), ran.stderr


def test_submodules_belong_to_the_checkout(sandbox: Sandbox, repo: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../repo", "inner")
    commit(outer)
    _app(sandbox, f'one = {{ git = "{outer.as_uri()}", subdirectory = "inner" }}')
    sandbox.cove("sync").ok()
    assert _installed(sandbox, "one")["subdirectory"] == "inner"


def test_without_network_the_cache_will_do(sandbox: Sandbox, repo: Path) -> None:
    _app(sandbox, f'one = {{ git = "{repo.as_uri()}", branch = "main" }}')
    ran = sandbox.cove("lock", "--offline")
    assert (ran.status, "is not in the cache, and the network is switched off" in ran.stderr) == (2, True), ran.stderr
    sandbox.cove("lock").ok()
    repo.rename(repo.with_name("gone"))
    sandbox.cove("sync", "--offline").ok()
    (sandbox.work / "uv.lock").unlink()
    sandbox.cove("lock", "--offline").ok()


@pytest.mark.parametrize(
    "source, requirement, told",
    [
        ('git = "ext::sh -c touch% pwned"', "one", "a repository is reached by"),
        ('git = "ext://sh -c touch% pwned"', "one", "a repository is reached by"),
        ('git = "{url}", rev = "--upload-pack=touch pwned"', "one", "is no revision"),
        ('git = "{url}", branch = "-f"', "one", "is no revision"),
        ('git = "{url}", subdirectory = "../.."', "one", "outside the repository"),
        ('git = "{url}", subdirectory = "out"', "one", "has no folder `out`"),
        ('git = "{url}", subdirectory = "nowhere"', "one", "has no folder `nowhere`"),
        ('git = "{url}", tag = "v9"', "one", "has no tag `v9`"),
        ('git = "{url}", branch = "nope"', "one", "has no branch `nope`"),
        ('git = "{url}", rev = "0123456789012345678901234567890123456789"', "one", "has no commit `0123"),
        ('git = "{url}/nothing"', "one", "git cannot get"),
        ('git = "{url}"', "two", "is one, but `two` was required"),
    ],
)
def test_what_cannot_be_had(sandbox: Sandbox, repo: Path, source: str, requirement: str, told: str) -> None:
    (repo / "out").symlink_to("../work")
    commit(repo)
    _app(sandbox, f"{requirement} = {{ {source.replace('{url}', repo.as_uri())} }}", requirement)
    ran = sandbox.cove("lock")
    assert ran.status in (1, 2)
    assert told in ran.stderr, ran.stderr
    assert requirement in ran.stderr
    assert not list(sandbox.root.rglob("pwned*"))


def test_a_path_that_leaves_the_repository(sandbox: Sandbox, repo: Path) -> None:
    write_project(repo, "one", "1.0", "app", more='[tool.uv.sources]\napp = { path = "../work" }\n')
    commit(repo)
    _app(sandbox, f'one = {{ git = "{repo.as_uri()}" }}')
    ran = sandbox.cove("lock")
    assert ran.status == 2
    assert "does not exist" in ran.stderr or "lies outside the repository" in ran.stderr


def test_a_lock_cannot_name_another_transport(sandbox: Sandbox, repo: Path) -> None:
    _app(sandbox, f'one = {{ git = "{repo.as_uri()}" }}')
    sandbox.cove("lock").ok()
    text = _lock(sandbox)
    (sandbox.work / "uv.lock").write_text(
        text.replace(f'source = {{ git = "{repo.as_uri()}', 'source = { git = "ext::touch pwned')
    )
    ran = sandbox.cove("sync", "--frozen")
    assert ran.status == 1
    assert "from a repository that cannot be used" in ran.stderr
    assert not list(sandbox.root.rglob("pwned*"))


def test_builds_leave_the_checkout_alone(sandbox: Sandbox, repo: Path) -> None:
    _app(sandbox, f'one = {{ git = "{repo.as_uri()}" }}')
    sandbox.cove("sync").ok()
    [tree] = sandbox.cache.rglob("checkouts/*/*")
    assert git(tree, "status", "--porcelain") == ""
    assert sorted(each.name for each in tree.iterdir()) == [".git", "backend.py", "pyproject.toml"]


# -- credentials -------------------------------------------------------------------------------------------------------


class _Guarded(SimpleHTTPRequestHandler):
    wanted = "Basic " + base64.b64encode(b"me:hunter2").decode()

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == self.wanted:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library calls it
        """Nothing."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Guarded, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def host(repo: Path, tmp_path: Path) -> Iterator[str]:
    served = tmp_path / "served"
    served.mkdir()
    git(tmp_path, "clone", "--quiet", "--bare", str(repo), str(served / "one.git"))
    git(served / "one.git", "update-server-info")
    with _served(served) as found:
        yield found


def test_user_info_reaches_git_and_nothing_else(sandbox: Sandbox, host: str) -> None:
    kept = sandbox.home / "kept"
    (sandbox.home / ".gitconfig").write_text(f"[credential]\n\thelper = store --file={kept}\n")
    project = _app(sandbox, f'one = {{ git = "http://me:hunter2@{host}/one.git", branch = "main" }}')
    said = sandbox.cove("sync", "-v").ok()
    assert f'git = "http://{host}/one.git?branch=main#' in _lock(sandbox)
    assert "hunter2" not in said.stdout + said.stderr
    assert _installed(sandbox, "one")["url"] == f"http://{host}/one.git"
    holding = [path for path in sandbox.root.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert holding == [project / "pyproject.toml"]
    assert not kept.exists()


@pytest.mark.parametrize("more", [[], ["--no-sync"], ["--raw"]])
def test_what_is_typed_serves_for_the_whole_run_and_is_not_written(
    sandbox: Sandbox, host: str, more: list[str]
) -> None:
    project = _app(sandbox, "")
    said = sandbox.cove("add", f"one @ git+http://me:hunter2@{host}/one.git", *more).ok()
    assert f"http://{host}/one.git" in (project / "pyproject.toml").read_text()
    assert f'git = "http://{host}/one.git#' in _lock(sandbox)
    assert "hunter2" not in said.stdout + said.stderr
    assert not [path for path in sandbox.root.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert sandbox.cove("lock", "--upgrade", "--no-cache").status == 2


def test_gits_own_helpers_are_asked(sandbox: Sandbox, host: str) -> None:
    (sandbox.home / ".gitconfig").write_text(f"[credential]\n\thelper = store --file={sandbox.home / 'kept'}\n")
    (sandbox.home / "kept").write_text(f"http://me:hunter2@{host.replace(':', '%3a')}\n")
    _app(sandbox, f'one = {{ git = "http://{host}/one.git" }}')
    sandbox.cove("lock").ok()


def test_nobody_is_asked_on_a_terminal(sandbox: Sandbox, host: str) -> None:
    for user, told in (("", "nobody on the terminal"), ("me:wrong@", "nobody on the terminal")):
        _app(sandbox, f'one = {{ git = "http://{user}{host}/one.git" }}')
        ran = sandbox.cove("lock")
        assert (ran.status, told in ran.stderr) == (2, True), ran.stderr
        assert "wrong" not in ran.stderr


def test_git_does_not_see_our_variables_or_another_repository(sandbox: Sandbox, repo: Path) -> None:
    _app(sandbox, f'one = {{ git = "{repo.as_uri()}" }}')
    told = sandbox.root / "told"
    shim = sandbox.root / "bin" / "git"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nenv >> {told}\nexec /usr/bin/env PATH={os.environ["PATH"]} git "$@"\n')
    shim.chmod(0o755)
    path = f"{shim.parent}{os.pathsep}{sandbox.environ['PATH']}"
    variables = {"PATH": path, "UV_INDEX_X_PASSWORD": "hunter2", "GIT_DIR": "/nonexistent"}
    sandbox.cove("lock", environ=variables).ok()
    seen = told.read_text()
    assert "hunter2" not in seen
    assert "GIT_DIR" not in seen
    assert "GIT_TERMINAL_PROMPT=0" in seen
