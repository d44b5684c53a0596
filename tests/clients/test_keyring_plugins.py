"""The keyring plugins of the clouds, from PyPI, installed by cove as a tool, against stand-ins for their services."""

import base64
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from support.commandline import Sandbox
from support.scripted_server import Received, Reply, ScriptedServer, serving

pytestmark = pytest.mark.network

PLUGINS = ("keyrings.codeartifact", "keyrings.google-artifactregistry-auth", "artifacts-keyring")
TOKEN = "c4n4ry-token"
WHEEL = "foo-1.0-py3-none-any.whl"
PAGE = f'<a href="{WHEEL}#sha256={"0" * 64}">{WHEEL}</a>'.encode()


@dataclass
class Cloud:
    """An index that only a proxy leads to, and the service that gives out tokens for it."""

    url: str
    username: str
    service: str
    answer: object
    variables: Mapping[str, str] = field(default_factory=dict)

    def script(self, asked: Received) -> Reply:
        """A proxy for the index, and the token service by its own address."""
        if asked.path.startswith(self.url):
            if asked.headers.get("authorization") == basic(self.username, TOKEN):
                is_page = asked.path == f"{self.url}foo/"
                return (
                    Reply(200, PAGE, {"Content-Type": "text/html"})
                    if is_page
                    else Reply(404 if "foo" in asked.path else 200)
                )
            return Reply(401, headers={"WWW-Authenticate": 'Basic realm="feed"'})
        if self.service and asked.path.startswith(self.service):
            return Reply(200, json.dumps(self.answer).encode(), {"Content-Type": "application/json"})
        return Reply(404)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


AZURE_URL = "http://pkgs.dev.azure.com/org/proj/_packaging/feed/pypi/simple/"
CLOUDS = {
    "codeartifact": Cloud(
        "http://mydomain-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/myrepo/simple/",
        "aws",
        "/v1/authorization-token?",
        {"authorizationToken": TOKEN, "expiration": 4000000000},
        {
            "AWS_ACCESS_KEY_ID": "AKIDTEST",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL_CODEARTIFACT": "<server>",
        },
    ),
    "google": Cloud(
        "http://us-west1-python.pkg.dev/proj/repo/simple/",
        "oauth2accesstoken",
        "/token",
        {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"},
        {"GOOGLE_APPLICATION_CREDENTIALS": "<account>"},
    ),
    "azure": Cloud(
        AZURE_URL,
        "VssSessionToken",
        "",
        None,
        {
            "ARTIFACTS_KEYRING_NONINTERACTIVE_MODE": "true",
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
            "VSS_NUGET_EXTERNAL_FEED_ENDPOINTS": json.dumps(
                {"endpointCredentials": [{"endpoint": AZURE_URL, "username": "VssSessionToken", "password": TOKEN}]}
            ),
        },
    ),
}


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables under which ``cove tool`` has installed keyring with the plugins."""
    root = tmp_path_factory.mktemp("tools")
    variables = {"UV_TOOL_DIR": str(root / "tools"), "UV_TOOL_BIN_DIR": str(root / "bin"), "UV_HTTP_RETRIES": "3"}
    extra = [word for plugin in PLUGINS for word in ("--with", plugin)]
    ran = Sandbox(root / "box").using(variables).cove("tool", "install", "keyring", *extra)
    if ran.status == 2 and "cannot be reached" in ran.stderr:
        pytest.skip("the public index cannot be reached")
    ran.ok()
    return variables


def service_account(folder: Path, server: str) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "account.json"
    account = {
        "type": "service_account", "project_id": "p", "private_key_id": "k", "private_key": key.decode(), "client_id": "1",
        "client_email": "sa@p.iam.example.com", "token_uri": f"{server}/token",
    }  # fmt: skip
    path.write_text(json.dumps(account))
    return path


def set_up(sandbox: Sandbox, cloud: Cloud, server: ScriptedServer, tools: Mapping[str, str]) -> Path:
    """Everything but the index; a log of the program's calls."""
    log = sandbox.root / "calls"
    wrapper = sandbox.root / "bin" / "keyring"
    wrapper.parent.mkdir()
    real = shlex.quote(str(Path(tools["UV_TOOL_BIN_DIR"]) / "keyring"))
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {shlex.quote(str(log))}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    account = service_account(sandbox.root, server.url)
    marks = {"<server>": server.url, "<account>": str(account)}
    sandbox.using({name: marks.get(value, value) for name, value in cloud.variables.items()})
    sandbox.using({"http_proxy": server.url, "HTTP_PROXY": server.url, "NO_PROXY": "127.0.0.1", "NO_GCE_CHECK": "true"})
    sandbox.using({"UV_KEYRING_PROVIDER": "subprocess", "PATH": f"{wrapper.parent}:{sandbox.environ['PATH']}"})
    return log


def asked_for_tokens(cloud: Cloud, server: ScriptedServer) -> int:
    return sum(1 for request in server.log if cloud.service and request.path.startswith(cloud.service))


@pytest.mark.parametrize(
    "name, user, asked_for",
    [
        *((name, f"{cloud.username}@", [cloud.username]) for name, cloud in CLOUDS.items()),
        *((name, "", ["--mode creds"]) for name in CLOUDS),
        ("azure", "dummy@", ["dummy", "VssSessionToken"]),
    ],
)
def test_the_plugin_is_asked_once_and_its_token_sent(
    name: str, user: str, asked_for: list[str], tools: Mapping[str, str], tmp_path: Path
) -> None:
    cloud = CLOUDS[name]
    sandbox = Sandbox(tmp_path)
    with serving(cloud.script) as server:
        log = set_up(sandbox, cloud, server, tools)
        url = cloud.url.replace("://", f"://{user}")
        for _ in range(2):
            sandbox.cove("index", "versions", "foo", "--default-index", url).ok()
        ran = sandbox.cove("-vv", "index", "versions", "foo", "--default-index", url, "--refresh").ok()
        asked = asked_for_tokens(cloud, server)
    assert "1.0" in ran.stdout
    assert TOKEN not in ran.stdout + ran.stderr
    assert log.read_text().splitlines() == [f"get {cloud.url} {words}" for words in asked_for] * 3
    assert asked == (3 if cloud.service else 0)
    assert all(request.headers.get("authorization") for request in server.log if request.path == f"{cloud.url}foo/")


def test_a_tool_need_not_be_on_the_path(tools: Mapping[str, str], tmp_path: Path) -> None:
    cloud = CLOUDS["google"]
    sandbox = Sandbox(tmp_path)
    path = sandbox.environ["PATH"]
    with serving(cloud.script) as server:
        set_up(sandbox, cloud, server, tools)
        sandbox.using({"PATH": path, **tools})
        ran = sandbox.cove("index", "versions", "foo", "--default-index", cloud.url).ok()
    assert "1.0" in ran.stdout


def test_a_plugin_that_fails_is_told_and_the_index_refuses(tools: Mapping[str, str], tmp_path: Path) -> None:
    cloud = CLOUDS["google"]
    sandbox = Sandbox(tmp_path)
    with serving(cloud.script) as server:
        set_up(sandbox, cloud, server, tools)
        ran = sandbox.cove(
            "index",
            "versions",
            "foo",
            "--default-index",
            cloud.url,
            GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "none"),
        )
    assert ran.status == 2
    assert "the keyring program failed for" in ran.stderr
    assert "credentials-missing" in ran.stdout
