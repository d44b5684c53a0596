"""Which folders belong to a workspace; the expected ones are those that uv finds."""

from pathlib import Path

import pytest

from cove.config.member_globs import folders_of, is_among
from cove.errors import ConfigurationError

FOLDERS = ("packages", "packages/a", "packages/a/sub")


@pytest.mark.parametrize(
    "glob, expected",
    [
        ("packages/*", ["packages/a"]),
        ("./packages/*/", ["packages/a"]),
        ("packages/**", ["packages/a", "packages/a/sub"]),
        ("packages/*/**", ["packages/a/sub"]),
        ("**", [*FOLDERS]),
        ("packages/**/*", ["packages/a", "packages/a/sub"]),
        ("packages/[a]", ["packages/a"]),
        ("", []),
        (".", []),
    ],
)
def test_globs_lead_to_the_folders_that_meet_them(tmp_path: Path, glob: str, expected: list[str]) -> None:
    (tmp_path / FOLDERS[-1]).mkdir(parents=True)
    assert [path.relative_to(tmp_path).as_posix() for path in folders_of(tmp_path, glob)] == expected
    assert [folder for folder in FOLDERS if is_among(tuple(folder.split("/")), [glob])] == expected


@pytest.mark.parametrize("glob", ["../other", "/other", "packages/../../other", "a**b"])
def test_what_is_no_glob_of_a_workspace_is_refused(tmp_path: Path, glob: str) -> None:
    with pytest.raises(ConfigurationError, match="the member `"):
        folders_of(tmp_path, glob)
