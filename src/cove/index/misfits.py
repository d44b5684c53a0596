"""Which wheels there are instead of the one that is wanted, in words. Pure."""

import re
from collections.abc import Callable, Iterable, Sequence

from cove.model.dist import WheelName
from cove.model.target import Target

_LISTED = 4
"""Up to so many tags are listed."""
_NEWEST = re.compile(r"-(?:manylinux_(?P<glibc>\d+_\d+)|musllinux_(?P<musl>\d+_\d+)|macosx_(?P<macos>\d+)_\d+)_")
_NUMBER = re.compile(r"(\d+)")
_MAJOR = re.compile(r"^([a-z]{2}\d)(?=\d)")


def called(target: Target) -> str:
    """A target in words: ``CPython 3.11 on Linux x86_64 with glibc 2.36``, ``CPython 3.12 on macOS 14 arm64``."""
    markers = target.markers
    python = (
        f"{markers.get('platform_python_implementation') or 'Python'} {markers.get('python_version') or target.python}"
    )
    system, machine = markers.get("platform_system", ""), markers.get("platform_machine", "")
    newest = next(filter(None, map(_NEWEST.search, target.tags)), None)
    if newest is None:
        return f"{python} on {f'{system} {machine}'.strip() or 'this platform'}"
    kind = newest.lastgroup or ""
    number = newest[kind].replace("_", ".")
    return (
        f"{python} on macOS {number} {machine}"
        if kind == "macos"
        else f"{python} on {system} {machine} with {kind} {number}"
    )


def made_for(wheel: WheelName) -> str:
    """What one wheel is for."""
    return f"{'/'.join(wheel.pythons)} with ABI {'/'.join(wheel.abis)} on {'/'.join(wheel.platforms)}"


def made_for_others(wheels: Sequence[WheelName], target: Target | None) -> str:
    """What several wheels are for, none of which fits ``target``: only that in which the nearest of them differ from it."""
    if len(wheels) == 1:
        return made_for(wheels[0])
    accepted = [tag.split("-", 2) for tag in target.tags] if target is not None else []
    here, runs = {platform for *_, platform in accepted}, {(python, abi) for python, abi, _ in accepted}
    on_platform = [wheel for wheel in wheels if target is None or not here.isdisjoint(wheel.platforms)]
    if on_platform:
        return f"other Pythons ({_several(on_platform, _python)})"
    for_python = [wheel for wheel in wheels if any((p, a) in runs for p in wheel.pythons for a in wheel.abis)]
    if for_python:
        return f"other platforms ({_several(for_python, _platform)})"
    return f"other Pythons ({_several(wheels, _python)}) on other platforms ({_several(wheels, _platform)})"


def _python(wheel: WheelName) -> str:
    python, abi = "/".join(wheel.pythons), "/".join(wheel.abis)
    return python if abi in (python, python + "m", "none", "abi3") else f"{python} with ABI {abi}"


def _platform(wheel: WheelName) -> str:
    return wheel.platforms[0]


def _several(wheels: Iterable[WheelName], text: Callable[[WheelName], str]) -> str:
    texts = sorted(set(map(text, wheels)), key=_natural)
    if len(texts) <= _LISTED:
        return ", ".join(texts)
    return f"{', '.join(texts[: _LISTED - 1])} and {len(texts) - _LISTED + 1} more"


def _natural(text: str) -> list[tuple[str, int]]:
    """For an order in which ``cp39`` comes before ``cp310``."""
    parts = _NUMBER.split(_MAJOR.sub(r"\1 ", text))
    return list(zip(parts[::2], map(int, [*parts[1::2], "0"]), strict=True))
