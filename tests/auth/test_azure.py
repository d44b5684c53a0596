"""Tokens for Azure Artifacts: pipelines' variables, real azure-identity, managed and workload identity, ``az``."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from cove.auth.providers.azure import RESOURCE, Azure
from cove.http.client import Client
from cove.http.transport import Transport, TransportOptions
from cove.model.secret import Credential
from cove.model.url import Url
from support.certificates import Authority
from support.clouds import Machine, calls
from support.scripted_server import Received, Reply, ScriptedServer, serving

FEED = "https://pkgs.dev.azure.com/org/project/_packaging/feed/"
URL = Url.parse(f"{FEED}pypi/simple/")
END = 4_000_000_000


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class Service:
    """A token endpoint: a token of its own for each call."""

    def __init__(self) -> None:
        self.given = 0
        self.reply: Reply | None = None

    def __call__(self, request: Received) -> Reply:
        if self.reply is not None:
            return self.reply
        if "/.well-known/" in request.path:
            base = f"https://{request.headers['host']}/tenant"
            answer: dict[str, object] = {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
            return Reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
        self.given += 1
        answer = {
            "access_token": f"eyJ-token-{self.given}",
            "token_type": "Bearer",
            "expires_in": 3600,
            "resource": RESOURCE,
        }
        if request.method == "GET":
            answer["expires_on"] = str(END)
        return Reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def endpoint(service: Service) -> Iterator[ScriptedServer]:
    with serving(service) as server:
        yield server


def asked(provider: Azure, url: Url = URL) -> Credential:
    assert provider.covers(None, url)
    credential = provider.get(None, url)
    assert credential is not None
    return credential


def brief(credential: Credential) -> tuple[str, str, str]:
    return credential.username, credential.password.reveal(), str(credential.origin)


@pytest.mark.parametrize(
    "url",
    [
        "http://pkgs.dev.azure.com/org/_packaging/feed/pypi/simple/",
        "https://pkgs.dev.azure.com.example.com/org/_packaging/feed/pypi/simple/",
        "https://xpkgs.dev.azure.com/org/_packaging/feed/pypi/simple/",
        "https://org.pkgs.dev.azure.com/org/_packaging/feed/pypi/simple/",
        "https://azure.example.com/org/_packaging/feed/pypi/simple/",
        "https://pkgs.visualstudio.com.example.com/_packaging/feed/pypi/simple/",
    ],
)
def test_other_hosts_are_not_its_business(machine: Machine, url: str) -> None:
    assert not Azure(machine.surroundings()).covers(None, Url.parse(url))


# -- pipelines -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [URL, Url.parse("https://org.pkgs.visualstudio.com/_packaging/feed/pypi/simple/")])
def test_the_pipelines_own_token_asks_nobody(machine: Machine, url: Url) -> None:
    log = machine.program("az", {"accessToken": "eyJ-by-program", "expires_on": END})
    credential = asked(Azure(machine.surroundings({"SYSTEM_ACCESSTOKEN": "pipeline"})), url)
    assert brief(credential) == ("VssSessionToken", "pipeline", "$SYSTEM_ACCESSTOKEN")
    assert calls(log) == []


def test_the_user_name_that_is_known_stays(machine: Machine) -> None:
    url = Url.parse(URL.public.replace("//", "//dummy@"))
    assert asked(Azure(machine.surroundings({"SYSTEM_ACCESSTOKEN": "pipeline"})), url).username == "dummy"
    machine.program("az", {"accessToken": "eyJ-by-program", "expires_on": END})
    assert brief(asked(Azure(machine.surroundings()), url)) == ("dummy", "eyJ-by-program", "az CLI")
    assert asked(Azure(machine.surroundings())).username == "VssSessionToken"


def test_a_variable_that_the_pipeline_did_not_replace_is_none(machine: Machine) -> None:
    assert Azure(machine.surroundings({"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"})).get(None, URL) is None


def test_after_a_refused_token_of_the_pipeline_the_others_are_asked(machine: Machine) -> None:
    machine.program("az", {"accessToken": "eyJ-by-program", "expires_on": END})
    provider = Azure(machine.surroundings({"SYSTEM_ACCESSTOKEN": "pipeline"}))
    assert provider.forget(None, URL, asked(provider))
    assert brief(asked(provider)) == ("VssSessionToken", "eyJ-by-program", "az CLI")


@pytest.mark.parametrize(
    "variable", ["VSS_NUGET_EXTERNAL_FEED_ENDPOINTS", "ARTIFACTS_CREDENTIALPROVIDER_EXTERNAL_FEED_ENDPOINTS"]
)
@pytest.mark.parametrize(
    "endpoint_url",
    [
        f"{FEED}pypi/simple/",
        f"{FEED}pypi/simple",
        "https://PKGS.dev.azure.com/Org/project/_packaging/Feed/pypi/simple",
        f"{FEED}nuget/v3/index.json",
    ],
)
def test_endpoints_of_the_pipeline(machine: Machine, variable: str, endpoint_url: str) -> None:
    endpoints = [
        {"endpoint": f"{FEED}other/", "password": "later"},
        {"endpoint": FEED.replace("feed", "other") + "pypi/simple/", "username": "other", "password": "wrong"},
        {"endpoint": endpoint_url, "username": "me", "password": "right"},
    ]
    if "nuget" in endpoint_url:
        del endpoints[0]
    text = json.dumps({"endpointCredentials": endpoints})
    provider = Azure(machine.surroundings({variable: text, "SYSTEM_ACCESSTOKEN": "pipeline"}))
    assert brief(asked(provider)) == ("me", "right", f"${variable}")
    elsewhere = Url.parse("https://pkgs.dev.azure.com/another/_packaging/feed/pypi/simple/")
    assert asked(provider, elsewhere).password.reveal() == "pipeline"


@pytest.mark.parametrize("text", ["{", "[]", '{"endpointCredentials": {}}', '{"other": []}'])
def test_endpoints_that_cannot_be_read_are_told(machine: Machine, text: str) -> None:
    assert Azure(machine.surroundings({"VSS_NUGET_EXTERNAL_FEED_ENDPOINTS": text})).get(None, URL) is None
    assert machine.told == [
        (
            "azure: $VSS_NUGET_EXTERNAL_FEED_ENDPOINTS is ignored: it is not JSON with `endpointCredentials` | correct "
            "$VSS_NUGET_EXTERNAL_FEED_ENDPOINTS"
        )
    ]


@pytest.mark.parametrize("entry", ["text", {}, {"endpoint": URL.public}, {"endpoint": URL.public, "password": 5}])
def test_entries_that_are_not_whole_are_passed_over(machine: Machine, entry: object) -> None:
    text = json.dumps({"endpointCredentials": [entry]})
    assert Azure(machine.surroundings({"VSS_NUGET_EXTERNAL_FEED_ENDPOINTS": text})).get(None, URL) is None


@pytest.mark.parametrize(
    "prefixes, is_given",
    [
        ("https://pkgs.dev.azure.com/org/", True),
        ("https://example.com/;https://pkgs.dev.azure.com/org", True),
        ("https://pkgs.dev.azure.com/or", False),
        ("", False),
    ],
)
def test_prefixes_of_the_pipeline(machine: Machine, prefixes: str, is_given: bool) -> None:
    environ = {"VSS_NUGET_URI_PREFIXES": prefixes, "VSS_NUGET_ACCESSTOKEN": "by-prefix"}
    credential = Azure(machine.surroundings(environ)).get(None, URL)
    assert (credential is not None) == is_given


# -- managed identity ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("libraries", [True, False])
def test_a_managed_identity_of_an_app_service(machine: Machine, endpoint: ScriptedServer, libraries: bool) -> None:
    environ = {"IDENTITY_ENDPOINT": f"{endpoint.url}/msi/token", "IDENTITY_HEADER": "header", "AZURE_CLIENT_ID": "id"}
    credential = asked(Azure(machine.surroundings(environ, libraries=libraries)))
    assert brief(credential) == ("VssSessionToken", "eyJ-token-1", "azure managed identity")
    assert credential.expires is not None
    assert credential.expires.timestamp() == END
    (request,) = endpoint.log
    query = parse_qs(request.path.partition("?")[2])
    assert query == {"api-version": ["2019-08-01"], "resource": [RESOURCE], "client_id": ["id"]}
    assert request.headers["x-identity-header"] == "header"


@pytest.mark.parametrize("is_machine", [True, False])
def test_a_managed_identity_is_asked_as_the_library_asks_it(
    machine: Machine, endpoint: ScriptedServer, is_machine: bool
) -> None:
    environ = (
        {"AZURE_POD_IDENTITY_AUTHORITY_HOST": endpoint.url}
        if is_machine
        else {"IDENTITY_ENDPOINT": f"{endpoint.url}/msi/token", "IDENTITY_HEADER": "header"}
    )
    asked(Azure(machine.surroundings(environ)))
    command = [sys.executable, "-P", "-m", "cove.auth.sdk.azure", "--ask-machine"]
    done = subprocess.run(command, env={**machine.environ, **environ}, capture_output=True, check=True, timeout=60)
    assert json.loads(done.stdout)["token"] == "eyJ-token-2"
    ours, theirs = endpoint.log[0], endpoint.log[-1]
    assert parse_qs(ours.path.partition("?")[2]) == parse_qs(theirs.path.partition("?")[2])
    assert ours.path.partition("?")[0] == theirs.path.partition("?")[0]
    for name in ("metadata", "x-identity-header"):
        assert ours.headers.get(name) == theirs.headers.get(name)


def test_a_managed_identity_of_a_machine(machine: Machine, service: Service, endpoint: ScriptedServer) -> None:
    environ = {"AZURE_POD_IDENTITY_AUTHORITY_HOST": endpoint.url}
    assert asked(Azure(machine.surroundings(environ))).password.reveal() == "eyJ-token-1"
    assert endpoint.log[0].headers["metadata"] == "true"
    assert endpoint.log[0].path.startswith("/metadata/identity/oauth2/token?api-version=2018-02-01&")
    service.reply = Reply(400, b'{"error": "invalid_request", "error_description": "Identity not found"}')
    assert Azure(machine.surroundings({**environ, "AZURE_TENANT_ID": "another"})).get(None, URL) is None
    assert machine.told == []


def test_an_identity_that_gives_nothing_is_told(machine: Machine, service: Service, endpoint: ScriptedServer) -> None:
    service.reply = Reply(500, b'{"message": "no such identity"}')
    environ = {"IDENTITY_ENDPOINT": f"{endpoint.url}/msi/token", "IDENTITY_HEADER": "header"}
    assert Azure(machine.surroundings(environ)).get(None, URL) is None
    assert machine.told == [
        (
            "azure: the managed identity gives no token: no such identity | check AZURE_CLIENT_ID, and the machine's "
            "identity"
        )
    ]


def test_an_endpoint_that_hangs_is_left(machine: Machine, service: Service, endpoint: ScriptedServer) -> None:
    service.reply = Reply(200, b"{}", delay=2)
    environ = {"IDENTITY_ENDPOINT": endpoint.url, "IDENTITY_HEADER": "header"}
    began = time.monotonic()
    assert Azure(machine.surroundings(environ, endpoint_limit=0.2)).get(None, URL) is None
    assert time.monotonic() - began < 1.5
    assert machine.told[0].startswith("azure: the managed identity's endpoint does not answer")


# -- an application's identity -----------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "tls")


@pytest.fixture
def entra(service: Service, authority: Authority) -> Iterator[ScriptedServer]:
    with serving(service, authority.server_context()) as server:
        yield server


def workload(machine: Machine, entra: ScriptedServer) -> dict[str, str]:
    token = machine.root / "federated"
    token.write_text("assertion\n")
    return {
        "AZURE_AUTHORITY_HOST": entra.url,
        "AZURE_TENANT_ID": "tenant",
        "AZURE_CLIENT_ID": "client",
        "AZURE_FEDERATED_TOKEN_FILE": str(token),
    }


def test_workload_identity(machine: Machine, entra: ScriptedServer, authority: Authority) -> None:
    with Client(Transport(TransportOptions(cert_file=str(authority.ca)))) as client:
        credential = asked(Azure(machine.surroundings(workload(machine, entra), client=lambda: client)))
    assert brief(credential) == ("VssSessionToken", "eyJ-token-1", "azure workload identity")
    assert credential.expires is not None
    (request,) = entra.log
    assert request.path == "/tenant/oauth2/v2.0/token"
    form = {name: value[0] for name, value in parse_qs(request.body.decode()).items()}
    assert form == {
        "grant_type": "client_credentials",
        "client_id": "client",
        "scope": f"{RESOURCE}/.default",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "assertion",
    }


def test_a_clients_secret(machine: Machine, entra: ScriptedServer, authority: Authority) -> None:
    environ = {**workload(machine, entra), "AZURE_FEDERATED_TOKEN_FILE": "", "AZURE_CLIENT_SECRET": "client-s3cret"}
    with Client(Transport(TransportOptions(cert_file=str(authority.ca)))) as client:
        credential = asked(Azure(machine.surroundings(environ, client=lambda: client)))
    assert str(credential.origin) == "azure client secret"
    assert parse_qs(entra.log[0].body.decode())["client_secret"] == ["client-s3cret"]


def test_what_entra_refuses_is_told(
    machine: Machine, service: Service, entra: ScriptedServer, authority: Authority
) -> None:
    reason = "AADSTS700211: No matching federated identity record found. Trace ID: x\r\nTimestamp: y"
    service.reply = Reply(401, json.dumps({"error": "invalid_client", "error_description": reason}).encode())
    with Client(Transport(TransportOptions(cert_file=str(authority.ca)))) as client:
        provider = Azure(machine.surroundings(workload(machine, entra), client=lambda: client))
        assert provider.get(None, URL) is None
    assert machine.told == [
        (
            "azure: azure workload identity gives no token: AADSTS700211: No matching federated identity record found. | "
            "check AZURE_CLIENT_ID, AZURE_TENANT_ID and what Entra trusts"
        )
    ]


def test_an_authority_without_tls_gets_nothing(machine: Machine, endpoint: ScriptedServer) -> None:
    with Client(Transport()) as client:
        provider = Azure(machine.surroundings(workload(machine, endpoint), client=lambda: client))
        assert provider.get(None, URL) is None
    assert endpoint.log == []
    assert "not an https URL" in machine.told[0]


# -- azure-identity ----------------------------------------------------------------------------------------------------


def test_the_library_knows_workload_identity(machine: Machine, entra: ScriptedServer, authority: Authority) -> None:
    environ = {**workload(machine, entra), "REQUESTS_CA_BUNDLE": str(authority.ca)}
    credential = asked(Azure(machine.surroundings(environ, libraries=True)))
    assert brief(credential)[1:] == ("eyJ-token-1", "azure-identity")
    assert credential.expires is not None
    assert [request.path for request in entra.log if request.method == "POST"] == ["/tenant/oauth2/v2.0/token"]


def test_the_library_takes_what_was_chosen(machine: Machine) -> None:
    machine.environ["PATH"] += ":/usr/bin:/bin"
    answer = {"accessToken": "eyJ-by-program", "expiresOn": "2096-10-02 07:06:40.000000", "expires_on": END}
    log = machine.program("az", answer)
    environ = {"AZURE_TOKEN_CREDENTIALS": "AzureCliCredential"}
    assert brief(asked(Azure(machine.surroundings(environ, libraries=True))))[1:] == (
        "eyJ-by-program",
        "azure-identity",
    )
    assert len(calls(log)) == 1


@pytest.mark.parametrize("libraries", [True, False])
def test_nothing_at_all_is_silence(machine: Machine, libraries: bool) -> None:
    assert Azure(machine.surroundings(libraries=libraries)).get(None, URL) is None
    assert machine.events == []


# -- the program -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        {"expires_on": END, "expiresOn": "1999-01-01 00:00:00.000000"},
        {"expiresOn": time.strftime("%Y-%m-%d %H:%M:%S.000000", time.localtime(END))},
    ],
)
def test_the_program(machine: Machine, end: dict[str, object]) -> None:
    log = machine.program("az", {"accessToken": "eyJ-by-program", "tokenType": "Bearer", **end})
    credential = asked(Azure(machine.surroundings()))
    assert brief(credential) == ("VssSessionToken", "eyJ-by-program", "az CLI")
    assert credential.expires is not None
    assert credential.expires.timestamp() == END
    assert asked(Azure(machine.surroundings(offline=True))) == credential
    assert calls(log) == [f"account get-access-token --resource {RESOURCE} --output json"]


@pytest.mark.parametrize(
    "complaint, told",
    [
        ("ERROR: Please run 'az login' to setup account.\n", "azure: az is not logged in | run `az login`"),
        (
            "ERROR: AADSTS700082: The refresh token has expired due to inactivity.\nPlease run az login\n",
            "azure: the Azure login has expired | run `az login`",
        ),
        ("ERROR: disk full", "azure: az gave no token: ERROR: disk full | run `az login`"),
    ],
)
def test_what_the_program_complains_of(machine: Machine, complaint: str, told: str) -> None:
    machine.program("az", status=1, complains=complaint)
    assert Azure(machine.surroundings()).get(None, URL) is None
    assert machine.told == [told]


@pytest.mark.parametrize("says", ["", "null", '{"accessToken": null}'])
def test_a_program_that_says_something_else_is_told_of(machine: Machine, says: str) -> None:
    machine.program("az", says)
    assert Azure(machine.surroundings()).get(None, URL) is None
    assert machine.told == ["azure: az gave no token | run `az account get-access-token` by hand"]
