import posixpath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.errors import InvalidArtifact
from cove.formats.entry_points import EntryPoint
from cove.formats.wheel_record import parse
from cove.install.wheel import (
    Link,
    Manifest,
    Rewrite,
    Scheme,
    WheelFile,
    Write,
    commands,
    rewrite,
    shebang,
    steps,
)

PATHS = {
    "purelib": "/env/lib/python3.11/site-packages",
    "platlib": "/env/lib64/python3.11/site-packages",
    "scripts": "/env/bin",
    "data": "/env",
    "headers": "/env/include/site/python3.11",
}
SCHEME = Scheme("/env", "/env/bin/python", PATHS)
WINDOWS = Scheme("C:\\env", "C:\\env\\Scripts\\python.exe", {key: f"C:\\env\\{key}" for key in PATHS}, windows=True)


def manifest(*paths: str, pure: bool = True, scripts: tuple[EntryPoint, ...] = ()) -> Manifest:
    files = tuple(WheelFile(path, "sha256=x", 1, executable=False) for path in paths)
    return Manifest("foo_bar-1.0-py3-none-any.whl", "foo_bar-1.0.dist-info", pure, files, scripts)


def targets(wheel: Manifest, scheme: Scheme = SCHEME) -> dict[str, str]:
    return {step.source.path: step.target for step in steps(wheel, scheme).steps if not isinstance(step, Write)}


def test_each_folder_of_data_has_its_place() -> None:
    assert targets(
        manifest(
            "foo/a.py",
            "foo_bar-1.0.data/purelib/p.py",
            "foo_bar-1.0.data/platlib/q.so",
            "foo_bar-1.0.data/scripts/tool",
            "foo_bar-1.0.data/headers/sub/foo.h",
            "foo_bar-1.0.data/data/share/man/foo.1",
        )
    ) == {
        "foo/a.py": "/env/lib/python3.11/site-packages/foo/a.py",
        "foo_bar-1.0.data/purelib/p.py": "/env/lib/python3.11/site-packages/p.py",
        "foo_bar-1.0.data/platlib/q.so": "/env/lib64/python3.11/site-packages/q.so",
        "foo_bar-1.0.data/scripts/tool": "/env/bin/tool",
        "foo_bar-1.0.data/headers/sub/foo.h": "/env/include/site/python3.11/foo_bar/sub/foo.h",
        "foo_bar-1.0.data/data/share/man/foo.1": "/env/share/man/foo.1",
    }
    assert targets(manifest("foo.so", pure=False)) == {"foo.so": "/env/lib64/python3.11/site-packages/foo.so"}


def test_what_the_installer_writes_is_not_taken_from_the_wheel() -> None:
    info = "foo_bar-1.0.dist-info"
    wheel = manifest(
        f"{info}/RECORD", f"{info}/INSTALLER", f"{info}/direct_url.json", "a/__pycache__/a.pyc", f"{info}/METADATA"
    )
    plan = steps(wheel, SCHEME, requested=True, direct_url="{}")
    kinds = [(type(step), posixpath.basename(step.target)) for step in plan.steps]
    assert kinds == [(Link, "METADATA"), (Write, "INSTALLER"), (Write, "REQUESTED"), (Write, "direct_url.json")]
    assert [step.content for step in plan.steps if isinstance(step, Write)] == [b"cove\n", b"", b"{}"]


def test_record_is_relative_to_the_site_and_lists_itself_last() -> None:
    plan = steps(manifest("a.py"), SCHEME)
    step = plan.record([("/env/bin/x", "sha256=h", 3), (f"{PATHS['purelib']}/a.py", "sha256=i", 1)])
    assert step.target == f"{PATHS['purelib']}/foo_bar-1.0.dist-info/RECORD"
    assert [(entry.path, entry.hash, entry.size) for entry in parse(step.content.decode())] == [
        ("../../../bin/x", "sha256=h", 3),
        ("a.py", "sha256=i", 1),
        ("foo_bar-1.0.dist-info/RECORD", "", None),
    ]


