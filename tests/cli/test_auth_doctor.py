import base64
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cove.model.secret import Secret
from cove.server.serve import RunningIndex
from cove.testing import PackageFactory
from support.certificates import Authority
from support.commandline import Ran, Sandbox
from support.scripted_server import Received, Reply, serving
from support.simple_pages import Place

PASSWORD = "c4n4ry-p@ss"
OWN = {"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": PASSWORD}
WRONG = {"UV_INDEX_CORP_USERNAME": "me", "UV_INDEX_CORP_PASSWORD": "c4n4ry-wrong"}
EXPIRED = "e30.eyJleHAiOiAxfQ.c4n4ry"
"""A JSON web token that ended in 1970."""
MARKS = ("c4n4ry", base64.b64encode(f"me:{PASSWORD}".encode()).decode())

FINE, OTHER, MISSING, REFUSED, FORBIDDEN, UNREACHABLE, TLS = 0, 2, 3, 4, 5, 6, 7


def configured(sandbox: Sandbox, url: str, more: str = "") -> Sandbox:
    sandbox.project(
        f'[[tool.uv.index]]\nname = "corp"\nurl = "{url}"\n{more}'
        '[project]\nname = "demo"\nversion = "0"\ndependencies = ["foo"]\n[tool.uv.sources]\nfoo = { index = "corp" }\n'
    )
    return sandbox


@pytest.fixture
def index(tmp_path: Path, wheel_factory: PackageFactory) -> Iterator[RunningIndex]:
    """It knows ``me``, who may publish, and has ``foo``."""
    with RunningIndex(tmp_path / "index", {"me": Secret(PASSWORD)}) as running:
        wheel_factory.wheel("foo").write_to(running.store.root / "foo")
        yield running


def examined(sandbox: Sandbox, *argv: str, **variables: str) -> tuple[Ran, dict[str, object]]:
    """``auth doctor`` as text and as JSON: the same verdict, and no secret."""
    ran = sandbox.cove("auth", "doctor", *argv, environ=variables)
    as_json = sandbox.cove("auth", "doctor", *argv, "--output-format", "json", environ=variables)
    for text in (ran.stdout, ran.stderr, as_json.stdout, as_json.stderr):
        assert not [mark for mark in MARKS if mark in text], text
    assert ran.status == as_json.status
    found = json.loads(as_json.stdout)[0]
    assert found["status"] == ran.status
    return ran, found


def states(found: dict[str, object]) -> dict[str, str]:
    return {each["source"]: each["state"] for each in found["sources"]}  # type: ignore[attr-defined]


def answers(found: dict[str, object]) -> dict[str, dict[str, object]]:
    return {each["question"]: each for each in found["questions"]}  # type: ignore[attr-defined]


def verdicts(found: dict[str, object]) -> dict[str, object]:
    return {what: each["verdict"] for what, each in answers(found).items()}


# -- the embedded index


def test_everything_is_fine(sandbox: Sandbox, index: RunningIndex) -> None:
    configured(sandbox, index.simple_url.public, f'publish-url = "{index.upload_url}"\n')
    (sandbox.home / ".netrc").write_text("machine 127.0.0.1 login other password c4n4ry-2\n")
    ran, found = examined(sandbox, "corp", **OWN)
    assert (ran.status, ran.stderr, found["verdict"], found["advice"]) == (FINE, "", "fine", [])
    assert states(found) == {
        "environment": "in use", "URL": "absent", "netrc": "found", "store": "absent", "command": "absent",
        "keyring": "not asked", "prompt": "not asked",
    }  # fmt: skip
    assert verdicts(found) == {"index": "fine", "file": "fine", "upload": "fine"}
    assert "hidden by $UV_INDEX_CORP_PASSWORD" in ran.stdout
    assert "in use     user `me` from $UV_INDEX_CORP_PASSWORD" in ran.stdout
    assert "401 Unauthorized without a credential" in ran.stdout
    assert "400 Bad Request to an empty form; 401 Unauthorized without" in ran.stdout
    assert [each.status for each in ran.requests] == [200, 401, 206, 400, 401]


