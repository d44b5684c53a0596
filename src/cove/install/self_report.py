"""Run by an interpreter that ``interpreter.probe`` looks at: prints one line of JSON that says what that interpreter is.

Executed as a script, never imported, by whatever Python is being examined: standard library only, syntax of Python 3.7.
The rules for platforms and ABIs are those of ``packaging.tags``, which the examined interpreter need not have.
"""

from __future__ import annotations

import json
import os
import platform
import re
import struct
import subprocess
import sys
import sysconfig

MARK = "cove-interpreter:"
"""Begins the line that counts: start-up files of the interpreter may print others."""


class Elf:
    """The few fields of an ELF header that tell the architecture and the C library of an executable."""

    def __init__(self, path: str) -> None:
        with open(path, "rb") as file:
            head = file.read(16)
            if head[:4] != b"\x7fELF":
                raise ValueError("not an ELF file")
            self.bits, order = {1: 32, 2: 64}[head[4]], {1: "<", 2: ">"}[head[5]]
            header = order + ("HHIQQQIHHH" if self.bits == 64 else "HHIIIIIHHH")
            fields = struct.unpack(header, file.read(struct.calcsize(header)))
            self.little = order == "<"
            self.machine, table, self.flags, size, count = fields[1], fields[4], fields[6], fields[8], fields[9]
            entry = order + ("IIQQQQQQ" if self.bits == 64 else "IIIIIIII")
            offset_at, length_at = (2, 5) if self.bits == 64 else (1, 4)
            self.loader = ""
            for number in range(count):
                file.seek(table + size * number)
                values = struct.unpack(entry, file.read(struct.calcsize(entry)))
                if values[0] == 3:  # PT_INTERP
                    file.seek(values[offset_at])
                    self.loader = os.fsdecode(file.read(values[length_at])).strip("\0")
                    break


def read_elf(path: str) -> Elf | None:
    """The header of an executable, ``None`` when it has none that can be read."""
    try:
        return Elf(path)
    except (OSError, ValueError, LookupError, struct.error):
        return None


def glibc() -> tuple[int, int] | None:
    """The running glibc, ``None`` on another C library."""
    try:
        text = (os.confstr("CS_GNU_LIBC_VERSION") or "").split()[-1]
    except (AttributeError, OSError, ValueError, IndexError):
        return None
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match.group(1)), int(match.group(2))) if match else None


def musl(elf: Elf | None) -> tuple[int, int] | None:
    """The musl version that the executable's loader reports when it is run without arguments, ``None`` on another C library."""
    if elf is None or "musl" not in elf.loader:
        return None
    said = subprocess.run([elf.loader], stderr=subprocess.PIPE, text=True, check=False).stderr
    match = re.match(r"musl.*\n\s*Version (\d+)\.(\d+)", said.strip())
    return (int(match.group(1)), int(match.group(2))) if match else None


def _is_hard_float(elf: Elf) -> bool:
    return (elf.bits, elf.little, elf.machine) == (32, True, 40) and elf.flags & 0xFF000400 == 0x05000400


def allows_manylinux(archs: list[str], elf: Elf | None) -> bool:
    """Whether the executable follows the ABI that manylinux wheels are built for (PEP 600)."""
    if "armv7l" in archs:  # hard float only
        return (
            elf is not None
            and (elf.bits, elf.little, elf.machine) == (32, True, 40)
            and elf.flags & 0xFF000400 == 0x05000400
        )
    if "i686" in archs:
        return elf is not None and (elf.bits, elf.little, elf.machine) == (32, True, 3)
    return not {"x86_64", "aarch64", "ppc64", "ppc64le", "s390x", "loongarch64", "riscv64"}.isdisjoint(archs)


def manylinux_permits(major: int, minor: int, arch: str) -> bool:
    """What the optional module ``_manylinux`` says (PEP 600, "Package installers")."""
    try:
        import _manylinux  # type: ignore[import-not-found]  # noqa: PLC0415 - exists only where a distributor made it
    except ImportError:
        return True
    if hasattr(_manylinux, "manylinux_compatible"):
        answer = _manylinux.manylinux_compatible(major, minor, arch)
        return True if answer is None else bool(answer)
    legacy = {(2, 5): "manylinux1_compatible", (2, 12): "manylinux2010_compatible", (2, 17): "manylinux2014_compatible"}
    return bool(getattr(_manylinux, legacy.get((major, minor), ""), True))


def manylinux(archs: list[str], version: tuple[int, int]) -> list[str]:
    """PEP 600 platforms, newest first, with the older names of PEP 513, 571 and 599."""
    legacy = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
    oldest = 5 if {"x86_64", "i686"} & set(archs) else 17
    found = []
    for arch in archs:
        for minor in range(version[1], oldest - 1, -1):
            if manylinux_permits(2, minor, arch):
                found.append(f"manylinux_2_{minor}_{arch}")
                if (2, minor) in legacy:
                    found.append(f"{legacy[2, minor]}_{arch}")
    return found


