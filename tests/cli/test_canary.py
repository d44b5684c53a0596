"""A marked password, given in every way there is, is looked for in everything that comes out of every command."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest

from cove.cli.main import COMMANDS
from cove.model.secret import Secret
from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.commandline import Ran, Sandbox
from support.scripted_server import Received, Reply, ScriptedServer, serving

USER = "tester"
PASSWORD = "c4n4ry-p@ss"
QUOTED = "c4n4ry-p%40ss"
MARKS = (b"c4n4ry", base64.b64encode(f"{USER}:{PASSWORD}".encode()))
"""The password in every spelling: plain, percent-encoded, and as it is sent."""

PROJECT = """\
[project]
name = "demo"
version = "0"
requires-python = ">=3.11"
dependencies = [{dependencies}]
"""


@dataclass(frozen=True)
class Way:
    """One way to give the password. ``<url>`` stands for the index's URL with user info, ``<bare>`` for that without,
    ``<page>`` for the URL of a page of links, ``<file>`` for that of a wheel, both with user info.

    ``flags`` go to every command that takes indexes, ``publish`` to publishing; ``places`` are where the password is meant to
    be after the commands because the user wrote it there. ``works``: the index takes it for what it is.
    """

    name: str
    toml: str = '[[tool.uv.index]]\nname = "corp"\nurl = "<bare>"\npublish-url = "<upload>"\n'
    dependencies: str = '"foo"'
    flags: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    requirement: str = "foo"
    publish: tuple[str, ...] = ("--index", "corp")
    works: bool = True


OWN = {"UV_INDEX_CORP_USERNAME": USER, "UV_INDEX_CORP_PASSWORD": PASSWORD}
NAMED = ("--publish-url", "<upload>", "-u", USER, "-p", PASSWORD)
KEYRING = f"#!/bin/sh\necho '{PASSWORD}'\n"
HELPER = f"""#!/bin/sh
echo 'said {PASSWORD}' >&2
echo '{{"username": "{USER}", "password": "{PASSWORD}", "expires": "2099-01-01T00:00:00Z"}}'
"""
TOKENS = "home/.local/share/cove/tokens.json"
"""Where what ends is kept."""
USER_FILE = "home/.config/uv/uv.toml"

STORE = "home/.local/share/uv/credentials/credentials.toml"
"""The one file that may hold the password although nobody wrote it there by hand."""

STORED = f"""\
[[credential]]
service = "<root-url>"
username = "{USER}"
scheme = "basic"
password = "{PASSWORD}"
"""

WAYS = [
    Way("url", '[[tool.uv.index]]\nname = "corp"\nurl = "<url>"\npublish-url = "<upload>"\n'),
    Way("url-without-name", '[[tool.uv.index]]\nurl = "<url>"\n', publish=NAMED),
    Way("default-url", '[[tool.uv.index]]\nname = "corp"\nurl = "<url>"\ndefault = true\n', publish=NAMED),
    Way("index-url-of-project", '[tool.uv]\nindex-url = "<url>"\n', publish=NAMED),
    Way("extra-index-url-of-project", '[tool.uv]\nextra-index-url = ["<url>"]\n', publish=NAMED),
    Way("pip-table", '[tool.uv]\nindex-url = "<url>"\n[tool.uv.pip]\nindex-url = "<url>"\n', publish=NAMED),
    Way("user-file", "", files={USER_FILE: '[[index]]\nname = "corp"\nurl = "<url>"\npublish-url = "<upload>"\n'}),
    Way("user-file-find-links", "", files={USER_FILE: 'find-links = ["<page>"]\nno-index = true\n'}, publish=NAMED),
    Way("flag-index", "", flags=("--index", "corp=<url>"), publish=NAMED),
    Way("flag-default-index", "", flags=("--default-index", "<url>"), publish=NAMED),
    Way("flag-index-url", "", flags=("--index-url", "<url>"), publish=NAMED),
    Way("flag-extra-index-url", "", flags=("--extra-index-url", "<url>"), publish=NAMED),
    Way("flag-find-links", "", flags=("--find-links", "<page>", "--no-index"), publish=NAMED),
    Way("variable-index", "", variables={"UV_INDEX": "corp=<url>"}, publish=NAMED),
    Way("variable-default-index", "", variables={"UV_DEFAULT_INDEX": "<url>"}, publish=NAMED),
    Way("variable-index-url", "", variables={"UV_INDEX_URL": "<url>"}, publish=NAMED),
    Way("variable-extra-index-url", "", variables={"UV_EXTRA_INDEX_URL": "<url>"}, publish=NAMED),
    Way("variables-of-index", variables=OWN),
    Way("variable-of-url", variables={"UV_INDEX_CORP_URL": "<url>"}, publish=NAMED),
    Way(
        "variables-in-url",
        '[[tool.uv.index]]\nname = "corp"\nurl = "<as-variables>"\npublish-url = "<upload>"\n',
        variables={"CORP_USER": USER, "CORP_PASSWORD": PASSWORD},
    ),
    Way(
        "netrc",
        variables={"NETRC": "<root>/netrc"},
        files={"netrc": f"machine 127.0.0.1 login {USER} password {PASSWORD}\n"},
    ),
    Way(
        "keyring",
        '[[tool.uv.index]]\nname = "corp"\nurl = "<as-user>"\npublish-url = "<upload>"\n',
        variables={"UV_KEYRING_PROVIDER": "subprocess"},
        files={"home/bin/keyring": KEYRING},
    ),
    Way("store", files={STORE: STORED}),
    Way(
        "credential-command",
        files={
            "home/.config/cove/cove.toml": '[index.corp]\ncredential-command = ["<root>/home/bin/helper"]\n',
            "home/bin/helper": HELPER,
        },
    ),
    Way(
        "credential-command-of-project",
        '[[tool.uv.index]]\nname = "corp"\nurl = "<bare>"\npublish-url = "<upload>"\n'
        '[tool.cove.index.corp]\ncredential-command = ["../home/bin/helper"]\n',
        variables={"COVE_TRUST_CREDENTIAL_COMMANDS": "1"},
        files={"home/bin/helper": HELPER.replace(', "expires": "2099-01-01T00:00:00Z"', "")},
    ),
    Way(
        "variable-of-file",
        variables={"UV_INDEX_CORP_USERNAME": USER, "UV_INDEX_CORP_PASSWORD_FILE": "<root>/secret"},
        files={"secret": PASSWORD + "\n"},
    ),
    Way("variable-of-token", variables={"UV_INDEX_CORP_TOKEN": PASSWORD}, works=False),
    Way(
        "own-header",
        '[[tool.uv.index]]\nname = "corp"\nurl = "<bare>"\n[tool.cove.index.corp]\nauth-scheme = "header:X-Own"\n',
        variables=OWN,
        works=False,
    ),
    Way(
        "token-as-user",
        '[[tool.uv.index]]\nname = "corp"\nurl = "<as-token>"\npublish-url = "<upload>"\n',
        works=False,
    ),
    Way(
        "token-as-user-of-a-forge",
        '[[tool.uv.index]]\nname = "corp"\nurl = "<as-forge-token>"\npublish-url = "<upload>"\n',
        works=False,
    ),
    Way(
        "lone-token-as-user",
        '[[tool.uv.index]]\nname = "corp"\nurl = "<as-lone-token>"\npublish-url = "<as-lone-token>"\n',
        works=False,
    ),
    Way(
        "publish-url-with-a-token",
        variables=OWN,
        publish=("--publish-url", "<upload-token>", "--check-url", "<bare>"),
        works=False,
    ),
    Way("flag-find-links-with-a-token", "", flags=("--find-links", "<page-token>", "--no-index"), works=False),
    Way(
        "direct-reference-with-a-token",
        "[tool.uv]\nno-index = true\n",
        dependencies='"foo @ <file-token>"',
        requirement="foo @ <file-token>",
        works=False,
    ),
    Way("requirements-file-with-a-token", files={"work/requirements.in": "-i <as-lone-token>\nfoo\n"}, works=False),
    Way(
        "refused-then-netrc",
        variables={"UV_INDEX_CORP_PASSWORD": f"{PASSWORD}-old", "NETRC": "<root>/netrc"},
        files={"netrc": f"machine 127.0.0.1 login {USER} password {PASSWORD}\n"},
    ),
    Way(
        "tokens-for-others",
        variables={
            **OWN,
            **dict.fromkeys(("HF_TOKEN", "SYSTEM_ACCESSTOKEN", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), PASSWORD),
        },
    ),
    Way("publish-url-of-index", '[[tool.uv.index]]\nname = "corp"\nurl = "<url>"\npublish-url = "<upload-url>"\n'),
    Way("publish-url-flag", variables=OWN, publish=("--publish-url", "<upload-url>", "--check-url", "<url>")),
    Way(
        "publish-variables",
        variables={**OWN, "UV_PUBLISH_URL": "<upload-url>", "UV_PUBLISH_CHECK_URL": "<url>"},
        publish=(),
    ),
    Way(
        "publish-user-variables",
        variables={**OWN, "UV_PUBLISH_URL": "<upload>", "UV_PUBLISH_USERNAME": USER, "UV_PUBLISH_PASSWORD": PASSWORD},
        publish=(),
    ),
    Way("requirements-file", variables=OWN, files={"work/requirements.in": "--extra-index-url <url>\nfoo\n"}),
    Way(
        "direct-reference",
        "[tool.uv]\nno-index = true\n",
        dependencies='"foo @ <file>"',
        requirement="foo @ <file>",
        publish=NAMED,
    ),
    Way(
        "source-url",
        '[tool.uv]\nno-index = true\n[tool.uv.sources]\nfoo = { url = "<file>" }\n',
        requirement="foo @ <file>",
        publish=NAMED,
    ),
]

INDEXES = "…"
"""Where the flags of a way go."""

LOGGED_OUT = ("auth", "logout", "<root-url>", INDEXES)
"""After this, nothing is stored any more."""

COMMANDS_RUN: tuple[tuple[str, ...], ...] = (
    ("index", "list", INDEXES),
    ("index", "list", "--output-format", "json", INDEXES),
    ("index", "list", "--origin", INDEXES),
    ("index", "list", "--origin", "--output-format", "json", INDEXES),
    ("index", "check", "--package", "foo", INDEXES),
    ("index", "check", "--output-format", "json", INDEXES),
    ("index", "versions", "foo", INDEXES),
    ("index", "versions", "foo", "--all-indexes", "--output-format", "json", INDEXES),
    ("index", "why", "foo", INDEXES, "--no-sources"),
    ("index", "why", "foo", "--output-format", "json", INDEXES, "--no-sources"),
    ("lock", INDEXES),
    ("lock", "--check", INDEXES),
    ("sync", INDEXES),
    ("sync", "--reinstall", "--refresh", "--output-format", "json", INDEXES),
    ("run", "--no-sync", "python", "-c", "import foo"),
    ("add", "--no-sync", "foo", INDEXES),
    ("remove", "--no-sync", "foo", INDEXES),
    ("publish", "<publish>"),
    ("publish", "<publish>", "--output-format", "json"),
    ("venv", "--no-project", "other"),
    ("pip", "compile", "requirements.in", "-o", "compiled.txt", INDEXES),
    ("pip", "compile", "requirements.in", "-o", "pylock.compiled.toml", INDEXES),
    ("pip", "compile", "pyproject.toml", INDEXES),
    ("pip", "compile", "requirements.in", "-o", "emitted.txt", "--emit-index-url", "--emit-find-links", INDEXES),
    ("pip", "compile", "requirements.in", "--emit-index-url", "--emit-index-annotation", INDEXES),
    ("pip", "install", "--python", "other", "-r", "requirements.in", INDEXES),
    ("pip", "install", "--python", "other", "--reinstall", "<requirement>", INDEXES),
    ("pip", "list", "--python", "other"),
    ("pip", "freeze", "--python", "other"),
    ("pip", "tree", "--python", "other", "--outdated", "--strict", INDEXES),
    ("pip", "sync", "--python", "other", "compiled.txt", INDEXES),
    ("pip", "sync", "--python", "other", "pylock.compiled.toml", INDEXES),
    ("pip", "uninstall", "--python", "other", "foo"),
    ("tool", "install", "<requirement>", INDEXES),
    ("tool", "list"),
    ("tool", "uninstall", "foo"),
    ("export", "--emit-index-url", "--emit-find-links", "--emit-index-annotation", INDEXES),
    ("export", "-o", "pylock.toml", INDEXES),
    ("tree", "--outdated", "--show-index", INDEXES),
    ("tree", "--output-format", "json", INDEXES),
    ("init", "fresh"),
    ("build", "fresh", INDEXES),
    ("cache", "dir"),
    ("version",),
    ("auth", "dir"),
    ("auth", "doctor", "--package", "foo", INDEXES),
    ("auth", "doctor", "--output-format", "json", INDEXES),
    ("auth", "doctor", "corp", "--publish", INDEXES),
    ("auth", "status", INDEXES),
    ("auth", "status", "--all", "--output-format", "json", INDEXES),
    ("auth", "login", "<root-url>", "-u", USER, "--password", PASSWORD, INDEXES),
    ("auth", "login", "<root-url>", "-t", PASSWORD, "--output-format", "json", INDEXES),
    ("auth", "login", "<root-url>", "-u", USER, "--password", PASSWORD, "--check", INDEXES),
    ("auth", "login", "http://example.com/", "-u", USER, "--password", PASSWORD, INDEXES),
    ("auth", "status", INDEXES),
    ("auth", "logout", "<root-url>", "-u", USER, INDEXES),
    LOGGED_OUT,
    ("cache", "clean"),
)  # fmt: skip

MUST_SUCCEED = {
    ("lock", INDEXES), ("lock", "--check"), ("sync", INDEXES), ("run", "--no-sync"), ("publish", "<publish>"),
    ("pip", "compile"), ("pip", "install"),
}  # fmt: skip
"""Of ways that do not work, nothing could be learned."""

NETWORK = {"auth", "index", "lock", "sync", "add", "publish", "pip", "tool", "tree"}
"""What is worth running against servers that fail."""

ELSEWHERE = {("auth", "token"), ("auth", "helper"), ("demo",), ("serve",)}
"""The first two are there to print it; the other two make passwords of their own, and have tests of their own."""


def path_of(argv: tuple[str, ...]) -> tuple[str, ...] | None:
    """The command's words, ``None`` for a command that does not exist."""
    return next((argv[:length] for length in (2, 1) if argv[:length] in COMMANDS), None)


