import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cove.errors import EnvironmentRefused
from cove.install import activation
from cove.install.environment import (
    create,
    ensure_changeable,
    executable_in,
    is_environment,
    project_environment,
)
from cove.install.interpreter import Interpreter, probe
from cove.model.dataclasses import replace

BASE = probe(probe(Path(sys.executable)).base_executable)


def _bases() -> list[Interpreter]:
    """One base of every version on this machine, and the operating system's own, whose layout may differ."""
    found = {BASE.executable: BASE}
    for name in (
        "/usr/bin/python3",
        shutil.which("python3.12"),
        shutil.which("python3.13"),
        shutil.which("python3.14"),
    ):
        if not name or not os.path.exists(name):
            continue
        if subprocess.run([name, "-IS", "-c", "pass"], capture_output=True, check=False).returncode == 0:
            interpreter = probe(Path(name))
            found[interpreter.executable] = interpreter
    return list(found.values())


def _tree(folder: Path) -> dict[str, str]:
    """Every path below ``folder`` with what it holds, links unfollowed."""
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_text()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("base", _bases(), ids=str)
def test_what_is_returned_is_what_the_new_interpreter_says_of_itself(tmp_path: Path, base: Interpreter) -> None:
    made = create(tmp_path / "env", base)
    asked = probe(made.executable)
    # A base may be called by several names; which one an environment reports is the interpreter's choice.
    assert made.base_executable.samefile(asked.base_executable)
    assert replace(made, base_executable=asked.base_executable) == asked
    assert asked.is_virtual
    assert is_environment(tmp_path / "env")
    assert Path(made.paths["purelib"]).is_dir()
    names = ["python", "python3", "python{}.{}".format(*base.release)]
    assert all(os.access(Path(made.paths["scripts"], name), os.X_OK) for name in names)


def test_an_environment_is_isolated_unless_told_otherwise(tmp_path: Path) -> None:
    def path_of(name: str, *, system: bool) -> list[str]:
        made = create(tmp_path / name, BASE, system_site_packages=system)
        command = [str(made.executable), "-I", "-c", "import sys, json; print(json.dumps(sys.path))"]
        out = subprocess.run(command, capture_output=True, check=True).stdout
        return [str(each) for each in json.loads(out)]

    assert BASE.paths["purelib"] not in path_of("alone", system=False)
    assert BASE.paths["purelib"] in path_of("shared", system=True)


