import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cove.formats import negotiate
from cove.model.secret import Secret
from cove.server.serve import RunningIndex
from cove.testing import BuiltFile, PackageFactory, core_metadata
from support.browser import Answer, ask
from support.forms import upload

ANN = ("ann", "s3cret")
BOB = ("bob", "readonly")
FACTORY = PackageFactory()
WHEEL = FACTORY.wheel("Foo.Bar", requires=["zeta"], requires_python=">=3.8")
METADATA = core_metadata("Foo.Bar", "1.0", requires=["zeta"], requires_python=">=3.8").encode()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIndex]:
    root = tmp_path_factory.mktemp("index")
    WHEEL.write_to(root / "foo-bar")
    users = {ANN[0]: Secret(ANN[1])}
    with RunningIndex(root, users, readers={BOB[0]: Secret(BOB[1])}, max_size=200_000) as running:
        yield running


def get(index: RunningIndex, path: str, **headers: str) -> Answer:
    return ask(
        index.url.public + path, user=ANN, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def publish(index: RunningIndex, built: BuiltFile, project: str, /, **lies: str) -> Answer:
    metadata = core_metadata(project, "1.0").encode()
    return upload(index.upload_url.public, built, metadata, user=ANN, lies=lies)


def test_pages_in_json_and_html(index: RunningIndex) -> None:
    answer = get(index, "simple/foo-bar/", Accept=negotiate.ACCEPT)
    assert (answer.status, answer.headers["content-type"]) == (200, negotiate.JSON)
    page = json.loads(answer.body)
    (file,) = page["files"]
    assert page["versions"] == ["1.0"]
    assert file["hashes"] == {"sha256": WHEEL.sha256}
    assert (file["size"], file["requires-python"]) == (len(WHEEL.content), ">=3.8")
    assert file["url"] == f"../../files/foo-bar/{WHEEL.filename}"
    answer = get(index, "simple/foo-bar/")
    assert answer.headers["content-type"].startswith("text/html")
    assert f"{file['url']}#sha256={WHEEL.sha256}".encode() in answer.body
    assert get(index, "simple/foo-bar/", Accept="image/png").status == 406


def test_the_list_of_projects(index: RunningIndex) -> None:
    assert {"name": "foo-bar"} in json.loads(get(index, "simple/", Accept=negotiate.JSON).body)["projects"]
    assert b'<a href="foo-bar/">foo-bar</a>' in get(index, "simple/").body


@pytest.mark.parametrize("path", ["simple/Foo.Bar/", "simple/foo_bar", "simple/foo-bar"])
def test_other_spellings_are_redirected(index: RunningIndex, path: str) -> None:
    answer = get(index, path)
    assert (answer.status, answer.headers["location"]) == (301, "/simple/foo-bar/")


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "simple/absent/",
        "simple/%2e%2e/",
        "simple/..%2f/",
        "files/foo-bar/absent.whl",
        "files/foo-bar/..%2f..%2fx",
    ],
)
def test_what_is_not_there_is_404_in_json(index: RunningIndex, path: str) -> None:
    answer = get(index, path)
    assert answer.status == 404
    assert json.loads(answer.body)["message"]


def test_pages_and_files_are_revalidated(index: RunningIndex) -> None:
    for path in (
        "simple/foo-bar/",
        "simple/",
        f"files/foo-bar/{WHEEL.filename}",
        f"files/foo-bar/{WHEEL.filename}.metadata",
    ):
        etag = get(index, path).headers["etag"]
        for given in (etag, f'"other", W/{etag}', "*"):
            answer = get(index, path, If_None_Match=given)
            assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
        assert get(index, path, If_None_Match='"other"').status == 200


def test_a_page_has_another_etag_in_another_form(index: RunningIndex) -> None:
    html, as_json = get(index, "simple/foo-bar/"), get(index, "simple/foo-bar/", Accept=negotiate.JSON)
    assert html.headers["etag"] != as_json.headers["etag"]
    assert "Accept" in html.headers["vary"]


@pytest.mark.parametrize(
    "wanted, expected",
    [
        ("bytes=0-9", WHEEL.content[:10]),
        ("bytes=-10", WHEEL.content[-10:]),
        ("bytes=-1000000", WHEEL.content),
        ("bytes=100-", WHEEL.content[100:]),
    ],
)
def test_ranges(index: RunningIndex, wanted: str, expected: bytes) -> None:
    answer = get(index, f"files/foo-bar/{WHEEL.filename}", Range=wanted)
    start = WHEEL.content.index(expected)
    assert (answer.status, answer.body) == (206, expected)
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/{len(WHEEL.content)}"


def test_a_range_beyond_the_end(index: RunningIndex) -> None:
    answer = get(index, f"files/foo-bar/{WHEEL.filename}", Range="bytes=1000000-")
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(WHEEL.content)}")


