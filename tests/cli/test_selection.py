"""Which index a package is taken from, and who gets to know its name."""

import json
from collections.abc import Iterator

import pytest

from cove.formats import uv_lock
from support.commandline import Ran, Sandbox
from support.scripted_server import Received, Reply, ScriptedServer, serving
from support.simple_pages import MAKE, Place, paths

HEAD = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'


class Two:
    """A project with two indexes: ``corp``, and ``public``, the default one. ``more`` are further lines of its file."""

    def __init__(self, sandbox: Sandbox, corp: ScriptedServer, public: ScriptedServer) -> None:
        self.sandbox = sandbox
        self.corp, self.public = Place(), Place()
        self.servers = {"corp": corp, "public": public}
        corp.script, public.script = self.corp, self.public

    def write(self, *requires: str, more: str = "", order: tuple[str, ...] = ("corp", "public")) -> None:
        tables = "".join(self.table(name) for name in order)
        self.sandbox.project(f"{HEAD}dependencies = {json.dumps(requires)}\n{tables}{more}")

    def table(self, name: str, more: str = "") -> str:
        default = "default = true\n" if name == "public" else ""
        return f'[[tool.uv.index]]\nname = "{name}"\nurl = "{self.url(name)}"\n{default}{more}'

    def url(self, name: str) -> str:
        return self.servers[name].url + "/simple"

    def lock(self, *argv: str) -> Ran:
        for server in self.servers.values():
            server.log.clear()
        return self.sandbox.cove("lock", *argv)

    def locked(self) -> dict[str, tuple[str, str]]:
        """Version and index of everything that is locked."""
        lock = uv_lock.parse((self.sandbox.work / "uv.lock").read_text(), "uv.lock")
        names = {self.url(name): name for name in self.servers}
        return {
            package.name: (package.version, names.get(package.source.location, package.source.location))
            for package in lock.packages
            if package.source.kind == "registry"
        }

    def asked(self, name: str) -> set[str]:
        """The projects whose pages an index was asked for."""
        seen = (path.split("/") for path in paths(self.servers[name].log) if path.startswith("/simple/"))
        return {parts[2] for parts in seen}


@pytest.fixture
def two(sandbox: Sandbox) -> Iterator[Two]:
    with serving(lambda _: Reply(404)) as corp, serving(lambda _: Reply(404)) as public:
        yield Two(sandbox, corp, public)


# -- strategies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strategy, requirement, expected",
    [
        ("first-index", "foo", ("1.5", "corp")),
        ("unsafe-first-match", "foo", ("1.5", "corp")),
        ("unsafe-first-match", "foo>=2", ("9.0", "public")),
        ("unsafe-first-match", "foo==1.0", ("1.0", "corp")),
        ("unsafe-first-match", "bar", ("2.0a1", "corp")),
        ("unsafe-best-match", "foo", ("9.0", "public")),
        ("unsafe-best-match", "foo<2", ("1.5", "corp")),
        ("unsafe-best-match", "bar", ("1.0", "public")),
    ],
)
def test_each_strategy_has_its_favourite(two: Two, strategy: str, requirement: str, expected: tuple[str, str]) -> None:
    two.corp.add(*(MAKE.wheel("foo", version) for version in ("1.0", "1.5")), MAKE.wheel("bar", "2.0a1"))
    two.public.add(*(MAKE.wheel("foo", version) for version in ("1.0", "9.0")), MAKE.wheel("bar", "1.0"))
    two.write(requirement)
    two.lock("--index-strategy", strategy).ok()
    assert [*two.locked().values()] == [expected]


def test_a_name_goes_to_a_later_index_only_after_the_answer_of_the_earlier_one(two: Two) -> None:
    """Everything is asked ahead as soon as it is known, and nothing to an index whose turn has not come."""
    two.corp.add(MAKE.wheel("corp-app", requires=["corp-core", "left", "right"]), MAKE.wheel("corp-core"))
    two.public.add(MAKE.wheel("left", requires=["leaf"]), MAKE.wheel("right", requires=["leaf"]), MAKE.wheel("leaf"))
    answered: set[str] = set()

    def corp(request: Received) -> Reply:
        reply = two.corp(request)
        reply.delay = 0.05
        if reply.status == 404:
            answered.add(request.path)
        return reply

    def public(request: Received) -> Reply:
        if request.path.startswith("/simple/"):
            assert request.path in answered, "asked before the earlier index had answered"
        return two.public(request)

    two.servers["corp"].script, two.servers["public"].script = corp, public
    two.write("corp-app")
    two.lock().ok()
    assert two.asked("corp") == {"corp-app", "corp-core", "left", "right", "leaf"}
    assert two.asked("public") == {"left", "right", "leaf"}


