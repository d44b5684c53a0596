"""The small projects that ``cove demo`` writes, builds, publishes and installs."""

from pathlib import Path
from textwrap import dedent

from cove.model.url import Url

INDEX_NAME = "private-registry"
INTERNAL = ("corp-greeting", "corp-report")
PUBLIC = ("rich", "httpx")

_BACKEND = '''\
"""A PEP 517 backend in forty lines, for building without a network: ``backend-path`` keeps it in the tree."""

import base64
import hashlib
import io
import pathlib
import tarfile
import tomllib
import zipfile

PROJECT = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]
STEM = PROJECT["name"].replace("-", "_") + "-" + PROJECT["version"]


def _metadata():
    lines = ["Metadata-Version: 2.4", f"Name: {PROJECT['name']}", f"Version: {PROJECT['version']}"]
    lines += [f"Requires-Python: {PROJECT['requires-python']}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in PROJECT.get("dependencies", ())]
    return "\\n".join(lines) + "\\n"


def _sources():
    return sorted(path for path in pathlib.Path("src").rglob("*.py"))


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    files = {path.relative_to("src").as_posix(): path.read_bytes() for path in _sources()}
    files[f"{STEM}.dist-info/METADATA"] = _metadata().encode()
    files[f"{STEM}.dist-info/WHEEL"] = b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    record = ""
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{name},sha256={digest},{len(data)}\\n"
    files[f"{STEM}.dist-info/RECORD"] = (record + f"{STEM}.dist-info/RECORD,,\\n").encode()
    filename = f"{STEM}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, filename), "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
    return filename


def build_sdist(sdist_directory, config_settings=None):
    filename = f"{STEM}.tar.gz"
    with tarfile.open(pathlib.Path(sdist_directory, filename), "w:gz") as sdist:
        for path in [pathlib.Path("pyproject.toml"), pathlib.Path("demo_backend.py"), *_sources()]:
            sdist.add(path, f"{STEM}/{path.as_posix()}")
        info = tarfile.TarInfo(f"{STEM}/PKG-INFO")
        info.size = len(_metadata().encode())
        sdist.addfile(info, io.BytesIO(_metadata().encode()))
    return filename
'''

_IN_TREE = """\
[build-system]
requires = []
build-backend = "demo_backend"
backend-path = ["."]
"""

_BACKENDS = {
    "corp-greeting": '[build-system]\nrequires = ["hatchling>=1.27"]\nbuild-backend = "hatchling.build"\n',
    "corp-report": '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n',
}

_MODULES = {
    "corp-greeting": ("corp_greeting", 'def greet(name: str) -> str:\n    return f"Good morning, {name}."\n'),
    "corp-report": (
        "corp_report",
        dedent(
            """\
            import rich
            from corp_greeting import greet


            def report(name: str) -> str:
                return f"{greet(name)} This report is printed with {rich.__name__}."
            """
        ),
    ),
    "rich": ("rich", '__version__ = "1.0"\n'),
    "httpx": ("httpx", '__version__ = "1.0"\n'),
}

_DEPENDENCIES = {"corp-report": ("corp-greeting>=1.0", "rich")}


def write_package(folder: Path, name: str, *, in_tree: bool) -> Path:
    """The sources of ``name`` below ``folder``; ``in_tree`` brings the backend along instead of asking an index for one."""
    project = folder / name
    module, code = _MODULES[name]
    (project / "src" / module).mkdir(parents=True)
    (project / "src" / module / "__init__.py").write_text(code)
    listed = ", ".join(f'"{requirement}"' for requirement in _DEPENDENCIES.get(name, ()))
    table = f'[project]\nname = "{name}"\nversion = "1.0.0"\nrequires-python = ">=3.11"\ndependencies = [{listed}]\n'
    (project / "pyproject.toml").write_text(f"{_IN_TREE if in_tree else _BACKENDS[name]}\n{table}")
    if in_tree:
        (project / "demo_backend.py").write_text(_BACKEND)
    return project


def write_application(folder: Path, simple_url: Url, upload_url: Url) -> Path:
    """A project that knows its private index by name and URL, and no credential."""
    project = folder / "application"
    project.mkdir()
    (project / "pyproject.toml").write_text(
        dedent(
            f"""\
            [project]
            name = "application"
            version = "0.1.0"
            requires-python = ">=3.11"
            dependencies = []

            [[tool.uv.index]]
            name = "{INDEX_NAME}"
            url = "{simple_url.public}"
            publish-url = "{upload_url.public}"
            """
        )
    )
    (project / "main.py").write_text(
        dedent(
            """\
            import corp_report
            import httpx
            import rich

            said = corp_report.report("demo")
            assert said.startswith("Good morning, demo.")
            print("    " + said, "And httpx is", httpx.__version__ + ".")
            """
        )
    )
    return project