def test_every_command_takes_part() -> None:
    assert set(COMMANDS) - ELSEWHERE <= {path_of(argv) for argv in COMMANDS_RUN}


def _inside(url: str) -> str:
    return url.replace("://", f"://{USER}:{QUOTED}@")


class Stage:
    """A sandbox with a server that has ``foo`` at ``url``, and a page of links to it; ``real`` fills in their addresses."""

    def __init__(self, root: Path, factory: PackageFactory, url: str, links: str = "") -> None:
        self.sandbox = Sandbox(root / "box")
        self.factory = factory
        self.sandbox.using({"HTTPS_PROXY": "http://127.0.0.1:9"})  # nobody else is asked: nothing listens there
        self.given: dict[str, str] = {}
        self._searched: dict[Path, tuple[int, int]] = {}
        self._real = {
            "<url>": f"{_inside(url)}simple/",
            "<bare>": f"{url}simple/",
            "<as-token>": url.replace("://", f"://{QUOTED}:@") + "simple/",
            "<as-forge-token>": url.replace("://", f"://{QUOTED}:x-oauth-basic@") + "simple/",
            "<as-lone-token>": url.replace("://", f"://{QUOTED}@") + "simple/",
            "<upload-token>": url.replace("://", f"://{QUOTED}:@") + "legacy/",
            "<page-token>": links.replace("://", f"://{QUOTED}:@"),
            "<file-token>": url.replace("://", f"://{QUOTED}@") + "files/foo/foo-1.0-py3-none-any.whl",
            "<as-user>": url.replace("://", f"://{USER}@") + "simple/",
            "<as-variables>": url.replace("://", "://${CORP_USER}:${CORP_PASSWORD}@") + "simple/",
            "<page>": _inside(links),
            "<file>": f"{_inside(url)}files/foo/foo-1.0-py3-none-any.whl",
            "<upload>": f"{url}legacy/",
            "<upload-url>": f"{_inside(url)}legacy/",
            "<root-url>": url,
            "<root>": str(self.sandbox.root),
        }

    def real(self, text: str) -> str:
        for mark, value in self._real.items():
            text = text.replace(mark, value)
        return text

    def set_up(self, way: Way) -> None:
        """Write what the way needs; what is written here may hold the password, and nothing else."""
        toml = PROJECT.format(dependencies=way.dependencies) + way.toml
        self.given = {"work/pyproject.toml": self.real(toml), **{n: self.real(t) for n, t in way.files.items()}}
        self.given.setdefault("work/requirements.in", self.real(way.requirement) + "\n")
        for name, text in self.given.items():
            path = self.sandbox.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o700)
        self.factory.wheel("bar").write_to(self.sandbox.work / "dist")
        bin_folder = self.sandbox.home / "bin"
        self.sandbox.using({"PATH": f"{bin_folder}:{self.sandbox.environ['PATH']}"})
        self.sandbox.using({name: self.real(value) for name, value in way.variables.items()})

    def run(self, way: Way, argv: tuple[str, ...], *more: str) -> Ran | None:
        if path_of(argv) is None:
            return None
        filled: list[str] = []
        for word in argv:
            several = {INDEXES: way.flags, "<publish>": way.publish, "<requirement>": (way.requirement,)}.get(
                word, (word,)
            )
            filled += map(self.real, several)
        words = len(path_of(argv) or ())
        ran = self.sandbox.cove(*filled[:words], *more, *filled[words:])
        for mark in MARKS:
            assert mark.decode() not in ran.stdout, f"{argv} prints it"
            assert mark.decode() not in ran.stderr, f"{argv} says it:\n{ran.stderr}"
            assert not [request for request in ran.requests if mark.decode() in str(request)]
        assert "unexpected" not in ran.stderr or "unexpected-status" in ran.stderr, ran.stderr
        self.search(str(argv))
        return ran

    def search(self, after: str) -> None:
        """No file holds it but those of ``set_up``, and these not more often than they were written with."""
        for path in self.sandbox.root.rglob("*"):
            if path.is_symlink() or not path.is_file():
                continue
            status = path.stat()
            if self._searched.get(path) == (status.st_mtime_ns, status.st_size):
                continue
            self._searched[path] = (status.st_mtime_ns, status.st_size)
            content = path.read_bytes()
            name = str(path.relative_to(self.sandbox.root))
            if name == TOKENS:
                continue
            if name == STORE and after.startswith("('auth', 'log") and after != str(LOGGED_OUT):
                continue
            given = self.given.get(name, "").encode()
            for mark in MARKS:
                assert content.count(mark) <= given.count(mark), f"it is in {path} after {after}"


