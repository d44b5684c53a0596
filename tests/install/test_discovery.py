import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from cove.errors import ConfigurationError, PythonIncompatible, PythonNotFound
from cove.install import self_report
from cove.install.discovery import Request, find_base, find_environment, parse_request, pinned, reusable
from cove.install.environment import create, executable_in
from cove.install.interpreter import probe
from cove.model.event import Event, Noted, Warned
from cove.model.origin import Origin

FLAG = Origin("flag", "--python")
VARIABLE = Origin("variable", "UV_PYTHON")
REAL = probe(probe(Path(sys.executable)).base_executable)
MINOR = "{}.{}".format(*REAL.release)


def _python(folder: Path, name: str, version: str, implementation: str = "cpython", abi: str = "") -> Path:
    """A program that describes itself as an interpreter of any version would."""
    folder.mkdir(parents=True, exist_ok=True)
    minor = ".".join(version.split(".")[:2])
    nodot = minor.replace(".", "")
    said: Any = self_report.report()
    said |= {"executable": str(folder / name), "base_executable": str(folder / name)}
    said |= {"prefix": str(folder.parent), "base_prefix": str(folder.parent)}
    said |= {"abis": [abi or f"cp{nodot}"], "nodot": nodot}
    said["markers"] |= {"python_version": minor, "python_full_version": version, "implementation_name": implementation}
    answer = folder / f".{name}.json"
    answer.write_text(self_report.MARK + json.dumps(said))
    (folder / name).write_text(f"#!/bin/sh\n/bin/cat {answer}\n")
    (folder / name).chmod(0o755)
    return folder / name


