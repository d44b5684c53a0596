"""What is exported is installed by pip and uv, from both formats, with digests checked."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.programs import PYTHON, clean_environment, program, run


@pytest.fixture
def exported(cove_index: PrivateIndex, wheel_factory: PackageFactory, tmp_path: Path) -> Sandbox:
    """A folder with ``pylock.toml`` and ``requirements.txt`` of a project on a private index, of which only the latter's
    readers learn where it is."""
    cove_index.add(
        wheel_factory.wheel("cove-test-app", requires=["cove-test-lib", "cove-test-win; sys_platform == 'win32'"]),
        wheel_factory.wheel("cove-test-lib", "1.1"),
        wheel_factory.sdist("cove-test-lib", "1.1"),
        wheel_factory.wheel("cove-test-win"),
    )
    sandbox = Sandbox(tmp_path / "box")
    sandbox.project(
        '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["cove-test-app"]\n'
        f'[[tool.uv.index]]\nname = "corp"\nurl = "{cove_index.simple_url}"\ndefault = true\n'
    )
    for form in ("pylock.toml", "requirements.txt"):
        sandbox.cove("export", "-o", form).ok()
    host = cove_index.running.simple_url.host
    (sandbox.home / ".netrc").write_text(
        f"machine {host} login {cove_index.username} password {cove_index.password.reveal()}\n"
    )
    return sandbox


def clients(sandbox: Sandbox, index: PrivateIndex) -> dict[str, Sequence[str]]:
    target = ("--target", str(sandbox.root / "site"))
    to_index = ("--index-url", index.running.simple_url.public)
    return {
        "pip": (str(PYTHON), "-m", "pip", "install", "--no-cache-dir", *target, *to_index),
        "uv": (program("uv"), "pip", "install", "--python", str(PYTHON), *target, *to_index),
        "uv sync": (program("uv"), "pip", "sync", "--python", str(PYTHON), *target, *to_index),
    }


@pytest.mark.parametrize("form", ["pylock.toml", "requirements.txt"])
@pytest.mark.parametrize("client", ["pip", "uv", "uv sync"])
def test_others_install_it(exported: Sandbox, cove_index: PrivateIndex, client: str, form: str) -> None:
    argv = [*clients(exported, cove_index)[client], *([] if client == "uv sync" else ["-r"]), form]
    environment = clean_environment(exported.home, NETRC=str(exported.home / ".netrc"))
    finished = run(argv, environment, exported.work)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    site = exported.root / "site"
    assert sorted(path.name for path in site.glob("*.dist-info")) == [
        "cove_test_app-1.0.dist-info",
        "cove_test_lib-1.1.dist-info",
    ]


@pytest.mark.parametrize("client", ["pip", "uv", "uv sync"])
def test_others_check_the_digests(exported: Sandbox, cove_index: PrivateIndex, client: str) -> None:
    text = (exported.work / "pylock.toml").read_text()
    digest = text.partition('sha256 = "')[2][:64]
    (exported.work / "pylock.toml").write_text(text.replace(digest, "0" * 64))
    argv = [*clients(exported, cove_index)[client], *([] if client == "uv sync" else ["-r"]), "pylock.toml"]
    finished = run(argv, clean_environment(exported.home, NETRC=str(exported.home / ".netrc")), exported.work)
    assert finished.returncode != 0
    assert "hash" in (finished.stdout + finished.stderr).lower()


def test_what_others_write_is_installed(exported: Sandbox, cove_index: PrivateIndex) -> None:
    """By pip (``pip lock``) and uv (``uv export``)."""
    environment = clean_environment(exported.home, NETRC=str(exported.home / ".netrc"))
    index = cove_index.running.simple_url.public
    made = {
        "pylock.pip.toml": (
            str(PYTHON), "-m", "pip", "lock", "--no-cache-dir", "--index-url", index, "cove-test-app", "-o",
        ),
        "pylock.uv.toml": (program("uv"), "export", "--frozen", "-o"),
    }  # fmt: skip
    for name, argv in made.items():
        finished = run([*argv, name], environment, exported.work)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        exported.cove("venv", "--no-project", "--clear", "other").ok()
        exported.cove("pip", "sync", "--python", "other", name).ok()
        frozen = exported.cove("pip", "freeze", "--python", "other").ok().stdout.split()
        assert frozen == ["cove-test-app==1.0", "cove-test-lib==1.1"], name