@pytest.fixture
def index(tmp_path: Path, wheel_factory: PackageFactory) -> Iterator[RunningIndex]:
    with RunningIndex(tmp_path / "index", {USER: Secret(PASSWORD)}) as running:
        wheel_factory.wheel("foo", scripts={"foo": "foo:main"}).write_to(running.store.root / "foo")
        yield running


@pytest.fixture
def links(wheel_factory: PackageFactory) -> Iterator[ScriptedServer]:
    """A page of links, and the files below it, for those who know the password."""
    wheel = wheel_factory.wheel("foo", scripts={"foo": "foo:main"})

    def script(request: Received) -> Reply:
        if MARKS[1].decode() not in request.headers.get("authorization", ""):
            return Reply(401)
        page = f'<!DOCTYPE html><a href="{wheel.filename}">{wheel.filename}</a>'.encode()
        is_file = request.path.endswith(".whl")
        return Reply(200, wheel.content if is_file else page, {"Content-Type": "text/html"})

    with serving(script) as server:
        yield server


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_password_is_nowhere(
    way: Way, index: RunningIndex, links: ScriptedServer, tmp_path: Path, wheel_factory: PackageFactory
) -> None:
    stage = Stage(tmp_path, wheel_factory, index.url.public, f"{links.url}/links/")
    stage.set_up(way)
    ran: dict[tuple[str, ...], Ran] = {}
    for argv in COMMANDS_RUN:
        done = stage.run(way, argv, "-vv")
        if done is not None:
            ran[argv[:2]] = done
    for command in (MUST_SUCCEED & set(ran)) if way.works else ():
        ran[command].ok()