def _shim(folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("#!/bin/sh\necho 'command not found; it exists in: 3.12.1' >&2; exit 127\n")
    (folder / name).chmod(0o755)


def _request(text: str, origin: Origin = FLAG) -> Request:
    return parse_request(text, origin, Path("/nowhere"))


@pytest.mark.parametrize(
    "text, implementation, version, free",
    [
        ("3", "", "3", False),
        ("3.12", "", "3.12", False),
        ("3.12.1", "", "3.12.1", False),
        ("3.14.0rc1", "", "3.14.0rc1", False),
        ("312", "", "3.12", False),
        ("3.13t", "", "3.13", True),
        ("cpython", "cpython", "", False),
        ("cpython3.12", "cpython", "3.12", False),
        ("CPython@3.12", "cpython", "3.12", False),
        ("cp312", "cpython", "3.12", False),
        ("pypy-3.10", "pypy", "3.10", False),
        ("pp310", "pypy", "3.10", False),
    ],
)
def test_requests_for_a_kind(text: str, implementation: str, version: str, free: bool) -> None:
    expected = Request(text, FLAG, implementation=implementation, version=version, free_threaded=free)
    assert _request(text) == expected
    assert not expected.names_one


def test_requests_for_one_or_for_a_range(tmp_path: Path) -> None:
    assert _request("python3.12").command == "python3.12"
    assert _request(">=3.11, <3.13").specifier == SpecifierSet(">=3.11,<3.13")
    assert parse_request("./env", FLAG, tmp_path).path == tmp_path / "env"
    assert parse_request("/usr/bin/python3", FLAG, tmp_path).path == Path("/usr/bin/python3")
    (tmp_path / "env").mkdir()
    assert parse_request("env", FLAG, tmp_path).path == tmp_path / "env"


@pytest.mark.parametrize("text", ["", "  ", ">=", "~=x", "a\x1bb", ">=3.1 or so"])
def test_what_is_no_request_names_its_origin(text: str) -> None:
    with pytest.raises(ConfigurationError, match="UV_PYTHON"):
        _request(text, VARIABLE)


@pytest.mark.parametrize(
    "text, fits",
    [
        ("3", True),
        ("3.1", False),
        ("3.12", True),
        ("3.12.1", False),
        ("3.12.10", True),
        (">=3.11", True),
        ("<3.12", False),
    ],
)
def test_a_version_is_met_by_its_refinements(tmp_path: Path, text: str, fits: bool) -> None:
    assert _request(text).fits(probe(_python(tmp_path / "bin", "python", "3.12.10"))) == fits


def test_builds_without_the_global_lock_are_taken_when_asked_for(tmp_path: Path) -> None:
    usual = _python(tmp_path / "usual", "python3.13", "3.13.1")
    free = _python(tmp_path / "free", "python3.13t", "3.13.1", abi="cp313t")
    path = {"PATH": os.pathsep.join((str(free.parent), str(usual.parent)))}
    assert find_base(_request("3.13"), environ=path).executable == usual
    assert find_base(_request("3.13t"), environ=path).executable == free


def test_path_is_searched_in_order(tmp_path: Path) -> None:
    _shim(tmp_path / "shims", "python3")
    _shim(tmp_path / "shims", "python3.12")
    old = _python(tmp_path / "a", "python3", "3.9.1")
    new = _python(tmp_path / "b", "python3.12", "3.12.4")
    newer = _python(tmp_path / "b", "python3.13", "3.13.4")
    environ = {"PATH": f"relative:{tmp_path}/shims:{tmp_path}/absent:{tmp_path}/a:{tmp_path}/b"}
    events: list[Event] = []
    assert find_base(None, environ=environ, report=events.append).executable == old
    assert any(isinstance(event, Noted) and "shims" in event.message for event in events)
    assert find_base(None, environ=environ, requires_python=SpecifierSet(">=3.10")).executable == newer
    assert find_base(_request("3.12"), environ=environ).executable == new
    assert find_base(_request("3.12.4"), environ=environ).executable == new
    assert find_base(_request("python3.13"), environ=environ).executable == newer
    assert find_base(_request(">=3.10,<3.13"), environ=environ).executable == new
    assert find_base(_request(str(old)), environ=environ).executable == old


def test_other_implementations_are_found_by_their_names(tmp_path: Path) -> None:
    pypy = _python(tmp_path / "bin", "pypy3.10", "3.10.14", "pypy", "pypy310_pp73")
    environ = {"PATH": str(tmp_path / "bin")}
    assert find_base(_request("pypy3.10"), environ=environ).executable == pypy
    pypy.rename(pypy.with_name("pypy3"))
    assert find_base(_request("pypy"), environ=environ).implementation == "pypy"


def test_the_message_tells_what_was_found_instead(tmp_path: Path) -> None:
    _python(tmp_path / "bin", "python3", "3.9.1")
    with pytest.raises(PythonNotFound, match=r"Python 3\.99 \(from --python\)") as caught:
        find_base(_request("3.99"), environ={"PATH": str(tmp_path / "bin")})
    assert str(tmp_path / "bin") in caught.value.causes[0]
    assert "Python 3.9.1" in caught.value.causes[1]


def test_a_request_that_the_project_excludes_is_said_so(tmp_path: Path) -> None:
    python = _python(tmp_path / "bin", "python3.9", "3.9.1")
    for text in ("3.9", str(python)):
        with pytest.raises(PythonIncompatible, match=r"requires Python >=3\.11"):
            find_base(_request(text), environ={"PATH": str(tmp_path / "bin")}, requires_python=SpecifierSet(">=3.11"))


def test_the_base_of_an_environment_on_path_is_taken(tmp_path: Path) -> None:
    made = create(tmp_path / "env", REAL)
    found = find_base(None, environ={"PATH": made.paths["scripts"]})
    assert not found.is_virtual
    assert found.base_prefix == REAL.base_prefix


def test_with_an_empty_path_the_interpreter_in_use_serves() -> None:
    assert find_base(None, environ={}).version == REAL.version


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PythonNotFound, match="does not exist"):
        find_base(_request(str(tmp_path / "python")), environ={})


# --- .python-version ---------------------------------------------------------------------------------------------------


