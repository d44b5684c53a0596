"""Platforms by the names that uv gives them, as markers and as wheel tags."""

import re
from collections.abc import Iterator

from cove.errors import ConfigurationError
from cove.model.dataclasses import replace
from cove.model.target import Target

_MACHINES = {"linux": "x86_64", "windows": "AMD64", "macos": "arm64"}
_PLATFORMS = {
    "linux": ("posix", "linux", "Linux"),
    "windows": ("nt", "win32", "Windows"),
    "macos": ("posix", "darwin", "Darwin"),
}
_GLIBC = (2, 28)
_MUSL = (1, 2)
_MACOS = (13, 0)
"""The newest of each that a platform's bare name stands for, as uv has it."""

_OLDEST_GLIBC = {"x86_64": 5, "i686": 5}
_LEGACY = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_MANYLINUX = re.compile(r"manylinux_2_(\d+)")
_FAMILIES = {"manylinux": "linux", "linux": "linux", "windows": "windows", "darwin": "macos", "macos": "macos"}


def platform_markers(text: str) -> dict[str, str]:
    """The markers of a platform: ``linux``, ``windows``, ``macos``, or a triple like ``aarch64-apple-darwin``.

    Raises ``ConfigurationError`` for others.
    """
    family = next((family for word, family in _FAMILIES.items() if word in text), "")
    if not family:
        raise ConfigurationError(
            f"the platform `{text}` is not known",
            hints=("there are `linux`, `windows`, `macos`, and triples like `aarch64-unknown-linux-gnu`",),
        )
    os_name, sys_platform, system = _PLATFORMS[family]
    machine = text.partition("-")[0] if "-" in text else _MACHINES[family]
    if "-" in text and family == "windows":
        machine = {"x86_64": "AMD64", "aarch64": "ARM64", "i686": "x86"}.get(machine, machine)
    elif "-" in text and family == "macos" and machine == "aarch64":
        machine = "arm64"
    return {"os_name": os_name, "sys_platform": sys_platform, "platform_system": system, "platform_machine": machine}


def on_platform(target: Target, text: str) -> Target:
    """``target``'s Python on another platform, CPython there. Raises ``ConfigurationError`` for one that is not known."""
    markers = {**target.markers, **platform_markers(text), "platform_release": "", "platform_version": ""}
    from packaging import tags

    short = markers["python_version"]
    major, minor = (int(part) for part in short.split("."))
    interpreter = f"cp{major}{minor}"
    markers |= {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    platforms = list(dict.fromkeys(_platform_tags(text, markers["sys_platform"], markers["platform_machine"])))
    accepted = [
        *tags.cpython_tags((major, minor), [interpreter], platforms),
        *tags.compatible_tags((major, minor), interpreter, platforms),
    ]
    return replace(target, markers=markers, tags=tuple(map(str, accepted)))


def _platform_tags(text: str, system: str, machine: str) -> Iterator[str]:
    if system == "win32":
        yield "win32" if machine == "x86" else f"win_{machine.lower()}"
    elif system == "darwin":
        from packaging import tags

        yield from tags.mac_platforms(_MACOS, machine)
    elif "musl" in text:
        for minor in range(_MUSL[1], -1, -1):
            yield f"musllinux_{_MUSL[0]}_{minor}_{machine}"
        yield f"linux_{machine}"
    else:
        stated = _MANYLINUX.search(text)
        newest = int(stated[1]) if stated else 17 if "manylinux2014" in text else _GLIBC[1]
        for minor in range(newest, _OLDEST_GLIBC.get(machine, 17) - 1, -1):
            yield f"manylinux_2_{minor}_{machine}"
            if minor in _LEGACY:
                yield f"{_LEGACY[minor]}_{machine}"
        yield f"linux_{machine}"
