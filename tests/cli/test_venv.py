import json
import sys
from pathlib import Path

import pytest

from cove.testing import PackageFactory, PrivateIndex
from support.commandline import Sandbox
from support.programs import clean_environment, run

HERE = "{}.{}".format(*sys.version_info)


def test_an_environment_beside_nothing(sandbox: Sandbox) -> None:
    told = sandbox.cove("venv").ok()
    assert told.stdout == ""
    assert "Made the environment .venv\nActivate it with: source .venv/bin/activate\n" in told.stderr
    python = sandbox.work / ".venv" / "bin" / "python"
    done = run([str(python), "-c", "import sys; print(sys.prefix)"], clean_environment(sandbox.home), sandbox.work)
    assert done.stdout.strip() == str(sandbox.work / ".venv")
    assert not (sandbox.work / ".venv" / "bin" / "pip").exists()


def test_the_shell_decides_how_it_is_activated(sandbox: Sandbox) -> None:
    told = sandbox.cove("venv", "my env", SHELL="/usr/bin/fish").ok()
    assert "source 'my env/bin/activate.fish'\n" in told.stderr


def test_what_is_there_stays_unless_asked(sandbox: Sandbox) -> None:
    sandbox.cove("venv").ok()
    kept = sandbox.work / ".venv" / "lib" / f"python{HERE}" / "site-packages" / "mine.py"
    kept.write_text("")
    assert "--clear" in sandbox.cove("venv").stderr
    sandbox.cove("venv", "--allow-existing").ok()
    assert kept.exists()
    sandbox.cove("venv", "--clear").ok()
    assert not kept.exists()
    assert sandbox.cove("venv", "--clear", "--allow-existing").status == 2
    (sandbox.work / "thesis").mkdir()
    (sandbox.work / "thesis" / "text").write_text("mine")
    assert sandbox.cove("venv", "--clear", "thesis").status == 2
    assert (sandbox.work / "thesis" / "text").read_text() == "mine"


def test_prompt_and_packages_of_the_base(sandbox: Sandbox) -> None:
    sandbox.cove("venv", "a", "--prompt", ".", "--system-site-packages").ok()
    text = (sandbox.work / "a" / "pyvenv.cfg").read_text()
    assert "prompt = work\n" in text
    assert "include-system-site-packages = true\n" in text


def test_the_project_decides(sandbox: Sandbox) -> None:
    project = sandbox.project('[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3"\n', "demo")
    sandbox.cove("venv", cwd=project).ok()
    assert "prompt = demo\n" in (project / ".venv" / "pyvenv.cfg").read_text()
    sandbox.cove("venv", cwd=project, UV_PROJECT_ENVIRONMENT="elsewhere").ok()
    assert (project / "elsewhere" / "pyvenv.cfg").exists()
    (project / "below").mkdir()
    sandbox.cove("venv", cwd=project / "below").ok()
    assert (project / "below" / ".venv").is_dir()


def test_a_project_that_no_python_fits(sandbox: Sandbox) -> None:
    sandbox.project('[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=9"\n')
    refused = sandbox.cove("venv")
    assert refused.status == 2
    assert ">=9" in refused.stderr
    assert not (sandbox.work / ".venv").exists()
    warned = sandbox.cove("venv", "--python", HERE).ok()
    assert "requires Python >=9" in warned.stderr
    assert "warning" not in sandbox.cove("venv", "--no-project", "other").ok().stderr


def test_as_json(sandbox: Sandbox) -> None:
    told = json.loads(sandbox.cove("venv", "--output-format", "json").ok().stdout)
    assert told["path"] == str(sandbox.work / ".venv")
    assert told["python"].startswith(HERE)


def test_pip_comes_from_the_indexes(sandbox: Sandbox, cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    refused = sandbox.cove("venv", "--seed", "--default-index", cove_index.simple_url)
    assert refused.status == 1
    assert not (sandbox.work / ".venv").exists()
    cove_index.add(wheel_factory.wheel("pip", "99", scripts={"pip": "pip:main"}))
    sandbox.cove("venv", "--seed", "--refresh", "--default-index", cove_index.simple_url).ok()
    assert (sandbox.work / ".venv" / "bin" / "pip").exists()


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_file_is_not_replaced(sandbox: Sandbox, path: str) -> None:
    file = Path(sandbox.work / "file")
    file.write_text("mine")
    assert sandbox.cove("venv", "--clear", path).status == 2
    assert file.read_text() == "mine"


def test_what_variables_say_of_all_environments(sandbox: Sandbox) -> None:
    sandbox.cove("venv").ok()
    kept = sandbox.work / ".venv" / "mine"
    kept.write_text("")
    sandbox.cove("venv", "--allow-existing", UV_VENV_CLEAR="1").ok()
    assert kept.exists()
    sandbox.cove("venv", UV_VENV_CLEAR="1").ok()
    assert not kept.exists()
    sandbox.project('[project]\nname = "app"\nversion = "1"\nrequires-python = ">=9"\n')
    assert sandbox.cove("venv", "here").status == 2
    sandbox.cove("venv", "here", UV_NO_PROJECT="1").ok()
