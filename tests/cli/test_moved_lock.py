"""Locks that move: the same files, by name and digest, from an index that the lock does not name."""

import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from cove.model.secret import Secret
from cove.server.serve import RunningIndex
from cove.testing import BuiltFile, PackageFactory
from support.commandline import Ran, Sandbox

TOML = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["tree", "alpha"]
"""
ALL = ("lock", "--check"), ("sync", "--locked"), ("sync", "--frozen"), ("lock",), ("sync",)

Serve = Callable[..., RunningIndex]


def index(name: str, url: str, more: str = "default = true") -> str:
    """A table of an index."""
    return f'[[tool.uv.index]]\nname = "{name}"\nurl = "{url}"\n{more}\n'


def pin(name: str, place: str) -> str:
    """The table of sources with one pin."""
    return f'[tool.uv.sources]\n{name} = {{ index = "{place}" }}\n'


@pytest.fixture
def files(wheel_factory: PackageFactory) -> list[BuiltFile]:
    """What ``app`` needs: ``tree`` with ``leaf``, and ``alpha`` with an sdist too."""
    return [
        wheel_factory.wheel("tree", "2.0", requires=["leaf"]),
        wheel_factory.wheel("leaf", "1.1"),
        wheel_factory.wheel("alpha", "1.0"),
        wheel_factory.sdist("alpha", "1.0"),
    ]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts an index that has these files."""
    with ExitStack() as running:

        def start(name: str, built: list[BuiltFile], **options: object) -> RunningIndex:
            for file in built:
                file.write_to(tmp_path / name / file.filename.partition("-")[0])
            return running.enter_context(RunningIndex(tmp_path / name, **options))  # type: ignore[arg-type]

        yield start


def unstored(sandbox: Sandbox, *argv: str, **variables: str) -> Ran:
    """A command in an environment and with a cache that are new."""
    folder = sandbox.root / f"anew-{len(list(sandbox.root.iterdir()))}"
    folder.mkdir()
    anew = {"UV_CACHE_DIR": str(folder / "c"), "UV_PROJECT_ENVIRONMENT": str(folder / "e")}
    return sandbox.cove(*argv, environ={**anew, **variables})


def pages(ran: Ran) -> list[str]:
    return sorted(request.url.rpartition("/simple/")[2] for request in ran.requests if "/simple/" in request.url)


@pytest.fixture
def locked(sandbox: Sandbox, serve: Serve, files: list[BuiltFile]) -> tuple[Path, RunningIndex]:
    """A project that is locked from an index, and that one."""
    old = serve("old", files)
    project = sandbox.project(TOML + index("corp", old.simple_url.public))
    sandbox.cove("lock").ok()
    return project, old


def test_another_index_with_the_same_files_takes_over(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], serve: Serve, files: list[BuiltFile]
) -> None:
    project, old = locked
    before, asked = (project / "uv.lock").read_bytes(), len(old.requests)
    new = serve("new", files)
    (project / "pyproject.toml").write_text(TOML + index("other", new.simple_url.public))
    for command in ALL:
        ran = unstored(sandbox, *command).ok()
        assert pages(ran) == ["alpha/", "leaf/", "tree/"], command
        assert all(request.url.startswith(new.simple_url.public.partition("/simple")[0]) for request in ran.requests)
        assert len(ran.requests) == 3 + (3 if command[0] == "sync" else 0)
        assert (project / "uv.lock").read_bytes() == before
    assert len(old.requests) == asked


def test_what_is_stored_or_installed_is_not_asked_for(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], serve: Serve, files: list[BuiltFile]
) -> None:
    project, _ = locked
    sandbox.cove("sync").ok()
    new = serve("new", files)
    (project / "pyproject.toml").write_text(TOML + index("other", new.simple_url.public))
    assert sandbox.cove("sync", "--frozen").ok().requests == ()
    elsewhere = sandbox.cove("sync", "--frozen", "--offline", UV_PROJECT_ENVIRONMENT=str(sandbox.root / "e")).ok()
    assert elsewhere.requests == ()


