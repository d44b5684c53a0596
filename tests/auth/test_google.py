"""Tokens for Google Artifact Registry: real google-auth, the real ``gcloud`` where it runs, programs in its place."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from cove.auth.providers.google import Google
from cove.model.secret import Credential
from cove.model.url import Url
from support.clouds import Machine, calls
from support.scripted_server import Received, Reply, ScriptedServer, serving

URL = Url.parse("https://europe-west1-python.pkg.dev/project/repo/simple/")
METADATA = {"Metadata-Flavor": "Google", "Content-Type": "application/json"}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class Service:
    """The token endpoint and the metadata server: a token of its own for each call."""

    def __init__(self) -> None:
        self.given = 0
        self.reply: Reply | None = None

    def __call__(self, request: Received) -> Reply:
        if self.reply is not None:
            return self.reply
        path = request.path.partition("?")[0]
        if path.endswith("/token"):
            self.given += 1
            answer = {"access_token": f"ya29.token-{self.given}", "expires_in": 3599, "token_type": "Bearer"}
            return Reply(200, json.dumps(answer).encode(), METADATA)
        if path.endswith("/service-accounts/default/"):
            return Reply(200, b'{"email": "sa@example.com", "scopes": [], "aliases": ["default"]}', METADATA)
        return Reply(200, b"", METADATA)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def endpoint(service: Service) -> Iterator[ScriptedServer]:
    with serving(service) as server:
        yield server


@pytest.fixture(scope="module")
def key() -> str:
    made = rsa.generate_private_key(65537, 2048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def account(machine: Machine, key: str, token_uri: str) -> dict[str, str]:
    """A service account's key file, and the variable that names it."""
    path = machine.root / "account.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "project_id": "p",
                "private_key_id": "k",
                "private_key": key,
                "client_email": "sa@p.iam.gserviceaccount.com",
                "client_id": "1",
                "token_uri": token_uri,
            }
        )
    )
    return {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}


def asked(provider: Google, url: Url = URL) -> Credential:
    assert provider.covers(None, url)
    credential = provider.get(None, url)
    assert credential is not None
    return credential


def seconds_left(credential: Credential) -> float:
    assert credential.expires is not None
    return credential.expires.timestamp() - time.time()


@pytest.mark.parametrize(
    "url",
    [
        "http://us-python.pkg.dev/p/r/simple/",
        "https://us-docker.pkg.dev/p/r/",
        "https://us-python.pkg.dev.example.com/p/r/simple/",
        "https://evil.us-python.pkg.dev/p/r/simple/",
        "https://-python.pkg.dev/p/r/simple/",
        "https://example.com/us-python.pkg.dev/",
        "https://_json_key_base64@us-python.pkg.dev/p/r/simple/",
    ],
)
def test_other_hosts_and_users_are_not_its_business(machine: Machine, url: str) -> None:
    assert not Google(machine.surroundings()).covers(None, Url.parse(url))


@pytest.mark.parametrize(
    "url",
    ["https://us-python.pkg.dev/p/r/", "https://oauth2accesstoken@us-west1-pypi.pkg.dev/p/r/simple/"],
)
def test_hosts_of_artifact_registry(machine: Machine, url: str) -> None:
    assert Google(machine.surroundings()).covers(None, Url.parse(url))


# -- google-auth -----------------------------------------------------------------------------------------------------


def test_a_service_account(machine: Machine, key: str, endpoint: ScriptedServer) -> None:
    environ = account(machine, key, f"{endpoint.url}/token")
    provider = Google(machine.surroundings(environ, libraries=True))
    credential = asked(provider)
    assert (credential.username, credential.password.reveal()) == ("oauth2accesstoken", "ya29.token-1")
    assert str(credential.origin) == "google application default credentials"
    assert 3000 < seconds_left(credential) < 3700
    assert [request.path for request in endpoint.log] == ["/token"]
    assert asked(provider, Url.parse("https://us-python.pkg.dev/other/repo/")) == credential
    assert provider.forget(None, URL, credential)
    assert asked(provider).password.reveal() == "ya29.token-2"


