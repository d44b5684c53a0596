import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cove import __version__
from cove.cli.main import COMMANDS, command, interface, main, overview, run
from cove.config.settings import GROUPS

HEAVY = ("pyreqwest", "ssl", "asyncio", "cove.resolve", "rich", "tomlkit", "packaging")


class Ran:
    """What a command line came to."""

    def __init__(self, folder: Path, *argv: str, **variables: str) -> None:
        out, err = io.StringIO(), io.StringIO()
        environ = {"HOME": str(folder), "UV_NO_SYSTEM_CONFIG": "1", **variables}
        self.status = run(argv, environ=environ, cwd=folder, stdout=out, stderr=err)
        self.out, self.err = out.getvalue(), err.getvalue()


def test_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"cove {__version__}\n"
    assert Ran(tmp_path, "version", "--short").out == f"{__version__}\n"
    assert Ran(tmp_path, "--offline", "-V").out == f"cove {__version__}\n"
    assert json.loads(Ran(tmp_path, "version", "--output-format", "json").out)["version"] == __version__


def modules_of(code: str) -> set[str]:
    program = (
        f"import sys; before = set(sys.modules); {code}; print('\\n'.join(set(sys.modules) - before), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_the_version_loads_next_to_nothing() -> None:
    loaded = modules_of("import sys; from cove.cli.main import main; main(['--version'])")
    assert loaded <= {"cove", "cove.cli", "cove.cli.main", "__future__"}


def test_a_command_loads_nothing_heavy(tmp_path: Path) -> None:
    code = f"from cove.cli.main import main; main(['cache', 'dir', '--no-config', '--cache-dir', {str(tmp_path)!r}])"
    loaded = modules_of(code)
    assert not [name for name in loaded for heavy in HEAVY if name == heavy or name.startswith(heavy + ".")]


def test_every_command_keeps_the_contract() -> None:
    for path, (_, line) in COMMANDS.items():
        module = command(path)
        assert line
        assert not line.endswith(".")
        assert module.HELP
        assert set(module.GROUPS) <= set(GROUPS) - {"global", "environment"}, path
        assert callable(module.arguments)
        assert callable(module.run)


def test_the_page_of_every_command_can_be_shown(tmp_path: Path) -> None:
    for path in COMMANDS:
        for argv in ([*path, "--help"], ["help", *path], ["--help", *path]):
            shown = Ran(tmp_path, *argv)
            assert (shown.status, shown.err) == (0, "")
            assert shown.out.startswith(f"usage: cove {' '.join(path)}")


def test_the_overview_lists_every_command(tmp_path: Path) -> None:
    for argv in (["help"], ["--help"], ["-h"]):
        shown = Ran(tmp_path, *argv)
        assert (shown.status, shown.out) == (0, overview() + "\n")
    assert all(f"  {' '.join(path)} " in overview() for path in COMMANDS)
    assert Ran(tmp_path).status == 2
    for argv in (["cache", "--help"], ["cache", "-h"], ["help", "cache"]):
        shown = Ran(tmp_path, *argv)
        assert (shown.status, shown.out) == (0, overview(("cache",)) + "\n")
    assert "cache dir" in overview(("cache",))
    assert "version" not in overview(("cache",)).partition("Commands:")[2].partition("`cove")[0]


@pytest.mark.parametrize(
    "argv, message, hint",
    [
        (["versoin"], "unknown command `versoin`", "did you mean `cove version`?"),
        (["index", "lst"], "unknown command `cove index lst`", "did you mean `cove index list`?"),
        (["cache"], "`cove cache` needs a second word", "`cove cache clean`, `cove cache dir`"),
        (["version", "--frob=canary"], "unknown option `--frob`", "`cove version --help`"),
        (["version", "https://u:canary@h/"], "an argument too many", "--help"),
        (["version", "--color", "blue"], "`--color` has the value `blue`", ""),
        (["version", "--color"], "expected one argument", "--help"),
    ],
)
def test_wrong_usage_is_2_with_a_hint(tmp_path: Path, argv: list[str], message: str, hint: str) -> None:
    ran = Ran(tmp_path, *argv)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: ")
    assert message in ran.err
    assert hint in ran.err
    assert "canary" not in ran.err


def test_options_before_the_command_count(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    before = Ran(tmp_path, "--directory", "inner", "--cache-dir=c", "cache", "dir")
    assert before.out == f"{tmp_path}/inner/c/cove\n"


def test_interfaces() -> None:
    assert [interface(path) for path in (("sync",), ("pip", "list"), ("tool", "list"))] == ["project", "pip", "tool"]


def test_errors_are_objects_where_json_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text("offline = 3\n")
    ran = Ran(tmp_path, "index", "list", "--output-format", "json")
    assert (ran.status, ran.err) == (2, "")
    assert json.loads(ran.out)["error"]["code"] == "configuration"


def test_index_list_shows_order_and_origin_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text('[[index]]\nname = "a"\nurl = "https://u:canary@example.com/a"\nurll = 1\n')
    ran = Ran(tmp_path, "index", "list", UV_INDEX="b=https://user:canary@example.com/b")
    rows = [line.split() for line in ran.out.splitlines()[2:]]
    assert [(row[0], row[-1]) for row in rows] == [
        ("b", "$UV_INDEX"), ("a", f"{tmp_path}/uv.toml:1"), ("-", "default"),
    ]  # fmt: skip
    assert ran.err.startswith(f"warning: {tmp_path}/uv.toml:4: ")
    assert "hint: did you mean `url`?" in ran.err
    listed = Ran(tmp_path, "index", "list", "--output-format=json", UV_INDEX="b=https://user:canary@example.com/b")
    assert [entry["name"] for entry in json.loads(listed.out)] == ["b", "a", ""]
    assert "canary" not in ran.out + ran.err + listed.out + listed.err


def test_cache_clean_removes_what_is_ours(tmp_path: Path) -> None:
    (tmp_path / "c/cove/pages").mkdir(parents=True)
    (tmp_path / "c/cove/pages/x").write_bytes(b"1234")
    (tmp_path / "c/of-others").write_text("keep")
    assert Ran(tmp_path, "cache", "clean", "--cache-dir", "c").err.startswith("Removed 1 files")
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["of-others"]
    assert "No cache" in Ran(tmp_path, "cache", "clean", "--cache-dir", "c").err


def test_cache_clean_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "c").mkdir()
    (tmp_path / "c/cove").symlink_to(tmp_path / "precious")
    assert Ran(tmp_path, "cache", "clean", "--cache-dir", "c").status == 2
    assert (tmp_path / "precious").is_dir()


class Failing(io.StringIO):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


def test_a_defect_is_one_line_and_a_stack_with_v(tmp_path: Path) -> None:
    for argv, has_stack in ((["version"], False), (["version", "-v"], True)):
        err = io.StringIO()
        status = run(
            argv, environ={}, cwd=tmp_path, stdout=Failing(RuntimeError("https://u:canary@h/ broke")), stderr=err
        )
        assert status == 2
        assert err.getvalue().startswith("error: unexpected RuntimeError: https://****@h/ broke\n")
        assert ("File" in err.getvalue()) is has_stack


def test_an_interrupt_is_130_and_silent(tmp_path: Path) -> None:
    err = io.StringIO()
    assert run(["version"], environ={}, cwd=tmp_path, stdout=Failing(KeyboardInterrupt()), stderr=err) == 130
    assert err.getvalue() == ""


def test_a_reader_that_went_away_is_no_error() -> None:
    program = f"{sys.executable} -I -m cove help | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")
