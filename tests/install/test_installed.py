import importlib.metadata
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from cove.errors import EnvironmentRefused, InvalidArtifact
from cove.install.installed import Installed, direct_url_of, files_of, installer_of, metadata_of, scan
from cove.model.name import Name, normalize


def _dist(site: Path, folder: str, **files: str) -> Path:
    path = site / folder
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name.replace("direct_url", "direct_url.json")).write_text(text, encoding="utf-8")
    return path


def test_the_environment_of_the_tests_as_importlib_metadata_sees_it() -> None:
    site = sysconfig.get_path("purelib")
    oracle = {normalize(each.metadata["Name"]): each.version for each in importlib.metadata.distributions(path=[site])}
    found = scan([site])
    assert {name: item.version for name, item in found.items()} == oracle
    item = found[Name("pytest")]
    assert b"\nName: pytest\n" in metadata_of(item)
    known = importlib.metadata.distribution("pytest").files or []
    assert files_of(item, [Path(sys.prefix)]) == [Path(os.path.normpath(str(each.locate()))) for each in known]


def test_names_versions_and_installers(tmp_path: Path) -> None:
    _dist(tmp_path, "Some_Pkg-1.0+local_1.dist-info", INSTALLER="cove\n")
    _dist(tmp_path, "old.name-2.0.post1.dist-info")
    _dist(tmp_path, "legacy-3.0-py3.11.egg-info")
    _dist(
        tmp_path,
        "developed.egg-info",
        **{"PKG-INFO": "Metadata-Version: 1.0\nName: developed\nVersion: 4\n\nName: no\n"},
    )
    (tmp_path / "one_file-5.0.egg-info").write_text("Name: one-file\nVersion: 5.0\n")
    _dist(tmp_path, "with-dash-6.0.dist-info", METADATA="Version: 6.0\nName: with-dash\n")
    _dist(tmp_path, "~ips-7.0.dist-info")
    _dist(tmp_path, "-8.0.dist-info")
    _dist(tmp_path, "nothing.dist-info")
    found = scan([str(tmp_path), str(tmp_path / "absent")])
    assert {name: item.version for name, item in found.items()} == {
        "developed": "4",
        "legacy": "3.0",
        "old-name": "2.0.post1",
        "one-file": "5.0",
        "some-pkg": "1.0+local-1",
        "with-dash": "6.0",
    }
    assert installer_of(found[Name("some-pkg")]) == "cove"
    assert installer_of(found[Name("one-file")]) == ""
    assert metadata_of(found[Name("one-file")]).startswith(b"Name: one-file")
    with pytest.raises(InvalidArtifact, match="no metadata"):
        metadata_of(found[Name("old-name")])


def test_the_first_site_wins_and_doubles_are_leftovers(tmp_path: Path) -> None:
    for site, version in (("one", "1.0"), ("one", "2.0"), ("two", "3.0")):
        _dist(tmp_path / site, f"pkg-{version}.dist-info")
    (item,) = scan([str(tmp_path / "one"), str(tmp_path / "two")]).values()
    assert (item.version, [each.version for each in item.leftovers]) == ("1.0", ["2.0"])


def test_direct_urls_are_read(tmp_path: Path) -> None:
    editable = '{"url": "file:///src/a", "dir_info": {"editable": true}}'
    _dist(tmp_path, "a-1.dist-info", direct_url=editable)
    _dist(tmp_path, "b-1.dist-info", direct_url="{")
    _dist(tmp_path, "c-1.dist-info")
    found = scan([str(tmp_path)])
    a, b, c = (found[Name(name)] for name in "abc")
    assert (a.source, a.editable) == ("editable file:///src/a", True)
    assert (b.source, b.editable) == ("unreadable", False)
    assert (c.source, c.editable) == ("", False)
    direct = direct_url_of(a)
    assert direct is not None
    assert direct.url.public == "file:///src/a"
    assert direct_url_of(c) is None
    with pytest.raises(InvalidArtifact, match="b 1"):
        direct_url_of(b)


def _recorded(tmp_path: Path, record: str) -> Installed:
    site = tmp_path / "env" / "lib" / "site-packages"
    path = _dist(site, "pkg-1.dist-info", RECORD=record)
    return Installed(Name("pkg"), "1", str(path))


def test_files_of_a_distribution(tmp_path: Path) -> None:
    item = _recorded(tmp_path, 'pkg.py,,\n"odd,name.py",,\n../../bin/tool,sha256=x,3\npkg-1.dist-info/RECORD,,\n')
    env = tmp_path / "env"
    assert files_of(item, [env]) == [
        env / "lib/site-packages/pkg.py",
        env / "lib/site-packages/odd,name.py",
        env / "bin/tool",
        env / "lib/site-packages/pkg-1.dist-info/RECORD",
    ]


@pytest.mark.parametrize(
    "record",
    ["../../../outside,,", "/etc/passwd,,", "link/file,,", "a/../../../../x,,", "../../../env-not/x,,", "a\0b,,"],
)
def test_a_hostile_record_is_refused(tmp_path: Path, record: str) -> None:
    item = _recorded(tmp_path, f"pkg.py,,\n{record}\n")
    (tmp_path / "elsewhere").mkdir()
    (Path(item.path).parent / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidArtifact, match="pkg 1"):
        files_of(item, [tmp_path / "env"])


def test_a_link_itself_may_be_removed(tmp_path: Path) -> None:
    item = _recorded(tmp_path, "link,,\n")
    (Path(item.path).parent / "link").symlink_to("/etc/passwd")
    assert files_of(item, [tmp_path / "env"]) == [Path(item.path).parent / "link"]


def test_without_or_with_a_broken_record_nothing_is_removed(tmp_path: Path) -> None:
    item = _recorded(tmp_path, '"unclosed')
    with pytest.raises(InvalidArtifact, match="RECORD cannot be read"):
        files_of(item, [tmp_path])
    Path(item.path, "RECORD").unlink()
    Path(item.path, "INSTALLER").write_text("debian\n")
    with pytest.raises(EnvironmentRefused, match="installed by debian"):
        files_of(item, [tmp_path])


def test_scanning_is_cheap_to_import() -> None:
    code = "import sys, cove.install.installed; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"packaging.version", "importlib.metadata", "ssl", "asyncio", "pyreqwest", "cove.resolve"} & set(loaded)