@pytest.mark.parametrize("change", ["slash", "no slash", "mirror", "behind a mirror"])
def test_another_way_to_write_an_index_costs_no_request(
    sandbox: Sandbox, serve: Serve, files: list[BuiltFile], change: str
) -> None:
    one, two = serve("one", files), serve("two", files)
    first, second = one.simple_url.public.rstrip("/"), two.simple_url.public
    mirrored = f'[tool.cove.index.corp]\nmirrors = ["{first}"]\n'
    before = f"{first}/" if change == "no slash" else first
    project = sandbox.project(TOML + index("corp", before) + pin("leaf", "corp"))
    sandbox.cove("lock").ok()
    content = (project / "uv.lock").read_bytes()
    more = mirrored if "mirror" in change else ""
    after = second if "mirror" in change else first if change == "no slash" else f"{first}/"
    (project / "pyproject.toml").write_text(TOML + index("corp", after) + pin("leaf", "corp") + more)
    for command in ALL:
        ran = unstored(sandbox, *command).ok()
        assert pages(ran) == []
        assert len(ran.requests) == (3 if command[0] == "sync" else 0)
        if "mirror" in change:
            assert all(request.url.startswith(second.partition("/simple")[0]) for request in ran.requests)
        assert (project / "uv.lock").read_bytes() == content


def test_a_pin_moves_with_what_is_pinned(sandbox: Sandbox, serve: Serve, files: list[BuiltFile]) -> None:
    one, two = serve("one", files), serve("two", files)
    both = index("one", one.simple_url.public) + index("two", two.simple_url.public, "explicit = true")
    project = sandbox.project(TOML + both + pin("alpha", "one"))
    sandbox.cove("lock").ok()
    before = (project / "uv.lock").read_bytes()
    (project / "pyproject.toml").write_text(TOML + both + pin("alpha", "two"))
    for command in ALL:
        ran = unstored(sandbox, *command).ok()
        assert pages(ran) == ["alpha/"], command
        served = {request.url.rpartition("/")[2]: request.url for request in ran.requests}
        for name, url in served.items():
            place = two if "alpha" in name or not name else one
            assert url.startswith(place.simple_url.public.partition("/simple")[0])
        assert (project / "uv.lock").read_bytes() == before


def test_credentials_go_to_the_index_of_now(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], files: list[BuiltFile]
) -> None:
    project, old = locked
    asked = len(old.requests)
    for file in files:
        file.write_to(sandbox.root / "private" / file.filename.partition("-")[0])
    with RunningIndex(sandbox.root / "private", {"me": Secret("hidden")}) as private:
        (project / "pyproject.toml").write_text(TOML + index("private", private.simple_url.public))
        variables = {"UV_INDEX_PRIVATE_USERNAME": "me", "UV_INDEX_PRIVATE_PASSWORD": "hidden"}
        ran = unstored(sandbox, "sync", "--frozen", **variables).ok()
        assert {request.status for request in ran.requests} == {200}
        refused = unstored(sandbox, "sync", "--frozen")
        assert (refused.status, "credentials" in refused.stderr) == (2, True), refused.stderr
    assert len(old.requests) == asked


def test_a_file_that_is_missing_is_named_with_both_indexes(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], serve: Serve, files: list[BuiltFile]
) -> None:
    project, old = locked
    new = serve("new", [file for file in files if file.filename != "alpha-1.0-py3-none-any.whl"])
    (project / "pyproject.toml").write_text(TOML + index("other", new.simple_url.public))
    before = (project / "uv.lock").read_bytes()
    for command in (("sync", "--frozen"), ("sync", "--locked")):
        ran = unstored(sandbox, *command)
        assert ran.status == 1
        assert "other does not have `alpha-1.0-py3-none-any.whl`" in ran.stderr
        assert old.simple_url.public in ran.stderr
    assert (project / "uv.lock").read_bytes() == before
    # The sdist is there, so the project is the same one.
    sandbox.cove("lock", "--check").ok()


