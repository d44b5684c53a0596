"""``cove export``, held to uv byte by byte on the locks that uv wrote."""

import json
import re
import tarfile
import tomllib
from pathlib import Path

import pytest

from cove import __version__
from cove.formats.uv_lock import parse
from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.programs import clean_environment, program, run
from support.scripted_server import Reply, serving

LOCKS = Path(__file__).parents[1] / "formats" / "data" / "locks"
VARIANTS: tuple[tuple[str, ...], ...] = (
    (),
    ("--all-extras", "--all-groups"),
    ("--no-editable", "--no-default-groups"),
    ("--no-hashes", "--no-annotate", "--no-emit-project"),
    ("--prune", "delta", "--no-emit-local"),
    ("--no-emit-package", "gamma", "--no-dev"),
    ("--only-group", "test"),
    ("--extra", "a", "--group", "vv"),
    ("--all-packages", "--no-emit-workspace"),
)


def project_of(name: str, folder: Path) -> None:
    """A copy of the lock with a ``pyproject.toml`` that has its project, extras, groups and indexes."""
    text = (LOCKS / f"{name}.lock").read_text()
    own = next(each for each in parse(text, name).packages if each.source.location == ".")
    chosen = own.default_groups if own.default_groups == "all" else list(own.default_groups)
    default = "" if chosen == ["dev"] else f"[tool.uv]\ndefault-groups = {chosen!r}\n"
    indexes = {each.source.location for each in parse(text, name).packages if each.source.kind == "registry"}
    folder.mkdir(parents=True)
    (folder / "uv.lock").write_text(text)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{own.name}"\nversion = "0"\nrequires-python = ">=3.11"\n[project.optional-dependencies]\n'
        + "".join(f"{extra} = []\n" for extra in own.provides_extras)
        + "[dependency-groups]\n"
        + "".join(f"{group} = []\n" for group in own.requires_dev)
        + default
        + "".join(f'[[tool.uv.index]]\nurl = "{url}"\n' for url in sorted(indexes))
    )


def without_what_differs(text: str) -> str:
    """What a program says of itself and what is never the same left out, and a URL within a package URL escaped whole."""
    if '"bomFormat"' not in text:
        return text.replace('"cove"', '"uv"')
    document = json.loads(text)
    document.pop("serialNumber", None)
    document["metadata"].pop("timestamp", None)
    document["metadata"].pop("tools")
    return json.dumps(document, indent=2).replace("%3Dsub&tag%3D", "%3Dsub%26tag%3D")


@pytest.mark.parametrize("form", ["requirements.txt", "pylock.toml", "cyclonedx1.5"])
@pytest.mark.parametrize(
    "name", ["conflicts", "default-groups", "directory", "empty", "extras", "forks", "git", "manifest", "plain", "sources"]
)  # fmt: skip
def test_as_uv_writes_it(sandbox: Sandbox, tmp_path: Path, name: str, form: str) -> None:
    folder = tmp_path / "project"
    project_of(name, folder)
    environment = clean_environment(tmp_path / "uv")
    compared = 0
    for variant in VARIANTS:
        argv = ("export", "--frozen", "--no-header", "--format", form, *variant)
        theirs = run([program("uv"), *argv, "--quiet"], environment, folder)
        ours = sandbox.cove(*argv, cwd=folder)
        assert (ours.status == 0) == (theirs.returncode == 0), (variant, ours.stderr, theirs.stderr)
        if ours.status == 0:
            assert without_what_differs(ours.stdout) == without_what_differs(theirs.stdout), variant
            compared += 1
        assert not ours.requests
    assert compared >= 5


