"""What the platform tags of a wheel mean as markers."""

import re
from collections.abc import Iterable
from functools import lru_cache

from packaging.markers import Marker

from cove.formats.marker_sets import EVERYTHING, NOTHING, MarkerSet, marker_set
from cove.model.dist import WheelName

_SYSTEMS = {
    "manylinux": "os_name == 'posix' and sys_platform == 'linux'",
    "musllinux": "os_name == 'posix' and sys_platform == 'linux'",
    "linux": "os_name == 'posix' and sys_platform == 'linux'",
    "macosx": "os_name == 'posix' and sys_platform == 'darwin'",
    "win": "os_name == 'nt' and sys_platform == 'win32'",
    "android": "sys_platform == 'android'",
    "ios": "sys_platform == 'ios'",
}
"""By the beginning of a tag."""

_MACHINES = {
    "x86_64": ("x86_64", "amd64", "AMD64"),
    "amd64": ("x86_64", "amd64", "AMD64"),
    "aarch64": ("aarch64", "arm64", "ARM64"),
    "arm64": ("aarch64", "arm64", "ARM64"),
    "universal2": ("x86_64", "amd64", "AMD64", "aarch64", "arm64", "ARM64"),
    "i686": ("i686", "i386", "win32", "x86"),
    "win32": ("i686", "i386", "win32", "x86"),
    "ppc64le": ("ppc64le",),
    "ppc64": ("ppc64",),
    "s390x": ("s390x",),
    "riscv64": ("riscv64",),
    "loongarch64": ("loongarch64",),
    "armv7l": ("armv7l", "armv8l"),
    "armv6l": ("armv6l",),
}
"""By the end of a tag: the values of ``platform_machine``."""

_NAMED_MACHINES = {
    "win_amd64": ("AMD64",),
    "win_arm64": ("ARM64",),
    "win32": ("x86",),
    "universal2": ("x86_64", "arm64"),
}
"""Where the end of a tag is not itself what ``platform_machine`` says."""

_MACOS = re.compile(r"macosx_(\d+)_(\d+)_")
_FIRST_ON_ARM = 20
_IMPLEMENTATIONS = {"cp": "CPython", "pp": "PyPy", "graalpy": "GraalPy", "pyston": "Pyston"}


def suits(wheels: Iterable[WheelName]) -> MarkerSet:
    """The environments in which one of the wheels can be used. Raises ``TooComplex``."""
    found = NOTHING
    for tags in {(wheel.pythons, wheel.abis, wheel.platforms) for wheel in wheels}:
        found |= _suited(*tags)
    return found


@lru_cache(maxsize=4096)
def _suited(pythons: tuple[str, ...], abis: tuple[str, ...], of: tuple[str, ...]) -> MarkerSet:
    goes_on = any(abi.startswith("abi3") for abi in abis)
    found = NOTHING
    for python in pythons:
        found |= _meaning(_python(python, goes_on=goes_on))
    supported = NOTHING
    for tag in of:
        supported |= EVERYTHING if tag == "any" else _named(tag)
    return found & supported


def _python(tag: str, *, goes_on: bool) -> str:
    """What a tag names: ``cp39`` is CPython 3.9, and with a stable ABI what is later; ``py39`` is every 3 from 3.9 on."""
    digits = tag.lstrip("abcdefghijklmnopqrstuvwxyz_")
    if not digits.isascii() or not digits.isdigit():
        return ""
    kind, major, minor = tag.removesuffix(digits), digits[0], digits[1:]
    release = f"{major}.{minor}" if minor else major
    text = f"python_full_version >= '{release}'" if goes_on or kind == "py" else f"python_full_version == '{release}.*'"
    if kind == "py" and not (goes_on and not minor):
        text += f" and python_full_version < '{int(major) + 1}'"
    implementation = _IMPLEMENTATIONS.get(kind)
    return f"{text} and platform_python_implementation == '{implementation}'" if implementation else text


@lru_cache(maxsize=1024)
def _named(tag: str) -> MarkerSet:
    """A platform by its usual markers alone, as uv has it where it divides environments by wheels."""
    system = next((text.rpartition(" and ")[2] for start, text in _SYSTEMS.items() if tag.startswith(start)), "")
    known = tuple(end for end in _MACHINES if tag.endswith(end))[:1]
    machines = next((names for end, names in _NAMED_MACHINES.items() if tag.endswith(end)), known)
    release = _darwin(tag)
    told = (f"platform_machine == '{machine}'{_since(release, machine)}" for machine in machines)
    return _meaning(system) & _meaning(" or ".join(told))


def _since(release: int | None, machine: str) -> str:
    if release is None:
        return ""
    return f" and platform_release >= '{max(release, _FIRST_ON_ARM) if machine == 'arm64' else release}'"


def _darwin(tag: str) -> int | None:
    """The release of the system that the number of a macOS stands for, where it is known."""
    found = _MACOS.match(tag)
    if found is None:
        return None
    major, minor = int(found[1]), int(found[2])
    if major == 10:
        return minor + 4 if minor > 1 else None
    if major <= 15:
        return major + 9
    return major - 1 if major == 26 else major


def may_be_used(wheel: WheelName, where: MarkerSet) -> bool:
    """Whether the wheel suits some environment of ``where``, by its platforms; uv leaves out none for iOS, nor does this."""
    return any(tag.startswith("ios") for tag in wheel.platforms) or not (platforms(wheel.platforms) & where).is_empty


@lru_cache(maxsize=1024)
def platforms(tags: tuple[str, ...]) -> MarkerSet:
    """The environments that platform tags name; ``any``, and what is not known, rules nothing out."""
    found = NOTHING
    for tag in tags:
        system = next((text for start, text in _SYSTEMS.items() if tag.startswith(start)), "")
        machine = next((names for end, names in _MACHINES.items() if tag.endswith(end)), ())
        either = " or ".join(f"platform_machine == '{name}'" for name in machine)
        found |= _meaning(system) & _meaning(either)
    return found


def _meaning(text: str) -> MarkerSet:
    return marker_set(Marker(text)) if text else EVERYTHING
