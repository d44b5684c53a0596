import json
from pathlib import Path

import pytest

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Ran, Sandbox
from support.scripted_server import Received, Reply, serving

JSON = "application/vnd.pypi.simple.v1+json"


@pytest.fixture
def sandbox(tmp_path: Path, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> Sandbox:
    """A private index ``corp`` that has ``foo``."""
    cove_index.add(wheel_factory.wheel("foo", "1.0"), wheel_factory.wheel("foo", "2.0"))
    made = Sandbox(tmp_path)
    made.project(
        '[project]\nname = "demo"\nversion = "0"\n'
        f'[[tool.uv.index]]\nname = "corp"\nurl = "{cove_index.running.simple_url}"\ndefault = true\n'
        '[tool.uv.sources]\nfoo = { index = "corp" }\n'
    )
    return made


def credentials(index: PrivateIndex) -> dict[str, str]:
    return {
        "UV_INDEX_CORP_USERNAME": index.username,
        "UV_INDEX_CORP_PASSWORD": index.password.reveal(),
    }


def findings(ran: Ran) -> dict[str, object]:
    (told,) = json.loads(ran.stdout)
    return {key: each["value"] for key, each in told["findings"].items()}


def test_a_private_index_is_described(sandbox: Sandbox, cove_index: PrivateIndex) -> None:
    ran = sandbox.cove("index", "check", "corp", environ=credentials(cove_index)).ok()
    assert ran.stdout.startswith(f"corp: {cove_index.running.simple_url}\n")
    assert "accepted: user `" in ran.stdout
    assert "from $UV_INDEX_CORP_PASSWORD; without one: 401 Unauthorized" in ran.stdout
    assert 'name = "corp"' in ran.stdout
    assert 'authenticate = "always"' in ran.stdout
    assert cove_index.password.reveal() not in ran.stdout + ran.stderr
    told = findings(
        sandbox.cove("index", "check", "corp", "--output-format=json", environ=credentials(cove_index)).ok()
    )
    assert told.items() >= {
        "reachable": True, "tls": False, "authentication": "accepted", "format": "json", "files": 2, "hashes": True,
        "metadata": True, "ranges": True, "absent": 404, "redirect": None,
    }.items()  # fmt: skip


def test_a_missing_and_a_wrong_password_are_errors(sandbox: Sandbox, cove_index: PrivateIndex) -> None:
    missing = sandbox.cove("index", "check", "corp")
    assert missing.status == 2
    assert "needed, and none is known" in missing.stdout
    assert "Recommended" not in missing.stdout
    assert "or set $UV_INDEX_CORP_USERNAME and $UV_INDEX_CORP_PASSWORD" in missing.stderr
    wrong = credentials(cove_index) | {"UV_INDEX_CORP_PASSWORD": "canary"}
    refused = sandbox.cove("index", "check", "corp", "--output-format=json", environ=wrong)
    assert (refused.status, findings(refused)["authentication"]) == (2, "refused")
    (told,) = json.loads(refused.stdout)
    assert (told["usable"], told["error"]["code"]) == (False, "credentials-refused")
    assert "canary" not in refused.stdout + refused.stderr


def test_what_a_sloppy_server_lacks_is_said_and_recommended(sandbox: Sandbox) -> None:
    def script(asked: Received) -> Reply:
        if asked.path == "/simple/foo/":
            page = (
                b'<a href="/files/foo-1.0-py3-none-any.whl" data-dist-info-metadata="true">foo-1.0-py3-none-any.whl</a>'
            )
            return Reply(200, page, {"Content-Type": "text/html"})
        if asked.path == "/files/foo-1.0-py3-none-any.whl":
            return Reply(200, b"whole")
        return Reply(403 if asked.path.startswith("/simple/") else 404)

    with serving(script) as server:
        ran = sandbox.cove("index", "check", f"{server.url}/simple/", "--package", "foo").ok()
        assert not any("authorization" in asked.headers for asked in server.log)
    assert "HTML" in ran.stdout
    assert "nothing said; pages cannot be revalidated" in ran.stdout
    assert "offered, but answered with 404 Not Found" in ran.stdout
    assert "ignored: wheels are downloaded whole" in ran.stdout
    assert "ignore-error-codes = [403]" in ran.stdout
    assert 'cache-control = { api = "max-age=600" }' in ran.stdout


def test_a_redirect_to_another_host_is_named_and_not_followed(sandbox: Sandbox) -> None:
    with (
        serving(lambda _: Reply(200)) as public,
        serving(lambda asked: Reply(302, headers={"Location": public.url + asked.path})) as server,
    ):
        ran = sandbox.cove("index", "check", f"{server.url}/simple", "--output-format=json").ok()
        assert public.log == []
    assert findings(ran)["redirect"] == public.url


def test_redirects_on_the_same_host_are_followed(sandbox: Sandbox) -> None:
    page = json.dumps({"meta": {"api-version": "1.1"}, "name": "pip", "files": []}).encode()

    def script(asked: Received) -> Reply:
        if asked.path == "/simple/pip/":
            return Reply(301, headers={"Location": "/there/pip/"})
        return Reply(200, page, {"Content-Type": JSON, "ETag": '"1"'}) if asked.path == "/there/pip/" else Reply(404)

    with serving(script) as server:
        told = findings(sandbox.cove("index", "check", f"{server.url}/simple", "--output-format=json").ok())
    assert told.items() >= {"redirect": None, "format": "json", "files": 0}.items()


def test_nobody_there(sandbox: Sandbox) -> None:
    with serving(lambda _: Reply(200)) as server:
        url = server.url
    ran = sandbox.cove("index", "check", f"{url}/simple")
    assert (ran.status, "reachable" in ran.stdout) == (2, False)
    assert "error: 127.0.0.1" in ran.stderr or f"error: {url}" in ran.stderr
    offline = sandbox.cove("index", "check", "corp", "--offline")
    assert offline.status == 2
    assert offline.requests == ()


def test_all_indexes_a_folder_and_wrong_words(sandbox: Sandbox, cove_index: PrivateIndex) -> None:
    (sandbox.work / "wheels").mkdir()
    ran = sandbox.cove("index", "check", "--index", "local=./wheels", environ=credentials(cove_index)).ok()
    assert ran.stdout.index("local: file://") < ran.stdout.index("corp: http://")
    assert "`pip` is not there" in ran.stdout
    for words in (("corpp",), ("https://u:p/canary@h/",), ("corp", "--package", "a b")):
        wrong = sandbox.cove("index", "check", *words)
        assert wrong.status == 2
        assert "canary" not in wrong.stderr
