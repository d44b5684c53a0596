"""A pytest plugin: a private index in the test's own folder, and small valid packages made in memory.

Installed with ``cove``; a test asks for the fixtures ``cove_index`` and ``wheel_factory`` by name.
"""

import base64
import hashlib
import io
import secrets
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cove.model.dataclasses import dataclass

if TYPE_CHECKING:
    from cove.model.secret import Secret
    from cove.server.serve import RunningIndex

_DATE = (2020, 1, 1, 0, 0, 0)

_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "{name}"
version = "{version}"
"""

_BACKEND = """\
import shutil


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    shutil.copy("{filename}", wheel_directory)
    return "{filename}"
"""


@dataclass(frozen=True, slots=True)
class BuiltFile:
    """A distribution file in memory."""

    filename: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Lower-case hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    def write_to(self, folder: Path) -> Path:
        """Put it into ``folder``, which is made when it is missing; the file's path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.filename
        path.write_bytes(self.content)
        return path


class PackageFactory:
    """Makes wheels and sdists without building anything."""

    def wheel(
        self,
        name: str,
        version: str = "1.0",
        *,
        requires: Sequence[str] = (),
        extras: Mapping[str, Sequence[str]] | None = None,
        requires_python: str = "",
        files: Mapping[str, str | bytes] | None = None,
        data: Mapping[str, str | bytes] | None = None,
        scripts: Mapping[str, str] | None = None,
        tag: str = "py3-none-any",
        build: str = "",
        metadata: str | None = None,
    ) -> BuiltFile:
        """A wheel with a module of the project's name.

        ``files`` are added at its root, ``data`` below ``.data/`` (``scripts/tool``); ``scripts`` are console entry points;
        ``extras`` maps an extra to its requirements; ``metadata`` replaces the whole METADATA.
        """
        stem = f"{_escaped(name)}-{version.replace('-', '_')}"
        dist_info = f"{stem}.dist-info"
        members: dict[str, bytes] = {f"{_escaped(name).lower()}.py": f'VERSION = "{version}"\n'.encode()}
        members |= {path: _bytes(content) for path, content in (files or {}).items()}
        members |= {f"{stem}.data/{path}": _bytes(content) for path, content in (data or {}).items()}
        if metadata is None:
            metadata = core_metadata(name, version, requires=requires, extras=extras, requires_python=requires_python)
        members[f"{dist_info}/METADATA"] = metadata.encode()
        members[f"{dist_info}/WHEEL"] = _wheel_file(tag, build)
        if scripts:
            lines = "".join(f"{command} = {target}\n" for command, target in scripts.items())
            members[f"{dist_info}/entry_points.txt"] = f"[console_scripts]\n{lines}".encode()
        record = "".join(f"{path},{_record_hash(content)},{len(content)}\n" for path, content in members.items())
        members[f"{dist_info}/RECORD"] = f"{record}{dist_info}/RECORD,,\n".encode()
        return BuiltFile(f"{stem}-{build + '-' if build else ''}{tag}.whl", _zip(members))

    def sdist(
        self,
        name: str,
        version: str = "1.0",
        *,
        requires: Sequence[str] = (),
        requires_python: str = "",
        files: Mapping[str, str | bytes] | None = None,
        metadata: str | None = None,
    ) -> BuiltFile:
        """An sdist that can be built without a network: its PEP 517 backend hands out a wheel that lies in it.

        ``files`` are added to it or replace its ``pyproject.toml``; ``metadata`` replaces the whole PKG-INFO.
        """
        stem = f"{_escaped(name).lower()}-{version}"
        if metadata is None:
            metadata = core_metadata(name, version, requires=requires, requires_python=requires_python)
        wheel = self.wheel(name, version, metadata=metadata)
        members = {
            "PKG-INFO": metadata.encode(),
            "pyproject.toml": _PYPROJECT.format(name=name, version=version).encode(),
            "backend.py": _BACKEND.format(filename=wheel.filename).encode(),
            wheel.filename: wheel.content,
        }
        members |= {path: _bytes(content) for path, content in (files or {}).items()}
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            for path, content in members.items():
                member = tarfile.TarInfo(f"{stem}/{path}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
        return BuiltFile(f"{stem}.tar.gz", buffer.getvalue())


def core_metadata(
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    requires_python: str = "",
) -> str:
    """The text of a METADATA file (version 2.3)."""
    lines = ["Metadata-Version: 2.3", f"Name: {name}", f"Version: {version}", f"Summary: {name} for a test"]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, requirements in (extras or {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {requirement}; extra == '{extra}'" for requirement in requirements]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class PrivateIndex:
    """The running index with the one user it knows, who may publish."""

    running: "RunningIndex"
    username: str
    password: "Secret"

    @property
    def simple_url(self) -> str:
        """For clients, with the credentials in it."""
        return self._with_credentials(self.running.simple_url.public)

    @property
    def upload_url(self) -> str:
        """Where to publish, without credentials."""
        return self.running.upload_url.public

    def add(self, *built: BuiltFile) -> None:
        """Put files on the index without an upload."""
        from cove.model.dist import parse_filename  # noqa: PLC0415 - the plugin is loaded by every pytest of its users

        for file in built:
            parsed = parse_filename(file.filename)
            assert parsed is not None, f"{file.filename} is not a distribution's name"
            file.write_to(self.running.store.root / parsed.name)

    def _with_credentials(self, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        return f"{scheme}{separator}{self.username}:{self.password.reveal()}@{rest}"


@pytest.fixture
def wheel_factory() -> PackageFactory:
    """Makes small valid wheels and sdists."""
    return PackageFactory()


@pytest.fixture
def cove_index(tmp_path: Path) -> Iterator[PrivateIndex]:
    """A private index in ``tmp_path``, on a free loopback port, that wants a user name and a generated password."""
    from cove.model.secret import Secret  # noqa: PLC0415 - the server's libraries are an extra
    from cove.server.serve import RunningIndex  # noqa: PLC0415

    password = Secret(secrets.token_hex(16))  # it is given as an argument, too: no leading dash
    with RunningIndex(tmp_path / "index", {"tester": password}) as running:
        yield PrivateIndex(running, "tester", password)


def _escaped(name: str) -> str:
    return name.replace("-", "_").replace(".", "_")


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _record_hash(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"


def _wheel_file(tag: str, build: str) -> bytes:
    pure = "true" if tag.endswith("-none-any") else "false"
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    tags = "".join(f"Tag: {p}-{a}-{s}\n" for p in pythons for a in abis for s in platforms)
    build_line = f"Build: {build}\n" if build else ""
    return f"Wheel-Version: 1.0\nGenerator: cove\nRoot-Is-Purelib: {pure}\n{build_line}{tags}".encode()


def _zip(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in members.items():
            member = zipfile.ZipInfo(path, _DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = (0o755 if "/scripts/" in path else 0o644) << 16
            archive.writestr(member, content)
    return buffer.getvalue()
