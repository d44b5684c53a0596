"""What configuration says of indexes, through the command line: every command reads it in the same way."""

import json
import re
from pathlib import Path

import pytest

from cove.cli.main import COMMANDS
from cove.formats import pyproject
from cove.server.serve import RunningIndex
from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.scripted_server import Received, Reply, ScriptedServer, serving

PROJECT = '[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11"\ndependencies = [{}]\n'


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    made = Sandbox(tmp_path)
    return made.using({"HTTPS_PROXY": "http://127.0.0.1:9"})  # the public index is never reached


def values(sandbox: Sandbox, name: str, **variables: str) -> dict[str, tuple[str, str]]:
    ran = sandbox.cove("index", "list", "--origin", "--output-format", "json", environ=variables).ok()
    index = next(each for each in json.loads(ran.stdout) if each["name"] == name)
    return {key: (each["value"], each["origin"]) for key, each in index["values"].items()}


EVERY_KEY = """\
name = "corp"
url = "https://example.com/simple/"
default = true
explicit = true
publish-url = "https://example.com/upload/"
authenticate = "always"
ignore-error-codes = [418, 403]
cache-control = { api = "max-age=60", files = "no-store" }
hash-algorithm = "sha256"
exclude-newer = "2026-01-31"
format = "flat"
"""


@pytest.mark.parametrize(
    "file, head",
    [
        ("work/pyproject.toml", "[[tool.uv.index]]\n"),
        ("work/uv.toml", "[[index]]\n"),
        ("home/.config/uv/uv.toml", "[[index]]\n"),
    ],
)
def test_every_key_is_read_with_its_line(sandbox: Sandbox, file: str, head: str) -> None:
    path = sandbox.root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(head + EVERY_KEY)
    found = values(sandbox, "corp")
    assert found == {
        "url": ("https://example.com/simple/", f"{path}:3"),
        "default": ("true", f"{path}:4"),
        "explicit": ("true", f"{path}:5"),
        "publish-url": ("https://example.com/upload/", f"{path}:6"),
        "authenticate": ("always", f"{path}:7"),
        "ignore-error-codes": ("403, 418", f"{path}:8"),
        "cache-control": ("api: max-age=60, files: no-store", f"{path}:9"),
        "hash-algorithm": ("sha256", f"{path}:10"),
        "exclude-newer": ("2026-01-31", f"{path}:11"),
        "format": ("flat", f"{path}:12"),
        "credential": ("none", "default"),
    }


def test_origins_for_people(sandbox: Sandbox) -> None:
    place = sandbox.project('[[tool.uv.index]]\nname = "corp"\nurl = "https://example.com/"\n')
    ran = sandbox.cove("index", "list", "--origin", UV_INDEX_CORP_USERNAME="me", UV_INDEX_CORP_PASSWORD="canary").ok()
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert lines[0] == ["1.", "corp"]
    assert ["url", "https://example.com/", f"{place}/pyproject.toml:3"] in lines
    assert ["credential", "user", "`me`", "$UV_INDEX_CORP_PASSWORD"] in lines
    assert "canary" not in ran.stdout
    token = sandbox.cove("index", "list", "--origin", "--index", "https://canary:@example.com/").ok()
    assert "canary" not in token.stdout
    assert "a token" in token.stdout


def test_options_of_cove_come_from_the_project_and_from_cove_toml(sandbox: Sandbox) -> None:
    place = sandbox.project(
        '[[tool.uv.index]]\nname = "corp"\nurl = "https://example.com/"\n\n'
        '[tool.cove.index.corp]\npackages = ["corp-*"]\nca-cert = "ca.pem"\n'
    )
    (place / "ca.pem").write_text("")
    user = sandbox.home / ".config" / "cove" / "cove.toml"
    user.parent.mkdir(parents=True)
    user.write_text('[index.corp]\npackages = ["other"]\ntimeout = 2.5\non-unreachable = "cached"\n')
    found = values(sandbox, "corp")
    assert found["packages"] == ("corp-*", f"{place}/pyproject.toml:6")
    assert found["ca-cert"] == (f"{place}/ca.pem", f"{place}/pyproject.toml:7")
    assert found["timeout"] == ("2.5", f"{user}:3")
    assert found["on-unreachable"] == ("cached", f"{user}:4")
    (place / "ca.pem").unlink()
    assert (
        f"error: {place}/pyproject.toml:7: the file `{place}/ca.pem` (`ca-cert`" in sandbox.cove("index", "list").stderr
    )


