import random
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cove.config import load
from cove.config.settings import Interface, Settings
from cove.errors import ConfigurationError, UsageError
from cove.model.event import Warned

Load = Callable[..., Settings]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def read(tmp_path: Path, project: Path) -> Load:
    """``load`` in the project, with user and system folders of its own and no variables but those given."""

    def call(
        flags: dict[str, object] | None = None, interface: Interface = "project", cwd: Path = project, **variables: str
    ) -> Settings:
        environ = {
            "XDG_CONFIG_HOME": str(tmp_path / "user"),
            "XDG_CONFIG_DIRS": str(tmp_path / "system"),
            **variables,
        }
        return load.load(flags or {}, environ=environ, cwd=cwd, interface=interface)

    return call


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_flag_variable_project_user_system(read: Load, tmp_path: Path, project: Path) -> None:
    strategy = 'index-strategy = "{}"\n'.format
    put(tmp_path / "system/uv/uv.toml", strategy("unsafe-best-match"))
    assert read().index_strategy == "unsafe-best-match"
    assert read(UV_NO_SYSTEM_CONFIG="1").index_strategy == "first-index"
    user = put(tmp_path / "user/uv/uv.toml", "\n" + strategy("unsafe-first-match"))
    assert str(read().origin("index-strategy")) == f"{user}:2"
    file = put(project / "pyproject.toml", "[tool.uv]\n" + strategy("first-index"))
    assert str(read().origin("index-strategy")) == f"{file}:2"
    settings = read(UV_INDEX_STRATEGY="unsafe-best-match")
    assert (settings.index_strategy, str(settings.origin("index-strategy"))) == (
        "unsafe-best-match",
        "$UV_INDEX_STRATEGY",
    )
    settings = read({"index-strategy": "first-match"}, UV_INDEX_STRATEGY="unsafe-best-match")
    assert (settings.index_strategy, str(settings.origin("index-strategy"))) == ("first-index", "--index-strategy")


def test_a_flag_replaces_its_variable_even_for_lists_and_files_are_added(read: Load, project: Path) -> None:
    put(project / "uv.toml", 'extra-index-url = ["https://example.com/file"]\n')
    both = "https://example.com/v1 https://example.com/v2"
    assert len(read(UV_EXTRA_INDEX_URL=both).extra_index_url) == 3
    assert read({"extra-index-url": ["https://example.com/flag"]}, UV_EXTRA_INDEX_URL=both).extra_index_url == (
        "https://example.com/flag",
        "https://example.com/file",
    )


def test_empty_variables_are_not_given(read: Load) -> None:
    assert read(UV_INDEX="", UV_OFFLINE="", NO_COLOR="").origin("offline").kind == "default"


def test_every_index_table_knows_its_line(read: Load, project: Path) -> None:
    file = put(
        project / "pyproject.toml",
        '[project]\nname = "x"\n\n[[tool.uv.index]]\nname = "a"\nurl = "https://example.com/a"\n\n'
        '[[tool.uv.index]]\nname = "b"\nurl = "./wheels"\nexplicit = true\n',
    )
    (project / "wheels").mkdir()
    indexes = load.indexes(read(), {})
    assert str(indexes.named("a").origin) == f"{file}:4"
    assert str(indexes.named("b").origin) == f"{file}:8"
    assert str(indexes.named("b").url) == (project / "wheels").as_uri()


