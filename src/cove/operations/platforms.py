"""Platforms by the names that uv gives them, as markers."""

from cove.errors import ConfigurationError

_MACHINES = {"linux": "x86_64", "windows": "AMD64", "macos": "arm64"}
_PLATFORMS = {
    "linux": ("posix", "linux", "Linux"),
    "windows": ("nt", "win32", "Windows"),
    "macos": ("posix", "darwin", "Darwin"),
}
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
