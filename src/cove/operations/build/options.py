"""How one project is built, by what the settings say of all builds and of its own."""

import json
from collections.abc import Iterable, Mapping
from typing import TypeVar

from packaging.requirements import InvalidRequirement, Requirement

from cove.config.settings import Settings
from cove.errors import ConfigurationError
from cove.model.dataclasses import dataclass, field
from cove.model.name import Name, is_valid_name, normalize

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """``is_isolated`` is PEP 517's isolation. ``requires`` is needed besides what the project says, each with whether it must
    have the version that is installed beside the project; ``variables`` are set for the backend."""

    is_isolated: bool = True
    config_settings: Mapping[str, str | list[str]] = field(default_factory=dict)
    requires: tuple[tuple[str, bool], ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """The same text for the same options; empty where nothing is said."""
        if self == BuildOptions():
            return ""
        return json.dumps([self.is_isolated, self.config_settings, self.requires, self.variables], sort_keys=True)

    def requirements(self, label: str, runtime: Mapping[Name, str]) -> list[str]:
        """``requires`` as PEP 508 texts; ``runtime`` are the versions that are installed beside the project ``label``.

        Raises ``ConfigurationError`` for a text that is none, and for a version that is not known.
        """
        return [
            _matching(text, label, runtime) if matches else str(_read(text, label)) for text, matches in self.requires
        ]


def build_options(settings: Settings, label: str) -> BuildOptions:
    """How the project is built whose name is the first word of ``label``."""
    word = label.partition(" ")[0].strip("`")
    name = normalize(word) if is_valid_name(word) else Name("")
    return BuildOptions(
        not (settings.no_build_isolation or name in settings.no_build_isolation_package),
        _joined((*_of(name, settings.config_settings_package), *settings.config_settings)),
        tuple(each for several in _of(name, settings.extra_build_dependencies) for each in several),
        {
            key: value
            for table in reversed([*_of(name, settings.extra_build_variables)])
            for key, value in table.items()
        },
    )


def _of(name: Name, tables: Iterable[Mapping[Name, T]]) -> Iterable[T]:
    return (table[name] for table in tables if name in table)


def _joined(tables: Iterable[Mapping[str, tuple[str, ...]]]) -> dict[str, str | list[str]]:
    """What is said several times is a list, as uv has it."""
    found: dict[str, list[str]] = {}
    for table in tables:
        for key, values in table.items():
            found.setdefault(key, []).extend(values)
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def _read(text: str, label: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(
            f"`extra-build-dependencies` of {label} holds `{text}`, which is not a requirement: {reason}"
        ) from error


def _matching(text: str, label: str, runtime: Mapping[Name, str]) -> str:
    requirement = _read(text, label)
    version = runtime.get(normalize(requirement.name))
    if version is None:
        raise ConfigurationError(
            f"{label} is to be built with the `{requirement.name}` that is installed beside it, and none is",
            hints=(f"make the project require `{requirement.name}`, or leave `match-runtime` out",),
        )
    requirement.specifier = type(requirement.specifier)(f"=={version}")
    return str(requirement)