def test_the_configuration_says_what_pep_405_asks_for(tmp_path: Path) -> None:
    create(tmp_path / "env", BASE, prompt="shown\nhome = /elsewhere")
    lines = (tmp_path / "env" / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    values = dict(line.split(" = ", 1) for line in lines)
    assert values["home"] == str(BASE.base_executable.parent)
    assert values["version_info"] == BASE.version
    assert values["include-system-site-packages"] == "false"
    assert values["prompt"] == "shownhome = /elsewhere"
    assert (tmp_path / "env" / ".gitignore").read_text() == "*\n"
    assert (tmp_path / "env" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_an_environment_of_an_environment_has_the_same_base(tmp_path: Path) -> None:
    first = create(tmp_path / "one", BASE)
    second = create(tmp_path / "two", first)
    assert second.base_prefix == BASE.base_prefix
    assert second.target == probe(second.executable).target


def test_nothing_but_an_environment_is_ever_replaced(tmp_path: Path) -> None:
    for name in ("folder", "project"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "precious").write_text("mine")
    (tmp_path / "project" / "pyvenv.cfg").write_text("")
    (tmp_path / "project" / "pyproject.toml").write_text("")
    (tmp_path / "file").write_text("mine")
    before = _tree(tmp_path)
    for name in ("folder", "project", "file"):
        for clear, allow_existing in ((False, False), (True, False), (False, True)):
            with pytest.raises(EnvironmentRefused):
                create(tmp_path / name, BASE, clear=clear, allow_existing=allow_existing)
    assert _tree(tmp_path) == before


def test_an_environment_is_replaced_only_when_told_so(tmp_path: Path) -> None:
    made = create(tmp_path / "env", BASE)
    module = Path(made.paths["purelib"], "module.py")
    module.write_text("")
    with pytest.raises(EnvironmentRefused, match="already"):
        create(tmp_path / "env", BASE)
    create(tmp_path / "env", BASE, allow_existing=True)
    assert module.exists()
    create(tmp_path / "env", BASE, clear=True)
    assert not module.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["env"]
    assert probe(made.executable) == made


def test_an_empty_folder_is_filled_in_place(tmp_path: Path) -> None:
    (tmp_path / "env").mkdir()
    inode = (tmp_path / "env").stat().st_ino
    create(tmp_path / "env", BASE)
    assert (tmp_path / "env").stat().st_ino == inode


def test_a_link_to_an_environment_stays_a_link(tmp_path: Path) -> None:
    create(tmp_path / "real", BASE)
    (tmp_path / "env").symlink_to("real")
    made = create(tmp_path / "env", BASE, clear=True)
    assert os.readlink(tmp_path / "env") == "real"
    assert made.prefix == tmp_path / "real"


def test_a_failure_leaves_the_old_environment(tmp_path: Path) -> None:
    create(tmp_path / "env", BASE)
    before = _tree(tmp_path)
    broken = Interpreter(
        **{field: getattr(BASE, field) for field in Interpreter.__slots__ if field != "layout"},
        layout=dict(BASE.layout) | {"purelib": "lib/" + "x" * 300},
    )
    with pytest.raises(EnvironmentRefused, match="cannot be made"):
        create(tmp_path / "env", broken, clear=True)
    assert _tree(tmp_path) == before


def test_where_a_projects_environment_lies(tmp_path: Path) -> None:
    assert project_environment(tmp_path, {}) == tmp_path / ".venv"
    assert project_environment(tmp_path, {"UV_PROJECT_ENVIRONMENT": ""}) == tmp_path / ".venv"
    assert project_environment(tmp_path, {"UV_PROJECT_ENVIRONMENT": "envs/a"}) == tmp_path / "envs" / "a"
    assert project_environment(tmp_path, {"UV_PROJECT_ENVIRONMENT": "/opt/env"}) == Path("/opt/env")


def test_only_virtual_or_named_interpreters_may_be_changed(tmp_path: Path) -> None:
    ensure_changeable(create(tmp_path / "env", BASE), explicit=False)
    with pytest.raises(EnvironmentRefused, match="no virtual environment"):
        ensure_changeable(BASE, explicit=False)
    fields = {field: getattr(BASE, field) for field in Interpreter.__slots__}
    managed = Interpreter(**fields | {"paths": dict(BASE.paths) | {"stdlib": str(tmp_path)}})
    ensure_changeable(managed, explicit=True)
    (tmp_path / "EXTERNALLY-MANAGED").write_text("[externally-managed]\nError = ask apt\n")
    with pytest.raises(EnvironmentRefused, match="managed by the operating system") as caught:
        ensure_changeable(managed, explicit=True)
    assert caught.value.causes == ("ask apt",)
    ensure_changeable(managed, explicit=True, break_system_packages=True)


AWKWARD = 'it\'s "odd" $HOME `id` $(id) %n \\w !x @ROOT@ \u2018\u2019'


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh", "dash"])
def test_sh_activation_and_its_undoing(tmp_path: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    made = create(tmp_path / AWKWARD, BASE)
    script = """
    PS1='# '; . "$1"; . "$1"
    printf '%s\\n' "$VIRTUAL_ENV" "$VIRTUAL_ENV_PROMPT" "$PS1"; command -v python
    deactivate; printf '%s\\n' "$PATH" "${VIRTUAL_ENV-gone}" "$PS1"; command -v deactivate || echo undone
    """
    activate = str(executable_in(tmp_path / AWKWARD).with_name("activate"))
    done = subprocess.run(
        [shutil.which(shell) or "", "-euc", script, shell, activate],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stderr == ""
    root, prompt, shown, python, path, gone, plain, undone = done.stdout.splitlines()
    assert root == str(tmp_path / AWKWARD)
    assert prompt == AWKWARD
    assert "$" not in shown
    assert shown.endswith(") # ")
    assert python == str(made.executable)
    assert (path, gone, plain, undone) == ("/usr/bin:/bin", "gone", "# ", "undone")


def test_fish_activation(tmp_path: Path) -> None:
    fish = shutil.which("fish")
    if fish is None:
        pytest.skip("no fish here")
    create(tmp_path / AWKWARD, BASE)
    activate = executable_in(tmp_path / AWKWARD).with_name("activate.fish")
    command = "source $argv[1]; echo $VIRTUAL_ENV; deactivate; set -q VIRTUAL_ENV; or echo gone"
    done = subprocess.run([fish, "-Nc", command, str(activate)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(tmp_path / AWKWARD), "gone"]


def test_there_is_a_script_for_every_shell() -> None:
    assert set(activation.scripts("/env", "bin", "x")) == {"activate", "activate.fish", "activate.csh", "activate.ps1"}
