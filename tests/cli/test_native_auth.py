"""Indexes in clouds, by their real names: a proxy leads every host to one server on the loopback interface."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support.certificates import Authority
from support.clouds import calls
from support.commandline import Sandbox
from support.proxies import proxying
from support.scripted_server import Received, Reply, ScriptedServer, serving
from support.simple_pages import MAKE, Place, project

AWS = "dom-123456789012.d.codeartifact.eu-west-1.amazonaws.com"
SERVICE = "codeartifact.eu-west-1.amazonaws.com"
GOOGLE = "us-python.pkg.dev"
AZURE = "pkgs.dev.azure.com"
URLS = {
    "aws": f"https://{AWS}/pypi/repo/simple/",
    "google": f"https://{GOOGLE}/project/repo/simple/",
    "azure": f"https://{AZURE}/org/_packaging/feed/pypi/simple/",
}
END = 4_000_000_000


@dataclass
class Cloud:
    """A registry that accepts the tokens in ``valid``; a token is good for ``uses`` requests. Also AWS's token service."""

    valid: set[str] = field(default_factory=set)
    given: int = 0
    uses: int = 1000
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.wheels = {
            "foo": MAKE.wheel("foo", "1.0", requires=["bar"]),
            "bar": MAKE.wheel("bar", "2.0"),
        }

    def issue(self) -> str:
        self.given += 1
        self.valid = {f"eyJ-token-{self.given}"}
        return f"eyJ-token-{self.given}"

    def __call__(self, request: Received) -> Reply:
        path = request.path.partition("?")[0]
        if path == "/v1/authorization-token":
            answer = {"authorizationToken": self.issue(), "expiration": END}
            return Reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        user, _, password = base64.b64decode(text).decode().partition(":") if kind == "Basic" else ("", "", "")
        self.asked.append((path, user))
        if password not in self.valid or self.uses <= 0:
            self.uses = 1000
            return Reply(401, b"", {"WWW-Authenticate": "Bearer"})
        self.uses -= 1
        if request.method == "POST":
            return Reply(200)
        parts = path.strip("/").split("/")
        if path.endswith(".whl"):
            name = parts[-1].partition("-")[0]
            return Reply(200, self.wheels[name].content)
        if parts[-2] == "simple" and parts[-1] in self.wheels:
            wheel = self.wheels[parts[-1]]
            link = f'<a href="1/{wheel.filename}#sha256={wheel.sha256}">{wheel.filename}</a>'
            return Reply(
                200, f"<!DOCTYPE html><html><body>{link}</body></html>".encode(), {"Content-Type": "text/html"}
            )
        return Reply(404)


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def sandbox(tmp_path: Path, cloud: Cloud) -> Iterator[Sandbox]:
    """A sandbox whose requests all go to the cloud."""
    authority = Authority(tmp_path / "tls")
    tls = authority.server_context(hosts=(AWS, SERVICE, GOOGLE, AZURE, "us-docker.pkg.dev"))
    with serving(cloud, tls) as server, proxying(behind=_port(server)) as proxy:
        sandbox = Sandbox(tmp_path)
        (sandbox.root / "bin").mkdir()
        yield sandbox.using(
            {
                "SSL_CERT_FILE": str(authority.ca),
                "HTTPS_PROXY": proxy.url(),
                "COVE_DATA_DIR": str(tmp_path / "data"),
                "PATH": str(tmp_path / "bin"),
                "AWS_EC2_METADATA_DISABLED": "true",
                "NO_GCE_CHECK": "true",
                "AWS_ENDPOINT_URL_CODEARTIFACT": f"https://{SERVICE}",
                "AWS_CA_BUNDLE": str(authority.ca),
            }
        )


def _port(server: ScriptedServer) -> int:
    return int(server.url.rpartition(":")[2])


def program(sandbox: Sandbox, name: str, says: object) -> Path:
    """A program in the place of the cloud's own, with a log of its calls."""
    log = sandbox.root / f"{name}.log"
    path = sandbox.root / "bin" / name
    path.write_text(f"#!/bin/sh\necho \"$@\" >> '{log}'\nprintf %s '{json.dumps(says)}'\n")
    path.chmod(0o755)
    return log


def answer(kind: str, cloud: Cloud) -> tuple[str, object]:
    """The program of a cloud, and what it says."""
    token = cloud.issue()
    return {
        "aws": ("aws", {"authorizationToken": token, "expiration": END}),
        "google": ("gcloud", {"credential": {"access_token": token, "token_expiry": "2096-10-02T07:06:40Z"}}),
        "azure": ("az", {"accessToken": token, "expires_on": END}),
    }[kind]


USERS = {"aws": "aws", "google": "oauth2accesstoken", "azure": "VssSessionToken"}


