import base64
import csv
import hashlib
import io
import zipfile

from packaging.metadata import Metadata

from cove.testing import PackageFactory, PrivateIndex
from support.browser import ask


def test_every_file_of_a_wheel_is_recorded(wheel_factory: PackageFactory) -> None:
    built = wheel_factory.wheel(
        "Foo-Bar",
        "1.0+local",
        requires=["a>1"],
        extras={"fast": ["b"]},
        files={"pkg/x.txt": "x"},
        data={"scripts/tool": "#!python\n"},
        scripts={"foo": "foo_bar:main"},
        tag="cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
        build="2",
    )
    assert built.filename == "Foo_Bar-1.0+local-2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    with zipfile.ZipFile(io.BytesIO(built.content)) as archive:
        record = {
            row[0]: row[1:]
            for row in csv.reader(archive.read("Foo_Bar-1.0+local.dist-info/RECORD").decode().splitlines())
        }
        assert record.keys() == set(archive.namelist())
        for name in archive.namelist():
            if not name.endswith("/RECORD"):
                digest = base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).decode().rstrip("=")
                assert record[name] == [f"sha256={digest}", str(len(archive.read(name)))]
        metadata = Metadata.from_email(archive.read("Foo_Bar-1.0+local.dist-info/METADATA"))
        assert [str(each) for each in metadata.requires_dist or ()] == ["a>1", 'b; extra == "fast"']
        assert b"Tag: cp311-cp311-manylinux2014_x86_64\n" in archive.read("Foo_Bar-1.0+local.dist-info/WHEEL")


def test_the_same_package_is_the_same_file(wheel_factory: PackageFactory) -> None:
    assert wheel_factory.wheel("foo") == wheel_factory.wheel("foo")


def test_the_index_is_private_and_can_be_filled(cove_index: PrivateIndex, wheel_factory: PackageFactory) -> None:
    cove_index.add(wheel_factory.wheel("foo"), wheel_factory.sdist("foo"))
    page = cove_index.running.simple_url.public + "foo/"
    assert ask(page).status == 401
    assert ask(page, user=(cove_index.username, cove_index.password.reveal())).body.count(b"<a ") == 2
    assert cove_index.password.reveal() not in repr(cove_index)
