"""Projects in folders, whose build needs nothing, and git repositories of them."""

import os
import subprocess
from pathlib import Path

BACKEND = """
import base64, hashlib, os, tomllib, zipfile

def _made(folder, editable):
    project = tomllib.load(open("pyproject.toml", "rb"))["project"]
    said = dict(line.split("=", 1) for line in open("DYNAMIC").read().split()) if os.path.exists("DYNAMIC") else {}
    name, version = project["name"].replace("-", "_"), project.get("version") or said["version"]
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {each}" for each in project.get("dependencies", said.get("requires", "").split(","))if each]
    for extra, several in project.get("optional-dependencies", {}).items():
        lines.append(f"Provides-Extra: {extra}")
        for each in several:
            what, semicolon, marker = each.partition(";")
            lines.append(f"Requires-Dist: {what}; " + (f"({marker}) and " if semicolon else "") + f"extra == '{extra}'")
    info = f"{name}-{version}.dist-info"
    code = f"import sys; sys.path.insert(0, {os.getcwd()!r})" if editable else f"version = '{version}'"
    files = {
        f"{name}.pth" if editable else f"{name}.py": code + "\\n",
        f"{info}/METADATA": "\\n".join(lines) + "\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    def digest(text):
        return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
    record = "".join(f"{path},sha256={digest(text)},{len(text.encode())}\\n" for path, text in files.items())
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\\n"
    wheel = f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, wheel), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), text)
    with open("../builds.txt", "a") as log:
        log.write(f"{name} {'editable' if editable else 'wheel'}\\n")
    return wheel

def build_wheel(folder, settings=None, metadata=None):
    return _made(folder, False)

def build_editable(folder, settings=None, metadata=None):
    return _made(folder, True)
"""

BUILD = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


def write_project(
    folder: Path,
    name: str,
    version: str = "1.0",
    *requires: str,
    more: str = "",
    builds: bool = True,
    python: str = ">=3.11",
) -> Path:
    """A project in ``folder``. ``more`` is the rest of its ``pyproject.toml``, beginning within ``[project]``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "backend.py").write_text(BACKEND)
    listed = ", ".join(f'"{each}"' for each in requires)
    stated = f'version = "{version}"\ndependencies = [{listed}]\n' if version else ""
    toml = f'[project]\nname = "{name}"\nrequires-python = "{python}"\n{stated}{more}\n'
    (folder / "pyproject.toml").write_text(toml + (BUILD if builds else ""))
    return folder


def git(folder: Path, *arguments: str) -> str:
    """``git *arguments`` in ``folder``, with nobody's configuration."""
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
    for role in ("AUTHOR", "COMMITTER"):
        nobody |= {
            f"GIT_{role}_NAME": "A",
            f"GIT_{role}_EMAIL": "a@example.com",
            f"GIT_{role}_DATE": "2024-01-01T00:00:00Z",
        }
    done = subprocess.run(["git", *arguments], cwd=folder, env=nobody, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, tag: str = "") -> str:
    """Commit everything in ``folder``, which becomes a repository if it is none; the commit's id."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "more")
    if tag:
        git(folder, "tag", "--force", tag)
    return git(folder, "rev-parse", "HEAD")