@given(
    st.lists(
        st.sampled_from(["..", ".", "a", "", "foo_bar-1.0.data", "data", "purelib", "bin", "python", "etc"]), min_size=1
    )
)
def test_no_path_leads_outside(segments: list[str]) -> None:
    try:
        found = targets(manifest("/".join(segments)))
    except InvalidArtifact:
        return
    for target in found.values():
        assert any(target.startswith(folder + "/") for folder in PATHS.values())
        assert target != "/env/bin/python"


@pytest.mark.parametrize(
    "path",
    [
        "../evil.py",
        "/etc/passwd",
        "foo_bar-1.0.data/scripts/../../../etc/cron.d/evil",
        "foo_bar-1.0.data/scripts/python",
        "foo_bar-1.0.data/scripts/python3.11",
        "foo_bar-1.0.data/data/bin/python",
        "foo_bar-1.0.data/data/pyvenv.cfg",
        "foo_bar-1.0.data/data/.cove-change/journal",
        "foo_bar-1.0.data/data/.cove-lock",
        "foo_bar-1.0.data/other/x",
        "foo_bar-1.0.data/purelib",
        "foo_bar-1.0.data/purelib/foo_bar-1.0.dist-info/RECORD",
    ],
)
def test_a_file_that_would_leave_its_place_or_harm_the_environment_is_refused(path: str) -> None:
    with pytest.raises(InvalidArtifact, match="foo_bar"):
        steps(manifest(path), SCHEME)


def test_two_files_for_one_place_are_refused() -> None:
    with pytest.raises(InvalidArtifact, match="same place"):
        steps(manifest("a.py", "foo_bar-1.0.data/purelib/a.py"), SCHEME)


def test_a_command_replaces_a_script_of_the_same_name() -> None:
    entry = EntryPoint("tool", "foo", "main", "console")
    plan = steps(manifest("foo_bar-1.0.data/scripts/tool", scripts=(entry,)), SCHEME)
    assert [type(step) for step in plan.steps if step.target == "/env/bin/tool"] == [Write]


def test_a_command_named_python_is_refused() -> None:
    with pytest.raises(InvalidArtifact, match="environment itself"):
        steps(manifest(scripts=(EntryPoint("python3", "foo", "main", "console"),)), SCHEME)


def test_scripts_are_rewritten_and_others_are_not() -> None:
    plan = steps(manifest("foo_bar-1.0.data/scripts/tool"), SCHEME)
    assert isinstance(plan.steps[0], Rewrite)
    assert rewrite(b"#!python\nx\n", SCHEME) == b"#!/env/bin/python\nx\n"
    assert rewrite(b"#!pythonw -x\r\nx\n", SCHEME) == b"#!/env/bin/python\nx\n"
    assert rewrite(b"#!/bin/sh\nx\n", SCHEME) == b"#!/bin/sh\nx\n"
    assert rewrite(b"", SCHEME) == b""


@pytest.mark.parametrize("executable", ["/a b/python", "/" + "x" * 130 + "/python"])
def test_a_long_or_spaced_path_is_started_by_the_shell(executable: str) -> None:
    text = shebang(executable)
    assert text.startswith(b"#!/bin/sh\n")
    code = compile(text + b"answer = 42\n", "script", "exec")
    names: dict[str, object] = {}
    exec(code, names)
    assert names["answer"] == 42


def test_commands_are_code() -> None:
    entry = EntryPoint("tool", "foo.cli", "App.run", "console")
    ((name, content),) = commands(entry, SCHEME)
    assert name == "tool"
    assert b"from foo.cli import App\n" in content
    assert b"sys.exit(App.run())" in content
    compile(content, name, "exec")


def test_windows_gets_a_batch_file_beside_the_script() -> None:
    plan = steps(manifest("foo/a.py", scripts=(EntryPoint("tool", "foo", "main", "gui"),)), WINDOWS)
    written = {step.target: step.content for step in plan.steps if isinstance(step, Write)}
    assert "C:\\env\\scripts\\tool-script.py" in written
    assert b"pythonw.exe" in written["C:\\env\\scripts\\tool.cmd"]
    record = plan.record(
        [("C:\\env\\purelib\\foo\\a.py", "sha256=x", 1), ("C:\\env\\scripts\\tool.cmd", "sha256=y", 1)]
    )
    assert [entry.path for entry in parse(record.content.decode())][:2] == ["../scripts/tool.cmd", "foo/a.py"]