def test_paths_are_seen_from_the_file(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    project_of("paths", folder)
    text = (folder / "uv.lock").read_text().replace('    { name = "libc", extra = ["z"] },\n', "", 1)
    (folder / "uv.lock").write_text(text)  # without the one package of which no digest is known
    environment = clean_environment(tmp_path / "uv")
    argv = ("export", "--frozen", "--no-header", "-o")
    for target in ("a/b/pylock.dev.toml", "pylock.toml", "a/requirements.txt"):
        assert run([program("uv"), *argv, target], environment, folder).returncode == 0
        theirs = (folder / target).read_text()
        ran = sandbox.cove(*argv, target, cwd=folder).ok()
        assert ran.stdout == ""
        assert (folder / target).read_text().replace('"cove"', '"uv"') == theirs


@pytest.fixture
def project(sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> Sandbox:
    """A locked project on a private index."""
    cove_index.add(
        wheel_factory.wheel("app", requires=["lib", "win; sys_platform == 'win32'"], extras={"more": ["extra"]}),
        wheel_factory.wheel("lib", "2.0"),
        wheel_factory.sdist("lib", "2.0"),
        wheel_factory.wheel("extra"),
        wheel_factory.wheel("win"),
    )
    sandbox.project(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["app"]\n'
        '[project.optional-dependencies]\nmore = ["app[more]"]\n'
        f'[[tool.uv.index]]\nname = "corp"\nurl = "{cove_index.simple_url}"\ndefault = true\n'
    )
    sandbox.cove("lock").ok()
    return sandbox


def test_no_secret_is_written(project: Sandbox, cove_index: PrivateIndex) -> None:
    secret = cove_index.password.reveal()
    index = cove_index.running.simple_url.public
    ran = project.cove("export", "--emit-index-url", "--emit-index-annotation", "--index", cove_index.simple_url).ok()
    assert secret not in ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == "# This file was autogenerated by cove via the following command:"
    assert lines[1].startswith("#    cove export --emit-index-url --emit-index-annotation --index ")
    assert f"--index-url {index}" in lines
    assert lines[-1] == f"    # from {index}"
    locked = project.cove("export", "--format", "pylock.toml").ok()
    assert secret not in locked.stdout
    packages = tomllib.loads(locked.stdout)["packages"]
    assert [(each["name"], each.get("marker", "")) for each in packages] == [
        ("app", ""),
        ("lib", ""),
        ("win", "sys_platform == 'win32'"),
    ]
    assert {each["index"] for each in packages} == {index}


def test_the_lock_is_brought_up_to_date_unless_forbidden(project: Sandbox) -> None:
    text = (project.work / "pyproject.toml").read_text()
    (project.work / "pyproject.toml").write_text(text.replace('["app"]', '["app", "extra"]'))
    stale = project.cove("export", "--locked")
    assert stale.status == 1
    assert "`extra`" in stale.stderr
    assert "extra==1.0" not in project.cove("export", "--frozen").ok().stdout
    assert "extra==1.0" in project.cove("export").ok().stdout
    assert project.cove("export", "--locked", "--frozen").status == 2


def test_files_without_a_digest_are_fetched_for_one(project: Sandbox) -> None:
    lock = project.work / "uv.lock"
    text = lock.read_text()
    lock.write_text(re.sub(r'hash = "sha256:[0-9a-f]+"(, )?', "", text))
    assert "sha256" not in lock.read_text()
    ran = project.cove("export", "--frozen", "--format", "pylock.toml", "--no-header").ok()
    lock.write_text(text)
    known = project.cove("export", "--frozen", "--format", "pylock.toml", "--no-header").ok()
    assert ran.stdout == known.stdout
    assert len(ran.requests) == 4
    assert not known.requests


def test_what_cannot_be_is_refused(project: Sandbox) -> None:
    for argv, said in (
        (("--extra", "nope"), "the project has no extra `nope`"),
        (("--group", "nope"), "the project has no group `nope`"),
        (("--package", "nope"), "the workspace has no member `nope`"),
        (("--format", "pylock.toml", "-o", "lock.toml"), "cannot be the name"),
        (("--format", "cyclonedx1.6"), "not one of the choices"),
        (("-o", "./pyproject.toml"), "it would be overwritten"),
    ):
        ran = project.cove("export", *argv)
        assert ran.status == 2, argv
        assert said in ran.stderr


def test_a_bill_of_materials_is_the_same_each_time(project: Sandbox, cove_index: PrivateIndex) -> None:
    ran = project.cove("export", "--format", "cyclonedx1.5", "-o", "bom.json").ok()
    text = (project.work / "bom.json").read_text()
    assert (ran.stdout, project.cove("export", "--format", "cyclonedx1.5").ok().stdout) == ("", text)
    assert cove_index.password.reveal() not in text
    document = json.loads(text)
    assert document["metadata"]["tools"] == [{"name": "cove", "version": __version__}]
    lib = next(each for each in document["components"] if each["name"] == "lib")
    assert lib["purl"].startswith("pkg:pypi/lib@2.0?repository_url=http://127.0.0.1:")
    assert [each["url"].rpartition("/")[2] for each in lib["externalReferences"]] == [
        "lib-2.0.tar.gz",
        "lib-2.0-py3-none-any.whl",
    ]


# -- installed again


def installed(sandbox: Sandbox) -> list[str]:
    return sandbox.cove("pip", "freeze", "--python", "other").ok().stdout.split()


@pytest.mark.parametrize("form", ["requirements.txt", "pylock.toml"])
def test_what_is_exported_is_installed(project: Sandbox, form: str) -> None:
    project.cove("export", "-o", form, "--extra", "more").ok()
    project.cove("venv", "--no-project", "other").ok()
    project.cove("pip", "install", "--python", "other", "-r", form).ok()
    assert installed(project) == ["app==1.0", "extra==1.0", "lib==2.0"]
    again = project.cove("pip", "sync", "--python", "other", form).ok()
    assert not again.requests
    assert "Audited 3 packages" in again.stderr
    project.cove("export", "-o", form).ok()
    project.cove("pip", "sync", "--python", "other", form).ok()
    assert installed(project) == ["app==1.0", "lib==2.0"]


def test_digests_are_checked(project: Sandbox) -> None:
    project.cove("export", "-o", "pylock.toml").ok()
    path = project.work / "pylock.toml"
    document = tomllib.loads(path.read_text())
    digest = document["packages"][0]["wheels"][0]["hashes"]["sha256"]
    path.write_text(path.read_text().replace(digest, "0" * 64))
    project.cove("venv", "--no-project", "other").ok()
    ran = project.cove("pip", "install", "--python", "other", "-r", "pylock.toml")
    assert ran.status == 1
    assert "`app` 1.0" in ran.stderr
    assert "another sha256 digest" in ran.stderr
    assert installed(project) == []


def test_a_lock_stands_alone(project: Sandbox) -> None:
    project.cove("export", "-o", "pylock.toml").ok()
    project.cove("venv", "--no-project", "other").ok()
    for argv in (("app",), ("-r", "pyproject.toml"), ("-c", "pyproject.toml"), ("-r", "pylock.dev.toml")):
        ran = project.cove("pip", "install", "--python", "other", "-r", "pylock.toml", *argv)
        assert ran.status == 2, argv
        assert "nothing else can be asked for" in ran.stderr
    ran = project.cove("pip", "compile", "pylock.toml")
    assert (ran.status, "is a lock" in ran.stderr) == (2, True)


def test_parts_of_a_lock_and_sources(project: Sandbox, wheel_factory: PackageFactory) -> None:
    """Extras and groups choose, archives and sdists beside the lock are installed, and building can be forbidden."""
    wheel = wheel_factory.wheel("local", "3.0")
    wheel.write_to(project.work / "files")
    sdist = wheel_factory.sdist("built", "1.0")
    sdist.write_to(project.work / "files")
    (project.work / "pylock.parts.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "hand"\nextras = ["x"]\ndependency-groups = ["g"]\n'
        f'[[packages]]\nname = "local"\nmarker = "\'x\' in extras"\n'
        f'archive = {{ path = "files/{wheel.filename}", hashes = {{ sha256 = "{wheel.sha256}" }} }}\n'
        f'[[packages]]\nname = "built"\nversion = "1.0"\nmarker = "\'g\' in dependency_groups"\n'
        f'sdist = {{ path = "files/{sdist.filename}", hashes = {{ sha256 = "{sdist.sha256}" }} }}\n'
    )
    project.cove("venv", "--no-project", "other").ok()
    argv = ("pip", "install", "--python", "other", "-r", "pylock.parts.toml")
    project.cove(*argv).ok()
    assert installed(project) == []
    refused = project.cove(*argv, "--group", "g", "--only-binary", ":all:")
    assert (refused.status, "building is forbidden" in refused.stderr) == (1, True)
    project.cove(*argv, "--all-extras", "--group", "g").ok()
    assert [line.partition("==")[0].partition(" ")[0] for line in installed(project) if "://" not in line] == [
        "built", "local", "@",
    ]  # fmt: skip
    emptied = project.cove("pip", "sync", "--python", "other", "pylock.parts.toml")
    assert (emptied.status, "would be emptied" in emptied.stderr) == (2, True)
    project.cove("pip", "sync", "--python", "other", "pylock.parts.toml", "--allow-empty-requirements").ok()
    assert installed(project) == []


def test_a_folder_is_built_each_time(project: Sandbox, wheel_factory: PackageFactory) -> None:
    source = wheel_factory.sdist("here", "4.0").write_to(project.work / "files")
    with tarfile.open(source) as archive:
        archive.extractall(project.work, filter="data")
    (project.work / "locks").mkdir()
    (project.work / "locks" / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "hand"\n'
        '[[packages]]\nname = "here"\ndirectory = { path = "../here-4.0", editable = false }\n'
    )
    project.cove("venv", "--no-project", "other").ok()
    argv = ("pip", "install", "--python", "other", "-r", "locks/pylock.toml")
    for said in ("+ here==4.0", "~ here==4.0"):
        assert said in project.cove(*argv).ok().stderr
    assert project.cove("pip", "freeze", "--python", "other").ok().stdout.startswith("here @ file://")


def test_a_lock_from_a_server_reaches_no_file_of_this_machine(project: Sandbox) -> None:
    project.cove("export", "-o", "pylock.toml").ok()
    served = {
        "/pylock.toml": (project.work / "pylock.toml").read_bytes(),
        "/pylock.local.toml": b'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "etc"\n'
        b'directory = { path = "/etc" }\n',
        "/pylock.url.toml": (project.work / "pylock.toml").read_bytes().replace(b"http://", b"file:///"),
    }
    with serving(lambda request: Reply(200, served[request.path])) as server:
        project.cove("venv", "--no-project", "other").ok()
        project.cove("pip", "install", "--python", "other", "-r", f"{server.url}/pylock.toml").ok()
        assert installed(project) == ["app==1.0", "lib==2.0"]
        for name in ("pylock.local.toml", "pylock.url.toml"):
            ran = project.cove("pip", "install", "--python", "other", "--reinstall", "-r", f"{server.url}/{name}")
            assert (ran.status, "lies beside the lock, which is not on this machine" in ran.stderr) == (2, True)


# -- compiled


def test_compiled_locks(project: Sandbox, cove_index: PrivateIndex) -> None:
    (project.work / "requirements.in").write_text("app[more]\n")
    ran = project.cove("pip", "compile", "requirements.in", "--format", "pylock.toml", "--no-header").ok()
    assert cove_index.password.reveal() not in ran.stdout
    document = tomllib.loads(ran.stdout)
    assert [each["name"] for each in document["packages"]] == ["app", "extra", "lib"]
    assert document["packages"][2]["sdist"]["url"].endswith("/lib-2.0.tar.gz")
    assert document["requires-python"].startswith(">=3.")
    argv = ("pip", "compile", "requirements.in", "--universal", "-o", "pylock.toml")
    project.cove(*argv).ok()
    path = project.work / "pylock.toml"
    markers = {each["name"]: each.get("marker") for each in tomllib.loads(path.read_text())["packages"]}
    assert markers == {"app": None, "extra": None, "lib": None, "win": "sys_platform == 'win32'"}


def test_what_a_compiled_lock_has_is_preferred(
    project: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory
) -> None:
    (project.work / "requirements.in").write_text("lib\n")
    argv = ("pip", "compile", "requirements.in", "-o", "pylock.toml", "--no-header")
    project.cove(*argv).ok()
    before = (project.work / "pylock.toml").read_bytes()
    cove_index.add(wheel_factory.wheel("lib", "3.0"))
    project.cove(*argv, "--refresh").ok()
    assert (project.work / "pylock.toml").read_bytes() == before
    project.cove(*argv, "--refresh", "-P", "lib").ok()
    assert tomllib.loads((project.work / "pylock.toml").read_text())["packages"][0]["version"] == "3.0"


@pytest.mark.parametrize(
    "said, instead",
    [
        ('version = "1.0"', f'version = "{"9" * 5000}"'),
        ('version = "1.0"', 'version = "a b"'),
        ("requires-python = ", 'required-markers = ["os_name"]\nrequires-python = '),
        ('requires-python = ">=', 'requires-python = "about >='),
    ],
)
def test_what_a_lock_says_that_nobody_can_read_is_named(project: Sandbox, said: str, instead: str) -> None:
    project.cove("lock").ok()
    path = project.work / "uv.lock"
    path.write_text(path.read_text().replace(said, instead, 1))
    for command in ("export",), ("export", "--format", "pylock.toml"):
        done = project.cove(*command, "--frozen")
        assert done.status == 2
        assert f"{path}: " in done.stderr
        assert "unexpected" not in done.stderr