def test_the_nearest_pin_counts(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / ".python-version").write_text("3.9\n")
    (tmp_path / "a" / ".python-version").write_text("\n# why\n3.12 # newest\n3.11\n")
    request = pinned(below)
    assert request is not None
    assert request.version == "3.12"
    assert request.origin == Origin("file", str(tmp_path / "a" / ".python-version"), 3)


@pytest.mark.parametrize("text", ["my-project-env\n", "system\n"])
def test_names_of_other_tools_are_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / ".python-version").write_text(text)
    events: list[Event] = []
    assert pinned(tmp_path, events.append) is None
    assert isinstance(events[0], Warned)
    (tmp_path / ".python-version").write_text(text + "3.11\n")
    request = pinned(tmp_path)
    assert request is not None
    assert request.version == "3.11"


def test_a_pin_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_bytes(b"\xff\xfe3")
    with pytest.raises(ConfigurationError, match=r"\.python-version"):
        pinned(tmp_path)


# --- environments --------------------------------------------------------------------------------------------------------


def test_the_environment_to_change(tmp_path: Path) -> None:
    active, project = create(tmp_path / "active", REAL), create(tmp_path / "project" / ".venv", REAL)
    below = tmp_path / "project" / "src"
    below.mkdir()
    assert find_environment(None, environ={"VIRTUAL_ENV": str(active.prefix)}, folder=below) == probe(active.executable)
    assert find_environment(None, environ={}, folder=below) == probe(project.executable)
    assert find_environment(_request(str(active.prefix)), environ={}, folder=below).prefix == active.prefix
    assert find_environment(_request(MINOR), environ={}, folder=below).prefix == project.prefix
    assert find_environment(_request(f"python{MINOR}"), environ={}, folder=below).prefix == project.prefix


def test_without_an_environment_none_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(PythonNotFound, match="no virtual environment") as caught:
        find_environment(None, environ={"PATH": os.environ.get("PATH", "")}, folder=tmp_path)
    assert "--system" in caught.value.hints[0]
    with pytest.raises(PythonNotFound, match="no virtual environment"):
        find_environment(None, environ={"VIRTUAL_ENV": str(tmp_path)}, folder=tmp_path)


def test_system_passes_virtual_environments_over(tmp_path: Path) -> None:
    made = create(tmp_path / ".venv", REAL)
    python = _python(tmp_path / "bin", "python3", "3.12.1")
    environ = {"PATH": f"{made.paths['scripts']}:{python.parent}", "VIRTUAL_ENV": str(made.prefix)}
    assert find_environment(None, environ=environ, folder=tmp_path, system=True).executable == python
    assert find_environment(_request("3.12.1"), environ=environ, folder=tmp_path).executable == python


def test_a_projects_environment_is_used_while_it_fits(tmp_path: Path) -> None:
    assert reusable(tmp_path / ".venv", None) is None
    made = create(tmp_path / ".venv", REAL)
    asked = probe(made.executable)
    for request in (None, _request(MINOR), _request(str(REAL.executable)), _request(str(made.prefix))):
        assert reusable(tmp_path / ".venv", request) == asked
    assert reusable(tmp_path / ".venv", None, requires_python=SpecifierSet("<3")) is None
    assert reusable(tmp_path / ".venv", _request("3.99")) is None
    executable_in(made.prefix).unlink()
    assert reusable(tmp_path / ".venv", None) is None


def test_the_variable_never_outranks_an_environment_silently(tmp_path: Path) -> None:
    made = create(tmp_path / ".venv", REAL)
    other = _python(tmp_path / "bin", "python3", "3.12.99")
    for text in ("3.99", str(other), str(tmp_path / "absent")):
        events: list[Event] = []
        assert reusable(tmp_path / ".venv", _request(text, VARIABLE), report=events.append) == probe(made.executable)
        (event,) = events
        assert isinstance(event, Warned)
        assert "$UV_PYTHON" in event.message