@pytest.mark.parametrize("kind", URLS)
def test_one_call_of_the_program_and_no_request_more_than_needed(sandbox: Sandbox, cloud: Cloud, kind: str) -> None:
    log = program(sandbox, *answer(kind, cloud))
    (sandbox.work / "requirements.in").write_text("foo\n")
    compile_ = ("pip", "compile", "requirements.in", "--no-header", "--default-index", URLS[kind])
    ran = sandbox.cove(*compile_).ok()
    assert "bar==2.0" in ran.stdout
    assert len(calls(log)) == 1
    assert {user for _, user in cloud.asked} == {USERS[kind]}
    assert len([request for request in ran.requests if request.status >= 400 and request.method == "GET"]) == 0
    first = len(cloud.asked)
    sandbox.cove(*compile_, "--no-cache").ok()
    assert len(calls(log)) == 1  # the token was kept
    assert len(cloud.asked) == 2 * first
    for place in (sandbox.cache, sandbox.work):
        assert all(b"eyJ-token" not in path.read_bytes() for path in place.rglob("*") if path.is_file())
    assert "eyJ-token" not in ran.stdout + ran.stderr


def test_a_project_is_locked_and_installed(sandbox: Sandbox, cloud: Cloud) -> None:
    log = program(sandbox, *answer("aws", cloud))
    sandbox.project(project(URLS["aws"], "foo"))
    ran = sandbox.cove("sync", "-v").ok()
    assert len(calls(log)) == 1
    assert "aws CLI" in ran.stderr
    assert "eyJ-token" not in ran.stderr
    assert "eyJ-token" not in (sandbox.work / "uv.lock").read_text()
    sandbox.cove("lock", "--offline", "--upgrade").ok()
    kept = sandbox.root / "data/tokens.json"
    kept.write_text(kept.read_text().replace("2096-", "2020-"))
    sandbox.cove("lock", "--offline", "--upgrade").ok()
    assert len(calls(log)) == 1


def test_an_index_chooses_its_profile(sandbox: Sandbox, cloud: Cloud) -> None:
    log = program(sandbox, *answer("aws", cloud))
    sandbox.project(project(URLS["aws"], "foo", aws_profile="theirs"))
    sandbox.cove("lock").ok()
    assert calls(log)[0].endswith("--profile theirs")
    sandbox.project(project(URLS["aws"], "foo", aws_profile="--theirs"))
    assert "`aws-profile`" in sandbox.cove("lock", "--upgrade").stderr