def test_another_file_of_the_same_name_is_never_taken(
    sandbox: Sandbox,
    locked: tuple[Path, RunningIndex],
    serve: Serve,
    files: list[BuiltFile],
    wheel_factory: PackageFactory,
) -> None:
    project, old = locked
    stranger = wheel_factory.wheel("alpha", "1.0", files={"evil.py": "x = 1"})
    new = serve("new", [*files[:2], files[3], stranger])
    (project / "pyproject.toml").write_text(TOML + index("other", new.simple_url.public))
    before = (project / "uv.lock").read_bytes()
    for command in (("lock", "--check"), ("sync", "--locked"), ("sync", "--frozen")):
        ran = unstored(sandbox, *command)
        assert ran.status == 1, command
        assert "other has another file called `alpha-1.0-py3-none-any.whl`" in ran.stderr
        assert old.simple_url.public in ran.stderr
        assert not any(request.url.endswith(".whl") and "alpha" in request.url for request in ran.requests)
    for name in ("lock", "sync"):
        ran = unstored(sandbox, name)
        assert (ran.status, "index-changed" in ran.stderr or "is locked from" in ran.stderr) == (1, True)
    assert (project / "uv.lock").read_bytes() == before


def test_an_index_that_has_nothing_of_it_makes_the_lock_stale(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], serve: Serve, files: list[BuiltFile]
) -> None:
    project, old = locked
    new = serve("new", files[:2])
    (project / "pyproject.toml").write_text(TOML + index("other", new.simple_url.public))
    ran = sandbox.cove("lock", "--check")
    assert ran.status == 1
    assert f"`alpha` is locked from the index {old.simple_url.public}, which is not configured any more" in ran.stderr
    assert "other (404 Not Found)" in ran.stderr
    assert "put the index back" in ran.stderr
    assert "hint: `cove lock --allow-index-change alpha`" in ran.stderr  # without it, `cove lock` would refuse


def test_a_lock_without_digests_does_not_move(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], serve: Serve, files: list[BuiltFile]
) -> None:
    project, _ = locked
    lock = project / "uv.lock"
    lock.write_text(re.sub(', hash = "[^"]*"', "", lock.read_text()))
    new = serve("new", files)
    (project / "pyproject.toml").write_text(TOML + index("other", new.simple_url.public))
    for command in (("lock", "--check"), ("sync", "--frozen")):
        ran = unstored(sandbox, *command)
        assert (ran.status, "the lock has no digest of" in ran.stderr) == (1, True), ran.stderr


def test_a_folder_of_wheels_takes_over_without_a_network(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], files: list[BuiltFile]
) -> None:
    project, _ = locked
    for file in files:
        file.write_to(project / "wheels")
    (project / "pyproject.toml").write_text(TOML)
    before = (project / "uv.lock").read_bytes()
    for command in (("lock", "--check"), ("sync", "--locked"), ("sync", "--frozen")):
        ran = unstored(sandbox, *command, "--no-index", "--find-links", "./wheels").ok()
        assert ran.requests == ()
    files[2].write_to(project / "wheels")
    (project / "wheels" / files[1].filename).write_bytes(files[2].content)
    ran = unstored(sandbox, "sync", "--frozen", "--no-index", "--find-links", "./wheels")
    assert (ran.status, "`leaf-1.1-py3-none-any.whl`" in ran.stderr) == (1, True)
    assert (project / "uv.lock").read_bytes() == before


def test_what_moved_may_be_locked_anew_with_what_is_added(
    sandbox: Sandbox,
    locked: tuple[Path, RunningIndex],
    serve: Serve,
    files: list[BuiltFile],
    wheel_factory: PackageFactory,
) -> None:
    project, old = locked
    new = serve("new", [*files, wheel_factory.wheel("extra", "1.0"), wheel_factory.wheel("leaf", "2.0")])
    asked = len(old.requests)
    (project / "pyproject.toml").write_text(
        TOML.replace('"alpha"', '"alpha", "extra"') + index("other", new.simple_url.public)
    )
    sandbox.cove("lock").ok()
    text = (project / "uv.lock").read_text()
    assert old.simple_url.public not in text
    assert 'name = "leaf"\nversion = "1.1"' in text, "versions stay"
    assert len(old.requests) == asked


