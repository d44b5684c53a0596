"""The errors: every kind has a code, an exit status that fits its branch, and a page that explains it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cove import errors
from cove.errors import CoveError, Unmet

PAGES = Path(__file__).parent.parent / "docs" / "errors"


def _kinds(root: type[CoveError] = CoveError) -> Iterator[type[CoveError]]:
    for kind in root.__subclasses__():
        yield kind
        yield from _kinds(kind)


CODED = [kind for kind in _kinds() if "code" in vars(kind)]


@pytest.mark.parametrize("kind", CODED, ids=lambda kind: kind.code)
def test_every_code_has_a_page_that_names_it_and_its_status(kind: type[CoveError]) -> None:
    page = (PAGES / f"{kind.code}.md").read_text()
    assert f"`error[{kind.code}]`, exit status {kind.exit_status}" in page


def test_every_page_belongs_to_a_code() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == {kind.code for kind in CODED}


@pytest.mark.parametrize("kind", CODED, ids=lambda kind: kind.code)
def test_the_drawn_tree_shows_every_kind_with_its_code_and_status(kind: type[CoveError]) -> None:
    tree = errors.__doc__ or ""
    line = next(line for line in tree.splitlines() if f"[{kind.code}]" in line)
    assert kind.__name__ in line
    assert f" {kind.exit_status} " in line
    assert (kind.exit_status == 1) == issubclass(kind, Unmet)
