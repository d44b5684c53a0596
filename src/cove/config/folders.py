"""Where things are kept: the cache, the tools, the home folder (XDG Base Directory Specification; uv's variables)."""

import os
from collections.abc import Mapping
from pathlib import Path

from cove.config.settings import Settings
from cove.errors import ConfigurationError


def home(environ: Mapping[str, str]) -> Path:
    """The user's home folder. Raises ``ConfigurationError`` where there is none."""
    named = environ.get("HOME") or environ.get("USERPROFILE")
    if not named:
        raise ConfigurationError(
            "no home folder is known", hints=("set HOME, or name the folders: UV_CACHE_DIR, UV_TOOL_DIR",)
        )
    return Path(named)


def cache_folder(settings: Settings, environ: Mapping[str, str]) -> Path:
    """The folder of the cache: ``cove`` in ``--cache-dir`` or ``UV_CACHE_DIR``, else in the user's cache folder.

    A folder of its own even where one is named, because that one is often uv's too, and each has its own format.
    """
    if settings.cache_dir is not None:
        return Path(settings.cache_dir) / "cove"
    if os.name == "nt" and environ.get("LOCALAPPDATA"):
        return Path(environ["LOCALAPPDATA"]) / "cove" / "cache"
    return _xdg(environ, "XDG_CACHE_HOME", ".cache") / "cove"


def data_folder(settings: Settings, environ: Mapping[str, str]) -> Path:
    """What must outlive the cache: ``COVE_DATA_DIR``, else ``cove`` in the user's data folder."""
    if settings.data_dir is not None:
        return Path(settings.data_dir)
    if os.name == "nt" and environ.get("APPDATA"):
        return Path(environ["APPDATA"]) / "cove" / "data"
    return _xdg(environ, "XDG_DATA_HOME", ".local/share") / "cove"


def credentials_file(settings: Settings, environ: Mapping[str, str]) -> Path:
    """What ``uv auth login`` and ``cove auth login`` write: in ``UV_CREDENTIALS_DIR``, else in uv's data folder."""
    return _credentials_folder(settings, environ) / "credentials.toml"


def _credentials_folder(settings: Settings, environ: Mapping[str, str]) -> Path:
    if settings.credentials_dir is not None:
        return Path(settings.credentials_dir)
    if os.name == "nt" and environ.get("APPDATA"):
        return Path(environ["APPDATA"]) / "uv" / "data" / "credentials"
    return _xdg(environ, "XDG_DATA_HOME", ".local/share") / "uv" / "credentials"


def tool_folder(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where tools have their environments: ``UV_TOOL_DIR``, else ``tools`` in the data folder."""
    return Path(settings.tool_dir) if settings.tool_dir is not None else data_folder(settings, environ) / "tools"


def tool_bin_folder(settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where tools have their programs: ``UV_TOOL_BIN_DIR``, ``XDG_BIN_HOME``, ``XDG_DATA_HOME/../bin`` or ``~/.local/bin``."""
    if settings.tool_bin_dir is not None:
        return Path(settings.tool_bin_dir)
    if environ.get("XDG_BIN_HOME"):
        return Path(environ["XDG_BIN_HOME"])
    if environ.get("XDG_DATA_HOME"):
        return Path(os.path.normpath(Path(environ["XDG_DATA_HOME"]) / ".." / "bin"))
    return home(environ) / ".local" / "bin"


def keyring_places(settings: Settings, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The folders that hold the program ``keyring`` where it is a tool: its links may not be on ``PATH``."""
    programs = "Scripts" if os.name == "nt" else "bin"
    return tool_bin_folder(settings, environ), tool_folder(settings, environ) / "keyring" / programs


def _xdg(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    named = environ.get(variable)
    # "All paths set in these environment variables must be absolute"; relative ones are to be ignored.
    return Path(named) if named and os.path.isabs(named) else home(environ) / below_home
