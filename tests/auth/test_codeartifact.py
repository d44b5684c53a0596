"""Tokens for CodeArtifact: real botocore, the real ``aws`` where it runs, programs in its place, our own signature."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.auth.providers.codeartifact import CodeArtifact
from cove.http.client import Client
from cove.http.retry import Retry
from cove.http.transport import Transport
from cove.model.index import Index
from cove.model.secret import Credential
from cove.model.url import Url
from support.clouds import Machine, calls
from support.scripted_server import Received, Reply, ScriptedServer, serving

URL = Url.parse("https://my-dom-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/repo/simple/")
ASKED = "/v1/authorization-token?domain=my-dom&domain-owner=123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDTEST", "AWS_SECRET_ACCESS_KEY": "s3cret-s3cret", "AWS_SESSION_TOKEN": ""}
END = 4_000_000_000


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


class Service:
    """GetAuthorizationToken: a token of its own for each call, after ``refusals``."""

    def __init__(self) -> None:
        self.refusals: list[Reply] = []
        self.given = 0

    def __call__(self, request: Received) -> Reply:
        if self.refusals:
            return self.refusals.pop(0)
        self.given += 1
        return Reply(
            200,
            json.dumps({"authorizationToken": f"eyJ-token-{self.given}", "expiration": END}).encode(),
            {"Content-Type": "application/json"},
        )


def refusal(status: int, kind: str, message: str, **headers: str) -> Reply:
    return Reply(
        status,
        json.dumps({"message": message}).encode(),
        {"Content-Type": "application/json", "x-amzn-errortype": kind, **headers},
    )


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def endpoint(service: Service, machine: Machine) -> Iterator[ScriptedServer]:
    with serving(service) as server:
        machine.environ["AWS_ENDPOINT_URL_CODEARTIFACT"] = server.url
        yield server


def asked(provider: CodeArtifact, url: Url = URL) -> Credential:
    assert provider.covers(None, url)
    credential = provider.get(None, url)
    assert credential is not None
    return credential


@pytest.mark.parametrize(
    "url",
    [
        "http://d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/",
        "https://d-123456789012.d.codeartifact.eu-west-1.amazonaws.com.example.com/pypi/r/simple/",
        "https://d-12345678901.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/",
        "https://d-123456789012.d.codeartifact.eu-west-1.example.com/pypi/r/simple/",
        "https://example.com/d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/",
        "https://-d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/",
        "https://somebody@d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/",
    ],
)
def test_other_hosts_and_users_are_not_its_business(machine: Machine, url: str) -> None:
    assert not CodeArtifact(machine.surroundings()).covers(None, Url.parse(url))


@pytest.mark.parametrize(
    "url",
    [
        "https://d-123456789012.d.codeartifact.eu-west-1.amazonaws.com/pypi/r/simple/",
        "https://aws@d-123456789012.d.codeartifact.us-gov-west-1.amazonaws.com:443/pypi/r/",
        "https://d-123456789012.d.codeartifact.cn-north-1.amazonaws.com.cn/pypi/r/",
        "https://d-123456789012.d.codeartifact.eu-west-1.on.aws/pypi/r/",
    ],
)
def test_hosts_of_codeartifact(machine: Machine, url: str) -> None:
    assert CodeArtifact(machine.surroundings()).covers(None, Url.parse(url))


# -- botocore --------------------------------------------------------------------------------------------------------


def test_botocore_asks_with_what_the_host_says(machine: Machine, endpoint: ScriptedServer) -> None:
    machine.environ.update(KEYS)
    credential = asked(CodeArtifact(machine.surroundings(libraries=True)))
    assert (credential.username, credential.password.reveal()) == ("aws", "eyJ-token-1")
    assert str(credential.origin) == "botocore"
    assert credential.expires is not None
    assert credential.expires.timestamp() == END
    assert [request.path for request in endpoint.log] == [ASKED]
    assert "/eu-west-1/codeartifact/aws4_request" in endpoint.log[0].headers["authorization"]


def test_botocore_takes_the_profile(machine: Machine, endpoint: ScriptedServer) -> None:
    (machine.home / ".aws").mkdir()
    (machine.home / ".aws/config").write_text(
        "[profile corp]\naws_access_key_id = AKIDCORP\naws_secret_access_key = other-secret\n"
    )
    credential = asked(CodeArtifact(machine.surroundings({"AWS_PROFILE": "corp"}, libraries=True)))
    assert str(credential.origin) == "botocore (profile corp)"
    assert "Credential=AKIDCORP/" in endpoint.log[0].headers["authorization"]


def test_botocore_asks_again_when_the_service_is_busy(
    machine: Machine, service: Service, endpoint: ScriptedServer
) -> None:
    service.refusals = [refusal(429, "ThrottlingException", "slow down")]
    assert asked(CodeArtifact(machine.surroundings(KEYS, libraries=True))).password.reveal() == "eyJ-token-1"
    assert len(endpoint.log) == 2
    assert machine.told == []


REFUSALS = {
    "AccessDeniedException": (
        "User: arn:aws:sts::1:assumed-role/aws-reserved/sso.amazonaws.com/x is not authorized to perform: codeartifact:Get",
        "codeartifact: AWS gives this account no token for the domain my-dom of 123456789012 in eu-west-1",
        (
            "it needs codeartifact:GetAuthorizationToken and sts:GetServiceBearerToken; "
            "`aws sts get-caller-identity` says who it is"
        ),
    ),
    "ExpiredTokenException": (
        "The security token included in the request is expired",
        "codeartifact: the AWS credentials have expired",
        "get new keys for AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN",
    ),
    "UnrecognizedClientException": (
        "The security token included in the request is invalid.",
        "codeartifact: AWS does not accept the keys",
        "check AWS_ACCESS_KEY_ID, or `aws configure list`",
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.parametrize("libraries", [True, False], ids=["botocore", "ourselves"])
def test_what_the_service_refuses_is_told_once(machine: Machine, service: Service, libraries: bool, kind: str) -> None:
    message, told, hint = REFUSALS[kind]
    service.refusals = [refusal(403, kind, message)] * 9
    with serving(service) as endpoint, Client(Transport()) as client:
        environ = {**KEYS, "AWS_SESSION_TOKEN": "ses", "AWS_ENDPOINT_URL_CODEARTIFACT": endpoint.url}
        provider = CodeArtifact(machine.surroundings(environ, client=lambda: client, libraries=libraries))
        assert provider.get(None, URL) is None
        assert provider.get(None, URL) is None
    assert machine.told == [f"{told} | {hint}"]
    assert len(endpoint.log) == (2 if libraries else 1)


def test_a_single_sign_on_that_has_ended_names_the_command(machine: Machine) -> None:
    (machine.home / ".aws").mkdir()
    (machine.home / ".aws/config").write_text(
        "[profile corp]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\nregion = eu-west-1\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example.com/start\n"
    )
    provider = CodeArtifact(machine.surroundings({"AWS_PROFILE": "corp"}, libraries=True))
    assert provider.get(None, URL) is None
    assert machine.told == [
        "codeartifact: the AWS single sign-on session of profile corp has ended | run `aws sso login --profile corp`"
    ]


def test_a_profile_that_is_not_there_is_named(machine: Machine) -> None:
    assert CodeArtifact(machine.surroundings({"AWS_PROFILE": "nobody"}, libraries=True)).get(None, URL) is None
    assert machine.told == ["codeartifact: there is no AWS profile nobody | `aws configure list-profiles` lists them"]


@pytest.mark.parametrize("libraries", [True, False], ids=["botocore", "program"])
def test_an_index_may_have_a_profile_of_its_own(
    machine: Machine, service: Service, endpoint: ScriptedServer, libraries: bool
) -> None:
    (machine.home / ".aws").mkdir()
    (machine.home / ".aws/config").write_text(
        "[profile theirs]\naws_access_key_id = AKIDTHEIRS\naws_secret_access_key = other-secret\n"
    )
    log = machine.program("aws", {"authorizationToken": "eyJ-by-program", "expiration": END})
    provider = CodeArtifact(machine.surroundings({**KEYS, "AWS_PROFILE": "ours"}, libraries=libraries))
    credential = provider.get(Index(URL, name="corp", aws_profile="theirs"), URL)
    assert credential is not None
    if libraries:
        assert "Credential=AKIDTHEIRS/" in endpoint.log[0].headers["authorization"]
    else:
        assert calls(log)[0].endswith("--output json --profile theirs")
    assert str(credential.origin).endswith(" (profile theirs)")


@pytest.mark.parametrize("libraries", [True, False])
def test_nothing_at_all_is_silence(machine: Machine, libraries: bool) -> None:
    assert CodeArtifact(machine.surroundings(libraries=libraries)).get(None, URL) is None
    assert machine.events == []


# -- the program -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [END, float(END), "2096-10-02T07:06:40+00:00", "2096-10-02T09:06:40+02:00"])
def test_the_program_is_asked_once_for_all_repositories_of_a_domain(machine: Machine, end: object) -> None:
    log = machine.program("aws", {"authorizationToken": "eyJ-by-program", "expiration": end})
    provider = CodeArtifact(machine.surroundings({"AWS_PROFILE": "corp"}))
    credential = asked(provider)
    assert credential.password.reveal() == "eyJ-by-program"
    assert str(credential.origin) == "aws CLI (profile corp)"
    assert credential.expires is not None
    assert credential.expires.timestamp() == END
    other = Url.parse(URL.public.replace("/repo/", "/other/"))
    assert asked(provider, other) == credential
    assert calls(log) == [
        "codeartifact get-authorization-token --domain my-dom --domain-owner 123456789012 --region eu-west-1 --output json"
    ]


def test_a_token_is_kept_for_the_next_run_but_not_for_another_profile(machine: Machine) -> None:
    log = machine.program("aws", {"authorizationToken": "eyJ-by-program", "expiration": END})
    first = asked(CodeArtifact(machine.surroundings({"AWS_PROFILE": "corp"})))
    again = asked(CodeArtifact(machine.surroundings({"AWS_PROFILE": "corp"}, offline=True)))
    assert again == first
    assert len(calls(log)) == 1
    asked(CodeArtifact(machine.surroundings({"AWS_PROFILE": "other"})))
    assert len(calls(log)) == 2
    offline = CodeArtifact(machine.surroundings({"AWS_PROFILE": "third"}, offline=True))
    assert offline.get(None, URL) is None
    assert len(calls(log)) == 2


def test_a_refused_token_is_replaced(machine: Machine, endpoint: ScriptedServer) -> None:
    provider = CodeArtifact(machine.surroundings(KEYS, libraries=True))
    first = asked(provider)
    assert provider.forget(None, URL, first)
    assert asked(provider).password.reveal() == "eyJ-token-2"


def test_a_program_may_write_to_its_configuration(machine: Machine) -> None:
    config = machine.home / ".aws/config"
    config.parent.mkdir()
    script = f"echo '# seen' >> {config}"
    machine.program("aws", {"authorizationToken": "eyJ-one", "expiration": END}, script=script)
    provider = CodeArtifact(machine.surroundings())
    first = asked(provider)
    machine.program("aws", {"authorizationToken": "eyJ-two", "expiration": END}, script=script)
    assert provider.forget(None, URL, first)
    assert asked(provider).password.reveal() == "eyJ-two"


def test_a_way_that_gives_the_refused_token_again_gives_nothing(machine: Machine) -> None:
    machine.program("aws", {"authorizationToken": "eyJ-by-program", "expiration": END})
    provider = CodeArtifact(machine.surroundings())
    assert provider.forget(None, URL, asked(provider))
    assert provider.get(None, URL) is None


@pytest.mark.parametrize(
    "complaint, told",
    [
        (
            '\nUnable to locate credentials. You can configure credentials by running "aws configure".\n',
            "codeartifact: aws is not logged in | run `aws sso login` or `aws configure`",
        ),
        (
            "Error loading SSO Token: Token for corp does not exist",
            "codeartifact: the AWS single sign-on session has ended | run `aws sso login`",
        ),
        (
            "aws: unknown s3cret-s3cret trouble",
            "codeartifact: aws gave no token: aws: unknown **** trouble | try `aws sts get-caller-identity`",
        ),
        ("", "codeartifact: aws gave no token: it said nothing | try `aws sts get-caller-identity`"),
    ],
)
def test_what_the_program_complains_of(machine: Machine, complaint: str, told: str) -> None:
    machine.program("aws", status=255, complains=complaint)
    environ = {"AWS_SECRET_ACCESS_KEY": "s3cret-s3cret"}
    assert CodeArtifact(machine.surroundings(environ)).get(None, URL) is None
    assert machine.told == [told]


@pytest.mark.parametrize("says", ["", "not JSON", "[]", "{}", '{"authorizationToken": 5}'])
def test_a_program_that_says_something_else_is_told_of(machine: Machine, says: str) -> None:
    machine.program("aws", says)
    assert CodeArtifact(machine.surroundings()).get(None, URL) is None
    assert machine.told == ["codeartifact: aws gave no token | run `aws codeartifact get-authorization-token` by hand"]


def test_a_program_that_hangs_is_ended_with_all_it_has_started(machine: Machine) -> None:
    machine.environ["PATH"] += ":/usr/bin:/bin"
    log = machine.program("aws", script="sleep 60 & sleep 60")
    began = time.monotonic()
    assert CodeArtifact(machine.surroundings(program_limit=0.3)).get(None, URL) is None
    assert time.monotonic() - began < 10
    assert len(calls(log)) == 1
    assert len(machine.told) == 1
    assert "within 0.3 seconds" in machine.told[0]


def test_nobody_is_asked_for_a_machines_role_where_there_is_no_machine(machine: Machine) -> None:
    del machine.environ["AWS_EC2_METADATA_DISABLED"]
    log = machine.program("aws", script=f'echo "$AWS_EC2_METADATA_DISABLED" >> {machine.root}/aws.log', status=1)
    CodeArtifact(machine.surroundings()).get(None, URL)
    (machine.hardware / "sys_vendor").write_text("Amazon EC2\n")
    CodeArtifact(machine.surroundings()).get(None, URL)
    assert calls(log)[1::2] == ["true", ""]


# -- ourselves -------------------------------------------------------------------------------------------------------


def test_keys_in_the_environment_need_no_tool(machine: Machine, service: Service, endpoint: ScriptedServer) -> None:
    service.refusals = [refusal(429, "ThrottlingException", "slow down", **{"Retry-After": "0"})]
    with Client(Transport(), (Retry(2),)) as client:
        credential = asked(CodeArtifact(machine.surroundings(KEYS, client=lambda: client)))
    assert credential.password.reveal() == "eyJ-token-1"
    assert str(credential.origin) == "$AWS_ACCESS_KEY_ID"
    assert [(request.method, request.path) for request in endpoint.log] == [("POST", ASKED)] * 2
    assert endpoint.log[-1].headers["content-length"] == "0"


# -- the real program --------------------------------------------------------------------------------------------------


def _aws() -> str:
    found = shutil.which("aws")
    if found is None:
        return ""
    done = subprocess.run([found, "--version"], capture_output=True, check=False, timeout=60)
    return found if done.returncode == 0 else ""


AWS = _aws()


@pytest.mark.skipif(not AWS, reason="the aws program is not installed")
def test_the_real_program(machine: Machine, service: Service, endpoint: ScriptedServer) -> None:
    machine.program("aws", script=f'PATH=/usr/bin:/bin HOME="$REAL_HOME" exec {AWS} "$@"')
    machine.environ |= {"REAL_HOME": str(Path.home()), "AWS_CONFIG_FILE": "/nonexistent"}
    machine.environ["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent"
    credential = asked(CodeArtifact(machine.surroundings(KEYS)))
    assert credential.password.reveal() == "eyJ-token-1"
    assert credential.expires is not None
    assert credential.expires.timestamp() == END
    assert [request.path for request in endpoint.log] == [ASKED]
    service.refusals = [refusal(403, "ExpiredTokenException", "The security token included in the request is expired")]
    assert CodeArtifact(machine.surroundings({**KEYS, "AWS_PROFILE": ""}, offline=False)).get(None, URL) is not None
    assert CodeArtifact(machine.surroundings({**KEYS, "AWS_ACCESS_KEY_ID": "AKIDELSE"})).get(None, URL) is None
    assert machine.told == [
        "codeartifact: the AWS credentials have expired | run `aws sso login`",
    ]