# -- a locked package keeps its index --------------------------------------------------------------------------------


@pytest.fixture
def locked(two: Two) -> Two:
    """``corp-app`` is locked from ``corp``, ``leaf`` from ``public``; both have newer ones elsewhere from now on."""
    two.corp.add(MAKE.wheel("corp-app", requires=["leaf"]))
    two.public.add(MAKE.wheel("leaf"))
    two.write("corp-app")
    two.lock().ok()
    assert two.locked() == {"corp-app": ("1.0", "corp"), "leaf": ("1.0", "public")}
    two.public.add(MAKE.wheel("corp-app", "66.0"))
    return two


def refused(two: Two, *argv: str) -> str:
    before = (two.sandbox.work / "uv.lock").read_bytes()
    ran = two.lock("--upgrade", *argv)
    assert ran.status == 1
    assert "would not come from there any more" in ran.stderr
    assert (two.sandbox.work / "uv.lock").read_bytes() == before
    return ran.stderr


@pytest.mark.parametrize("strategy", ["first-index", "unsafe-first-match", "unsafe-best-match"])
def test_a_locked_package_that_its_index_denies_is_not_looked_for_elsewhere(locked: Two, strategy: str) -> None:
    del locked.corp.files["corp-app"]
    message = refused(locked, "--index-strategy", strategy)
    assert "`corp-app` is locked from corp" in message
    assert "404 Not Found" in message
    assert "public" in message
    assert "--allow-index-change corp-app" in message
    assert "corp-app" not in locked.asked("public"), "the name of a private package went to another index"
    locked.lock("--upgrade", "--allow-index-change", "corp-app").ok()
    assert locked.locked()["corp-app"] == ("66.0", "public")


def test_also_with_best_match_a_locked_package_stays_where_it_is(locked: Two) -> None:
    locked.lock("--upgrade", "--index-strategy", "unsafe-best-match").ok()
    assert locked.locked()["corp-app"] == ("1.0", "corp")
    assert "corp-app" not in locked.asked("public")
    assert "leaf" not in locked.asked("corp"), "what is locked is asked of its own index"
    locked.write("corp-app>2")
    assert "--allow-index-change" in locked.lock("--index-strategy", "unsafe-best-match").stderr


def test_an_earlier_index_that_has_it_now(locked: Two) -> None:
    locked.corp.add(MAKE.wheel("leaf", "0.1"))
    message = refused(locked)
    assert "`leaf` is locked from public" in message
    assert "corp, which stands before public, has it now" in message


def test_an_index_that_is_not_configured_any_more(locked: Two) -> None:
    locked.write("corp-app", order=("public",))
    message = refused(locked)
    assert f"`corp-app` is locked from {locked.url('corp')}" in message
    assert "is not configured any more" in message
    stale = locked.lock("--check").stderr
    assert f"locked from the index {locked.url('corp')}, which is not configured any more" in stale
    assert "public does not have `corp_app-1.0-py3-none-any.whl`" in stale
    locked.lock("--allow-index-change", ":all:", "--upgrade").ok()
    assert locked.locked()["corp-app"] == ("66.0", "public")


def test_a_route_elsewhere(locked: Two) -> None:
    locked.write("corp-app", more='[tool.cove.index.public]\npackages = ["corp-*"]\n')
    assert "routed to public by packages = ['corp-*']" in refused(locked)


def test_whoever_pins_or_removes_a_pin_says_that_it_may_move(locked: Two) -> None:
    locked.write("corp-app", more='[tool.uv.sources]\ncorp-app = { index = "public" }\n')
    locked.lock().ok()
    assert locked.locked()["corp-app"] == ("66.0", "public")
    locked.write("corp-app")
    locked.lock().ok()
    assert locked.locked()["corp-app"] == ("1.0", "corp")


def test_a_pinned_index_that_has_another_address_keeps_its_packages(two: Two) -> None:
    two.corp.add(MAKE.wheel("corp-app", requires=["corp-core"]), MAKE.wheel("corp-core"))
    two.write("corp-app", more='[tool.uv.sources]\ncorp-app = { index = "corp" }\n')
    two.lock().ok()
    with serving(two.corp) as elsewhere:
        two.servers["corp"] = elsewhere
        two.write("corp-app", more='[tool.uv.sources]\ncorp-app = { index = "corp" }\n')
        before = (two.sandbox.work / "uv.lock").read_bytes()
        two.lock().ok()
        assert (two.sandbox.work / "uv.lock").read_bytes() == before, "the same files are there"
        ran = two.lock("--upgrade").ok()
        assert "warning: the index corp had the address" in ran.stderr
        assert two.locked()["corp-core"] == ("1.0", "corp")


