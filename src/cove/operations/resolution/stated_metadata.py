"""What the configuration says that packages require (``dependency-metadata``), in the place of what they say themselves."""

from collections.abc import Mapping

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from cove.config.settings import Settings
from cove.errors import ConfigurationError, InvalidArtifact
from cove.formats.core_metadata import read_requirement, read_specifiers
from cove.formats.locked_requirement import specifier_text
from cove.formats.marker_text import stated
from cove.model.candidate import Candidate
from cove.model.dataclasses import dataclass
from cove.model.metadata import CoreMetadata
from cove.model.name import Name, normalize


@dataclass(frozen=True, slots=True)
class _Entry:
    name: Name
    version: Version | None
    """``None``: every version that has no entry of its own."""
    requires: tuple[Requirement, ...]
    written: tuple[str, ...]
    """The requirements as locks have them."""
    requires_python: str
    extras: tuple[Name, ...]

    @property
    def key(self) -> tuple[object, ...]:
        version = () if self.version is None else (self.version,)
        return (self.name, version, self.written, self.requires_python, self.extras)

    @property
    def in_lock(self) -> dict[str, object]:
        found = {
            "name": self.name,
            "version": "" if self.version is None else str(self.version),
            "requires-dist": list(self.written),
            "requires-python": self.requires_python,
            "provides-extras": list(self.extras),
        }
        return {key: value for key, value in found.items() if value}


class StatedMetadata:
    """The entries of ``dependency-metadata``. Raises ``ConfigurationError`` for one that cannot be read."""

    def __init__(self, settings: Settings) -> None:
        self._entries: dict[Name, list[_Entry]] = {}
        for given in settings.given("dependency-metadata"):
            assert isinstance(given.value, Mapping)
            try:
                entry = _entry(given.value)
            except (InvalidArtifact, InvalidVersion) as error:
                name = given.value["name"]
                reason = error.message if isinstance(error, InvalidArtifact) else str(error)
                raise ConfigurationError(f"{given.origin}: `dependency-metadata` of `{name}`: {reason}") from error
            self._entries.setdefault(entry.name, []).append(entry)

    def of(self, candidate: Candidate) -> CoreMetadata | None:
        """What is said of a version, first by an entry for it alone; ``None`` where nothing is."""
        several = self._entries.get(candidate.name, ())
        for wanted in (candidate.version, None):
            for entry in several:
                if entry.version == wanted:
                    return CoreMetadata(
                        candidate.name,
                        str(candidate.version),
                        entry.requires,
                        entry.requires_python or None,
                        entry.extras,
                    )
        return None

    def manifest(self) -> list[Mapping[str, object]]:
        """The entries as locks have them, in their order."""
        entries = [entry for several in self._entries.values() for entry in several]
        return [entry.in_lock for entry in sorted(entries, key=lambda each: each.key)]


def _entry(table: Mapping[str, object]) -> _Entry:
    texts = [str(text) for text in _list(table.get("requires-dist"))]
    extras = _list(table.get("provides-extras", table.get("provides-extra")))
    python, version = str(table.get("requires-python", "")), str(table.get("version", ""))
    specifiers = read_specifiers(python)
    if specifiers is None:
        raise InvalidArtifact(f"`requires-python` is not a range of versions: `{python}`")
    requires = tuple(map(read_requirement, texts))
    return _Entry(
        normalize(str(table["name"])),
        Version(version) if version else None,
        requires,
        tuple(map(_written, requires, texts)),
        specifier_text(specifiers).replace(",", ", "),
        tuple(normalize(str(extra)) for extra in extras),
    )


def _list(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _written(requirement: Requirement, text: str) -> str:
    inside = text.partition("[")[2].partition("]")[0] if requirement.extras else ""  # in the order that was written
    extras = ",".join(normalize(extra.strip()) for extra in inside.split(",") if extra.strip())
    where = f" @ {requirement.url}" if requirement.url else specifier_text(requirement.specifier)
    marker = f" ; {stated(requirement.marker)}" if requirement.marker else ""
    return f"{normalize(requirement.name)}{f'[{extras}]' if extras else ''}{where}{marker}"
