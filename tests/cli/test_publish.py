import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from cove.testing import BuiltFile, PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.scripted_server import Reply, serving

CANARY = "c4n4ry-p4ss"


def configured(sandbox: Sandbox, url: str, publish_url: str = "", name: str = "private-registry") -> Path:
    line = f'publish-url = "{publish_url}"' if publish_url else ""
    return sandbox.project(
        f'[project]\nname = "demo"\nversion = "0"\n[[tool.uv.index]]\nname = "{name}"\nurl = "{url}"\n{line}\n'
    )


def filled(sandbox: Sandbox, *built: BuiltFile) -> Sandbox:
    for file in built:
        file.write_to(sandbox.work / "dist")
    return sandbox


def own_variables(index: PrivateIndex) -> Mapping[str, str]:
    return {
        "UV_INDEX_PRIVATE_REGISTRY_USERNAME": index.username,
        "UV_INDEX_PRIVATE_REGISTRY_PASSWORD": index.password.reveal(),
    }


def test_one_credential_reads_and_publishes(
    sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    wheel, sdist = wheel_factory.wheel("foo"), wheel_factory.sdist("foo")
    configured(sandbox, cove_index.running.simple_url.public, cove_index.upload_url)
    filled(sandbox, wheel, sdist).using(own_variables(cove_index))
    argv = ("publish", "--index", "private-registry")

    dry = sandbox.cove(*argv, "--dry-run").ok()
    assert dry.stderr.splitlines() == [f"Would upload {wheel.filename}", f"Would upload {sdist.filename}"]
    assert not cove_index.running.store.projects()

    first = sandbox.cove(*argv, "-v").ok()
    assert first.stdout == ""
    assert f"Uploaded {wheel.filename}" in first.stderr
    assert "as user `tester` ($UV_INDEX_PRIVATE_REGISTRY_PASSWORD)" in first.stderr
    assert cove_index.password.reveal() not in first.stderr

    again = sandbox.cove(*argv).ok()
    assert sorted(again.stderr.splitlines()) == sorted(
        f"{built.filename} is already there, with the same bytes" for built in (wheel, sdist)
    )
    assert [request.method for request in again.requests] == ["GET"]


def test_the_result_as_json(sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    cove_index.add(wheel_factory.wheel("bar"), wheel_factory.wheel("foo", files={"other.py": ""}))
    configured(sandbox, cove_index.running.simple_url.public, cove_index.upload_url)
    filled(sandbox, wheel_factory.wheel("foo"), wheel_factory.wheel("bar"), wheel_factory.wheel("zeta"))
    ran = sandbox.using(own_variables(cove_index)).cove(
        "publish", "--index", "private-registry", "--output-format=json"
    )
    assert ran.status == 2
    told = json.loads(ran.stdout)
    outcomes = [(file["filename"].partition("-")[0], file["outcome"]) for file in told["files"]]
    assert outcomes == [("bar", "already there"), ("foo", "refused"), ("zeta", "uploaded")]
    assert told["files"][1]["error"]["code"] == "publish-refused"
    assert told["url"] == cove_index.upload_url


def test_a_refused_file_does_not_keep_the_others_back(
    sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(wheel_factory.wheel("bar", files={"other.py": ""}))
    configured(sandbox, cove_index.running.simple_url.public, cove_index.upload_url)
    filled(sandbox, wheel_factory.wheel("foo"), wheel_factory.wheel("bar"))
    ran = sandbox.using(own_variables(cove_index)).cove("publish", "--index", "private-registry")
    assert (ran.status, ran.stdout) == (2, "")
    assert "Uploaded foo-1.0" in ran.stderr
    assert "error: private-registry already has `bar-1.0-py3-none-any.whl` with other content" in ran.stderr


@pytest.mark.parametrize(
    "case",
    [
        ("-u tester -p <password>", "", "--password"),
        ("-u tester", "UV_PUBLISH_PASSWORD=<password>", "$UV_PUBLISH_PASSWORD"),
        ("-u tester -p <password>", "UV_PUBLISH_TOKEN=wrong", "--password"),
        ("", "UV_PUBLISH_URL=http://tester:<password>@<host>/legacy/", "the upload URL of http://<host>/legacy/"),
        ("", "NETRC=<netrc>", "<netrc>:1"),
        ("--keyring-provider subprocess -u tester", "", "keyring (http://<host>/legacy/)"),
    ],
)
def test_where_the_credential_may_come_from(
    sandbox: Sandbox,
    cove_index: PrivateIndex,
    wheel_factory: PackageFactory,
    case: tuple[str, str, str],
) -> None:
    argv, variable, origin = case
    password, host = cove_index.password.reveal(), cove_index.upload_url.split("/")[2]
    netrc = sandbox.root / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login tester password {password}\n")
    keyring = sandbox.home / "bin" / "keyring"
    keyring.parent.mkdir()
    keyring.write_text(f"#!/bin/sh\necho {password}\n")
    keyring.chmod(0o755)

    def real(text: str) -> str:
        return text.replace("<password>", password).replace("<host>", host).replace("<netrc>", str(netrc))

    filled(sandbox, wheel_factory.wheel("foo"))
    search = f"{keyring.parent}{os.pathsep}{sandbox.environ['PATH']}"
    sandbox.using({"UV_PUBLISH_URL": cove_index.upload_url, "NETRC": os.devnull, "PATH": search})
    given = dict([real(variable).split("=", 1)]) if variable else {}
    ran = sandbox.cove("publish", "-v", *map(real, argv.split()), environ=given)
    assert ran.status == 0, ran.stderr
    assert f"({real(origin)})" in ran.stderr
    assert password not in ran.stderr


def test_settings_that_exclude_each_other(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    configured(sandbox, "https://example.com/simple", "https://example.com/up")
    filled(sandbox, wheel_factory.wheel("foo"))
    index, url, check = (
        ("--index", "private-registry"),
        ("--publish-url", "http://127.0.0.1:1/"),
        ("--check-url", "http://x/"),
    )
    for argv, variables in [
        ((*index, *url), {}),
        ((*index, *check), {}),
        (check, {"UV_PUBLISH_INDEX": "private-registry"}),
        ((), {"UV_PUBLISH_INDEX": "private-registry", "UV_PUBLISH_URL": "http://127.0.0.1:1/"}),
        ((*url, "-t", "token", "-u", "me"), {}),
    ]:
        ran = sandbox.cove("publish", *argv, environ=variables)
        assert ran.status == 2
        assert "exclude each other" in ran.stderr or "cannot be used with" in ran.stderr
        assert not ran.requests


def test_a_flag_beats_the_variable_of_the_other(
    sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    configured(sandbox, cove_index.running.simple_url.public, cove_index.upload_url)
    filled(sandbox, wheel_factory.wheel("foo")).using(own_variables(cove_index))
    elsewhere = {"UV_PUBLISH_URL": "http://127.0.0.1:1/", "UV_PUBLISH_CHECK_URL": "http://127.0.0.1:1/"}
    sandbox.cove("publish", "--index", "private-registry", environ=elsewhere).ok()
    again = sandbox.cove("publish", "--publish-url", cove_index.upload_url, UV_PUBLISH_INDEX="nowhere")
    assert again.status == 0, again.stderr


def test_an_index_without_a_publish_url(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    filled(sandbox, wheel_factory.wheel("foo"))
    place = configured(sandbox, "https://example.com/api/v4/projects/7/packages/pypi/simple")
    ran = sandbox.cove("publish", "--index", "private-registry")
    assert ran.status == 2
    assert f"{place / 'pyproject.toml'}:4: the index `private-registry` has no `publish-url`" in ran.stderr
    assert '`publish-url = "https://example.com/api/v4/projects/7/packages/pypi"`' in ran.stderr
    unknown = sandbox.cove("publish", "--index", "privat-registry")
    assert unknown.status == 2
    assert "did you mean `private-registry`?" in unknown.stderr


def test_a_registry_that_has_the_name_already(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    filled(sandbox, wheel_factory.wheel("foo"))
    with serving(lambda _: Reply(409, b"file exists")) as server:
        ran = sandbox.cove("publish", "--publish-url", server.url, "-u", "me", "-p", CANARY)
    assert ran.status == 2
    assert "already has a file called `foo-1.0-py3-none-any.whl` (409 Conflict)" in ran.stderr
    assert "`--check-url`" in ran.stderr


def test_no_upload_goes_to_another_server(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    filled(sandbox, wheel_factory.wheel("foo"))
    with serving(lambda _: Reply(200)) as other:
        for status in (301, 302, 303, 307, 308):
            moved = Reply(status, headers={"Location": f"{other.url}/up"})
            with serving(lambda _, moved=moved: moved) as server:  # type: ignore[misc]
                ran = sandbox.cove("publish", "--publish-url", f"{server.url}/up", "-u", "me", "-p", CANARY)
            assert ran.status == 2
            assert "to another server" in ran.stderr
            assert CANARY not in ran.stderr
        assert not other.log


def test_an_index_that_cannot_say_is_sent_nothing(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    filled(sandbox, wheel_factory.wheel("foo"))
    for status, words in ((500, "500 Internal Server Error"), (401, "refused the credentials"), (403, "403 Forbidden")):
        with serving(lambda request, status=status: Reply(status if request.method == "GET" else 200)) as server:  # type: ignore[misc]
            configured(sandbox, f"{server.url}/simple", f"{server.url}/up")
            ran = sandbox.cove("publish", "--index", "private-registry", "-u", "me", "-p", CANARY)
            assert ran.status == 2
            assert "does not say whether it has it" in ran.stderr
            assert words in ran.stderr
            assert [request.method for request in server.log] == ["GET"]
            assert server.log[0].headers["cache-control"] == "no-cache"


def test_what_cannot_be_published(sandbox: Sandbox, wheel_factory: PackageFactory) -> None:
    nothing = sandbox.cove("publish", "--publish-url", "http://127.0.0.1:1/")
    assert (nothing.status, nothing.requests) == (2, ())
    assert "no wheel or sdist matches `dist/*`" in nothing.stderr
    (sandbox.work / "dist").mkdir()
    (sandbox.work / "dist" / "foo-1.0-py3-none-any.whl").write_bytes(b"no archive")
    broken = sandbox.cove("publish", "--publish-url", "http://127.0.0.1:1/")
    assert (broken.status, broken.requests) == (1, ())
    filled(sandbox, wheel_factory.wheel("foo"))
    offline = sandbox.cove("publish", "--offline", "--publish-url", "http://127.0.0.1:1/")
    assert (offline.status, offline.requests) == (2, ())
    half = sandbox.cove("publish", "--publish-url", "http://127.0.0.1:1/", UV_PUBLISH_PASSWORD=CANARY)
    assert (half.status, half.requests) == (2, ())
    assert "a password without a user name" in half.stderr
    other = sandbox.cove("publish", "--publish-url", "http://127.0.0.1:1/", "-u", "me")
    assert (other.status, other.requests) == (2, ())
    assert "no password is known for the user `me`" in other.stderr
