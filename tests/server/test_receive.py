import pytest

from cove.formats.upload_form import UploadForm
from cove.model.dataclasses import replace
from cove.server.receive import Received, is_safe_filename, refusal

DIGESTS = {"sha256": "aa", "blake2_256": "bb", "md5": "cc"}
GOOD = Received(
    form=UploadForm("file_upload", "Foo.Bar", "1.0", "bdist_wheel", "2.1", ">=3.8", {"sha256": "aa"}),
    filename="foo_bar-1.0-py3-none-any.whl",
    size=10,
    digests=DIGESTS,
    metadata=b"Metadata-Version: 2.1\nName: foo-bar\nVersion: 1.0.0\nRequires-Python: >=3.8\nRequires-Dist: a>1\n",
)


def lying(**changes: object) -> Received:
    return replace(GOOD, form=replace(GOOD.form, **changes))  # type: ignore[arg-type]


def test_an_honest_upload_is_taken() -> None:
    assert refusal(GOOD) == ""
    sdist = replace(lying(filetype="sdist"), filename="foo_bar-1.0.tar.gz")
    assert refusal(sdist) == ""
    assert refusal(replace(sdist, filename="Foo.Bar-1.0.tar.gz")) == ""


@pytest.mark.parametrize(
    "received, words",
    [
        (lying(action="remove"), "remove"),
        (lying(name="../foo"), "project name"),
        (lying(name=""), "project name"),
        (lying(version="one"), "valid version"),
        (lying(name="baz"), "does not belong"),
        (lying(version="1.1"), "not of version `1.1`"),
        (lying(filetype="sdist"), "filetype"),
        (lying(digests={"sha256": "bb"}), "sha256"),
        (lying(digests={"sha256": "aa", "blake2_256": "aa"}), "blake2_256"),
        (lying(digests={"md5": "aa"}), "md5"),
        (lying(requires_python=""), "requires_python"),
        (lying(requires_python="nonsense"), "version specifier"),
        (replace(GOOD, filename="foo_bar-1.0.exe"), "neither"),
        (replace(GOOD, filename="../foo_bar-1.0-py3-none-any.whl"), "characters"),
        (replace(GOOD, size=0), "empty"),
        (replace(GOOD, metadata=None, damage="it is broken"), "it is broken"),
        (replace(GOOD, metadata=b"Name: other\nVersion: 1.0\n"), "another project"),
        (replace(GOOD, metadata=b"Name: foo-bar\nVersion: 2.0\n"), "another version"),
        (
            replace(GOOD, metadata=b"Name: foo-bar\nVersion: 1.0\nRequires-Python: >=3.8\nRequires-Dist: ??\n"),
            "not a requirement",
        ),
    ],
)
def test_each_lie_is_named(received: Received, words: str) -> None:
    assert words in refusal(received)


@pytest.mark.parametrize("filename", ["", ".hidden", "a/b", "a\\b", "a b", "a\nb", "ä", "..", "a" * 256, "C:x", 'a"b'])
def test_names_that_are_no_plain_segment(filename: str) -> None:
    assert not is_safe_filename(filename)