def test_whole_files_and_their_metadata(index: RunningIndex) -> None:
    answer = get(index, f"files/foo-bar/{WHEEL.filename}")
    assert (answer.status, answer.body) == (200, WHEEL.content)
    assert "immutable" in answer.headers["cache-control"]
    assert get(index, f"files/foo-bar/{WHEEL.filename}.metadata").body == METADATA


def test_head_says_what_get_would(index: RunningIndex) -> None:
    for path in ("simple/foo-bar/", f"files/foo-bar/{WHEEL.filename}"):
        head, whole = ask(index.url.public + path, "HEAD", user=ANN), get(index, path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == whole.headers["content-length"] == str(len(whole.body))


def test_strangers_are_asked_who_they_are(index: RunningIndex) -> None:
    for path in ("simple/", "simple/foo-bar/", f"files/foo-bar/{WHEEL.filename}", "nothing"):
        for user in (None, ("ann", "wrong"), ("eve", "s3cret")):
            answer = ask(index.url.public + path, user=user)
            assert answer.status == 401
            assert answer.headers["www-authenticate"].startswith("Basic ")
            assert b"s3cret" not in answer.body


@pytest.mark.parametrize("header", ["Basic", "Basic ???", "Basic //8=", "Bearer s3cret", "Basic YW5u"])
def test_malformed_credentials_are_no_credentials(index: RunningIndex, header: str) -> None:
    assert ask(index.simple_url.public, headers={"Authorization": header}).status == 401


def test_readers_read_but_do_not_publish(index: RunningIndex) -> None:
    assert ask(index.simple_url.public, user=BOB).status == 200
    answer = upload(index.upload_url.public, WHEEL, METADATA, user=BOB)
    assert answer.status == 403
    assert "bob" in json.loads(answer.body)["message"]


def test_an_upload_is_listed_at_once_and_again_is_no_error(index: RunningIndex) -> None:
    built = FACTORY.wheel("fresh")
    assert get(index, "simple/fresh/").status == 404
    assert publish(index, built, "fresh").status == 200
    assert built.sha256.encode() in get(index, "simple/fresh/").body
    again = publish(index, built, "fresh")
    assert again.status == 200
    assert b"already there" in again.body
    other = publish(index, FACTORY.wheel("fresh", files={"x.py": ""}), "fresh")
    assert other.status == 409
    assert b"already exists" in other.body


@pytest.mark.parametrize(
    "lies",
    [{"name": "../evil"}, {"version": "9"}, {"sha256_digest": "00"}, {":action": "x"}, {"requires_python": ">=9"}],
)
def test_a_form_that_lies_is_refused_and_leaves_nothing(index: RunningIndex, lies: dict[str, str]) -> None:
    answer = publish(index, FACTORY.wheel("liar"), "liar", **lies)
    assert answer.status == 400
    assert json.loads(answer.body)["code"].startswith("400 ")
    assert get(index, "simple/liar/").status == 404


def test_a_file_name_cannot_leave_the_folder(index: RunningIndex) -> None:
    built = FACTORY.sdist("liar")
    assert publish(index, BuiltFile("../liar-1.0.tar.gz", built.content), "liar").status == 400
    assert not list(index.store.root.parent.glob("liar*"))


def test_what_is_no_upload(index: RunningIndex) -> None:
    url = index.upload_url.public
    assert ask(url, "POST", user=ANN, body=b"x").status == 400
    assert (
        ask(url, "POST", user=ANN, body=b"x", headers={"Content-Type": "multipart/form-data; boundary=y"}).status == 400
    )
    assert ask(url, "POST", user=ANN, headers={"Transfer-Encoding": "chunked"}, body=b"0\r\n\r\n").status == 411
    assert ask(index.simple_url.public, "POST", user=ANN, body=b"x").status == 405
    large = FACTORY.sdist("large", files={"random": "".join(f"{number:x}" for number in range(10**6))})
    assert publish(index, large, "large").status == 413


def test_one_password_for_many_at_once(index: RunningIndex) -> None:
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(get(index, "simple/foo-bar/").status)) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 24


def test_without_accounts_everyone_may(tmp_path: Path) -> None:
    with RunningIndex(tmp_path) as index:
        assert upload(index.url.public, WHEEL, METADATA).status == 200
        assert ask(index.simple_url.public + "foo-bar/").status == 200


def test_anonymous_reading(tmp_path: Path) -> None:
    with RunningIndex(tmp_path, {ANN[0]: Secret(ANN[1])}, anonymous_read=True) as index:
        assert ask(index.simple_url.public).status == 200
        assert ask(index.simple_url.public, user=("ann", "wrong")).status == 401
        assert upload(index.upload_url.public, WHEEL, METADATA).status == 401
        assert upload(index.upload_url.public, WHEEL, METADATA, user=ANN).status == 200
        assert index.requests == [
            ("GET", "/simple/", 200, ""),
            ("GET", "/simple/", 401, ""),
            ("POST", "/legacy/", 401, ""),
            ("POST", "/legacy/", 200, "ann"),
        ]
