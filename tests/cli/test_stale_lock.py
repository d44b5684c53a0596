"""Everything that can change after a project was locked: what is said of it, and what each command then does."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.commandline import Sandbox
from support.programs import program
from support.programs import run as run_program

BASE = """\
[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["tree>=1", "leaf"]

[project.optional-dependencies]
x = ["extra"]

[dependency-groups]
dev = ["dev"]
docs = ["leaf"]

[tool.uv.sources]
pinned = { index = "corp" }

[[tool.uv.index]]
name = "corp"
url = "{corp}"
explicit = true

[[tool.uv.index]]
name = "main"
url = "{main}"
default = true

[tool.uv]
constraint-dependencies = ["tree<9"]
override-dependencies = ["dev<9"]
"""


@dataclass(frozen=True)
class Change:
    """``old`` becomes ``new`` in the project, and ``why`` is said; flags make the same difference where they are given."""

    name: str
    old: str
    new: str
    why: str
    flags: tuple[str, ...] = ()
    uv_agrees: bool = True


def setting(name: str, line: str, why: str, *flags: str, uv_agrees: bool = True) -> Change:
    """A line more in ``[tool.uv]``."""
    return Change(name, "[tool.uv]\n", f"[tool.uv]\n{line}\n", why, flags, uv_agrees)


CHANGES = [
    Change(
        "a dependency more", '"leaf"]\n\n[project', '"leaf", "extra"]\n\n[project', "a dependency was added: `extra`"
    ),
    Change("a dependency less", '"tree>=1", "leaf"', '"tree>=1"', "a dependency was removed: `leaf`"),
    Change("specifier", "tree>=1", "tree>=2", "a dependency changed: `tree>=1` is now `tree>=2`"),
    Change(
        "marker",
        '"leaf"]\n\n[project',
        "\"leaf ; os_name == 'nt'\"]\n\n[project",
        "a dependency changed: `leaf` is now `leaf ; os_name == 'nt'`",
    ),
    Change("extras of a dependency", "tree>=1", "tree[more]>=1", "`tree>=1` is now `tree[more]>=1`"),
    Change("an extra more", 'x = ["extra"]', 'x = ["extra"]\ny = []', "the extra `y` was added"),
    Change("an extra less", 'x = ["extra"]\n', "", "a dependency was removed: `extra ; extra == 'x'`"),
    Change("in an extra", 'x = ["extra"]', 'x = ["extra<3"]', "`extra ; extra == 'x'` is now `extra<3 ; extra == 'x'`"),
    Change("a group more", 'dev = ["dev"]', 'dev = ["dev"]\nlint = ["leaf"]', "the group `lint` was added"),
    Change("a group less", 'docs = ["leaf"]\n', "", "the group `docs` was removed"),
    Change("in a group", 'dev = ["dev"]', 'dev = ["dev", "leaf"]', "a dependency of the group `dev` was added: `leaf`"),
    Change(
        "a pin more",
        "pinned = {",
        'leaf = { index = "corp" }\npinned = {',
        "a dependency changed: `leaf` is now `leaf` from {corp}",
    ),
    Change("a path", "pinned = {", 'leaf = { path = "leaf" }\npinned = {', "`leaf` is now `leaf` from leaf"),
    Change("requires-python", ">=3.11", ">=3.11,<4", "requires-python was `>=3.11` and is `>=3.11, <4`"),
    Change("version", "0.1.0", "0.2.0", "the project's version was 0.1.0 and is 0.2.0"),
    Change("name", 'name = "app"', 'name = "other"', "the lock is not of the project `other`"),
    Change(
        "package",
        "[tool.uv]\n",
        "[tool.uv]\npackage = true\n",
        "the project was locked as virtual and is editable now",
    ),
    setting(
        "resolution",
        'resolution = "lowest"',
        "the option `resolution` changed: it was not given and is `lowest`",
        "--resolution",
        "lowest",
    ),
    setting(
        "prerelease",
        'prerelease = "allow"',
        "the option `prerelease` changed: it was not given and is `allow`",
        "--prerelease",
        "allow",
    ),
    setting(
        "fork-strategy",
        'fork-strategy = "fewest"',
        "`fork-strategy` changed: it was not given and is `fewest`",
        "--fork-strategy",
        "fewest",
    ),
    setting(
        "exclude-newer",
        'exclude-newer = "2100-01-01T00:00:00Z"',
        "`exclude-newer` changed",
        "--exclude-newer",
        "2100-01-01T00:00:00Z",
    ),
    setting(
        "exclude-newer by duration",
        'exclude-newer = "2 hours"',
        "the option `exclude-newer` changed: it was not given and is `PT2H`",
        "--exclude-newer",
        "2 hours",
    ),
    setting(
        "exclude-newer of a package by duration",
        'exclude-newer-package = { leaf = "2 hours" }',
        "the option `exclude-newer-package` changed: it was not given and is `leaf = PT2H`",
        "--exclude-newer-package",
        "leaf=2 hours",
    ),
    setting(
        "stated metadata",
        'dependency-metadata = [{ name = "tree", requires-dist = ["leaf"] }]',
        "the setting `dependency-metadata` changed: what it says of `tree`",
    ),
    setting("environments", "environments = [\"sys_platform == 'linux'\"]", "the setting `environments` changed"),
    setting(
        "required",
        "required-environments = [\"sys_platform == 'linux'\"]",
        "the setting `required-environments` changed",
    ),
    setting("conflicts", 'conflicts = [[{ extra = "x" }, { group = "docs" }]]', "the setting `conflicts` changed"),
    setting("default-groups", 'default-groups = ["docs"]', "the setting `default-groups` changed"),
    Change(
        "the Pythons of a group",
        "[tool.uv]\n",
        '[tool.uv.dependency-groups]\ndev = { requires-python = ">=3.8" }\n\n[tool.uv]\n',
        "the Pythons of groups changed",
    ),
    Change("a constraint", "tree<9", "tree<8", "a constraint changed: `tree<9` is now `tree<8`"),
    Change("a constraint less", 'constraint-dependencies = ["tree<9"]\n', "", "a constraint was removed: `tree<9`"),
    Change("an override", "dev<9", 'dev<9", "leaf<9', "an override was added: `leaf<9`"),
    setting(
        "build constraint", 'build-constraint-dependencies = ["leaf<9"]', "a constraint of builds was added: `leaf<9`"
    ),
    setting(
        "exclusion",
        'exclude-dependencies = ["winonly"]',
        "the setting `exclude-dependencies` changed: `winonly` was added",
        uv_agrees=False,
    ),
    Change(
        "an index that has something else",
        'name = "main"\nurl = "{main}"',
        'name = "main"\nurl = "{corp}"',
        "is locked from the index {main}, which is not configured any more",
    ),
    Change(
        "a member",
        "[tool.uv]\n",
        '[tool.uv.workspace]\nmembers = ["member"]\n\n[tool.uv]\n',
        "the workspace has a new member `member`",
    ),
]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Two indexes; ``corp`` has another ``leaf``."""
    folder, make = tmp_path_factory.mktemp("indexes"), PackageFactory()
    with RunningIndex(folder / "main") as main, RunningIndex(folder / "corp") as corp:
        for name in ("leaf", "extra", "dev", "winonly", "tree"):
            for version in ("1.0", "2.0"):
                make.wheel(name, version).write_to(main.store.root / name)
            make.wheel(name, "2.0", files={"other.py": ""}).write_to(corp.store.root / name)
        yield {"main": main.simple_url.public, "corp": corp.simple_url.public}


def filled(text: str, addresses: dict[str, str]) -> str:
    for name, address in addresses.items():
        text = text.replace(f"{{{name}}}", address)
    return text


@pytest.fixture
def project(sandbox: Sandbox, addresses: dict[str, str]) -> Path:
    """The project, locked; a folder with a member, and one with another ``leaf``, lie in it."""
    folder = sandbox.using({"UV_PYTHON": sys.executable}).project(filled(BASE, addresses))
    for name in ("leaf", "member"):
        toml = f'[project]\nname = "{name}"\nversion = "7"\nrequires-python = ">=3.11"\ndependencies = []\n'
        sandbox.project(toml, name)
    sandbox.cove("lock").ok()
    return folder


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_what_changed_is_said_and_nothing_is_asked(
    change: Change, sandbox: Sandbox, project: Path, addresses: dict[str, str]
) -> None:
    lock = project / "uv.lock"
    before = lock.read_bytes()
    old, new, why = (filled(text, addresses) for text in (change.old, change.new, change.why))
    toml = (project / "pyproject.toml").read_text()
    assert toml.count(old) == 1, f"{old!r} is there {toml.count(old)} times"
    (project / "pyproject.toml").write_text(toml.replace(old, new))
    for command in (("lock", "--check"), ("lock", "--locked"), ("sync", "--locked"), ("lock", "--check", "--dry-run")):
        ran = sandbox.cove(*command)
        assert (ran.status, why in ran.stderr) == (1, True), ran.stderr
        assert ran.requests == () or "index" in change.name
    environ = {**sandbox.environ, "UV_CACHE_DIR": str(sandbox.root / "uv-cache"), "UV_PYTHON_DOWNLOADS": "never"}
    done = run_program([program("uv"), "lock", "--check"], environ, project)
    assert (done.returncode != 0) is change.uv_agrees, done.stderr
    assert lock.read_bytes() == before


@pytest.mark.parametrize("change", [change for change in CHANGES if change.flags], ids=lambda change: change.name)
def test_flags_make_the_same_difference(change: Change, sandbox: Sandbox, project: Path) -> None:
    before = (project / "uv.lock").read_bytes()
    ran = sandbox.cove("lock", "--check", *change.flags)
    assert (ran.status, change.why in ran.stderr, ran.requests) == (1, True, ()), ran.stderr
    assert (project / "uv.lock").read_bytes() == before


@pytest.mark.parametrize("change", CHANGES[:4], ids=lambda change: change.name)
def test_what_each_command_does_with_a_stale_lock(
    change: Change, sandbox: Sandbox, project: Path, addresses: dict[str, str]
) -> None:
    lock = project / "uv.lock"
    before = lock.read_bytes()
    toml = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(toml.replace(change.old, change.new))
    for command in (("lock", "--dry-run"), ("sync", "--dry-run"), ("lock", "--frozen"), ("sync", "--frozen")):
        sandbox.cove(*command).ok()
        assert lock.read_bytes() == before, command
    dry = sandbox.cove("lock", "--dry-run").ok()
    assert f"uv.lock would change: {filled(change.why, addresses)}" in dry.stderr
    sandbox.cove("sync").ok()
    assert lock.read_bytes() != before
    assert sandbox.cove("lock", "--check").ok().requests == ()
    (project / "pyproject.toml").write_text(toml)
    sandbox.cove("lock").ok()
    assert lock.read_bytes() == before


def test_an_older_lock_that_does_not_say_the_default_groups_fits(sandbox: Sandbox, project: Path) -> None:
    lock, toml = project / "uv.lock", project / "pyproject.toml"
    toml.write_text(toml.read_text().replace("[tool.uv]\n", '[tool.uv]\ndefault-groups = ["docs"]\n'))
    lock.write_text(lock.read_text().replace("revision = 5\n", "revision = 4\n"))
    before = lock.read_bytes()
    for command in (("lock", "--check"), ("sync",)):
        sandbox.cove(*command).ok()
        assert lock.read_bytes() == before


def test_extras_are_asked_for_in_any_order(sandbox: Sandbox, project: Path) -> None:
    lock, toml = project / "uv.lock", project / "pyproject.toml"
    toml.write_text(toml.read_text().replace('"tree>=1"', '"tree[a,b]>=1"'))
    sandbox.cove("lock").ok()
    entry = 'name = "tree", extras = ["a", "b"]'
    assert entry in lock.read_text()
    lock.write_text(lock.read_text().replace(entry, 'name = "tree", extras = ["b", "a"]'))
    sandbox.cove("lock", "--check").ok()


def test_markers_are_compared_by_what_they_mean(sandbox: Sandbox, project: Path) -> None:
    lock, toml = project / "uv.lock", project / "pyproject.toml"
    marker = "python_full_version < '3.13' and (os_name == 'nt' or sys_platform == 'darwin')"
    longer = marker.replace("(", "").replace(")", "").replace(" or", " or python_full_version < '3.13' and")
    told = toml.read_text().replace('"tree>=1"', f'"tree>=1 ; {marker}"')
    toml.write_text(told.replace("[tool.uv]\n", f'[tool.uv]\nenvironments = ["{marker}"]\n'))
    sandbox.cove("lock").ok()
    text = lock.read_text()
    assert marker in text
    lock.write_text(text.replace(marker, longer))
    sandbox.cove("lock", "--check").ok()


def test_there_is_no_lock(sandbox: Sandbox, project: Path) -> None:
    (project / "uv.lock").unlink()
    for command, why in ((("lock", "--check"), "there is no lock"), (("sync", "--frozen"), "does not exist")):
        ran = sandbox.cove(*command)
        assert (ran.status, why in ran.stderr) == (1, True), ran.stderr
    sandbox.cove("lock", "--dry-run").ok()
    assert not (project / "uv.lock").exists()


def test_a_lock_that_is_no_text_is_named(sandbox: Sandbox) -> None:
    project = sandbox.project('[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\n')
    (project / "uv.lock").write_bytes(b"version = 1\n# \xff\n")
    done = sandbox.cove("lock", "--check")
    assert done.status == 2
    assert "uv.lock: not UTF-8: byte 14 cannot be decoded" in done.stderr


@pytest.mark.parametrize("stated", ["[{ name = 5 }]", '[{ name = "a", extras = 5 }]'])
def test_a_manifest_that_nobody_wrote_does_not_match(sandbox: Sandbox, stated: str) -> None:
    project = sandbox.project('[project]\nname = "app"\nversion = "0"\nrequires-python = ">=3.11"\n')
    sandbox.cove("lock").ok()
    path = project / "uv.lock"
    path.write_text(
        path.read_text().replace("\n[[package]]", f"\n[manifest]\nconstraints = {stated}\n\n[[package]]", 1)
    )
    done = sandbox.cove("lock", "--check")
    assert done.status == 1
    assert "uv.lock does not match pyproject.toml" in done.stderr


def test_an_upgrade_of_what_is_not_locked_is_said(sandbox: Sandbox, project: Path) -> None:
    before = (project / "uv.lock").read_bytes()
    ran = sandbox.cove("lock", "-P", "laef", "-P", "leaf").ok()
    assert "warning: `--upgrade-package laef`: the lock has no package `laef`\n" in ran.stderr
    assert "`leaf`" not in ran.stderr
    assert (project / "uv.lock").read_bytes() == before


def test_a_url_that_is_gone_names_who_is_required(sandbox: Sandbox, project: Path, addresses: dict[str, str]) -> None:
    gone = addresses["main"].replace("/simple/", "/files/") + "gone/gone-1.0-py3-none-any.whl"
    toml = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(toml.replace('"leaf"]', f'"leaf", "gone @ {gone}"]', 1))
    ran = sandbox.cove("lock")
    assert ran.status != 0
    assert "gone" in ran.stderr.partition("cannot be had: ")[0]
    assert "404 Not Found" in ran.stderr
    assert "hint: Look whether the URL is right" in ran.stderr
