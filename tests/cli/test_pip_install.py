from pathlib import Path

import pytest

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.scripted_server import Received, Reply, serving


@pytest.fixture
def pip(sandbox: Sandbox, cove_index: PrivateIndex) -> Sandbox:
    """A sandbox with an environment, that knows one index and no other."""
    sandbox.cove("venv").ok()
    return sandbox.using({"UV_DEFAULT_INDEX": cove_index.simple_url})


def freeze(sandbox: Sandbox) -> list[str]:
    return sandbox.cove("pip", "freeze").ok().stdout.splitlines()


def test_installs_with_dependencies_then_asks_nothing(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(
        wheel_factory.wheel("app", requires=["lib>=1", "never; python_version < '3'"], extras={"more": ["extra"]}),
        wheel_factory.wheel("lib", "1.1"),
        wheel_factory.wheel("extra"),
    )
    ran = pip.cove("pip", "install", "app").ok()
    assert ran.stdout == ""
    assert ran.stderr.splitlines() == [
        "Resolved 2 packages",
        "Installed 2 packages",
        " + app==1.0",
        " + lib==1.1",
    ]
    assert freeze(pip) == ["app==1.0", "lib==1.1"]
    again = pip.cove("pip", "install", "app>=1", "lib").ok()
    assert again.stderr.splitlines() == ["Audited 2 packages"]
    assert again.requests == ()
    more = pip.cove("pip", "install", "app[more]").ok()
    assert freeze(pip) == ["app==1.0", "extra==1.0", "lib==1.1"]
    assert more.requests


def test_what_is_installed_is_kept_until_an_upgrade(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(
        *(wheel_factory.wheel("lib", version) for version in ("1.0", "2.0")),
        wheel_factory.wheel("app", requires=["lib"]),
    )
    pip.cove("pip", "install", "lib==1.0").ok()
    pip.cove("pip", "install", "app").ok()
    assert freeze(pip) == ["app==1.0", "lib==1.0"]
    pip.cove("pip", "install", "app", "-P", "lib").ok()
    assert freeze(pip) == ["app==1.0", "lib==2.0"]
    pip.cove("pip", "install", "lib<2").ok()
    pip.cove("pip", "install", "-U", "lib").ok()
    assert freeze(pip) == ["app==1.0", "lib==2.0"]


def test_a_package_that_no_index_has_any_more_still_counts(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path
) -> None:
    local = wheel_factory.wheel("lib", "1.5").write_to(tmp_path / "files")
    cove_index.add(wheel_factory.wheel("app", requires=["lib>1"]))
    pip.cove("pip", "install", str(local)).ok()
    ran = pip.cove("pip", "install", "app").ok()
    assert " + lib" not in ran.stderr
    assert freeze(pip) == ["app==1.0", f"lib @ {local.as_uri()}"]


def test_a_replacement_that_another_package_does_not_accept_is_told(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(
        *(wheel_factory.wheel("lib", version) for version in ("1.0", "2.0")),
        wheel_factory.wheel("app", requires=["lib<2"]),
    )
    pip.cove("pip", "install", "app").ok()
    ran = pip.cove("pip", "install", "lib==2.0").ok()
    assert "`app` 1.0 requires `lib<2`, and that is 2.0 now" in ran.stderr


def test_dry_run_and_no_deps(pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    cove_index.add(wheel_factory.wheel("app", requires=["lib"]), wheel_factory.wheel("lib"))
    ran = pip.cove("pip", "install", "--dry-run", "app").ok()
    assert "Would have installed 2 packages" in ran.stderr
    assert freeze(pip) == []
    pip.cove("pip", "install", "--no-deps", "app").ok()
    assert freeze(pip) == ["app==1.0"]


def test_paths_projects_and_editables(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path
) -> None:
    cove_index.add(wheel_factory.wheel("lib"))
    wheel_factory.wheel("app", requires=["lib"]).write_to(pip.work / "dist")
    wheel_factory.sdist("src-app").write_to(pip.work / "dist")
    pip.cove("pip", "install", "dist/app-1.0-py3-none-any.whl", "./dist/src_app-1.0.tar.gz").ok()
    base = (pip.work / "dist").as_uri()
    assert freeze(pip) == [
        f"app @ {base}/app-1.0-py3-none-any.whl",
        "lib==1.0",
        f"src-app @ {base}/src_app-1.0.tar.gz",
    ]
    again = pip.cove("pip", "install", "dist/app-1.0-py3-none-any.whl").ok()
    assert again.stderr.splitlines() == ["Audited 1 package"]
    wheel_factory.wheel("app", files={"new.py": ""}).write_to(pip.work / "dist")
    changed = pip.cove("pip", "install", "dist/app-1.0-py3-none-any.whl").ok()
    assert " ~ app==1.0" in changed.stderr


def test_requirement_files_with_indexes_constraints_and_variables(
    sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    sandbox.cove("venv").ok()
    cove_index.add(
        *(wheel_factory.wheel("lib", version) for version in ("1.0", "2.0")),
        wheel_factory.wheel("app", requires=["lib"]),
    )
    scheme, _, rest = cove_index.running.simple_url.public.partition("://")
    (sandbox.work / "reqs").mkdir()
    (sandbox.work / "reqs" / "main.txt").write_text(
        f"--index-url {scheme}://${{INDEX_USER}}:${{INDEX_PASSWORD}}@{rest}\n-c limits.txt\n-r more.txt\n"
    )
    (sandbox.work / "reqs" / "limits.txt").write_text("lib<2\n")
    (sandbox.work / "reqs" / "more.txt").write_text("app  # what we are here for\n")
    password = cove_index.password.reveal()
    ran = sandbox.cove(
        "pip", "install", "-r", "reqs/main.txt", "-vv", INDEX_USER=cove_index.username, INDEX_PASSWORD=password
    ).ok()
    assert freeze(sandbox) == ["app==1.0", "lib==1.0"]
    assert password not in ran.stderr + ran.stdout


def test_the_command_line_outranks_a_file(
    sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    sandbox.cove("venv").ok()
    cove_index.add(wheel_factory.wheel("lib"))
    (sandbox.work / "r.txt").write_text("-i http://127.0.0.1:9/nothing/\nlib\n")
    sandbox.cove("pip", "install", "-r", "r.txt", "--default-index", cove_index.simple_url).ok()
    assert freeze(sandbox) == ["lib==1.0"]


def test_projects_extras_and_groups(pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    cove_index.add(*(wheel_factory.wheel(name) for name in ("base", "web", "test")))
    pip.project(
        '[project]\nname = "p"\nversion = "1"\ndependencies = ["base"]\n[project.optional-dependencies]\nweb = ["web"]\n'
        '[dependency-groups]\ndev = ["test"]\n'
    )
    pip.cove("pip", "install", "--group", "dev").ok()
    assert freeze(pip) == ["test==1.0"]
    pip.cove("pip", "install", "-r", "pyproject.toml", "--extra", "web").ok()
    assert freeze(pip) == ["base==1.0", "test==1.0", "web==1.0"]
    assert "has no extra `nope`" in pip.cove("pip", "install", "-r", "pyproject.toml", "--extra", "nope").stderr
    assert "has no group `nope`" in pip.cove("pip", "install", "--group", "nope").stderr


def test_hashes_are_verified(pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    wheel = wheel_factory.wheel("lib")
    cove_index.add(wheel)
    file = pip.work / "r.txt"
    file.write_text(f"lib==1.0 --hash=sha256:{'0' * 64}\n")
    wrong = pip.cove("pip", "install", "-r", "r.txt")
    assert wrong.status == 1
    assert "digest" in wrong.stderr
    assert freeze(pip) == []
    pip.cove("pip", "install", "-r", "r.txt", "--no-verify-hashes").ok()
    file.write_text(f"lib==1.0 --hash=sha256:{'0' * 64} --hash=sha256:{wheel.sha256}\n")
    pip.cove("pip", "install", "-r", "r.txt", "--require-hashes", "--reinstall").ok()


def test_required_hashes_are_required_of_everything(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    app = wheel_factory.wheel("app", requires=["lib"])
    cove_index.add(app, wheel_factory.wheel("lib"))
    for text, message in (
        ("app==1.0", "`app==1.0` (-r r.txt) has none"),
        (f"app --hash=sha256:{app.sha256}", "`app` (-r r.txt) is not pinned"),
        (f"app==1.0 --hash=sha256:{app.sha256}", "`lib`, which something asked for requires"),
    ):
        (pip.work / "r.txt").write_text(text)
        ran = pip.cove("pip", "install", "--require-hashes", "-r", "r.txt")
        assert (ran.status, freeze(pip)) == (2, [])
        assert message in ran.stderr


def test_environments_that_are_not_virtual_are_left_alone(sandbox: Sandbox) -> None:
    ran = sandbox.cove("pip", "install", "lib")
    assert ran.status == 2
    assert "no virtual environment found" in ran.stderr


def test_sync_removes_the_rest(pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    cove_index.add(
        wheel_factory.wheel("app", requires=["lib"]),
        wheel_factory.wheel("lib"),
        *(wheel_factory.wheel("b", v) for v in ("1.0", "2.0")),
    )
    pip.cove("pip", "install", "app", "b").ok()
    (pip.work / "r.txt").write_text("app==1.0\nb==1.0\nnot-here==1; sys_platform == 'none'\n")
    ran = pip.cove("pip", "sync", "r.txt").ok()
    assert freeze(pip) == ["app==1.0", "b==1.0"]
    assert ran.stderr.splitlines()[1:] == [
        "Uninstalled 2 packages",
        "Installed 1 package",
        " - b==2.0",
        " + b==1.0",
        " - lib==1.0",
    ]
    again = pip.cove("pip", "sync", "r.txt").ok()
    assert (again.stderr, again.requests) == ("Audited 2 packages\n", ())
    (pip.work / "empty.txt").write_text("# nothing\n")
    refused = pip.cove("pip", "sync", "empty.txt")
    assert refused.status == 2
    assert len(freeze(pip)) == 2
    pip.cove("pip", "sync", "empty.txt", "--allow-empty-requirements").ok()
    assert freeze(pip) == []


def test_uninstall(pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    cove_index.add(wheel_factory.wheel("a"), wheel_factory.wheel("b"))
    pip.cove("pip", "install", "a", "b").ok()
    ran = pip.cove("pip", "uninstall", "A", "zzz").ok()
    assert ran.stderr.splitlines() == ["warning: `zzz` is not installed", "Uninstalled 1 package", " - a==1.0"]
    assert freeze(pip) == ["b==1.0"]
    assert pip.cove("pip", "uninstall", "zzz").status == 1


def test_list(pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    cove_index.add(wheel_factory.wheel("a"), wheel_factory.wheel("Some.Thing", "2.0"))
    assert pip.cove("pip", "list").ok().stdout == ""
    pip.cove("pip", "install", "a", "some-thing").ok()
    assert pip.cove("pip", "list").ok().stdout.splitlines() == [
        "Package    Version",
        "---------- -------",
        "a          1.0",
        "some-thing 2.0",
    ]
    assert '"version": "2.0"' in pip.cove("pip", "list", "--format", "json").ok().stdout
    assert pip.cove("pip", "list", "--format", "freeze", "--exclude", "a").ok().stdout == "some-thing==2.0\n"


def test_direct_urls_keep_their_password_to_themselves(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    wheel = wheel_factory.wheel("lib")
    cove_index.add(wheel)
    listing = cove_index.running.requests
    pip.cove("pip", "install", "lib").ok()
    path = next(seen.path for seen in listing if seen.path.endswith(wheel.filename))
    pip.cove("pip", "uninstall", "lib").ok()
    root = cove_index.simple_url.partition("/simple")[0]
    password = cove_index.password.reveal()
    ran = pip.cove("pip", "install", "-vv", f"lib @ {root}{path}").ok()
    assert password not in ran.stderr + ran.stdout
    assert freeze(pip) == [f"lib @ {root.replace(f'{cove_index.username}:{password}@', '')}{path}"]
    assert not any(password.encode() in file.read_bytes() for file in pip.work.rglob("*") if file.is_file())
    bad = pip.cove("pip", "install", f"other @ {root}{path}")
    assert bad.status == 1
    assert password not in bad.stderr


BACKEND = """\
import base64
import hashlib
import zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    info = "proj-1.0.dist-info"
    files = {
        "proj.py": b"",
        f"{info}/METADATA": b"Metadata-Version: 2.1\\nName: proj\\nVersion: 1.0\\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    record = ""
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\\n"
    files[f"{info}/RECORD"] = record.encode() + f"{info}/RECORD,,\\n".encode()
    with zipfile.ZipFile(f"{folder}/proj-1.0-py3-none-any.whl", "w") as wheel:
        for path, data in files.items():
            wheel.writestr(path, data)
    return "proj-1.0-py3-none-any.whl"


build_editable = build_wheel
"""


@pytest.mark.parametrize("table", ["", '[project]\nname = "proj"\ndynamic = ["version"]\n'])
def test_folders_are_built_each_time_in_place_or_not(sandbox: Sandbox, table: str) -> None:
    sandbox.cove("venv").ok()
    folder = sandbox.project(
        f'{table}[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n', "proj"
    )
    (folder / "backend.py").write_text(BACKEND)
    sandbox.cove("pip", "install", "--no-index", "-e", "./proj").ok()
    assert freeze(sandbox) == [f"-e {folder.as_uri()}"]
    assert str(folder) in sandbox.cove("pip", "list", "--editable").ok().stdout
    again = sandbox.cove("pip", "install", "--no-index", "-e", "proj").ok()
    assert " ~ proj==1.0" in again.stderr
    sandbox.cove("pip", "install", "--no-index", "proj/").ok()
    assert freeze(sandbox) == [f"proj @ {folder.as_uri()}"]
    compiled = sandbox.cove("pip", "compile", "--no-index", "--no-header", "proj/r.in").stderr
    assert "the file `proj/r.in` cannot be read" in compiled
    (folder / "r.in").write_text("-e ./proj\n")
    assert sandbox.cove("pip", "compile", "--no-index", "proj/r.in").ok().stdout.splitlines()[2] == "-e ./proj"
    sandbox.cove("pip", "uninstall", "-r", "proj/r.in").ok()
    assert freeze(sandbox) == []


def test_a_variable_never_outranks_an_environment_that_is_there(pip: Sandbox) -> None:
    ran = pip.cove("pip", "uninstall", "nothing", UV_PYTHON="/nowhere/python3")
    assert "is used, although $UV_PYTHON asks for /nowhere/python3" in ran.stderr
    ran = pip.cove("pip", "uninstall", "nothing", "--python", "/nowhere/python3")
    assert ran.status == 2
    assert "/nowhere/python3 does not exist" in ran.stderr


def test_wrong_requirements_are_told_apart(pip: Sandbox) -> None:
    (pip.work / "r.txt").write_text("ok\nlib ==\n")
    for argv, status, message in (
        ((), 2, "there is nothing to install"),
        (("-r", "nope.txt"), 2, "the file `nope.txt` cannot be read"),
        (("-r", "r.txt"), 2, "r.txt:2: 'lib ==' is not a requirement"),
        (("--extra", "x", "lib"), 2, "extras belong to a pyproject.toml"),
        (("lib @ https://example.org/lib",), 1, "only wheels, sdists"),
        (("./nothing-here",), 1, "there is no file or folder"),
    ):
        ran = pip.cove("pip", "install", *argv)
        assert (ran.status, message in ran.stderr) == (status, True), ran.stderr


def test_requirement_files_are_read_from_servers(
    pip: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    cove_index.add(wheel_factory.wheel("lib"))

    def answer(seen: Received) -> Reply:
        if seen.headers.get("authorization", "") != "Basic bWU6czNjcmV0":
            return Reply(401)
        text = {"/main.txt": "-r more.txt\n", "/more.txt": "lib\nnot ok\n", "/good.txt": "lib\n"}.get(seen.path)
        return Reply(404) if text is None else Reply(200, text.encode())

    with serving(answer) as server:
        base = server.url.replace("://", "://me:s3cret@")
        wrong = pip.cove("pip", "install", "-r", f"{base}/main.txt", "-vv")
        missing = pip.cove("pip", "install", "-r", f"{base}/none.txt", "-vv")
        good = pip.cove("pip", "compile", f"{base}/good.txt", "-vv").ok()
    assert f"{server.url}/more.txt:2: 'not ok' is not a requirement" in wrong.stderr
    assert "none.txt" in missing.stderr
    assert f"    # via -r {server.url}/good.txt" in good.stdout.splitlines()
    for ran in (wrong, missing, good):
        assert "s3cret" not in ran.stdout + ran.stderr