def test_a_folder_whose_pages_name_what_is_not_there(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], files: list[BuiltFile]
) -> None:
    project, _ = locked
    for file in files:
        folder = project / "simple" / file.filename.partition("-")[0]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text(f'<a href="{file.filename}">{file.filename}</a>')
    (project / "pyproject.toml").write_text(TOML + index("folder", "./simple"))
    for command in (("lock", "--check"), ("sync", "--frozen")):
        ran = unstored(sandbox, *command)
        assert (ran.status, "folder does not have `" in ran.stderr) == (1, True), ran.stderr


DIVIDED = """\
[tool.uv.sources]
tree = [
    { index = "linux", marker = "sys_platform == 'linux'" },
    { index = "others", marker = "sys_platform != 'linux'" },
]
"""


def divided(linux: RunningIndex, others: RunningIndex) -> str:
    """A project that has ``tree`` from one index or the other, and everything else from ``others``."""
    tables = index("linux", linux.simple_url.public, "explicit = true") + index("others", others.simple_url.public)
    return TOML.replace(', "alpha"', "") + DIVIDED + tables


@pytest.mark.parametrize("kept", ["neither", "linux", "others"])
def test_each_part_moves_with_its_own_index(
    sandbox: Sandbox, serve: Serve, files: list[BuiltFile], wheel_factory: PackageFactory, kept: str
) -> None:
    special = [wheel_factory.wheel("tree", "2.0", requires=["leaf"], files={"linux.py": "x = 1"})]
    linux, others = serve("linux", special), serve("others", files)
    project = sandbox.project(divided(linux, others))
    sandbox.cove("lock").ok()
    before = (project / "uv.lock").read_bytes()
    assert before.count(b'name = "tree"\nversion') == 2
    new_linux = linux if kept == "linux" else serve("new-linux", special)
    new_others = others if kept == "others" else serve("new-others", files)
    (project / "pyproject.toml").write_text(divided(new_linux, new_others))
    gone = [each for each in (linux, others) if each not in (new_linux, new_others)]
    asked = [len(each.requests) for each in gone]
    for command in ALL:
        ran = unstored(sandbox, *command).ok()
        assert (project / "uv.lock").read_bytes() == before
        if command[0] == "sync":
            assert any(each.endswith("linux.py") for each in installed(sandbox)), "the file of the part that is here"
        for request in ran.requests:
            name = request.url.removesuffix("/").rpartition("/")[2].partition("-")[0]
            assert name != "leaf" or request.url.startswith(root_of(new_others))
    assert [len(each.requests) for each in gone] == asked


def test_parts_do_not_swap_their_indexes(
    sandbox: Sandbox, serve: Serve, files: list[BuiltFile], wheel_factory: PackageFactory
) -> None:
    special = [wheel_factory.wheel("tree", "2.0", requires=["leaf"], files={"linux.py": "x = 1"})]
    linux, others = serve("linux", [*special, files[1]]), serve("others", files)
    project = sandbox.project(divided(linux, others))
    sandbox.cove("lock").ok()
    (project / "pyproject.toml").write_text(divided(others, linux))
    for command in (("lock", "--check"), ("sync", "--frozen")):
        ran = unstored(sandbox, *command)
        assert (ran.status, "has another file called `tree-2.0-py3-none-any.whl`" in ran.stderr) == (1, True), (
            ran.stderr
        )
        assert "and belongs to " in ran.stderr


def root_of(running: RunningIndex) -> str:
    """What all URLs of an index begin with."""
    return running.simple_url.public.partition("/simple")[0]