def test_nothing_is_known(sandbox: Sandbox, index: RunningIndex) -> None:
    ran, found = examined(configured(sandbox, index.simple_url.public), "corp")
    assert (ran.status, found["verdict"]) == (MISSING, "missing")
    assert "looked in: netrc" in ran.stdout
    assert 'the server says: Basic realm="cove", charset="UTF-8"' in ran.stdout
    assert "the server says: this index needs a user name and a password" in ran.stdout
    assert "to do: log in with `cove auth login corp`, or set $UV_INDEX_CORP_USERNAME" in ran.stdout
    assert "in use" not in states(found).values()


def test_what_is_wrong_and_what_is_right_behind_it(sandbox: Sandbox, index: RunningIndex) -> None:
    configured(sandbox, index.simple_url.public)
    ran, found = examined(sandbox, "corp", **WRONG)
    assert (ran.status, states(found)["environment"]) == (REFUSED, "refused")
    assert "401 Unauthorized" in ran.stdout
    assert "to do: what $UV_INDEX_CORP_PASSWORD has is wrong: correct it there, or remove it" in ran.stdout
    (sandbox.home / ".netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    ran, found = examined(sandbox, "corp", **WRONG)
    assert (ran.status, states(found)["environment"], states(found)["netrc"]) == (FINE, "refused", "in use")
    assert "to do: what $UV_INDEX_CORP_PASSWORD has is wrong" in ran.stdout


def test_what_has_expired(sandbox: Sandbox, index: RunningIndex) -> None:
    configured(sandbox, index.simple_url.public)
    ran, found = examined(sandbox, "corp", **{**WRONG, "UV_INDEX_CORP_PASSWORD": EXPIRED})
    assert (ran.status, states(found)["environment"]) == (REFUSED, "expired")
    assert "those from $UV_INDEX_CORP_PASSWORD have expired" in ran.stdout
    assert "has ended: get a new one" in ran.stdout
    assert "1970-01-01T00:00:01" in json.dumps(found)
    (sandbox.home / ".netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    ran, found = examined(sandbox, "corp", **{**WRONG, "UV_INDEX_CORP_PASSWORD": EXPIRED})
    assert (ran.status, states(found)["environment"], states(found)["netrc"]) == (FINE, "expired", "in use")


def test_who_may_read_but_not_publish(sandbox: Sandbox, index: RunningIndex, tmp_path: Path) -> None:
    def script(asked: Received) -> Reply:
        if asked.method == "POST":
            return Reply(403, b'{"message": "the user `me` may not publish"}', {"Content-Type": "application/json"})
        return Place()(asked)

    with serving(script) as server:
        configured(sandbox, f"{server.url}/simple/", f'publish-url = "{server.url}/upload/"\n')
        ran, found = examined(sandbox, "corp", "--package", "pip", **OWN)
        assert verdicts(found)["upload"] == "forbidden"
        assert not answers(found)["upload"]["counts"]
        assert "the server says: the user `me` may not publish" in ran.stdout
        ran, found = examined(sandbox, "corp", "--publish", **OWN)
        assert answers(found)["upload"]["counts"]


def test_publishing_has_credentials_of_its_own(sandbox: Sandbox, index: RunningIndex) -> None:
    configured(sandbox, index.simple_url.public, f'publish-url = "{index.upload_url}"\n')
    token = {"UV_PUBLISH_USERNAME": "me", "UV_PUBLISH_PASSWORD": "c4n4ry-wrong"}
    ran, _ = examined(sandbox, "corp", **OWN, **token)
    assert ran.status == FINE  # nobody said that it is for this index
    ran, found = examined(sandbox, "corp", "--publish", **OWN, **token)
    assert (ran.status, verdicts(found)["upload"], verdicts(found)["index"]) == (REFUSED, "refused", "fine")
    assert "they came from $UV_PUBLISH_PASSWORD" in ran.stdout
    everywhere = sandbox.cove("auth", "doctor", "--publish", environ={**OWN, **token})
    assert (everywhere.status, everywhere.requests) == (2, ())


# -- servers that say other things


def gate(status: int, body: bytes = b"", **headers: str) -> Callable[[Received], Reply]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Reply(status, body, named)


SIGN_IN = b'<html><form action="/users/sign_in"><input name="user"><input type="password"></form></html>'


@pytest.mark.parametrize(
    "script, variables, status, words",
    [
        (gate(403, b"no such right"), OWN, FORBIDDEN, ["forbidden", "403 Forbidden", "the server says: no such right"]),
        (gate(403), {}, MISSING, ["no credentials were sent", "cove auth login corp"]),
        (gate(404), OWN, FORBIDDEN, ["404 Not Found for `foo`", "or is not shown to user `me`"]),
        (gate(404), {}, MISSING, ["is not shown to those who do not say who they are"]),
        (gate(404), {**OWN, "UV_INDEX_CORP_PASSWORD": EXPIRED}, REFUSED, ["has expired"]),
        (gate(302, Location="https://login.example.com/signin?to=x"), OWN, REFUSED, ["page to sign in (https://login.ex"]),
        (gate(302, Location="https://login.example.com/signin?to=x"), {}, MISSING, ["to sign in", "none is known"]),
        (gate(302, Location="https://example.com/public/"), OWN, OTHER, ["redirects to https://example.com"]),
        (gate(200, SIGN_IN, Content_Type="text/html"), OWN, REFUSED, ["page to sign in (here", "was not taken"]),
        (gate(203, b"<html>", Content_Type="text/html"), OWN, REFUSED, ["page to sign in (here"]),
        (gate(500, b"out of order"), OWN, OTHER, ["500 Internal Server Error", "the server says: out of order"]),
        (gate(200, b"\0", Content_Type="image/png"), OWN, OTHER, ["neither JSON nor HTML"]),
    ],
    ids=[
        "forbidden", "forbidden-to-all", "hidden", "hidden-from-strangers", "hidden-from-expired", "sign-in-elsewhere",
        "sign-in-unknown", "redirect", "sign-in-here", "sign-in-of-azure", "broken", "nonsense",
    ],
)  # fmt: skip
def test_verdicts(
    script: Callable[[Received], Reply], variables: dict[str, str], status: int, words: list[str], sandbox: Sandbox
) -> None:
    with serving(script) as server:
        ran, found = examined(configured(sandbox, f"{server.url}/simple/"), "corp", **variables)
    assert ran.status == status, ran.stdout
    of_status = {
        FORBIDDEN: "forbidden",
        REFUSED: "expired" if EXPIRED in variables.values() else "refused",
        OTHER: "found",
    }
    assert states(found)["environment"] == of_status.get(status, "absent")
    assert all(word in ran.stdout for word in words), ran.stdout


def test_a_server_that_repeats_what_it_was_sent(sandbox: Sandbox) -> None:
    def script(asked: Received) -> Reply:
        sent = asked.headers.get("authorization", "").partition(" ")[2]
        plain = base64.b64decode(sent).decode()
        return Reply(401, f"{sent} {plain}".encode(), {"WWW-Authenticate": f'Basic realm="{plain}"'})

    with serving(script) as server:
        configured(sandbox, f"{server.url}/simple/")
        ran, _ = examined(sandbox, "corp", **OWN)
        assert 'the server says: Basic realm="me:****"' in ran.stdout
        for user_info in ("c4n4ry:@", "c4n4ry:x-oauth-basic@"):
            url = server.url.replace("://", f"://{user_info}")
            ran, _ = examined(sandbox, f"{url}/simple/")
            assert ran.status == REFUSED
            assert "a token from the URL of" in ran.stdout


def test_redirects_out_of_the_index_carry_nothing(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    built = wheel_factory.wheel("foo")
    inner = Place().add(built)

    def script(asked: Received) -> Reply:
        if asked.path == "/team/simple/foo/":
            return Reply(302, headers={"Location": "/simple/foo/"})
        return inner(asked) if "authorization" not in asked.headers else Reply(500)

    with serving(script) as server:
        for command in (("auth", "doctor"), ("index", "check")):
            before = len(server.log)
            url = f"{server.url}/team/simple/"
            configured(sandbox, url).cove(*command, "corp", environ=OWN).ok()
            inside = [asked for asked in server.log[before:] if asked.path.startswith("/team/simple/foo")]
            assert "authorization" in inside[0].headers
            assert not [
                each
                for each in server.log[before:]
                if each not in inside and "authorization" in each.headers and not each.path.startswith("/team/")
            ]


def test_nobody_there(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    ran, found = examined(configured(sandbox, f"{url}/simple/"), "corp", **OWN)
    assert (ran.status, verdicts(found)) == (
        UNREACHABLE,
        {"index": "unreachable", "file": "not asked", "upload": "not asked"},
    )
    assert "would be sent" in ran.stdout
    offline, _ = examined(sandbox, "corp", "--offline", **OWN)
    assert (offline.status, offline.requests) == (OTHER, ())


@pytest.mark.parametrize("kind", ["untrusted", "not-tls"])
def test_tls(kind: str, sandbox: Sandbox, tmp_path: Path) -> None:
    tls = Authority(tmp_path / "tls").server_context() if kind == "untrusted" else None
    with serving(gate(200), tls=tls) as server:
        url = server.url.replace("http://", "https://")
        ran, found = examined(configured(sandbox, f"{url}/simple/"), "corp", **OWN)
        assert (ran.status, found["verdict"], server.log) == (TLS, "tls", [])
    assert ("SSL_CERT_FILE" in ran.stdout) is (kind == "untrusted")


def test_files_out_of_reach(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    built = wheel_factory.wheel("foo")
    needs = {"WWW-Authenticate": 'Basic realm="files"'}

    def files(asked: Received) -> Reply:
        assert "authorization" not in asked.headers
        return Reply(401, b"who are you", needs)

    with serving(files) as other, serving(Place(base=other.url).add(built)) as server:
        ran, found = examined(configured(sandbox, f"{server.url}/simple/"), "corp", **OWN)
        assert (ran.status, verdicts(found)["file"]) == (MISSING, "missing")
        assert f"`cove auth login {other.url}`" in ran.stdout
        assert all("authorization" not in asked.headers for asked in other.log)
    with serving(Place().add(built)) as server:
        gated = replace(Place().add(built), overrides={f"/files/{built.filename}": Reply(403, b"not yours")})
        server.script = gated
        ran, found = examined(configured(sandbox, f"{server.url}/simple/"), "corp", **OWN)
        assert (ran.status, verdicts(found)["file"]) == (FORBIDDEN, "forbidden")
        assert "the server says: not yours" in ran.stdout


def test_a_page_of_links(sandbox: Sandbox) -> None:
    (sandbox.home / ".netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")

    def script(asked: Received) -> Reply:
        known = "authorization" in asked.headers
        return Reply(200 if known else 401, b"<!DOCTYPE html><a href=x>x</a>", {"Content-Type": "text/html"})

    with serving(script) as server:
        argv = ("auth", "doctor", "--no-index", "--find-links", f"{server.url}/links.html")
        ran = sandbox.cove(*argv).ok()
        assert "gives out its list; 401 Unauthorized without a credential" in ran.stdout
        (sandbox.home / ".netrc").unlink()
        assert sandbox.cove(*argv).status == MISSING
        assert {asked.path for asked in server.log} == {"/links.html"}


def test_uploads_that_tell_nothing(sandbox: Sandbox) -> None:
    def script(asked: Received) -> Reply:
        return Reply(400, b"no form") if asked.method == "POST" else Reply(404)

    with serving(script) as server:
        more = f'publish-url = "{server.url}/upload/"\n'
        ran, found = examined(configured(sandbox, f"{server.url}/simple/", more), "corp", "--package", "pip", **OWN)
        assert verdicts(found)["upload"] == "unclear"
        assert "whoever asks" in ran.stdout
        assert {len(asked.body) for asked in server.log if asked.method == "POST"} == {len(b"--cove--\r\n")}
        server.script = gate(404)
        _, found = examined(sandbox, "corp", **OWN)
        assert verdicts(found)["upload"] == "other"


# -- sources


def test_each_source_says_its_own(sandbox: Sandbox, index: RunningIndex) -> None:
    folder = sandbox.home / "bin"
    folder.mkdir()
    for name, body in {"keyring": "echo 'no backend c4n4ry' >&2; exit 1", "helper": f"echo '{PASSWORD}'"}.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    sandbox.using({"PATH": f"{folder}:{sandbox.environ['PATH']}", "UV_KEYRING_PROVIDER": "subprocess"})
    settings = sandbox.home / ".config" / "cove" / "cove.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[index.corp]\ncredential-command = ["helper"]\n')
    url = index.simple_url.public.replace("://", "://me@")
    ran, found = examined(configured(sandbox, url), "corp")
    assert ran.status == FINE, ran.stdout
    assert states(found) | {"URL": "absent", "command": "in use", "keyring": "absent"} == states(found)
    assert "a user name without a password, from the URL of corp" in ran.stdout
    (notes,) = [each["notes"] for each in found["sources"] if each["source"] == "keyring"]  # type: ignore[attr-defined]
    assert len(notes) == 1
    assert "keyring" not in ran.stderr


def test_never_and_always(sandbox: Sandbox, index: RunningIndex) -> None:
    never = configured(sandbox, index.simple_url.public, 'authenticate = "never"\n')
    ran, found = examined(never, "corp")
    assert set(states(found).values()) == {"not asked"}
    assert ran.status == MISSING
    ran, found = examined(never, "corp", **OWN)
    assert (ran.status, found["error"]["code"]) == (OTHER, "configuration")  # type: ignore[index]
    always = configured(sandbox, index.simple_url.public, 'authenticate = "always"\n')
    ran, _ = examined(always, "corp")
    assert (ran.status, ran.requests) == (MISSING, ())


def test_a_cloud_where_nobody_is_logged_in(sandbox: Sandbox) -> None:
    sandbox.using({"HTTPS_PROXY": "http://127.0.0.1:9"})
    url = "https://pkgs.dev.azure.com/o/p/_packaging/f/pypi/simple/"
    ran, found = examined(configured(sandbox, url), "corp", "--no-native-auth")
    assert (ran.status, found["registry"], states(found)["azure"]) == (UNREACHABLE, "azure", "not asked")
    assert "Azure Artifacts" in ran.stdout
    assert "`native-auth` is off (--no-native-auth)" in ran.stdout


def test_all_indexes_and_wrong_words(sandbox: Sandbox, index: RunningIndex) -> None:
    configured(sandbox, index.simple_url.public, "default = true\n")
    (sandbox.work / "wheels").mkdir()
    ran = sandbox.cove(
        "auth", "doctor", "--index", "local=./wheels", "--index", f"open={index.simple_url}", environ=OWN
    )
    assert ran.status == MISSING  # that of `open`, which comes first
    assert ran.stdout.index("open http") < ran.stdout.index("corp http")
    assert "wheels" not in ran.stdout
    for words in (("corpp",), ("https://u:p/canary@h/",), ("corp", "--package", "a b")):
        wrong = sandbox.cove("auth", "doctor", *words)
        assert wrong.status == 2
        assert "canary" not in wrong.stderr


def test_a_broken_configuration_is_told(sandbox: Sandbox, index: RunningIndex) -> None:
    configured(sandbox, index.simple_url.public)
    both = {**OWN, "UV_INDEX_CORP_TOKEN": "c4n4ry"}
    ran, found = examined(sandbox, "corp", **both)
    assert (ran.status, found["error"]["code"]) == (OTHER, "configuration")  # type: ignore[index]
    assert "are both set" in ran.stdout


def test_a_list_of_indexes_starts_no_program(sandbox: Sandbox) -> None:
    folder = sandbox.home / "bin"
    folder.mkdir()
    for name in ("keyring", "gcloud"):
        (folder / name).write_text(f"#!/bin/sh\ntouch '{sandbox.root}/started'\n")
        (folder / name).chmod(0o755)
    sandbox.using({"PATH": f"{folder}:{sandbox.environ['PATH']}", "UV_KEYRING_PROVIDER": "subprocess"})
    configured(sandbox, "https://europe-python.pkg.dev/p/r/simple/")
    ran = sandbox.cove("index", "list", "--origin").ok()
    assert "not asked: google, keyring" in ran.stdout
    assert (ran.stderr, ran.requests) == ("", ())
    assert not (sandbox.root / "started").exists()
