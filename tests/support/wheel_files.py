"""Wheels written by hand: sound ones, and ones that no build backend would make."""

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from cove.formats.wheel_record import RecordEntry, encode_hash, render
from cove.install.wheel import Scheme

WHEEL = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_wheel(
    folder: Path,
    files: Mapping[str, bytes],
    *,
    name: str = "foo",
    version: str = "1.0",
    wheel: bytes = WHEEL,
    record: Mapping[str, str | None] | None = None,
    executable: tuple[str, ...] = (),
) -> Path:
    """``foo-1.0-py3-none-any.whl`` in ``folder`` with ``files`` beside a sound ``.dist-info`` folder.

    ``record`` replaces hashes in RECORD by path (``None`` leaves the line out).
    """
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    content = {**files, f"{info}/METADATA": metadata, f"{info}/WHEEL": wheel}
    hashes: dict[str, str | None] = {path: encode_hash(hashlib.sha256(data).digest()) for path, data in content.items()}
    hashes |= record or {}
    entries = [
        RecordEntry(path, digest, len(content.get(path, b""))) for path, digest in hashes.items() if digest is not None
    ]
    content.setdefault(f"{info}/RECORD", render([*entries, RecordEntry(f"{info}/RECORD")]).encode())
    path = folder / f"{name}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, data in content.items():
            entry = zipfile.ZipInfo(place)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if place in executable else 0o100644) << 16
            archive.writestr(entry, data)
    return path


def scheme_in(prefix: Path) -> Scheme:
    """The folders of a virtual environment at ``prefix``, made as far as such an environment has them."""
    site = prefix / "lib" / "python3.11" / "site-packages"
    for folder in (site, prefix / "bin"):
        folder.mkdir(parents=True, exist_ok=True)
    headers = prefix / "include" / "site" / "python3.11"
    paths = {"purelib": site, "platlib": site, "scripts": prefix / "bin", "data": prefix, "headers": headers}
    return Scheme(str(prefix), str(prefix / "bin" / "python"), {key: str(path) for key, path in paths.items()})


def snapshot(folder: Path) -> dict[str, tuple[int, bytes | str]]:
    """Every file, link and folder below ``folder`` with its mode and content, the lock file left out."""
    found: dict[str, tuple[int, bytes | str]] = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if path.is_symlink():
            found[str(path.relative_to(folder))] = (mode, str(path.readlink()))
        elif path.is_file():
            found[str(path.relative_to(folder))] = (mode, path.read_bytes())
        else:
            found[str(path.relative_to(folder))] = (mode, "folder")
    found.pop(".cove-lock", None)
    return found
