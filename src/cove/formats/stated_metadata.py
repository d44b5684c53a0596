"""What the ``pyproject.toml`` of an sdist says for good, as core metadata."""

import tomllib

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement

_RESOLVED_BY = frozenset({"dependencies", "optional-dependencies", "requires-python"})


def stated_metadata(pyproject: bytes, name: str = "", version: str = "") -> bytes | None:
    """The metadata of ``name`` ``version`` as ``METADATA`` would have it, as far as resolution needs it; what is not given of
    the two must stand there.

    ``None`` where only a build tells. PEP 621: "Build back-ends MUST raise an error if the metadata specifies a field
    statically as well as being listed in dynamic", and what is in neither has no value.
    """
    try:
        project = tomllib.loads(pyproject.decode())["project"]
        if _RESOLVED_BY & set(project.get("dynamic", ())):
            return None
        lines = ["Metadata-Version: 2.2"]
        lines += [f"Name: {_line(name or project['name'])}", f"Version: {_line(version or project['version'])}"]
        if "requires-python" in project:
            lines.append(f"Requires-Python: {_line(project['requires-python'])}")
        lines += [f"Requires-Dist: {Requirement(text)}" for text in _texts(project.get("dependencies", []))]
        for extra, requirements in project.get("optional-dependencies", {}).items():
            lines.append(f"Provides-Extra: {_line(extra)}")
            lines += [f"Requires-Dist: {_of_extra(text, extra)}" for text in _texts(requirements)]
    except (ValueError, KeyError, TypeError, AttributeError, InvalidRequirement, InvalidMarker):
        return None  # whoever builds it says what is wrong
    return "\n".join((*lines, "", "")).encode()


def _line(text: object) -> str:
    if not isinstance(text, str) or not text.isprintable():
        raise ValueError("not a line of text")
    return text


def _texts(raw: object) -> list[str]:
    if not isinstance(raw, list) or not all(isinstance(text, str) for text in raw):
        raise TypeError("not a list of texts")
    return raw


def _of_extra(text: str, extra: str) -> Requirement:
    requirement = Requirement(text)
    own = f"({requirement.marker}) and " if requirement.marker is not None else ""
    requirement.marker = Marker(f'{own}extra == "{extra}"')
    return requirement
