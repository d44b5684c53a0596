import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from installer import install as their_install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile as TheirWheel

from cove.errors import CoveError, EnvironmentRefused, InvalidArtifact
from cove.formats.direct_url import Archive, DirectUrl
from cove.formats.wheel_record import parse
from cove.install.apply import Addition, apply, locked
from cove.install.site import Journal, LinkMode
from cove.install.store import Store, StoredWheel
from cove.install.wheel import Scheme
from cove.model.event import Event, Noted, Warned
from cove.model.url import Url
from support.wheel_files import make_wheel, scheme_in, snapshot

COMMANDS = b"[console_scripts]\nfoo = foo.main:run\n"


class World:
    """An environment, a store, and wheels made on the spot."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.prefix = root / "env"
        self.scheme = scheme_in(self.prefix)
        self.site = Path(self.scheme.paths["purelib"])
        self.store = Store(root / "store")
        self.events: list[Event] = []

    def wheel(self, files: dict[str, bytes], *, name: str = "foo", version: str = "1.0") -> StoredWheel:
        path = make_wheel(self.root / "made", files, name=name, version=version)
        return self.store.add(path, path.name)

    def apply(self, *wheels: StoredWheel, remove: tuple[str, ...] = (), link_mode: LinkMode = "auto") -> None:
        doomed = [self.site / f"{stem}.dist-info" for stem in remove]
        additions = [Addition(wheel) for wheel in wheels]
        apply(self.scheme, remove=doomed, install=additions, link_mode=link_mode, listener=self.events.append)

    def snapshot(self) -> dict[str, tuple[int, bytes | str]]:
        return snapshot(self.prefix)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


FOO = {
    "foo/__init__.py": b"",
    "foo/main.py": b"def run():\n    print('hello')\n",
    "foo/sub/deep.py": b"x = 1\n",
    "foo-1.0.data/scripts/tool": b"#!python\nprint('tool')\n",
    "foo-1.0.data/data/share/man/man1/foo.1": b"manual",
    "foo-1.0.data/headers/foo.h": b"int x;",
    "foo-1.0.data/purelib/other.py": b"y = 2\n",
    "foo-1.0.dist-info/entry_points.txt": COMMANDS,
}


def test_installer_writes_the_same_files_and_the_same_record(world: World) -> None:
    path = make_wheel(world.root / "made", FOO, executable=("foo-1.0.data/scripts/tool",))
    world.apply(world.store.add(path, path.name))
    theirs = scheme_in(world.root / "theirs")
    paths = {**theirs.paths, "headers": theirs.paths["headers"] + "/foo"}
    destination = SchemeDictionaryDestination(paths, interpreter=world.scheme.executable, script_kind="posix")
    with TheirWheel.open(path) as source:
        their_install(source, destination, {"INSTALLER": b"cove\n"})
    ours_found, theirs_found = world.snapshot(), snapshot(world.root / "theirs")
    assert set(ours_found) == set(theirs_found)
    record, command = "lib/python3.11/site-packages/foo-1.0.dist-info/RECORD", "bin/foo"
    for name in set(ours_found) - {record, command}:
        assert ours_found[name] == theirs_found[name], name
    records = [
        sorted((entry.path, entry.hash, entry.size) for entry in parse(str(found[record][1], "utf-8")))  # type: ignore[arg-type]
        for found in (ours_found, theirs_found)
    ]
    ours, others = ([row for row in rows if not row[0].endswith("bin/foo")] for rows in records)
    assert ours == others
    assert os.access(world.prefix / "bin/foo", os.X_OK)


def test_what_was_installed_runs_and_is_removed_without_a_trace(tmp_path: Path) -> None:
    world = World(tmp_path)
    (world.prefix / "bin/python").symlink_to(sys.executable)
    before = world.snapshot()
    world.apply(world.wheel(FOO))
    environ = {"PYTHONPATH": str(world.site)}
    done = subprocess.run([world.prefix / "bin/foo"], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "hello\n"
    assert list(world.site.glob("foo/__pycache__/*.pyc"))
    world.apply(remove=("foo-1.0",))
    assert world.snapshot() == before


def test_commands_run_from_a_place_with_a_space_and_a_long_path(tmp_path: Path) -> None:
    world = World(tmp_path / "a b" / ("c" * 120))
    (world.prefix / "bin/python").symlink_to(sys.executable)
    world.apply(world.wheel(FOO))
    for command, answer in (("foo", "hello\n"), ("tool", "tool\n")):
        program = [world.prefix / "bin" / command]
        done = subprocess.run(program, env={"PYTHONPATH": str(world.site)}, capture_output=True, text=True, check=True)
        assert done.stdout == answer


def test_requested_and_direct_url_are_noted(world: World) -> None:
    wheel = world.wheel({"foo.py": b""})
    direct = DirectUrl(Url.parse("https://user:secret@files.example.com/foo.whl"), Archive())
    apply(world.scheme, install=[Addition(wheel, requested=True, direct=direct)])
    info = world.site / "foo-1.0.dist-info"
    assert (info / "REQUESTED").read_bytes() == b""
    assert (info / "INSTALLER").read_bytes() == b"cove\n"
    assert "secret" not in (info / "direct_url.json").read_text()
    assert {"foo-1.0.dist-info/REQUESTED", "foo-1.0.dist-info/direct_url.json"} <= {
        entry.path for entry in parse((info / "RECORD").read_text())
    }


def test_a_newer_version_replaces_an_older_one(world: World) -> None:
    world.apply(world.wheel(FOO))
    newer = world.wheel({"foo": b"a file now"}, version="2.0")
    world.apply(newer, remove=("foo-1.0",))
    assert (world.site / "foo").read_bytes() == b"a file now"
    assert not (world.site / "foo-1.0.dist-info").exists()
    assert not (world.prefix / "share").exists()
    assert not (world.prefix / ".cove-change").exists()
    assert [event for event in world.events if isinstance(event, Warned)] == []


def test_files_that_are_nobodys_stay(world: World) -> None:
    world.apply(world.wheel(FOO))
    (world.site / "foo/sub/mine.txt").write_bytes(b"mine")
    (world.site / "foo/__pycache__").mkdir()
    (world.site / "foo/__pycache__/main.cpython-311.pyc").write_bytes(b"")
    (world.site / "foo/__pycache__/mainly.cpython-311.pyc").write_bytes(b"")
    world.apply(remove=("foo-1.0",))
    left = {str(path.relative_to(world.site)) for path in world.site.rglob("*") if path.is_file()}
    assert left == {"foo/sub/mine.txt", "foo/__pycache__/mainly.cpython-311.pyc"}


# -- all or nothing ---------------------------------------------------------------------------------------------------


def spoil_missing_file(world: World, wheel: StoredWheel) -> None:
    (wheel.files / "new/z.py").unlink()


def spoil_folder_in_the_way(world: World, wheel: StoredWheel) -> None:
    (world.site / "new").mkdir(exist_ok=True)
    (world.site / "new/m.py").mkdir()


def spoil_file_for_a_folder(world: World, wheel: StoredWheel) -> None:
    (world.site / "new").write_bytes(b"a file")


def spoil_record_in_the_way(world: World, wheel: StoredWheel) -> None:
    (world.site / "new-1.0.dist-info/RECORD").mkdir(parents=True)


def spoil_link_outside(world: World, wheel: StoredWheel) -> None:
    (world.site / "new").symlink_to(world.root)


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_missing_file,
        spoil_folder_in_the_way,
        spoil_file_for_a_folder,
        spoil_record_in_the_way,
        spoil_link_outside,
    ],
)
def test_a_failure_leaves_everything_as_it_was(world: World, spoil: object) -> None:
    world.apply(world.wheel(FOO), world.wheel({"old.py": b"old"}, name="old"))
    (world.prefix / "bin/mine").write_bytes(b"mine")
    foo = world.wheel({"foo/__init__.py": b"newer"}, version="2.0")
    new = world.wheel({"new/a.py": b"", "new/m.py": b"", "new/z.py": b"", "old.py": b"taken"}, name="new")
    assert callable(spoil)
    spoil(world, new)
    before = world.snapshot()
    with pytest.raises(CoveError) as caught:
        world.apply(foo, new, remove=("foo-1.0", "old-1.0"))
    assert world.snapshot() == before
    assert "new-1.0-py3-none-any.whl" in str(caught.value)
    assert "as it was before" in str(caught.value)


@pytest.mark.parametrize("stop", range(0, 40, 3))
def test_an_interruption_at_any_step_leaves_everything_as_it_was(world: World, stop: int) -> None:
    world.apply(world.wheel(FOO))
    newer = world.wheel({f"foo/m{number}.py": b"x" for number in range(12)} | {"foo/main.py": b""}, version="2.0")
    last = world.wheel({"last.py": b""}, name="last")
    before = world.snapshot()
    seen = 0

    class Interrupting(Path().__class__):  # type: ignore[misc]
        """A store folder whose owner presses Ctrl-C when the ``stop``-th file is asked for."""

        def __truediv__(self, other: object) -> Path:
            nonlocal seen
            seen += 1
            if seen > stop % 14:
                raise KeyboardInterrupt
            return Path(self) / str(other)

    broken = StoredWheel(newer.sha256, Interrupting(newer.files), newer.manifest)
    with pytest.raises(KeyboardInterrupt):
        world.apply(last, broken, remove=("foo-1.0",))
    assert world.snapshot() == before


def test_a_killed_process_is_cleaned_up_after(world: World) -> None:
    world.apply(world.wheel(FOO))
    before = world.snapshot()
    journal = Journal(world.prefix)
    journal.move_aside(str(world.site / "foo/main.py"))
    world.apply()
    assert world.snapshot() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_environment_is_refused(world: World) -> None:
    wheel = world.wheel(FOO)
    before = world.snapshot()
    world.prefix.chmod(0o555)
    try:
        with pytest.raises(EnvironmentRefused, match="cannot be changed"):
            world.apply(wheel)
    finally:
        world.prefix.chmod(0o755)
    assert world.snapshot() == before


def test_an_environment_that_is_not_there_is_refused(tmp_path: Path) -> None:
    scheme = Scheme(str(tmp_path / "none"), "/none/bin/python", scheme_in(tmp_path / "env").paths)
    with pytest.raises(EnvironmentRefused, match="cannot be changed"):
        apply(scheme)


# -- removing what is hostile or broken -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["../../../../precious", "/etc/passwd", "../../../pyvenv.cfg", "../../../bin/python", "up/precious", "."]
)
def test_a_record_never_removes_what_is_not_the_environments(world: World, path: str) -> None:
    (world.root / "precious").write_bytes(b"precious")
    (world.prefix / "pyvenv.cfg").write_bytes(b"")
    (world.prefix / "bin/python").write_bytes(b"")
    (world.site / "up").symlink_to(world.root)
    info = world.site / "foo-1.0.dist-info"
    info.mkdir()
    (info / "RECORD").write_text(f"{path},,\nfoo-1.0.dist-info/RECORD,,\n")
    before = world.snapshot()
    if path == ".":
        world.apply(remove=("foo-1.0",))
        assert world.site.is_dir()
    else:
        with pytest.raises(InvalidArtifact, match=r"outside|leads out"):
            world.apply(remove=("foo-1.0",))
        assert world.snapshot() == before
    assert (world.root / "precious").read_bytes() == b"precious"


@pytest.mark.parametrize("record", [None, b"\xff", b"a,b,c,d\n"])
def test_what_has_no_readable_record_is_not_removed(world: World, record: bytes | None) -> None:
    info = world.site / "foo-1.0.dist-info"
    info.mkdir()
    if record is not None:
        (info / "RECORD").write_bytes(record)
    before = world.snapshot()
    with pytest.raises(CoveError, match=r"foo-1\.0\.dist-info"):
        world.apply(remove=("foo-1.0",))
    assert world.snapshot() == before


# -- several at once --------------------------------------------------------------------------------------------------


def test_of_two_wheels_with_one_file_the_later_wins_and_it_is_told(world: World) -> None:
    first = world.wheel({"shared.py": b"first", "ns/__init__.py": b""})
    second = world.wheel({"shared.py": b"second", "ns/__init__.py": b""}, name="bar")
    world.apply(first, second)
    assert (world.site / "shared.py").read_bytes() == b"second"
    warnings = [event.message for event in world.events if isinstance(event, Warned)]
    assert len(warnings) == 1
    assert "shared.py" in warnings[0]
    assert (first.files / "shared.py").read_bytes() == b"first"


def test_a_file_that_belongs_to_nobody_is_replaced_with_a_warning(world: World) -> None:
    (world.site / "foo.py").write_bytes(b"?")
    world.apply(world.wheel({"foo.py": b"x"}))
    assert [type(event) for event in world.events if isinstance(event, Warned)] == [Warned]


def test_threads_take_turns(world: World) -> None:
    wheels = [world.wheel({f"m{number}.py": b"x"}, name=f"p{number}") for number in range(6)]
    threads = [threading.Thread(target=world.apply, args=(wheel,)) for wheel in wheels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(world.site.glob("*.dist-info/RECORD"))) == 6


def test_a_lock_that_is_held_is_told_and_given_up_on(world: World) -> None:
    events: list[Event] = []
    refused = pytest.raises(EnvironmentRefused, match="another process")
    with locked(world.prefix), refused, locked(world.prefix, events.append, seconds=0.1):
        pass
    assert [type(event) for event in events] == [Noted]


def test_bytecode_is_compiled_on_request_and_bad_code_is_only_told(world: World) -> None:
    scheme = Scheme(world.scheme.prefix, sys.executable, world.scheme.paths)
    wheel = world.wheel({"foo/good.py": b"x = 1\n", "foo/bad.py": b"{{ template }"})
    apply(scheme, install=[Addition(wheel)], compile_bytecode=True, listener=world.events.append)
    assert len(list(world.site.glob("foo/__pycache__/good.*.pyc"))) == 1
    assert any(isinstance(event, Noted) and "bytecode" in event.message for event in world.events)
    world.apply(remove=("foo-1.0",))
    assert list(world.site.iterdir()) == []


_segments = st.sampled_from(["a", "b", "é", "a b", 'q"', "x,y", "__init__.py"])
_trees = st.dictionaries(
    st.lists(_segments, min_size=1, max_size=3).map("/".join), st.binary(max_size=30), min_size=1, max_size=6
)


@settings(max_examples=25, deadline=None)
@given(_trees)
def test_installing_and_removing_any_tree_is_nothing(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, bytes]
) -> None:
    world = World(tmp_path_factory.mktemp("world"))
    before = world.snapshot()
    try:
        wheel = world.wheel(tree)
    except InvalidArtifact:
        return  # a file that is a folder too
    world.apply(wheel)
    for path, content in tree.items():
        assert (world.site / path).read_bytes() == content
    world.apply(remove=("foo-1.0",))
    assert world.snapshot() == before
