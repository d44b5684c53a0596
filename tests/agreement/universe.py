"""What the indexes have from which the projects in ``projects`` are locked."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cove.model.dist import parse_filename
from cove.model.name import Name
from cove.model.secret import Secret
from cove.server.serve import RunningIndex
from cove.testing import BuiltFile, PackageFactory

CREDENTIALS = {"UV_INDEX_CORP_USERNAME": "reader", "UV_INDEX_CORP_PASSWORD": "hidden"}
_PLATFORMS = ("cp311-abi3-manylinux2014_x86_64", "cp311-abi3-win_amd64", "cp311-abi3-macosx_11_0_arm64")
_SDIST = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "sdistonly"
version = "1.0"
dependencies = ["leaf<2"]
"""

_make = PackageFactory()


_PYTHONS = ("cp310-cp310", "cp311-cp311", "cp312-cp312", "cp39-none", "py312-none", "py37-none")


def _public() -> Iterator[BuiltFile]:
    for version in ("1.0", "1.1", "2.0"):
        yield _make.wheel("leaf", version)
    yield _make.wheel("tree", "2.0", requires=["leaf", "winonly ; sys_platform == 'win32'"])
    yield _make.wheel("winonly")
    yield _make.wheel("pre", "1.0")
    yield _make.wheel("pre", "2.0b1")
    yield _make.wheel("onlypre", "1.0a1")
    yield _make.wheel("yanked", "1.0")
    yield _make.wheel("yanked", "1.1")
    yield _make.sdist("sdistonly", requires=["leaf<2"], files={"pyproject.toml": _SDIST})
    yield _make.wheel("both")
    yield _make.sdist("both")
    yield from (_make.wheel("platform", tag=tag) for tag in _PLATFORMS)
    yield from (_make.wheel("compiled", tag=f"{tag}-manylinux2014_x86_64") for tag in _PYTHONS)
    yield _make.wheel("newpy", "1.0", requires_python=">=3.8")
    yield _make.wheel("newpy", "2.0", requires_python=">=3.12")
    yield _make.wheel("web", extras={"fast": ["leaf>=2"], "all": ["web[fast]", "both"]})
    circle = {"a": ["leaf"], "b": ["circle[a]", "both"], "c": ["circle[a,b]"]}
    yield _make.wheel(
        "ways",
        requires=["ways[b] ; sys_platform == 'linux' and extra == 'a'"],
        extras={"x": ["ways[a]"], "a": ["ways[c]"], "c": ["ways[b]"], "b": ["leaf"]},
    )
    yield _make.wheel("circle", requires=["circle[b] ; sys_platform == 'linux' and extra == 'a'"], extras=circle)
    yield _make.wheel(
        "marked", requires=["leaf<2 ; python_version < '3.12'", "leaf>=2 ; python_version >= '3.12'", "both"]
    )
    yield _make.wheel("shared", "1.0")
    yield _make.wheel("shared", "2.0")
    yield _make.wheel("local", "1.0")
    yield _make.wheel("local", "1.0+cpu")
    yield _make.wheel("epoch", "2024.1")
    yield _make.wheel("epoch", "1!1.0")


def _private() -> Iterator[BuiltFile]:
    yield _make.wheel("corp-core", "1.0")
    yield _make.wheel("corp-core", "1.5")
    yield _make.wheel("corp-app", "3.0", requires=["corp-core", "tree"])
    yield _make.wheel("shared", "1.0", files={"made_here.py": "PLACE = 'corp'"})


def linked() -> BuiltFile:
    """What is in folders only."""
    return _make.wheel("linked", requires=["leaf"])


@dataclass(frozen=True)
class Universe:
    """Two indexes: ``main``, which is open, and ``corp``, which wants ``CREDENTIALS``."""

    addresses: Mapping[str, str]

    def project(self, template: Path, folder: Path) -> Path:
        """A project of ``templates`` in ``folder``, with a folder of links and an index in a folder beside it."""
        folder.mkdir(parents=True)
        wheel = linked()
        wheel.write_to(folder / "links")
        page = wheel.write_to(folder / "simple" / "linked").with_name("index.html")
        page.write_text(f'<a href="{wheel.filename}#sha256={wheel.sha256}">{wheel.filename}</a>')
        for file in template.rglob("pyproject.toml"):
            text = file.read_text()
            for name, address in {**self.addresses, "folder": str(folder)}.items():
                text = text.replace(f"{{{name}}}", address)
            place = folder / file.relative_to(template)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return folder


@contextmanager
def universe(folder: Path) -> Iterator[Universe]:
    """The indexes, serving."""
    with (
        RunningIndex(folder / "main") as main,
        RunningIndex(folder / "corp", {"reader": Secret("hidden")}) as corp,
        RunningIndex(folder / "links") as links,
    ):
        for index, files in ((main, _public()), (corp, _private()), (links, [linked()])):
            for file in files:
                parsed = parse_filename(file.filename)
                assert parsed is not None
                file.write_to(index.store.root / parsed.name)
        main.store.yank(Name("yanked"), "yanked-1.1-py3-none-any.whl", "broken")
        yield Universe(
            {
                "main": main.simple_url.public,
                "corp": corp.simple_url.public,
                "links": links.simple_url.join("linked/").public,
                "main-files": main.url.join("files/").public,
                "leaf-sha256": _make.wheel("leaf", "1.0").sha256,
            }
        )
