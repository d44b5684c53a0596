"""All sources at once: who is asked in which order, for pages and files and for uploads, and how often the server is."""

import sys
from pathlib import Path

import pytest

from cove.testing import PackageFactory
from support.commandline import Sandbox
from support.gate import Gate, basic
from support.scripted_server import Received, Reply, ScriptedServer, serving
from support.simple_pages import MAKE, Place

ORDER = [basic("me", each) for each in ("variables", "url", "netrc", "store", "command", "keyring")]


def program(sandbox: Sandbox, name: str, line: str) -> Path:
    """A program on ``PATH`` that prints ``line`` and writes down each call beside itself."""
    path = sandbox.home / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!{sys.executable}\nopen({f'{path}.log'!r}, 'a').write('x')\nprint({line!r})\n")
    path.chmod(0o755)
    return Path(f"{path}.log")


def give(sandbox: Sandbox, url: str, *ways: str) -> None:
    """Make each of ``ways`` a source, the password of which is its name; the user is ``me``."""
    sandbox.using({"PATH": f"{sandbox.home / 'bin'}:{sandbox.environ['PATH']}"})
    if "variables" in ways:
        sandbox.using({"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "variables"})
    if "netrc" in ways:
        (sandbox.home / ".netrc").write_text("machine 127.0.0.1 login me password netrc\n")
    if "store" in ways:
        sandbox.cove("auth", "login", f"{url}/", "-u", "me", "--password", "store").ok()
    if "command" in ways:
        program(sandbox, "helper", "username=me\npassword=command")
        settings = sandbox.home / ".config" / "cove" / "cove.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text('[index.corp]\ncredential-command = ["helper"]\n')
    if "keyring" in ways:
        program(sandbox, "keyring", "keyring")
        sandbox.using({"UV_KEYRING_PROVIDER": "subprocess"})
    inside = url.replace("://", "://me:url@" if "url" in ways else "://me@" if "keyring" in ways else "://")
    sandbox.project(
        '[project]\nname = "demo"\nversion = "0"\ndependencies = ["main"]\n'
        f'[[tool.uv.index]]\nname = "corp"\nurl = "{inside}/simple/"\npublish-url = "{url}/upload/"\ndefault = true\n'
    )


EVERYTHING = ("variables", "url", "netrc", "store", "command", "keyring")


def test_the_order_for_reading(sandbox: Sandbox) -> None:
    gate = Gate(Place().add(MAKE.wheel("main")), {ORDER[-1]})
    with serving(gate) as server:
        give(sandbox, server.url, *EVERYTHING)
        ran = sandbox.cove("lock").ok()
    assert gate.seen[: len(ORDER)] == ORDER
    assert set(gate.seen[len(ORDER) :]) <= {ORDER[-1]}
    warned = [line for line in ran.stderr.splitlines() if line.startswith("warning:")]
    assert len(warned) == len(ORDER) - 1
    assert all("was refused (401 Unauthorized); trying" in line for line in warned)


def test_the_order_for_publishing(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    gate = Gate(lambda _: Reply(200), {ORDER[-1]})

    def script(request: Received) -> Reply:
        return gate(request) if request.method == "POST" else Reply(404)

    wheel_factory.wheel("main").write_to(sandbox.work / "dist")
    with serving(script) as server:
        give(sandbox, server.url, *EVERYTHING)
        ran = sandbox.cove("publish", "--index", "corp").ok()
    assert gate.seen == ORDER
    assert "trying" in ran.stderr


@pytest.mark.parametrize("way", EVERYTHING)
def test_what_is_known_costs_no_request_and_no_second_look(way: str, sandbox: Sandbox) -> None:
    place = Place().add(MAKE.wheel("main", requires=["lib", "more"]), MAKE.wheel("lib"), MAKE.wheel("more"))
    with serving(place) as server:
        give(sandbox, server.url)
        sandbox.cove("lock", "--no-cache").ok()
        without = len(server.log)
        (sandbox.work / "uv.lock").unlink()
        gate = Gate(place, {basic("me", way)})
        server.script, before = gate, len(server.log)
        give(sandbox, server.url, way)
        sandbox.cove("lock", "--no-cache").ok()
        assert set(gate.seen) == {basic("me", way)}
        assert len(server.log) - before == without
    for called in (sandbox.home / "bin" / "helper.log", sandbox.home / "bin" / "keyring.log"):
        assert not called.exists() or called.read_text() == "x"


# -- other hosts and ports, on the ways that are no index's page


@pytest.fixture
def elsewhere() -> "ScriptedServer":
    """Another host and port, which writes down what it is told."""
    server = ScriptedServer(lambda _: Reply(404))
    server.url = server.url.replace("127.0.0.1", "localhost")
    return server


@pytest.mark.parametrize("how", ["metadata", "find-links", "direct", "requirements", "check-url", "upload"])
def test_nobody_else_is_told(
    how: str, sandbox: Sandbox, elsewhere: ScriptedServer, wheel_factory: PackageFactory
) -> None:
    wheel = MAKE.wheel("main")
    moved = Reply(302, headers={"Location": f"{elsewhere.url}/moved/{wheel.filename}"})
    moved_upload = Reply(307, headers={"Location": f"{elsewhere.url}/upload/"})
    there = f'<a href="{elsewhere.url}/{wheel.filename}" data-core-metadata="true">{wheel.filename}</a>'
    here = f'<a href="{wheel.filename}" data-core-metadata="true">{wheel.filename}</a>'

    def script(request: Received) -> Reply:
        if request.method == "POST":
            return moved_upload
        if request.path.endswith((".metadata", ".whl")) or (how == "check-url" and request.path.startswith("/simple/")):
            return moved
        if request.path.endswith(".txt"):
            return Reply(200, f"main @ {elsewhere.url}/{wheel.filename}\n".encode())
        page = there if how == "find-links" else here
        return Reply(200, f"<!DOCTYPE html>{page}".encode(), {"Content-Type": "text/html"})

    try:
        with serving(script) as server:
            inside = server.url.replace("://", "://me:s3cret@")
            own = {"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "s3cret"}
            wheel_factory.wheel("main").write_to(sandbox.work / "dist")
            (sandbox.work / "requirements.in").write_text("main\n")
            (sandbox.work / "direct.in").write_text(f"main @ {inside}/{wheel.filename}\n")
            compile_ = ("pip", "compile", "--no-cache")
            argv = {
                "metadata": (*compile_, "requirements.in", "--default-index", f"corp={server.url}/simple/"),
                "find-links": (*compile_, "requirements.in", "--no-index", "--find-links", f"{inside}/links/"),
                "direct": (*compile_, "direct.in", "--no-index"),
                "requirements": (*compile_, f"{inside}/requirements.txt", "--no-index"),
                "check-url": ("publish", "--publish-url", f"{inside}/upload/", "--check-url", f"{inside}/simple/"),
                "upload": ("publish", "--publish-url", f"{inside}/upload/"),
            }[how]
            ran = sandbox.cove(*argv, environ=own)
            assert any("authorization" in request.headers for request in server.log), ran.stderr
        assert "s3cret" not in ran.stderr + ran.stdout
        assert all("authorization" not in request.headers for request in elsewhere.log)
        assert elsewhere.log or how in ("check-url", "upload"), ran.stderr
    finally:
        elsewhere.close()


@pytest.mark.parametrize(
    "password, status, said",
    [
        ("", 401, ("credentials-missing", "wants credentials to publish")),
        ("wr0ng", 401, ("credentials-refused", "they came from $UV_PUBLISH_PASSWORD")),
        ("e30.eyJleHAiOiAxfQ.x", 401, ("credentials-refused", "those from $UV_PUBLISH_PASSWORD have expired")),
        ("g00d", 403, ("access-forbidden", "does not allow to publish")),
    ],
)
def test_missing_wrong_expired_and_forbidden_never_read_alike_to_who_publishes(
    password: str, status: int, said: tuple[str, str], sandbox: Sandbox, wheel_factory: PackageFactory
) -> None:
    code, words = said
    wheel_factory.wheel("main").write_to(sandbox.work / "dist")
    own = {"UV_PUBLISH_USERNAME": "me", "UV_PUBLISH_PASSWORD": password} if password else {}
    with serving(lambda _: Reply(status)) as server:
        argv = ("publish", "--publish-url", f"{server.url}/upload/")
        ran = sandbox.cove(*argv, environ=own)
        as_json = sandbox.cove(*argv, "--output-format", "json", environ=own)
    assert ran.status == 2
    assert words in ran.stderr.splitlines()[0] + ran.stdout
    assert f'"{code}"' in as_json.stdout
    assert not password or password not in ran.stderr + ran.stdout + as_json.stdout + as_json.stderr