def test_a_variable_that_gives_an_index_another_address_moves_no_package(locked: Two) -> None:
    with serving(locked.corp) as elsewhere:
        address = {"UV_INDEX_CORP_URL": f"{elsewhere.url}/simple"}
        before = (locked.sandbox.work / "uv.lock").read_bytes()
        locked.sandbox.cove("lock", environ=address).ok()
        assert (locked.sandbox.work / "uv.lock").read_bytes() == before
        ran = locked.sandbox.cove("lock", "--upgrade", environ=address).ok()
        assert "warning: the index corp had the address" in ran.stderr
        locked.servers["corp"] = elsewhere
        assert locked.locked()["corp-app"] == ("1.0", "corp")


@pytest.mark.parametrize("how", ["route", "pin"])
def test_absence_where_a_name_must_be_is_an_error(two: Two, how: str) -> None:
    """An older version that does without is no way round it."""
    two.public.add(
        MAKE.wheel("tree", "1.0"), MAKE.wheel("tree", "2.0", requires=["corp-core"]), MAKE.wheel("corp-core")
    )
    rule = RULES[how].replace("corp-backend", "corp-core")
    two.write("tree", *(["corp-core"] if how == "pin" else []), more=rule)
    ran = two.lock()
    assert ran.status == 1
    assert "`corp-core` was not found on corp (404 Not Found)" in ran.stderr
    assert "no other index may have it" in ran.stderr
    assert "corp-core" not in two.asked("public")


# -- indexes out of reach --------------------------------------------------------------------------------------------


def option(text: str) -> str:
    return f"[tool.cove.index.corp]\n{text}\n"


def test_after_the_first_failure_an_index_is_not_asked_again(two: Two) -> None:
    two.servers["corp"].script = lambda _: Reply(503)
    two.write("left", "right", "leaf")
    ran = two.sandbox.cove("lock", UV_CONCURRENT_DOWNLOADS="1")
    assert ran.status == 2
    assert "corp answered 503 Service Unavailable" in ran.stderr
    assert len(two.servers["corp"].log) == 1
    assert not two.servers["public"].log


def test_an_index_that_may_be_passed_over(two: Two) -> None:
    two.public.add(MAKE.wheel("left"), MAKE.wheel("leaf"))
    two.servers["corp"].script = lambda _: Reply(503)
    two.write("left", "leaf", more=option('on-unreachable = "skip"'))
    ran = two.sandbox.cove("lock", UV_CONCURRENT_DOWNLOADS="1").ok()
    assert ran.stderr.count("corp answered 503") == 1
    assert "passed over" in ran.stderr
    assert len(two.servers["corp"].log) == 1
    assert two.locked()["left"] == ("1.0", "public")


@pytest.mark.parametrize("status", [401, 403])
def test_whoever_is_refused_is_not_passed_over(two: Two, status: int) -> None:
    two.servers["corp"].script = lambda _: Reply(status)
    two.write("left", more=option('on-unreachable = "skip"'))
    assert two.lock().status == 2
    assert not two.servers["public"].log


def test_pages_of_the_cache_for_an_index_out_of_reach(two: Two) -> None:
    two.corp.add(MAKE.wheel("corp-app"))
    two.write("corp-app", more=option('on-unreachable = "cached"'))
    two.lock().ok()
    two.servers["corp"].script = lambda _: Reply(503)
    ran = two.lock("--upgrade").ok()
    assert "what the cache has of it is used" in ran.stderr
    two.write("corp-app", "corp-core", more=option('on-unreachable = "cached"'))
    ran = two.lock("--upgrade")
    assert ran.status == 2, "what is not in the cache is an error"
    assert not two.servers["public"].log


# -- mirrors ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def mirror() -> Iterator[ScriptedServer]:
    with serving(lambda _: Reply(404)) as server:
        yield server


def test_a_mirror_answers_and_is_never_recorded(two: Two, mirror: ScriptedServer) -> None:
    two.corp.add(MAKE.wheel("corp-app", requires=["leaf"]))
    two.public.add(MAKE.wheel("leaf"))
    two.corp.base = mirror.url  # links that name the host
    mirror.script = two.corp
    two.servers["corp"].script = lambda _: Reply(503)
    two.write("corp-app", more=option(f'mirrors = ["http://127.0.0.1:9/simple", "{mirror.url}/simple"]'))
    ran = two.sandbox.cove(
        "sync", UV_INDEX_CORP_USERNAME="me", UV_INDEX_CORP_PASSWORD="secret", UV_CONCURRENT_DOWNLOADS="1"
    )
    ran.ok()
    lock = (two.sandbox.work / "uv.lock").read_text()
    assert mirror.url not in lock
    assert f"{two.servers['corp'].url}/files/corp_app" in lock
    assert two.locked()["corp-app"] == ("1.0", "corp")
    assert len(two.servers["corp"].log) == 1, "what is down is asked once in a run"
    assert [*two.sandbox.work.glob(".venv/lib/*/site-packages/corp_app-1.0.dist-info")]
    assert not any("authorization" in each.headers for each in mirror.log), "the credential is the index's"
    assert "authorization" in two.servers["corp"].log[0].headers
    assert "its mirror is asked instead" in ran.stderr


