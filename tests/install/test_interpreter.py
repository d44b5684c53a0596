import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import packaging
import pytest

from cove.errors import PythonNotFound
from cove.install import self_report
from cove.install.interpreter import probe

PACKAGING = str(Path(packaging.__file__).parent.parent)


def _pythons() -> list[Path]:
    """The interpreter of the tests, and others of the machine that an oracle can run in (packaging needs 3.9)."""
    found = [Path(sys.executable)]
    for name in ("python3.11", "python3.12", "python3.13", "python3.14"):
        path = shutil.which(name)
        works = path and subprocess.run([path, "-IS", "-c", "pass"], capture_output=True, check=False).returncode == 0
        if path and works:
            found.append(Path(path))
    return found


def _ask(python: Path, expression: str) -> Any:
    code = f"import sys; sys.path.insert(0, {PACKAGING!r}); import json, sysconfig, packaging.tags, packaging.markers\n"
    done = subprocess.run(
        [python, "-I", "-c", f"{code}print(json.dumps({expression}))"], capture_output=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("python", _pythons(), ids=str)
def test_tags_markers_and_paths_are_those_the_interpreter_itself_computes(python: Path) -> None:
    interpreter = probe(python)
    assert list(interpreter.target.tags) == _ask(python, "[str(tag) for tag in packaging.tags.sys_tags()]")
    assert interpreter.target.markers == _ask(python, "packaging.markers.default_environment()")
    oracle = _ask(python, "sysconfig.get_paths()")
    assert {name: interpreter.paths[name] for name in ("purelib", "platlib", "scripts", "data")} == {
        name: oracle[name] for name in ("purelib", "platlib", "scripts", "data")
    }


def test_the_interpreter_of_the_tests_is_described(tmp_path: Path) -> None:
    interpreter = probe(Path(sys.executable))
    assert interpreter.version == ".".join(map(str, sys.version_info[:3]))
    assert interpreter.release == sys.version_info[:2]
    assert interpreter.prefix == Path(sys.prefix)
    assert interpreter.is_virtual == (sys.prefix != sys.base_prefix)
    assert interpreter.implementation == sys.implementation.name
    assert not interpreter.free_threaded
    assert interpreter.prefix in interpreter.roots


def _fake(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def _counted(folder: Path) -> tuple[Path, Path]:
    """An interpreter that notes each of its starts, and where; it calls itself by its own path as a real one would."""
    starts = folder / "starts"
    report = json.dumps(self_report.report() | {"executable": str(folder / "python")})
    (folder / "report").write_text(self_report.MARK + report + "\n", encoding="utf-8")
    return _fake(folder / "python", f"echo x >> {starts}; echo noise; cat {folder}/report"), starts


def test_a_second_look_starts_nothing(tmp_path: Path) -> None:
    python, starts = _counted(tmp_path)
    first = probe(python, tmp_path / "cache")
    again = probe(python, tmp_path / "cache")
    assert first == again
    assert starts.read_text().count("x") == 1
    assert os.stat(tmp_path / "cache" / "interpreters").st_mode & 0o077 == 0


@pytest.mark.parametrize("damage", ["{", "[]", '{"schema": 1}', '{"schema": 99}', ""])
def test_what_is_remembered_wrongly_is_asked_again(tmp_path: Path, damage: str) -> None:
    python, starts = _counted(tmp_path)
    first = probe(python, tmp_path / "cache")
    (entry,) = (tmp_path / "cache" / "interpreters").iterdir()
    entry.write_text(damage, encoding="utf-8")
    assert probe(python, tmp_path / "cache") == first
    assert starts.read_text().count("x") == 2


def test_a_changed_interpreter_is_asked_again(tmp_path: Path) -> None:
    python, starts = _counted(tmp_path)
    probe(python, tmp_path / "cache")
    os.utime(python, (1, 1))
    probe(python, tmp_path / "cache")
    assert starts.read_text().count("x") == 2


def test_a_shim_is_never_remembered(tmp_path: Path) -> None:
    shim = _fake(tmp_path / "shim", f'exec {sys.executable} "$@"')
    assert probe(shim, tmp_path / "cache").executable == Path(sys.executable)
    assert not (tmp_path / "cache").exists()


def test_without_a_cache_nothing_is_written(tmp_path: Path) -> None:
    python, starts = _counted(tmp_path)
    probe(python)
    probe(python)
    assert starts.read_text().count("x") == 2


@pytest.mark.parametrize(
    "script, says",
    [
        ("exit 127", "exit status 127"),
        ("echo hello", "not a usable Python"),
        ("echo 'cove-interpreter:{'", "cannot be read"),
        ("echo 'cove-interpreter:[]'", "cannot be read"),
        ("echo 'cove-interpreter:{\"markers\": {}}'", "cannot be read"),
    ],
)
def test_what_is_no_python_is_refused(tmp_path: Path, script: str, says: str) -> None:
    with pytest.raises(PythonNotFound, match=says):
        probe(_fake(tmp_path / "python", script))


def test_what_does_not_exist_or_cannot_be_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PythonNotFound, match="cannot be run"):
        probe(tmp_path / "python")
    (tmp_path / "python").write_text("")
    with pytest.raises(PythonNotFound, match="cannot be run"):
        probe(tmp_path / "python")


def test_an_old_python_is_refused(tmp_path: Path) -> None:
    said: Any = self_report.report()
    said["markers"] |= {"python_version": "3.6", "python_full_version": "3.6.15"}
    (tmp_path / "report").write_text(self_report.MARK + json.dumps(said), encoding="utf-8")
    with pytest.raises(PythonNotFound, match="too old"):
        probe(_fake(tmp_path / "python", f"cat {tmp_path}/report"))


@pytest.mark.parametrize(
    "change, tag",
    [
        ({"abis": ["cp313t"], "nodot": "313"}, "cp313-cp313t-"),
        ({"abis": ["cp311d", "cp311"]}, "cp311-cp311d-"),
        ({"mac": {"version": [14, 1], "arch": "arm64"}}, "cp311-cp311-macosx_14_0_arm64"),
        ({"mac": {"version": [10, 9], "arch": "x86_64"}}, "cp311-cp311-macosx_10_9_x86_64"),
        ({"platforms": ["win_amd64"]}, "cp311-cp311-win_amd64"),
    ],
)
def test_tags_of_other_platforms(tmp_path: Path, change: dict[str, object], tag: str) -> None:
    said: Any = self_report.report()
    said |= {"abis": ["cp311"], "nodot": "311", "mac": None}
    said["markers"] |= {"python_version": "3.11", "python_full_version": "3.11.7", "implementation_name": "cpython"}
    if change.get("nodot") == "313":
        said["markers"] |= {"python_version": "3.13", "python_full_version": "3.13.0"}
    (tmp_path / "report").write_text(self_report.MARK + json.dumps(said | change), encoding="utf-8")
    interpreter = probe(_fake(tmp_path / "python", f"cat {tmp_path}/report"))
    assert interpreter.target.tags[0].startswith(tag)
    assert interpreter.free_threaded == (tag == "cp313-cp313t-")


def test_pypy_tags(tmp_path: Path) -> None:
    said: Any = self_report.report()
    said |= {"abis": ["pypy310_pp73"], "nodot": "310", "mac": None, "platforms": ["linux_x86_64"]}
    said["markers"] |= {"python_version": "3.10", "python_full_version": "3.10.14", "implementation_name": "pypy"}
    (tmp_path / "report").write_text(self_report.MARK + json.dumps(said), encoding="utf-8")
    tags = probe(_fake(tmp_path / "python", f"cat {tmp_path}/report")).target.tags
    assert tags[:2] == ("pp310-pypy310_pp73-linux_x86_64", "pp310-none-linux_x86_64")
    assert "pp3-none-any" in tags


def test_an_externally_managed_interpreter_says_why(tmp_path: Path) -> None:
    said: Any = self_report.report()
    said["prefix"] = said["base_prefix"] = str(tmp_path)
    said["paths"]["stdlib"] = str(tmp_path)
    (tmp_path / "report").write_text(self_report.MARK + json.dumps(said), encoding="utf-8")
    interpreter = probe(_fake(tmp_path / "python", f"cat {tmp_path}/report"))
    unmanaged = interpreter.externally_managed
    assert unmanaged is None
    marker = tmp_path / "EXTERNALLY-MANAGED"
    marker.write_text("[externally-managed]\nError=Use the system's packages,\n 100% of them.\n", encoding="utf-8")
    assert interpreter.externally_managed == "Use the system's packages,\n100% of them."
    marker.write_bytes(b"\xff\xfe nonsense")
    assert "no reason" in (interpreter.externally_managed or "")


def test_musl_is_recognised_by_asking_its_loader(tmp_path: Path) -> None:
    loader = _fake(
        tmp_path / "ld-musl-x86_64.so.1", "printf 'musl libc (x86_64)\\nVersion 1.2.5\\nDynamic' >&2; exit 1"
    )
    elf = self_report.Elf(os.path.realpath(sys.executable))
    elf.loader = str(loader)
    assert self_report.musl(elf) == (1, 2)
    elf.loader = "/lib64/ld-linux-x86-64.so.2"
    assert self_report.musl(elf) is None


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF\x02\x01" + b"\0" * 10, b"\x7fELF\x09\x09" + b"\0" * 90])
def test_a_broken_executable_header_is_no_header(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert self_report.read_elf(str(tmp_path / "x")) is None
