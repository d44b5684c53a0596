from pathlib import Path

import pytest

from cove.errors import ConfigurationError, CoveError, CredentialsMissing, InvalidResponse
from cove.index.flat import FlatIndex
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Absent, Found, Unavailable
from cove.model.url import Url
from support.replies import Answer, Replies

LINKS = "https://example.com/links.html"
NAMES = [
    "acme-1.0-py3-none-any.whl",
    "acme-1.0.tar.gz",
    "acme-lib-2.0.tar.gz",
    "Other_Thing-1-py3-none-any.whl",
    "notes.txt",
]


def names(source: FlatIndex, name: str) -> list[str]:
    outcome = source.project(Name(name))
    return [file.filename for file in outcome.page.files] if isinstance(outcome, Found) else []


def check_all(source: FlatIndex) -> None:
    assert sorted(names(source, "acme")) == NAMES[:2]
    assert names(source, "acme-lib") == NAMES[2:3]
    assert names(source, "other-thing") == NAMES[3:4]
    assert isinstance(source.project(Name("nothing")), Absent)


def test_a_page_of_links_is_read_once() -> None:
    body = "".join(f'<a href="f/{name}">x</a>' for name in NAMES).encode()
    replies = Replies({LINKS: Answer(200, body, "application/octet-stream")})
    check_all(FlatIndex(Index(Url.parse(LINKS)), replies.client()))
    assert replies.urls == [LINKS]


def test_a_local_folder(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).write_bytes(b"x" * 7)
    (tmp_path / "acme-9.tar.gz").mkdir()
    source = FlatIndex(Index(Url.parse(tmp_path.as_uri()), format="flat"), Replies({}).client())
    check_all(source)
    found = source.project(Name("acme"))
    assert isinstance(found, Found)
    assert {(file.size, bool(file.hashes)) for file in found.page.files} == {(7, False)}
    assert {file.url.public for file in found.page.files} == {(tmp_path / name).as_uri() for name in NAMES[:2]}


def test_a_local_page(tmp_path: Path) -> None:
    page = tmp_path / "links.html"
    page.write_text("".join(f'<a href="{name}">x</a>' for name in NAMES))
    check_all(FlatIndex(Index(Url.parse(page.as_uri())), Replies({}).client()))


@pytest.mark.parametrize(
    "answer, kind",
    [(Answer(404), ConfigurationError), (Answer(401), CredentialsMissing), (Answer(200, b"x"), InvalidResponse)],
)
def test_a_list_that_cannot_be_had_is_not_an_empty_list(answer: Answer, kind: type[CoveError]) -> None:
    outcome = FlatIndex(Index(Url.parse(LINKS), name="links"), Replies({LINKS: answer}).client()).project(Name("a"))
    assert isinstance(outcome, Unavailable)
    assert isinstance(outcome.error, kind)
    assert "links" in outcome.error.message


def test_a_local_list_that_is_not_there(tmp_path: Path) -> None:
    outcome = FlatIndex(Index(Url.parse((tmp_path / "x").as_uri())), Replies({}).client()).project(Name("a"))
    assert isinstance(outcome, Unavailable)
    assert isinstance(outcome.error, ConfigurationError)