def linux_platforms(own: str) -> list[str]:
    """Platform tags on Linux, best first; ``own`` is ``linux_x86_64`` or the like."""
    if struct.calcsize("P") == 4:  # a 32-bit interpreter on a 64-bit kernel
        own = {"linux_x86_64": "linux_i686", "linux_aarch64": "linux_armv8l"}.get(own, own)
    arch = own.partition("_")[2]
    archs = ["armv8l", "armv7l"] if arch == "armv8l" else [arch]
    found = [f"linux_{each}" for each in archs]
    elf, gnu = read_elf(sys.executable), glibc()
    if gnu and gnu[0] == 2 and allows_manylinux(archs, elf):
        found += manylinux(archs, gnu)
    other = musl(elf)
    if other:
        found += [f"musllinux_{other[0]}_{minor}_{each}" for each in archs for minor in range(other[1], -1, -1)]
    return found


def mac_version() -> list[int]:
    """Major and minor version of macOS; the real one where compatibility makes it say 10.16."""
    text = platform.mac_ver()[0]
    if text.startswith("10.16"):
        command = [sys.executable, "-sS", "-c", "import platform; print(platform.mac_ver()[0])"]
        environ = {"SYSTEM_VERSION_COMPAT": "0"}
        text = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [int(part) for part in text.strip().split(".")[:2]]


def abis() -> list[str]:
    """ABI tags, best first."""
    if sys.implementation.name == "cpython":
        base = f"cp{sys.version_info[0]}{sys.version_info[1]}"
        base += "t" if sys.version_info >= (3, 13) and sysconfig.get_config_var("Py_GIL_DISABLED") else ""
        debug = sysconfig.get_config_var("Py_DEBUG")
        return [base + "d", base] if debug or (debug is None and hasattr(sys, "gettotalrefcount")) else [base]
    suffix = str(sysconfig.get_config_var("EXT_SUFFIX") or "").split(".")
    soabi = suffix[1] if len(suffix) > 2 else ""
    parts = {"pypy": 2, "graalpy": 3}.get(re.split(r"[\d-]", soabi)[0])
    kept = "-".join(soabi.split("-")[:parts]) if parts else soabi
    return [re.sub(r"[-. ]", "_", kept)] if kept else []


def environment_layout() -> dict[str, str]:
    """Where things lie in a virtual environment of this interpreter, relative to its root (PEP 405)."""
    schemes = sysconfig.get_scheme_names()
    scheme = "venv" if "venv" in schemes else ("nt" if os.name == "nt" else "posix_prefix")
    root = os.path.abspath(os.sep)
    variables = dict.fromkeys(("base", "platbase", "installed_base", "installed_platbase"), root)
    wanted = ("purelib", "platlib", "scripts", "data")
    return {name: os.path.relpath(sysconfig.get_path(name, scheme, variables), root) for name in wanted}


def report() -> dict[str, object]:
    """Everything ``interpreter.probe`` wants to know."""
    implementation = sys.implementation.version
    release = "{}.{}.{}".format(*implementation[:3])
    if implementation.releaselevel != "final":
        release += implementation.releaselevel[0] + str(implementation.serial)
    own = re.sub(r"[-. ]", "_", sysconfig.get_platform())
    system = platform.system()
    python = platform.python_version()
    paths = sysconfig.get_paths()
    short = "python{}.{}".format(*sys.version_info[:2])
    paths["headers"] = os.path.join(paths["data"], "include", "site", short)
    return {
        "executable": sys.executable,
        "base_executable": getattr(sys, "_base_executable", None) or sys.executable,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "paths": {
            name: paths[name] for name in ("purelib", "platlib", "scripts", "data", "include", "headers", "stdlib")
        },
        "layout": environment_layout(),
        "markers": {
            "implementation_name": sys.implementation.name,
            "implementation_version": release,
            "os_name": os.name,
            "platform_machine": platform.machine(),
            "platform_release": platform.release(),
            "platform_system": system,
            "platform_version": platform.version(),
            "python_full_version": python,
            "platform_python_implementation": platform.python_implementation(),
            "python_version": ".".join(platform.python_version_tuple()[:2]),
            "sys_platform": sys.platform,
        },
        "nodot": str(sysconfig.get_config_var("py_version_nodot") or "{}{}".format(*sys.version_info[:2])),
        "abis": abis(),
        "platforms": linux_platforms(own) if system == "Linux" and own.startswith("linux_") else [own],
        "mac": {"version": mac_version(), "arch": platform.mac_ver()[2]} if system == "Darwin" else None,
    }


if __name__ == "__main__":
    sys.stdout.write("\n" + MARK + json.dumps(report()) + "\n")