def test_a_mirror_has_a_credential_of_its_own(two: Two, mirror: ScriptedServer) -> None:
    two.corp.add(MAKE.wheel("corp-app"))
    mirror.script = two.corp
    two.servers["corp"].script = lambda _: Reply(503)
    with_user = mirror.url.replace("http://", "http://me:my-password@")
    two.write("corp-app", more=option(f'mirrors = ["{with_user}/simple"]'))
    ran = two.lock().ok()
    assert [each.path for each in mirror.log if "authorization" not in each.headers] == []
    assert "my-password" not in ran.stderr + (two.sandbox.work / "uv.lock").read_text()


def test_a_mirror_is_not_asked_for_what_the_index_does_not_have(two: Two, mirror: ScriptedServer) -> None:
    two.public.add(MAKE.wheel("leaf"))
    two.write("leaf", more=option(f'mirrors = ["{mirror.url}/simple"]'))
    two.lock().ok()
    assert not mirror.log


# -- what builds and tools require -----------------------------------------------------------------------------------


SDIST = {
    "pyproject.toml": '[build-system]\nrequires = ["corp-backend"]\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "PKG-INFO": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
}
"""Its metadata has to be asked of its backend, which needs ``corp-backend``, and that ``corp-core``."""

RULES = {
    "route": '[tool.cove.index.corp]\npackages = ["corp-*"]\n',
    "pin": '[tool.uv.sources]\ncorp-backend = { index = "corp" }\n',
}


@pytest.fixture
def backends(two: Two) -> Two:
    """``thing`` is an sdist on the first index; what building it needs is there in a later one too, and newer."""
    two.public.add(MAKE.sdist("thing", files=SDIST))
    for place, version in ((two.corp, "1.0"), (two.public, "66.0")):
        place.add(MAKE.wheel("corp-backend", version, requires=["corp-core"]), MAKE.wheel("corp-core", version))
    return two


@pytest.mark.parametrize("rule", RULES)
def test_what_a_build_requires_obeys_routes_and_pins(backends: Two, rule: str) -> None:
    more = RULES[rule].replace("corp-backend =", 'corp-core = { index = "corp" }\ncorp-backend =')
    backends.write("thing", more=more, order=("public", "corp"))
    backends.sandbox.cove("sync", "--index-strategy", "unsafe-best-match").ok()
    assert backends.asked("corp") >= {"corp-backend", "corp-core"}
    assert backends.asked("public") == {"thing"}


def test_so_does_what_the_build_of_the_project_itself_requires(backends: Two) -> None:
    text = f'{HEAD}[build-system]\nrequires = ["corp-backend"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    tables = backends.table("public") + backends.table("corp")
    folder = backends.sandbox.project(text + tables + RULES["pin"].replace("corp-backend", "Corp_Backend"))
    wheel = MAKE.wheel("app", "1").write_to(folder)
    (folder / "backend.py").write_text(
        "import shutil\n"
        "def build_editable(folder, config_settings=None, metadata_directory=None):\n"
        f"    shutil.copy({str(wheel)!r}, folder)\n"
        f"    return {wheel.name!r}\n"
    )
    backends.sandbox.cove("sync", "--index-strategy", "unsafe-best-match").ok()
    assert "corp-backend" in backends.asked("corp")
    assert "corp-backend" not in backends.asked("public")


def test_what_a_tool_requires_obeys_the_routes_of_the_user(backends: Two) -> None:
    backends.public.add(MAKE.wheel("tool", requires=["corp-core"], scripts={"tool": "tool:VERSION"}))
    config = backends.sandbox.home / ".config" / "uv"
    config.mkdir(parents=True)
    tables = "".join(backends.table(name).replace("[[tool.uv.index]]", "[[index]]") for name in ("public", "corp"))
    (config / "uv.toml").write_text(tables)
    (config.parent / "cove").mkdir()
    (config.parent / "cove" / "cove.toml").write_text('[index.corp]\npackages = ["corp-*"]\n')
    backends.sandbox.cove("tool", "install", "tool", UV_TOOL_DIR=str(backends.sandbox.root / "tools")).ok()
    assert "corp-core" not in backends.asked("public")