@pytest.mark.parametrize(
    "toml, line, words",
    [
        ('[[tool.uv.index]]\nname = "a"\nurl = "x"\n', 3, "the folder"),
        ('[[tool.uv.index]]\nname = "a"\nurl = "ftp://example.com"\n', 3, "scheme `ftp`"),
        ('[[tool.uv.index]]\nname = "a"\n\n[[tool.uv.index]]\nname = "b"\n', 1, "has no `url`"),
        ('[[tool.uv.index]]\nname = "a"\nurl = "https://${NOT_SET_HERE}/"\n', 3, "`NOT_SET_HERE`, which is not set"),
        ('[[tool.uv.index]]\nname = "a"\nurl = "https://h/"\nauthenticate = "perhaps"\n', 4, "`authenticate`"),
        ('[[tool.uv.index]]\nname = "a"\nurl = "https://h/"\n[tool.cove.index.a]\ntimeout = -1\n', 5, "`timeout`"),
        ('[[tool.uv.index]]\nname = "a"\nurl = "https://h/"\n[tool.cove.index.a]\nfoo = -1\n', 5, "key `foo`"),
        ('[tool.cove.index.b]\npackages = ["x"]\n', 1, "belongs to no index"),
        (
            '[[tool.uv.index]]\nname = "a"\nurl = "https://h/"\n[[tool.uv.index]]\nurl = "https://i/"\nname = "a"\n',
            6,
            "already used on line 6",
        ),
        (
            '[[tool.uv.index]]\nurl = "https://h/"\ndefault = true\n[[tool.uv.index]]\nurl = "https://i/"\ndefault = true\n',
            6,
            "already marked as default",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value else "",
)
def test_what_cannot_be_used_is_an_error_with_file_and_line(sandbox: Sandbox, toml: str, line: int, words: str) -> None:
    place = sandbox.project(PROJECT.format("") + toml)
    shift = PROJECT.count("\n")
    for argv in (("lock",), ("index", "list"), ("pip", "compile", "pyproject.toml")):
        ran = sandbox.cove(*argv)
        assert ran.status == 2
        assert f"error: {place}/pyproject.toml:{line + shift}: " in ran.stderr, ran.stderr
        assert words in ran.stderr


# -- the guide -------------------------------------------------------------------------------------------------------

GUIDE = (Path(__file__).parents[2] / "docs" / "indexes.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", GUIDE, flags=re.DOTALL)
PROJECTS = (Path(__file__).parents[2] / "docs" / "projects.md").read_text("utf-8")
PROJECT_BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PROJECTS, flags=re.DOTALL)


@pytest.mark.parametrize("toml", [text for kind, text in BLOCKS if kind == "toml"])
def test_what_the_guide_says_is_understood(sandbox: Sandbox, toml: str) -> None:
    has_index = "[[tool.uv.index]]" in toml
    place = sandbox.project(
        re.sub(r"<(\w+)>", "x", toml) + ("" if has_index else '[[tool.uv.index]]\nname = "corp"\nurl = "https://h/"\n')
    )
    for file in re.findall(r'"([\w/]+\.pem)"', toml):
        (place / file).parent.mkdir(exist_ok=True)
        (place / file).write_text("")
    ran = sandbox.cove("index", "list", "--origin").ok()
    assert ran.stderr == ""


@pytest.mark.parametrize("toml", [text for kind, text in PROJECT_BLOCKS if kind == "toml"])
def test_what_is_said_of_projects_is_understood(sandbox: Sandbox, toml: str) -> None:
    indexes = "".join(f'\n[[tool.uv.index]]\nname = "{name}"\nurl = "https://h/"\n' for name in sorted(_named(toml)))
    project = "" if "[project]" in toml else '\n[project]\nname = "app"\nversion = "1"\n'
    if toml.startswith("torch"):  # the lines that follow the header of the block before
        toml = f"[tool.uv.sources]\n{toml}"
    place = sandbox.project(toml + project + indexes)
    assert sandbox.cove("index", "list").ok().stderr == ""
    pyproject.parse((place / "pyproject.toml").read_bytes(), "pyproject.toml")


def _named(toml: str) -> set[str]:
    return set(re.findall(r'\bindex = "([\w-]+)"', toml))


def test_the_guide_names_commands_that_exist() -> None:
    blocks = (*BLOCKS, *PROJECT_BLOCKS)
    lines = [line for kind, text in blocks if kind == "console" for line in re.findall(r"^\$ cove (.*)$", text, re.M)]
    assert len(lines) > 8
    assert not [line for line in lines if not {tuple(line.split()[:2]), tuple(line.split()[:1])} & set(COMMANDS)]


# -- servers ---------------------------------------------------------------------------------------------------------


def bare(index: RunningIndex) -> str:
    return index.simple_url.without_credentials().public


def owner(index: PrivateIndex) -> dict[str, str]:
    return {"UV_INDEX_CORP_USERNAME": index.username, "UV_INDEX_CORP_PASSWORD": index.password.reveal()}


@pytest.fixture
def corp(cove_index: PrivateIndex, wheel_factory: PackageFactory) -> PrivateIndex:
    """Has ``app``, which requires ``corp-lib``, and that."""
    cove_index.add(
        wheel_factory.wheel("app", requires=["corp-lib"]),
        wheel_factory.wheel("corp-lib", "1.0"),
        wheel_factory.wheel("corp-build", "1.0"),
    )
    return cove_index


def public(factory: PackageFactory) -> "tuple[ScriptedServer, dict[str, bytes]]":
    """A server that has ``app`` and a wrong ``corp-lib`` 9.0."""
    wheels = {
        wheel.filename: wheel.content
        for wheel in (factory.wheel("app", requires=["corp-lib"]), factory.wheel("corp-lib", "9.0"))
    }

    def script(asked: Received) -> Reply:
        parts = asked.path.strip("/").split("/")
        if parts[0] == "files" and parts[1] in wheels:
            return Reply(200, wheels[parts[1]])
        links = [
            f'<a href="/files/{name}">{name}</a>'
            for name in wheels
            if name.startswith(parts[-1].replace("-", "_") + "-")
        ]
        return Reply(200, "".join(links).encode(), {"Content-Type": "text/html"}) if links else Reply(404)

    return ScriptedServer(script), wheels


def test_variables_stay_in_every_file(sandbox: Sandbox, corp: PrivateIndex) -> None:
    port = bare(corp.running).split(":")[2].split("/")[0]
    url = "http://${CORP_USER}:${CORP_PASSWORD}@127.0.0.1:${CORP_PORT:-9}/simple/"
    user = sandbox.home / ".config" / "uv" / "uv.toml"
    user.parent.mkdir(parents=True)
    user.write_text(f'[[index]]\nname = "corp"\nurl = "{url}"\n')
    place = sandbox.project(PROJECT.format(""))
    given = {"CORP_USER": corp.username, "CORP_PASSWORD": corp.password.reveal(), "CORP_PORT": port}
    sandbox.cove("add", "--no-sync", "--index", "corp", "app", environ=given).ok()
    written = (place / "pyproject.toml").read_text()
    assert f'url = "{url}"' in written
    assert corp.password.reveal() not in written
    lock = (place / "uv.lock").read_text()
    assert f'registry = "{bare(corp.running)}"' in lock
    assert "${" not in lock
    assert corp.password.reveal() not in lock
    sandbox.cove("lock", "--check", environ=given).ok()
    missing = sandbox.cove("lock", environ={**given, "CORP_USER": ""})
    assert missing.status == 2
    assert "`CORP_USER`, which is not set" in missing.stderr


def test_a_variable_replaces_a_url(sandbox: Sandbox, corp: PrivateIndex) -> None:
    sandbox.project(
        PROJECT.format('"app"') + '[[tool.uv.index]]\nname = "corp"\nurl = "https://example.com/"\ndefault = true\n'
    )
    given = owner(corp) | {"UV_INDEX_CORP_URL": bare(corp.running)}
    sandbox.cove("lock", environ=given).ok()
    assert values(sandbox, "corp", **given)["url"] == (bare(corp.running), "$UV_INDEX_CORP_URL")


def test_a_name_is_routed_wherever_it_is_required(
    sandbox: Sandbox, corp: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    server, _ = public(wheel_factory)
    indexes = (
        f'[[tool.uv.index]]\nname = "public"\nurl = "{server.url}/"\ndefault = true\n'
        f'[[tool.uv.index]]\nname = "corp"\nurl = "{bare(corp.running)}"\nexplicit = true\n'
    )
    routes = '[tool.cove.index.corp]\npackages = ["corp-*"]\n'
    place = sandbox.project(PROJECT.format('"app"') + indexes + routes)
    try:
        sandbox.cove("lock", environ=owner(corp)).ok()
        told = sandbox.cove("index", "why", "corp-lib", environ=owner(corp)).ok().stdout
        assert told.startswith(f"corp-lib: routed to corp by packages = ['corp-*'] ({place}/pyproject.toml:15)")
        sandbox.cove("venv", "--no-project", "env").ok()
        sandbox.cove("pip", "install", "--python", "env", "app", environ=owner(corp)).ok()
        user = sandbox.home / ".config"
        for path, text in (
            ("uv/uv.toml", indexes.replace("tool.uv.index", "index")),
            ("cove/cove.toml", routes.replace("tool.cove.", "")),
        ):
            (user / path).parent.mkdir(parents=True)
            (user / path).write_text(text)
        sandbox.project("")
        sandbox.cove(
            "tool", "install", "app", "--with", "corp-lib", environ=owner(corp)
        )  # it has no program; what counts is who is asked
    finally:
        server.close()
    assert 'name = "corp-lib"\nversion = "1.0"' in (place / "uv.lock").read_text()
    assert not [asked.path for asked in server.log if "corp" in asked.path]


def test_a_build_requirement_is_routed_too(sandbox: Sandbox, corp: PrivateIndex, wheel_factory: PackageFactory) -> None:
    server, _ = public(wheel_factory)
    sandbox.project(
        PROJECT.format("")
        + '[build-system]\nrequires = ["corp-build"]\nbuild-backend = "corp_build"\n'
        + f'[[tool.uv.index]]\nname = "public"\nurl = "{server.url}/"\ndefault = true\n'
        + f'[[tool.uv.index]]\nname = "corp"\nurl = "{bare(corp.running)}"\nexplicit = true\n'
        + '[tool.cove.index.corp]\npackages = ["corp-*"]\n'
    )
    try:
        ran = sandbox.cove("build", environ=owner(corp))
    finally:
        server.close()
    assert "has no attribute" in ran.stderr or ran.status == 1
    assert server.log == []
    assert any("/corp-build/" in request.url for request in ran.requests)


SOURCES = """\
[[tool.uv.index]]
name = "public"
url = "{public}"
default = true
[tool.uv.sources]
corp-lib = {sources}
"""


def test_a_pin_holds_for_what_others_require_and_sees_the_users_indexes(
    sandbox: Sandbox, corp: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    server, _ = public(wheel_factory)
    user = sandbox.home / ".config" / "uv" / "uv.toml"
    user.parent.mkdir(parents=True)
    user.write_text(f'[[index]]\nname = "corp"\nurl = "{bare(corp.running)}"\nexplicit = true\n')
    with_pin = PROJECT.format('"app"') + SOURCES
    try:
        place = sandbox.project(with_pin.format(public=server.url, sources='{ index = "other" }'))
        assert f"error: {place}/pyproject.toml: `corp-lib` is pinned by tool.uv.sources" in sandbox.cove("lock").stderr
        place = sandbox.project(with_pin.format(public=server.url, sources='{ index = "corp" }'))
        sandbox.cove("lock", environ=owner(corp)).ok()
        lock = (place / "uv.lock").read_text()
        assert not [asked for asked in server.log if "corp" in asked.path]
    finally:
        server.close()
    assert f'version = "1.0"\nsource = {{ registry = "{bare(corp.running)}" }}' in lock


def test_a_new_pin_makes_the_lock_stale(sandbox: Sandbox, corp: PrivateIndex, wheel_factory: PackageFactory) -> None:
    server, _ = public(wheel_factory)
    user = sandbox.home / ".config" / "uv" / "uv.toml"
    user.parent.mkdir(parents=True)
    user.write_text(f'[[index]]\nname = "corp"\nurl = "{bare(corp.running)}"\nexplicit = true\n')
    with_pin = PROJECT.format('"app"') + SOURCES
    try:
        sandbox.project(
            with_pin.replace("corp-lib =", "unused =").format(public=server.url, sources='{ index = "corp" }')
        )
        sandbox.cove("lock", environ=owner(corp)).ok()
        sandbox.project(with_pin.format(public=server.url, sources='{ index = "corp" }'))
        ran = sandbox.cove("lock", "--check", environ=owner(corp))
    finally:
        server.close()
    assert ran.status == 1
    assert "`corp-lib` is locked from" in ran.stderr
    assert "belongs to corp now" in ran.stderr


def test_sources_with_markers(sandbox: Sandbox, corp: PrivateIndex, wheel_factory: PackageFactory) -> None:
    server, _ = public(wheel_factory)
    indexes = f'[[tool.uv.index]]\nname = "corp"\nurl = "{bare(corp.running)}"\nexplicit = true\n'
    here, there = "sys_platform == 'linux'", "sys_platform != 'linux'"
    two = f'[{{ index = "corp", marker = "{here}" }}, {{ index = "%s", marker = "{there}" }}]'
    toml = PROJECT.format('"corp-lib"') + indexes + SOURCES
    try:
        place = sandbox.project(toml.format(public=server.url, sources=two % "public"))
        compiled = sandbox.cove("pip", "compile", "pyproject.toml", environ=owner(corp)).ok()
        assert "corp-lib==1.0" in compiled.stdout
        assert server.log == []
        sandbox.cove("lock", environ=owner(corp)).ok()
        split = (place / "uv.lock").read_text()
        sandbox.project(toml.format(public=server.url, sources=two % "corp"))
        sandbox.cove("lock", environ=owner(corp)).ok()
        sandbox.cove("lock", "--check", environ=owner(corp)).ok()
    finally:
        server.close()
    assert f'version = "1.0"\nsource = {{ registry = "{bare(corp.running)}" }}' in split
    assert 'version = "9.0"' in split
    lock = (place / "uv.lock").read_text()
    assert lock.count('name = "corp-lib", marker = ') == 2


def test_two_indexes_that_would_read_one_variable(sandbox: Sandbox) -> None:
    sandbox.project(
        '[[tool.uv.index]]\nname = "a-b"\nurl = "https://h/"\n[[tool.uv.index]]\nname = "a.b"\nurl = "https://i/"\n'
    )
    sandbox.cove("index", "list").ok()
    ran = sandbox.cove("index", "list", UV_INDEX_A_B_URL="https://example.com/")
    assert "error: $UV_INDEX_A_B_URL would be read by two indexes, `a-b` and `a.b`" in ran.stderr
    with serving(lambda _: Reply(404)) as server:
        sandbox.project(
            f'[[tool.uv.index]]\nname = "a-b"\nurl = "{server.url}"\n[[tool.uv.index]]\nname = "a.b"\nurl = "{server.url}/b"\n'
        )
        ran = sandbox.cove("index", "why", "foo", UV_INDEX_A_B_PASSWORD="canary")
        assert "error: $UV_INDEX_A_B_PASSWORD would be read by two indexes" in ran.stderr
        assert server.log == []
