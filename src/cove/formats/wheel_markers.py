"""What the platform tags of a wheel mean as markers."""

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


def suits(wheels: Iterable[WheelName]) -> MarkerSet:
    """The environments in which one of the wheels can be used. Raises ``TooComplex``."""
    found = NOTHING
    for tags in {(wheel.pythons, wheel.abis, wheel.platforms) for wheel in wheels}:
        found |= _suited(*tags)
    return found


@lru_cache(maxsize=4096)
def _suited(pythons: tuple[str, ...], abis: tuple[str, ...], of: tuple[str, ...]) -> MarkerSet:
    goes_on = "none" in abis or "abi3" in abis
    found = NOTHING
    for python in pythons:
        found |= _meaning(_python(python, goes_on=goes_on or python.startswith("py")))
    return found & platforms(of)


def _python(tag: str, *, goes_on: bool) -> str:
    """The Pythons that a tag names: ``cp39`` is for 3.9, and with a stable ABI for later ones; ``py3`` is for every 3."""
    digits = tag.lstrip("abcdefghijklmnopqrstuvwxyz_")
    if not digits.isascii() or not digits.isdigit():
        return ""
    major, minor = digits[0], digits[1:]
    if not minor:
        return f"python_full_version >= '{major}' and python_full_version < '{int(major) + 1}'"
    if goes_on:
        return f"python_full_version >= '{major}.{minor}' and python_full_version < '{int(major) + 1}'"
    return f"python_full_version == '{major}.{minor}.*'"


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
