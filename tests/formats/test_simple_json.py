import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cove.errors import InvalidResponse
from cove.formats import simple_json
from cove.model.page import Page
from support.pages import ACME, BASE, pages


def read(document: Any) -> Page:
    return simple_json.read(json.dumps(document).encode(), BASE, ACME)


def entry(**changes: Any) -> dict[str, Any]:
    return {"filename": "acme-1.0.tar.gz", "url": "acme-1.0.tar.gz", "hashes": {}} | changes


def page(*files: Any, **changes: Any) -> dict[str, Any]:
    return {"meta": {"api-version": "1.0"}, "name": "acme", "files": list(files)} | changes


@given(pages(), st.lists(st.sampled_from(["1.0", "2.0", "3.0rc1"]), unique=True).map(tuple))
def test_what_is_written_is_read_back(page: Page, versions: tuple[str, ...]) -> None:
    page = Page(page.name, page.files, versions, page.status, page.status_reason)
    assert simple_json.read(simple_json.write(page), BASE, ACME) == page


def test_a_whole_entry() -> None:
    (file,) = read(
        page(
            entry(
                url="../../files/acme-1.0.tar.gz#sha256=aa",
                hashes={"sha256": "AA", "future": "??"},
                **{"requires-python": ">=3.9", "size": 3, "upload-time": "2026-01-02T03:04:05Z", "yanked": "broken"},
                **{"core-metadata": {"sha256": "bb"}, "dist-info-metadata": False, "unheard-of": [1]},
            )
        )
    ).files
    assert file.url.public == "https://example.com/files/acme-1.0.tar.gz"
    assert (file.hashes, file.metadata) == ({"sha256": "aa"}, {"sha256": "bb"})
    assert (file.requires_python, file.size, file.yanked) == (">=3.9", 3, "broken")
    assert file.upload_time == "2026-01-02T03:04:05Z"


@pytest.mark.parametrize("field", ["hashes", "requires-python", "yanked", "size", "upload-time", "core-metadata"])
def test_optional_fields_may_be_null(field: str) -> None:
    assert len(read(page(entry(**{field: None}))).files) == 1


@pytest.mark.parametrize(
    "bad",
    [
        7,
        None,
        entry(url=7),
        {"filename": "acme-1.0.tar.gz"},
        entry(size="three"),
        entry(size=-1),
        entry(url="file:///etc/passwd"),
        entry(filename="../acme-1.0.tar.gz"),
        entry(hashes={"sha256": "../../x"}),
    ],
)
def test_one_unreadable_entry_costs_only_itself(bad: Any) -> None:
    good = entry(filename="acme-2.0.tar.gz")
    assert [file.filename for file in read(page(bad, good)).files] == ["acme-2.0.tar.gz"]


@pytest.mark.parametrize("value, yanked", [(True, ""), (False, None), ("", None), ("why", "why"), (None, None)])
def test_yanked(value: Any, yanked: str | None) -> None:
    assert read(page(entry(yanked=value))).files[0].yanked == yanked


@pytest.mark.parametrize("key", ["core-metadata", "dist-info-metadata", "data-dist-info-metadata"])
@pytest.mark.parametrize("value, metadata", [(True, {}), (False, None), ({"sha256": "ab"}, {"sha256": "ab"})])
def test_metadata_is_offered_under_any_of_its_names(key: str, value: Any, metadata: Any) -> None:
    assert read(page(entry(**{key: value}))).files[0].metadata == metadata


@pytest.mark.parametrize(
    "body, reason",
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"<html></html>", "not valid JSON"),
        (b'{"files": [], "name": "\xff"}', "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[]", "not a project's page"),
        (b"{}", "no list of files"),
        (b'{"projects": []}', "no list of files"),
        (b'{"files": null}', "no list of files"),
        (b'{"meta": {"api-version": "2.0"}, "files": []}', "API version 2"),
        (b'{"meta": {"api-version": "x"}, "files": []}', "API version"),
        (b'{"name": "other", "files": []}', "another project"),
    ],
)
def test_what_is_not_the_projects_page_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(InvalidResponse, match=reason):
        simple_json.read(body, BASE, ACME)


def test_a_page_without_files_and_a_newer_minor_version_is_a_page() -> None:
    assert read(page(meta={"api-version": "1.99"}, name="ACME")) == Page(ACME, ())


@pytest.mark.parametrize("url", ["https://u:p@files.example.org/acme-1.0.tar.gz"])
def test_user_info_of_a_link_is_kept_apart(url: str) -> None:
    (file,) = read(page(entry(url=url))).files
    assert (file.url.public, file.url.username) == ("https://files.example.org/acme-1.0.tar.gz", "u")


def test_links_may_be_written_relative() -> None:
    original = read(page(entry()))
    written = json.loads(simple_json.write(original, lambda file: "../../f/" + file.filename))
    assert written["files"][0]["url"] == "../../f/acme-1.0.tar.gz"


def test_the_list_of_projects() -> None:
    assert json.loads(simple_json.write_projects([ACME]))["projects"] == [{"name": "acme"}]


def test_sizes_and_versions_decide_the_api_version() -> None:
    without = read(page(entry()))
    complete = read(page(entry(size=1), versions=["1.0"]))
    assert json.loads(simple_json.write(without))["meta"] == {"api-version": "1.0"}
    assert json.loads(simple_json.write(complete))["meta"] == {"api-version": "1.4"}