LESS_TALK = [
    (way, verbosity)
    for way in WAYS
    if way.name in ("url", "credential-command", "keyring", "refused-then-netrc", "token-as-user-of-a-forge")
    for verbosity in ("--color=always", "-q", "-v")
]


@pytest.mark.parametrize("way, verbosity", LESS_TALK, ids=lambda value: getattr(value, "name", value))
def test_nor_with_less_talk(
    way: Way, verbosity: str, index: RunningIndex, tmp_path: Path, wheel_factory: PackageFactory
) -> None:
    stage = Stage(tmp_path, wheel_factory, index.url.public)
    stage.set_up(way)
    for argv in COMMANDS_RUN:
        if way is WAYS[0] or argv[0] in NETWORK:
            stage.run(way, argv, verbosity)


def page(request: Received) -> Reply:
    """A page with one file of a wrong digest, at an address that holds what was sent."""
    filename, host = "foo-1.0-py3-none-any.whl", request.headers["host"]
    user_info = f"{USER}:{QUOTED}@" if "authorization" in request.headers else ""
    file = {"filename": filename, "url": f"http://{user_info}{host}/{filename}", "hashes": {"sha256": "0" * 64}}
    body = {"meta": {"api-version": "1.0"}, "name": "foo", "files": [file]}
    return Reply(200, json.dumps(body).encode(), {"Content-Type": "application/vnd.pypi.simple.v1+json"})