def test_a_token_that_ends_in_the_middle_is_replaced_once(sandbox: Sandbox, cloud: Cloud) -> None:
    sandbox.using({"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "s3cret-s3cret"})
    sandbox.project(project(URLS["aws"], "foo"))
    cloud.uses = 2
    ran = sandbox.cove("lock").ok()
    assert cloud.given == 2
    assert len([request for request in ran.requests if request.status == 401]) == 1
    sandbox.cove("sync").ok()
    assert cloud.given == 2


def test_a_kept_token_that_was_revoked_is_replaced(sandbox: Sandbox, cloud: Cloud) -> None:
    sandbox.using({"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "s3cret-s3cret"})
    sandbox.project(project(URLS["aws"], "foo"))
    sandbox.cove("lock").ok()
    cloud.valid = set()
    ran = sandbox.cove("lock", "--upgrade", "--no-cache").ok()
    assert cloud.given == 2
    # All that was locked is asked for at once: each of these may have been under way with the old one.
    assert 1 <= [request.status for request in ran.requests].count(401) <= 2
    sandbox.cove("lock", "--upgrade", "--no-cache").ok()
    assert cloud.given == 2


def test_without_a_login_the_error_says_how_to_log_in(sandbox: Sandbox) -> None:
    sandbox.project(project(URLS["aws"], "foo"))
    ran = sandbox.cove("lock")
    assert ran.status != 0
    assert "aws sso login" in ran.stderr


def test_variables_come_first_and_the_setting_turns_it_off(sandbox: Sandbox, cloud: Cloud) -> None:
    log = program(sandbox, *answer("azure", cloud))
    toml = project(URLS["azure"], "foo")
    sandbox.project(toml)
    own = {"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": next(iter(cloud.valid))}
    sandbox.cove("lock", environ=own).ok()
    assert {user for _, user in cloud.asked} == {"me"}
    assert calls(log) == []
    (sandbox.work / "uv.lock").unlink()
    assert sandbox.cove("lock", "--no-cache", "--no-native-auth").status != 0
    assert sandbox.cove("lock", "--no-cache", COVE_NATIVE_AUTH="0").status != 0
    sandbox.project(toml.replace("[tool.cove.index.corp]", "[tool.cove]\nnative-auth = false\n[tool.cove.index.corp]"))
    assert sandbox.cove("lock", "--no-cache").status != 0
    assert calls(log) == []
    sandbox.project(toml)
    sandbox.cove("lock", "--no-cache").ok()
    assert len(calls(log)) == 1


@pytest.mark.parametrize("kind", URLS)
def test_publishing_takes_the_same_token(sandbox: Sandbox, cloud: Cloud, kind: str) -> None:
    log = program(sandbox, *answer(kind, cloud))
    ending = "upload/" if kind == "azure" else ""
    upload = URLS[kind].removesuffix("simple/") + ending
    wheel = MAKE.wheel("mine", "1.0").write_to(sandbox.work / "dist")
    sandbox.cove("publish", "--publish-url", upload, str(wheel)).ok()
    assert cloud.asked[-1] == (f"/{upload.split('/', 3)[3]}", USERS[kind])
    sandbox.project(project(URLS[kind]).replace("default = true", f'default = true\npublish-url = "{upload}"'))
    sandbox.cove("publish", "--index", "corp", str(wheel)).ok()
    assert {user for _, user in cloud.asked} == {USERS[kind]}
    assert len(calls(log)) == 1


COMMANDS = (
    ("lock", "-vv"),
    ("sync", "-vv"),
    ("tree",),
    ("export",),
    ("pip", "compile", "requirements.in", "--emit-index-url", "-vv", "-o", "requirements.txt"),
    ("index", "list", "--origin"),
    ("index", "why", "foo", "-v"),
    ("index", "check", "corp"),
    ("auth", "status", "--output-format", "json"),
    ("lock", "--upgrade", "--refresh", "--output-format", "json"),
    ("add", "missing", "-vv"),
)


@pytest.mark.parametrize("kind", URLS)
def test_a_token_is_found_nowhere_but_among_the_kept(sandbox: Sandbox, cloud: Cloud, kind: str) -> None:
    program(sandbox, *answer(kind, cloud))
    sandbox.project(project(URLS[kind], "foo"))
    (sandbox.work / "requirements.in").write_text("foo\n")
    said = [sandbox.cove(*command) for command in COMMANDS]
    cloud.valid = set()
    said += [sandbox.cove("lock", "--upgrade", "--refresh", "-vv"), sandbox.cove("auth", "status")]
    sent = base64.b64encode(f"{USERS[kind]}:eyJ-token-1".encode()).decode()
    for ran in said:
        assert "eyJ-token" not in ran.stdout + ran.stderr
        assert sent not in ran.stdout + ran.stderr
    for path in (*sandbox.cache.rglob("*"), *sandbox.work.rglob("*"), *sandbox.home.rglob("*")):
        assert not path.is_file() or b"eyJ-token" not in path.read_bytes(), path
    for path in (sandbox.root / "data").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0 or path.is_dir(), path


def test_a_program_that_fails_is_told_once_and_gives_nothing_away(sandbox: Sandbox, cloud: Cloud) -> None:
    path = sandbox.root / "bin/gcloud"
    path.write_text("#!/bin/sh\necho 'ERROR: Reauthentication failed for ya29.secret-token' >&2\nexit 1\n")
    path.chmod(0o755)
    sandbox.project(project(URLS["google"], "foo", "bar"))
    ran = sandbox.cove("lock", "-vv")
    assert ran.status != 0
    assert ran.stderr.count("the login of gcloud has expired") == 1
    assert "gcloud auth login" in ran.stderr
    assert "secret-token" not in ran.stderr


def test_other_origins_never_see_a_token(sandbox: Sandbox, cloud: Cloud) -> None:
    program(sandbox, *answer("google", cloud))
    toml = (
        project(URLS["google"], "foo")
        + """
[[tool.uv.index]]
name = "another"
url = "https://us-docker.pkg.dev/project/repo/simple/"
"""
    )
    sandbox.project(toml)
    assert sandbox.cove("lock").status != 0
    assert {user for _, user in cloud.asked} == {""}


def test_never_sends_nothing(sandbox: Sandbox, cloud: Cloud) -> None:
    log = program(sandbox, *answer("google", cloud))
    sandbox.project(project(URLS["google"], "foo").replace("default = true", 'default = true\nauthenticate = "never"'))
    assert sandbox.cove("lock").status != 0
    assert {user for _, user in cloud.asked} == {""}
    assert calls(log) == []


def test_nothing_of_a_cloud_is_loaded_for_other_indexes(sandbox: Sandbox) -> None:
    script = """
import json, sys
from cove.cli.main import main
status = main(sys.argv[1:])
print("\\n" + json.dumps([status, sorted(sys.modules)]))
"""
    (sandbox.work / "requirements.in").write_text("foo\n")
    with serving(Place().add(MAKE.wheel("foo", "1.0"))) as server:
        done = subprocess.run(
            [sys.executable, "-c", script, "pip", "compile", "requirements.in", "--index-url", f"{server.url}/simple/"],
            env=sandbox.environ,
            cwd=sandbox.work,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0, done.stderr
    assert "cove.auth.clouds" in modules
    clouds = {"codeartifact", "google", "azure"}
    assert not {"cove.auth.native", *(f"cove.auth.providers.{name}" for name in clouds)} & set(modules)
    assert not {
        name for name in modules if name.split(".")[0] in ("botocore", "google", "azure", "msal", "http.client")
    }