def test_a_token_is_kept_for_the_next_run_but_not_for_another_account(
    machine: Machine, key: str, endpoint: ScriptedServer
) -> None:
    environ = account(machine, key, f"{endpoint.url}/token")
    first = asked(Google(machine.surroundings(environ, libraries=True)))
    assert asked(Google(machine.surroundings(environ, libraries=True))) == first
    assert len(endpoint.log) == 1
    account(machine, key, f"{endpoint.url}/another/token")
    asked(Google(machine.surroundings(environ, libraries=True)))
    assert [request.path for request in endpoint.log] == ["/token", "/another/token"]


def test_credentials_that_have_been_revoked_name_the_command(
    machine: Machine, key: str, service: Service, endpoint: ScriptedServer
) -> None:
    service.reply = Reply(
        400,
        b'{"error": "invalid_grant", "error_description": "Token has been expired or revoked."}',
        {"Content-Type": "application/json"},
    )
    environ = account(machine, key, f"{endpoint.url}/token")
    assert Google(machine.surroundings(environ, libraries=True)).get(None, URL) is None
    assert machine.told == [
        "google: the application default credentials have expired | run `gcloud auth application-default login`"
    ]


def test_a_file_of_credentials_that_cannot_be_read_is_told(machine: Machine) -> None:
    path = "/nonexistent/a-folder-with-a-long-name/and-another-one/credentials.json"
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": path}
    assert Google(machine.surroundings(environ, libraries=True)).get(None, URL) is None
    assert len(machine.told) == 1
    assert f"File {path} was not found" in machine.told[0]


def test_the_library_asks_the_metadata_server(machine: Machine, endpoint: ScriptedServer) -> None:
    host = endpoint.url.removeprefix("http://")
    environ = {"GCE_METADATA_HOST": host, "GCE_METADATA_IP": host, "NO_GCE_CHECK": ""}
    credential = asked(Google(machine.surroundings(environ, libraries=True)))
    assert credential.password.reveal() == "ya29.token-1"
    assert str(credential.origin) == "google application default credentials"


@pytest.mark.parametrize("libraries", [True, False])
def test_nothing_at_all_is_silence_and_takes_no_time(machine: Machine, libraries: bool) -> None:
    del machine.environ["NO_GCE_CHECK"]
    began = time.monotonic()
    assert Google(machine.surroundings(libraries=libraries)).get(None, URL) is None
    assert machine.events == []
    assert time.monotonic() - began < 5


# -- the metadata server -----------------------------------------------------------------------------------------------


def test_the_machine_is_asked_without_any_library(machine: Machine, endpoint: ScriptedServer) -> None:
    environ = {"GCE_METADATA_HOST": endpoint.url.removeprefix("http://"), "NO_GCE_CHECK": ""}
    credential = asked(Google(machine.surroundings(environ)))
    assert credential.password.reveal() == "ya29.token-1"
    assert str(credential.origin) == "google metadata server"
    assert 3000 < seconds_left(credential) < 3700
    (request,) = endpoint.log
    assert request.path == "/computeMetadata/v1/instance/service-accounts/default/token"
    assert request.headers["metadata-flavor"] == "Google"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(404, b"no account", METADATA),
        Reply(200, b'{"access_token": "portal"}', {"Content-Type": "application/json"}),
        Reply(200, b"<html>sign in", METADATA),
    ],
)
def test_who_is_not_a_metadata_server_gives_nothing(
    machine: Machine, service: Service, endpoint: ScriptedServer, reply: Reply
) -> None:
    service.reply = reply
    environ = {"GCE_METADATA_HOST": endpoint.url.removeprefix("http://"), "NO_GCE_CHECK": ""}
    assert Google(machine.surroundings(environ)).get(None, URL) is None
    assert machine.told == []