def echo(request: Received, status: int) -> Reply:
    """Hostile or careless: what was sent comes back, in the body, in a header, and decoded."""
    sent = request.headers.get("authorization", "").partition(" ")[2]
    plain = base64.b64decode(sent).decode()
    headers = {"Content-Type": "text/html", "X-Echo": plain, "WWW-Authenticate": f'Basic realm="{plain}"'}
    return Reply(status, f"<p>{sent} {plain} {quote(plain)}".encode(), headers)


def redirect(request: Received) -> Reply:
    """To itself, with the password in the address."""
    host = request.headers["host"]
    return Reply(302, headers={"Location": f"http://{USER}:{QUOTED}@{host}/again{request.path}"})


FAILURES: dict[str, Callable[[Received], Reply]] = {
    "401": lambda request: echo(request, 401),
    "403": lambda request: echo(request, 403),
    "404": lambda request: echo(request, 404),
    "500": lambda request: echo(request, 500),
    "400": lambda request: echo(request, 400),
    "no-page": lambda request: Reply(200, echo(request, 200).body, {"Content-Type": "image/png"}),
    "bad-json": lambda request: Reply(
        200, echo(request, 200).body, {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    ),
    "truncated": lambda request: Reply(200, b"{", {"Content-Type": "application/json"}, announced=99),
    "redirects": redirect,
    "wrong-hash": lambda request: Reply(200, b"other") if request.path.endswith(".whl") else page(request),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("way", [WAYS[0], next(way for way in WAYS if way.variables == OWN)], ids=lambda way: way.name)
def test_nor_when_servers_fail(way: Way, failure: str, tmp_path: Path, wheel_factory: PackageFactory) -> None:
    with serving(FAILURES[failure]) as server:
        stage = Stage(tmp_path, wheel_factory, f"{server.url}/")
        stage.set_up(way)
        stage.sandbox.using({"UV_DEFAULT_INDEX": f"{server.url}/default/"})
        for argv in COMMANDS_RUN:
            if argv[0] in NETWORK:
                stage.run(way, argv, "-vv")
