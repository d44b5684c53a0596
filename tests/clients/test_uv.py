import re
from pathlib import Path

import pytest

from cove.formats.upload_form import fields
from cove.testing import BuiltFile, PackageFactory, PrivateIndex
from support.forms import facts_of
from support.programs import clean_environment, program, run
from support.scripted_server import Received, Reply, serving


def uv(tmp_path: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    finished = run([program("uv"), *arguments], clean_environment(tmp_path / "home", **environment), tmp_path)
    return finished.returncode, finished.stdout + finished.stderr


def publish_arguments(index: PrivateIndex, *more: str) -> list[str]:
    user = ["--username", index.username, "--password", index.password.reveal(), "--trusted-publishing", "never"]
    return ["publish", "--publish-url", index.upload_url, *user, *more]


@pytest.fixture
def filled(cove_index: PrivateIndex, wheel_factory: PackageFactory) -> PrivateIndex:
    cove_index.add(
        wheel_factory.wheel("cove-test-app", requires=["cove-test-lib>=1", "cove-test-win; sys_platform == 'win32'"]),
        wheel_factory.wheel("cove-test-lib", "1.1"),
        wheel_factory.wheel("cove-test-win"),
    )
    return cove_index


def test_uv_installs(filled: PrivateIndex, tmp_path: Path) -> None:
    site = tmp_path / "site"
    status, output = uv(
        tmp_path, "pip", "install", "--target", str(site), "--default-index", filled.simple_url, "cove-test-app"
    )
    assert status == 0, output
    assert (site / "cove_test_lib.py").is_file()
    assert any(seen.path.endswith(".metadata") for seen in filled.running.requests)


def test_uv_builds_an_sdist_of_the_factory(
    cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path
) -> None:
    cove_index.add(
        wheel_factory.sdist("cove-test-lib", requires=["cove-test-app"]), wheel_factory.wheel("cove-test-app")
    )
    arguments = ["--target", str(tmp_path / "site"), "--default-index", cove_index.simple_url]
    status, output = uv(tmp_path, "pip", "install", *arguments, "cove-test-lib")
    assert status == 0, output
    assert (tmp_path / "site" / "cove_test_lib.py").is_file()


def test_uv_locks_and_syncs_a_project(filled: PrivateIndex, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        f"""
        [project]
        name = "demo"
        version = "0"
        requires-python = ">=3.11"
        dependencies = ["cove-test-app"]

        [tool.uv]
        package = false

        [[tool.uv.index]]
        name = "private-registry"
        url = "{filled.running.simple_url.public}"
        default = true
        """
    )
    secret = {
        "UV_INDEX_PRIVATE_REGISTRY_USERNAME": filled.username,
        "UV_INDEX_PRIVATE_REGISTRY_PASSWORD": filled.password.reveal(),
        "UV_NO_CONFIG": "0",
    }
    status, output = uv(tmp_path, "sync", **secret)
    assert status == 0, output
    lock = (tmp_path / "uv.lock").read_text()
    assert "upload-time" in lock
    assert "size = " in lock
    assert filled.password.reveal() not in lock
    assert list((tmp_path / ".venv").rglob("cove_test_lib.py"))
    status, output = uv(tmp_path, "sync", "--reinstall", "--no-cache", UV_NO_CONFIG="0")
    assert status != 0, "without credentials nothing is to be had"


def test_uv_publishes_and_publishes_again(
    cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path
) -> None:
    wheel = wheel_factory.wheel("foo-bar", requires=["zeta>1"]).write_to(tmp_path / "dist")
    wheel_factory.sdist("foo-bar").write_to(tmp_path / "dist")
    for _ in range(2):
        status, output = uv(tmp_path, *publish_arguments(cove_index))
        assert status == 0, output
    assert (cove_index.running.store.root / "foo-bar" / wheel.name).read_bytes() == wheel.read_bytes()
    cove_index.running.requests.clear()
    status, output = uv(tmp_path, *publish_arguments(cove_index, "--check-url", cove_index.simple_url))
    assert status == 0, output
    assert "POST" not in {seen.method for seen in cove_index.running.requests}


def test_uv_shows_why_a_file_is_refused(
    cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path
) -> None:
    cove_index.add(wheel_factory.wheel("foo"))
    wheel_factory.wheel("foo", files={"more.py": ""}).write_to(tmp_path / "dist")
    status, output = uv(tmp_path, *publish_arguments(cove_index))
    assert status == 2
    assert "already exists on this index with other content" in " ".join(output.split())


METADATA = """\
Metadata-Version: 2.4
Name: foo.bar
Version: 1.0
Summary: short
Author: Zoë
Author-email: zoe@example.com
Maintainer: Max
Maintainer-email: max@example.com
Home-page: https://example.com/
Download-URL: https://example.com/d
Keywords: a,b
License-Expression: MIT
License-File: LICENSE
License-File: NOTICE
Dynamic: version
Platform: any
Classifier: Programming Language :: Python
Classifier: Private :: Do Not Upload
Requires-Python: >=3.8
Requires-Dist: zeta>1
Requires-Dist: alpha; python_version < "3"
Requires-External: libpng (>=1.5)
Provides-Extra: fast
Provides-Dist: other (1.0)
Obsoletes-Dist: older
Project-URL: Source, https://example.com/s
Description-Content-Type: text/markdown

# Title

text
"""


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_our_form_is_the_one_that_uv_sends(kind: str, wheel_factory: PackageFactory, tmp_path: Path) -> None:
    make = wheel_factory.wheel if kind == "wheel" else wheel_factory.sdist
    built: BuiltFile = make("foo_bar", metadata=METADATA)
    built.write_to(tmp_path / "dist")
    with serving(lambda received: Reply(200)) as server:
        status, output = uv(
            tmp_path, "publish", "--publish-url", server.url, "-u", "a", "-p", "b", "--trusted-publishing", "never"
        )
        assert status == 0, output
        (received,) = (each for each in server.log if each.method == "POST")
    assert tuple(text_fields(received)) == fields(METADATA.encode(), facts_of(built))


def text_fields(received: Received) -> list[tuple[str, str]]:
    boundary = received.headers["content-type"].partition("boundary=")[2].encode()
    result = []
    for part in received.body.split(b"--" + boundary)[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        assert name is not None
        if b"filename=" not in head:
            result.append((name[1].decode(), value.removesuffix(b"\r\n").decode()))
    return result
