"""A bill of materials in CycloneDX 1.5, as JSON: laid out as uv lays it out, with the names that it has for properties.

There is no time and no serial number in it (both are optional): the same lock gives the same bytes.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from cove.model.dataclasses import dataclass
from cove.model.index import DEFAULT_INDEX_URL

_PLAIN = "!$'()*,-./:_~"
"""What stands in a package URL as it is, besides letters and digits."""
_ALGORITHMS = {"md5": "MD5", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_BLAKE = {64: "BLAKE2b-256", 96: "BLAKE2b-384", 128: "BLAKE2b-512"}
_DEFAULT_HOST = re.match(r"\w+://[^/]+/", DEFAULT_INDEX_URL)[0]  # type: ignore[index]


@dataclass(frozen=True, slots=True)
class Component:
    """One package. ``reference`` is its name within the document, ``files`` are URLs with a digest like ``sha256:…``."""

    reference: str
    name: str
    version: str = ""
    purl: str = ""
    properties: Mapping[str, str] | None = None
    files: Sequence[tuple[str, str]] = ()


def purl(name: str, version: str, *, index: str = "", repository: str = "", download: str = "") -> str:
    """The package URL of a project on PyPI; or on an ``index``, in a ``repository`` or at a ``download`` URL, told with it.

    "For packages from non-default repositories", purl-spec has qualifiers.
    """
    index = "" if index.startswith(_DEFAULT_HOST) else index
    stated = {"repository_url": index, "vcs_url": repository, "download_url": download}
    qualifiers = "&".join(f"{key}={_quoted(value)}" for key, value in stated.items() if value)
    at = f"@{_quoted(version)}" if version else ""
    return f"pkg:pypi/{_quoted(name)}{at}" + (f"?{qualifiers}" if qualifiers else "")


def _quoted(text: str) -> str:
    return quote(text, safe=_PLAIN)


def dump(
    root: Component,
    components: Iterable[Component],
    dependencies: Iterable[tuple[str, Iterable[str]]],
    *,
    tool: tuple[str, str],
) -> str:
    """The text of the document. ``root`` is what it is of, ``dependencies`` are references with those that each depends on,
    ``tool`` is the name and version of what makes it."""
    name, version = tool
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"tools": [{"name": name, "version": version}], "component": _component(root)},
        "components": [_component(component) for component in components],
        "dependencies": [_dependency(reference, on) for reference, on in dependencies],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _component(component: Component) -> dict[str, object]:
    made: dict[str, object] = {"type": "library", "bom-ref": component.reference, "name": component.name}
    if component.version:
        made["version"] = component.version
    if component.purl:
        made["purl"] = component.purl
    files = [_file(url, digest) for url, digest in component.files]
    if files:
        made["externalReferences"] = files
    if component.properties:
        made["properties"] = [{"name": key, "value": value} for key, value in component.properties.items()]
    return made


def _file(url: str, digest: str) -> dict[str, object]:
    algorithm, _, content = digest.partition(":")
    known = _ALGORITHMS.get(algorithm) or _BLAKE.get(len(content), "")
    hashes = [{"alg": known, "content": content}]
    return {"type": "distribution", "url": url, **({"hashes": hashes} if known else {})}


def _dependency(reference: str, on: Iterable[str]) -> dict[str, object]:
    listed = sorted(set(on))
    return {"ref": reference, **({"dependsOn": listed} if listed else {})}