def test_a_folder_that_is_not_there_is_an_error(read: Load, project: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^--index: the folder `.*zz` .* does not exist"):
        load.indexes(read({"index": ["./zz"]}), {})
    with pytest.raises(ConfigurationError, match=r"^\$UV_FIND_LINKS: "):
        load.indexes(read(UV_FIND_LINKS="zz"), {})


def test_pyproject_without_settings_is_passed_over_on_the_way_up(read: Load, project: Path) -> None:
    put(project / "uv.toml", "offline = true\n")
    put(project / "inner/pyproject.toml", '[project]\nname = "x"\n')
    assert read(cwd=project / "inner").offline
    assert load.find_project(project / "inner") == project / "inner"


def test_uv_toml_beside_pyproject_wins_with_a_warning_but_routes_stay(read: Load, project: Path) -> None:
    put(project / "uv.toml", '[[index]]\nname = "a"\nurl = "https://example.com/a"\n')
    put(project / "pyproject.toml", '[tool.uv]\noffline = true\n[tool.cove.index.a]\npackages = ["acme-*"]\n')
    settings = read()
    assert not settings.offline
    assert load.indexes(settings, {}).named("a").packages == ("acme-*",)
    (notice,) = settings.notices
    assert isinstance(notice, Warned)
    assert "ignored" in notice.message


def test_tools_do_not_read_the_project(read: Load, project: Path, tmp_path: Path) -> None:
    put(project / "uv.toml", "offline = true\n")
    put(tmp_path / "user/uv/uv.toml", "no-index = true\n")
    settings = read(interface="tool")
    assert (settings.offline, settings.no_index) == (False, True)


def test_the_pip_table_is_for_pip_and_comes_first(read: Load, project: Path) -> None:
    put(
        project / "pyproject.toml",
        '[tool.uv]\noffline = false\nno-binary = true\n[tool.uv.pip]\noffline = true\nsystem = true\nno-binary = ["a"]\n',
    )
    assert not read().offline
    assert read().no_binary
    settings = read(interface="pip")
    assert (settings.offline, settings.system, settings.pip_no_binary) == (True, True, ("a",))


def test_config_file_replaces_all_and_no_config_reads_none(read: Load, project: Path, tmp_path: Path) -> None:
    put(project / "uv.toml", "offline = true\n")
    put(tmp_path / "other.toml", "no-index = true\n")
    settings = read({"config-file": "../other.toml"})
    assert (settings.offline, settings.no_index) == (False, True)
    assert not read({"no-config": True}).offline
    with pytest.raises(ConfigurationError, match="does not exist"):
        read(UV_CONFIG_FILE="none.toml")
    with pytest.raises(UsageError, match=r"not a `uv.toml`"):
        read({"config-file": "pyproject.toml"})


def test_paths_start_where_they_are_written(read: Load, project: Path, tmp_path: Path) -> None:
    put(project / "uv.toml", 'cache-dir = "c"\n')
    put(project / "inner/x", "")
    assert read(cwd=project / "inner").cache_dir == str(project / "c")
    assert read({"cache-dir": "d", "directory": "inner"}).cache_dir == str(project / "inner/d")
    assert read({"project": "project"}, cwd=tmp_path).cache_dir == str(project / "c")
    with pytest.raises(UsageError, match=r"--directory: .*does not exist"):
        read({"directory": "none"})


@pytest.mark.parametrize(
    "text, place",
    [
        (b"a = 1\n[tool.uv\n", ":2:"),
        (b"a = \n", ":1:"),
        (b"a = 1\nb = '''x", ":2:"),
        (b"ok = 1\n# \xff\n", ":2: the file is not UTF-8"),
        (b"[tool]\nuv = 1\n", ":2: `tool.uv` must be a table"),
        (b"[tool.uv]\noffline = 'yes'\n", ":2: `offline` has the value `yes`"),
        (b"[tool.uv]\n[tool.uv.pip]\nsystem = 'yes'\n", ":3: `system` has the value `yes`"),
    ],
)
def test_files_that_cannot_be_read_name_the_line(read: Load, project: Path, text: bytes, place: str) -> None:
    (project / "pyproject.toml").write_bytes(text)
    with pytest.raises(ConfigurationError) as caught:
        read(interface="pip")
    assert str(caught.value).startswith(f"{project / 'pyproject.toml'}{place}")


def test_unknown_keys_are_warned_of_and_keys_for_uv_alone_are_not(read: Load, project: Path) -> None:
    file = put(
        project / "pyproject.toml",
        "[tool.uv]\npackage = true\nindex_strategy = 'x'\n[tool.uv.pip]\nuniversal = true\n[tool.cove]\nfoo = 1\n",
    )
    notices = [notice for notice in read().notices if isinstance(notice, Warned)]
    assert [notice.message.partition(" ")[0] for notice in notices] == [f"{file}:3:", f"{file}:7:"]
    assert notices[0].hint == "did you mean `index-strategy`?"


def test_older_spellings_count(read: Load, project: Path) -> None:
    put(project / "uv.toml", "native-tls = true\n")
    settings = read()
    assert settings.system_certs
    assert settings.notices == ()


UV = shutil.which("uv", path=str(Path(__file__).parents[2] / ".venv" / "bin")) or shutil.which("uv")


@pytest.mark.skipif(UV is None, reason="uv is not installed")
@pytest.mark.parametrize("seed", range(12))
def test_the_order_of_indexes_is_that_of_uv(read: Load, project: Path, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    files = {project / "uv.toml": "", tmp_path / "user/uv/uv.toml": ""}
    for number, path in enumerate(files):
        top = f'extra-index-url = ["https://example.com/e{number}"]\n' if chance.random() < 0.5 else ""
        top += f'index-url = "https://example.com/i{number}"\n' if chance.random() < 0.4 else ""
        for name in chance.sample("abc", 2):
            role = chance.choice(["", "", "default = true\n", "explicit = true\n"])
            top += f'[[index]]\nname = "{name}"\nurl = "https://example.com/{name}{number}"\n{role}'
        put(path, top)
    flags: dict[str, object] = {}
    if chance.random() < 0.5:
        flags["index"] = ["b=https://example.com/flag-b", "https://example.com/flag"]
    if chance.random() < 0.4:
        flags["default-index"] = "c=https://example.com/flag-c"
    if chance.random() < 0.5:
        flags["extra-index-url"] = ["https://example.com/flag-e"]
    interface: Interface = chance.choice(["project", "pip"])
    put(project / "pyproject.toml", '[project]\nname = "p"\nversion = "1"\n')
    put(project / "in.txt", "")

    arguments = [
        f"--{name}={value}" for name, raw in flags.items() for value in (raw if isinstance(raw, list) else [raw])
    ]
    command = ["pip", "compile", "in.txt"] if interface == "pip" else ["lock"]
    environ = {"XDG_CONFIG_HOME": str(tmp_path / "user"), "HOME": str(tmp_path), "UV_NO_SYSTEM_CONFIG": "1"}
    shown = subprocess.run(
        [str(UV), *command, "--show-settings", *arguments],
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    section = shown[shown.index("indexes: [") : shown.index("flat_index: [")]
    defined = re.findall(r'given: Some\(\s*"([^"]+)".*?default: (\w+)', section, re.DOTALL)
    names = re.findall(r'name: (?:None|Some\(\s*IndexName\(\s*"(\w+)")', section)

    ours = load.indexes(read(flags, interface), {})
    listed = [(str(index.url), index.default) for index in ours.all if index.origin.kind != "default"]
    shadowed_names: set[str] = set()
    kept = []
    for (url, default), name in zip(defined, names, strict=True):
        if not name or name not in shadowed_names:
            shadowed_names.add(name)
            kept.append((url, default == "true"))
    assert listed == kept