def installed(sandbox: Sandbox) -> list[str]:
    """The files of the environment that was made last."""
    newest = max(sandbox.root.glob("anew-*"), key=lambda folder: int(folder.name.rpartition("-")[2]))
    return [str(path) for path in newest.rglob("site-packages/*.py")]


# -- written in another format


def test_other_formats_name_the_index_of_now(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], serve: Serve, files: list[BuiltFile]
) -> None:
    project, old = locked
    before, asked = (project / "uv.lock").read_bytes(), len(old.requests)
    new = serve("new", files)
    (project / "pyproject.toml").write_text(TOML + index("other", new.simple_url.public))
    for frozen in ((), ("--frozen",)):
        pylock = unstored(sandbox, "export", "--format", "pylock.toml", *frozen).ok()
        assert pages(pylock) == ["alpha/", "leaf/", "tree/"]
        written = tomllib.loads(pylock.stdout)["packages"]
        from_index = [each for each in written if each["name"] != "app"]
        assert {each["index"] for each in from_index} == {new.simple_url.public}
        urls = [each["url"] for one in from_index for each in (*one["wheels"], *filter(None, [one.get("sdist")]))]
        assert len(urls) == 4
        assert all(url.startswith(root_of(new)) for url in urls)
        annotated = unstored(sandbox, "export", "--emit-index-annotation", *frozen).ok().stdout
        assert annotated.count(f"# from {new.simple_url.public}\n") == 3
        bill = unstored(sandbox, "export", "--format", "cyclonedx1.5", *frozen).ok().stdout
        assert bill.count(f"?repository_url={new.simple_url.public}") == 3
        assert bill.count(f'"url": "{root_of(new)}') == 4
        assert root_of(old) not in annotated + pylock.stdout + bill
        assert unstored(sandbox, "export", "--frozen").ok().requests == (), "nothing is named that could have moved"
    assert (project / "uv.lock").read_bytes() == before
    assert len(old.requests) == asked
    (project / "pylock.toml").write_text(pylock.stdout)
    sandbox.cove("venv", "fresh").ok()
    sandbox.cove("pip", "sync", "pylock.toml", "--python", "fresh").ok()


def test_a_file_that_did_not_move_is_left_out_with_a_warning(
    sandbox: Sandbox, locked: tuple[Path, RunningIndex], serve: Serve, files: list[BuiltFile]
) -> None:
    project, _ = locked
    new = serve("new", files[:3])
    (project / "pyproject.toml").write_text(TOML + index("other", new.simple_url.public))
    ran = sandbox.cove("export", "--format", "pylock.toml").ok()
    assert "other does not have `alpha-1.0.tar.gz`: it is left out" in ran.stderr
    alpha = next(each for each in tomllib.loads(ran.stdout)["packages"] if each["name"] == "alpha")
    assert ("sdist" in alpha, len(alpha["wheels"])) == (False, 1)
    (project / "pyproject.toml").write_text(TOML + index("other", serve("none", files[:2]).simple_url.public))
    refused = sandbox.cove("export", "--format", "pylock.toml", "--frozen")
    assert (refused.status, "is not on other (404 Not Found)" in refused.stderr) == (1, True), refused.stderr


def test_what_mirrors_have_is_written_as_the_index_has_it(
    sandbox: Sandbox, serve: Serve, files: list[BuiltFile]
) -> None:
    one, two = serve("one", files), serve("two", files)
    project = sandbox.project(TOML + index("corp", one.simple_url.public))
    sandbox.cove("lock").ok()
    mirrored = f'[tool.cove.index.corp]\nmirrors = ["{one.simple_url.public}"]\n'
    (project / "pyproject.toml").write_text(TOML + index("corp", two.simple_url.public) + mirrored)
    ran = sandbox.cove("export", "--format", "pylock.toml").ok()
    assert ran.requests == ()
    assert root_of(one) not in ran.stdout
    assert ran.stdout.count(root_of(two)) == 7, "three indexes and four files"
