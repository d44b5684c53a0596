"""Running other people's programs with nothing of this machine's settings, caches or accounts."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

PYTHON = Path(sys.executable)


def program(name: str) -> str:
    """The program installed beside the interpreter that runs the tests."""
    return str(PYTHON.with_name(name))


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """The whole environment of a child process: its own home and caches, no configuration, no proxy, no network but
    loopback needed."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TMPDIR", "LANG") if name in os.environ}
    return {
        **kept,
        "PATH": os.pathsep.join((str(PYTHON.parent), os.defpath)),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PYTHONNOUSERSITE": "1",
        "UV_CACHE_DIR": str(home / "uv-cache"),
        "UV_NO_CONFIG": "1",
        "UV_PYTHON": str(PYTHON),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_HTTP_RETRIES": "0",
        "UV_LINK_MODE": "copy",
        **more,
    }


def run(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path, *, stdin: str = "", timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """The finished process with its output as text; a failure is for the test to judge."""
    return subprocess.run(
        arguments,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        input=stdin,
    )