def test_a_metadata_server_that_hangs_is_left(machine: Machine, service: Service, endpoint: ScriptedServer) -> None:
    service.reply = Reply(200, delay=2)
    machine.hardware.joinpath("product_name").write_text("Google Compute Engine\n")
    environ = {"GCE_METADATA_HOST": endpoint.url.removeprefix("http://"), "NO_GCE_CHECK": ""}
    machine.program("gcloud", {"credential": {"access_token": "ya29.gcloud", "token_expiry": "2096-10-02T07:06:40Z"}})
    credential = asked(Google(machine.surroundings(environ, endpoint_limit=0.2)))
    assert str(credential.origin) == "gcloud"
    assert len(machine.told) == 1
    assert machine.told[0].startswith("google: the metadata server does not answer")


# -- the program -----------------------------------------------------------------------------------------------------


def test_the_program(machine: Machine) -> None:
    log = machine.program(
        "gcloud", {"credential": {"access_token": "ya29.gcloud", "token_expiry": "2096-10-02T07:06:40Z"}}
    )
    provider = Google(machine.surroundings())
    credential = asked(provider)
    assert credential.password.reveal() == "ya29.gcloud"
    assert credential.expires is not None
    assert credential.expires.timestamp() == 4_000_000_000
    assert provider.forget(None, URL, credential)
    assert provider.get(None, URL) is None
    assert calls(log) == [
        "config config-helper --format=json(credential)",
        "config config-helper --format=json(credential) --force-auth-refresh",
    ]


def test_the_program_knows_the_credentials_of_applications(machine: Machine) -> None:
    folder = machine.home / ".config/gcloud"
    folder.mkdir(parents=True)
    (folder / "application_default_credentials.json").write_text("{}")
    log = machine.program("gcloud", "ya29.application\n")
    credential = asked(Google(machine.surroundings()))
    assert credential.password.reveal() == "ya29.application"
    assert credential.expires is None
    assert calls(log) == ["auth application-default print-access-token"]


@pytest.mark.parametrize(
    "complaint, told",
    [
        (
            (
                "ERROR: (gcloud.config.config-helper) You do not currently have an active account selected.\n"
                "Please run:\n\n  $ gcloud auth login\n\nto obtain new credentials.\n"
            ),
            "google: gcloud: nobody is logged in | run `gcloud auth login`",
        ),
        (
            "ERROR: There was a problem refreshing your current auth tokens: Reauthentication failed.",
            "google: the login of gcloud has expired | run `gcloud auth login`",
        ),
        (
            "ERROR: broken, with ya29.a-secret in it",
            "google: gcloud gave no token: ERROR: broken, with **** in it | run `gcloud auth login`",
        ),
    ],
)
def test_what_the_program_complains_of(machine: Machine, complaint: str, told: str) -> None:
    machine.program("gcloud", status=1, complains=complaint)
    assert Google(machine.surroundings()).get(None, URL) is None
    assert machine.told == [told]


@pytest.mark.parametrize("says", ["", "{}", '{"credential": "x"}', '{"credential": {"access_token": ""}}'])
def test_a_program_that_says_something_else_is_told_of(machine: Machine, says: str) -> None:
    machine.program("gcloud", says)
    assert Google(machine.surroundings()).get(None, URL) is None
    assert machine.told == ["google: gcloud gave no token | run `gcloud auth print-access-token` by hand"]


# -- the real program --------------------------------------------------------------------------------------------------

GCLOUD = shutil.which("gcloud")


@pytest.mark.skipif(GCLOUD is None, reason="the gcloud program is not installed")
def test_the_real_program(machine: Machine) -> None:
    assert GCLOUD is not None
    machine.environ |= {
        "PATH": f"{Path(GCLOUD).parent}:/usr/bin:/bin",
        "CLOUDSDK_CONFIG": str(machine.root / "gcloud"),
        "CLOUDSDK_CORE_CHECK_GCE_METADATA": "false",
    }
    assert Google(machine.surroundings()).get(None, URL) is None
    assert machine.told == ["google: gcloud: nobody is logged in | run `gcloud auth login`"]
    token = machine.root / "token"
    token.write_text("ya29.from-a-file")
    credential = asked(Google(machine.surroundings({"CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token)})))
    assert credential.password.reveal() == "ya29.from-a-file"
