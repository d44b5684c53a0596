"""Scenarios of ``pip compile``: what indexes hold, what is asked for, and the answer, as a file.

Packages are as in ``scenarios``, with ``yanked`` (a reason), ``uploaded`` (a time, empty for none) and ``modified`` (a
``Last-Modified``) besides. All indexes are one server's; one with ``elsewhere`` is called by another name, as if it were not.
"""

import html
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cove.formats.negotiate import JSON
from cove.model.name import normalize
from cove.testing import BuiltFile, PackageFactory, core_metadata
from support.scenarios import required_by_extra
from support.scripted_server import Received, Reply, ScriptedServer, serving

UPLOADED = "2024-01-01T00:00:00Z"
_ARGUMENTS = ("pip", "compile", "--no-header", "--no-annotate")
_TARGET = ("--python-platform", "linux")


@dataclass(frozen=True)
class _Offered:
    built: BuiltFile
    python: str
    package: Mapping[str, Any]


@dataclass
class _Index:
    """One index: the answers for its paths."""

    options: Mapping[str, Any]
    files: dict[str, list[_Offered]] = field(default_factory=dict)

    def page(self, name: str, root: str) -> Reply:
        status = self.options.get("status", {}).get(name)
        if status is not None or name not in self.files:
            return Reply(status or 404)
        offered = self.files[name]
        return self._html(offered, root) if self.options.get("format") == "html" else self._json(name, offered, root)

    @staticmethod
    def _json(name: str, offered: list[_Offered], root: str) -> Reply:
        entries = []
        for each in offered:
            filename, told = each.built.filename, each.package
            entry: dict[str, object] = {"filename": filename, "url": f"{root}/{filename}"}
            entry |= {"hashes": {"sha256": each.built.sha256}, "requires-python": each.python or None}
            entry |= {"yanked": told["yanked"] or True} if "yanked" in told else {}
            uploaded = told.get("uploaded", UPLOADED)
            entries.append(entry | ({"upload-time": uploaded} if uploaded else {}))
        document = {"meta": {"api-version": "1.1"}, "name": name, "files": entries}
        return Reply(200, json.dumps(document).encode(), {"Content-Type": JSON})

    @staticmethod
    def _html(offered: list[_Offered], root: str) -> Reply:
        lines = []
        for each in offered:
            filename = each.built.filename
            python = f' data-requires-python="{html.escape(each.python)}"' if each.python else ""
            yanked = f' data-yanked="{html.escape(each.package["yanked"])}"' if "yanked" in each.package else ""
            lines.append(f'<a href="{root}/{filename}#sha256={each.built.sha256}"{python}{yanked}>{filename}</a>')
        text = "<!DOCTYPE html><html><body>\n" + "\n".join(lines) + "\n</body></html>"
        return Reply(200, text.encode(), {"Content-Type": "text/html"})

    def file(self, filename: str) -> Reply:
        for each in (each for several in self.files.values() for each in several):
            if each.built.filename == filename:
                modified = {"Last-Modified": each.package["modified"]} if "modified" in each.package else {}
                return Reply(200, each.built.content, {"Content-Type": "application/octet-stream", **modified})
        return Reply(404)


@dataclass
class Compilation:
    """A scenario that is being served."""

    told: Mapping[str, Any]
    server: ScriptedServer
    addresses: Mapping[str, str]

    def argv(self, program: str = "cove") -> list[str]:
        """What is run; where another program has other words for the same, ``argv-uv`` are these."""
        own = self.told.get("argv", []) if program == "cove" else self.told.get("argv-uv", self.told.get("argv", []))
        target = () if "--universal" in own or "--python-platform" in own else _TARGET
        python = () if "--python-version" in own else ("--python-version", "3.12")
        is_file = "requires" in self.told or "requirements.in" in self.told["files"]
        files = ["requirements.in"] if is_file else []
        return [*_ARGUMENTS, *files, *target, *python, *(self._placed(word) for word in own)]

    def write_to(self, folder: Path) -> None:
        """The files, and a ``uv.toml`` with the indexes where no file names any."""
        folder.mkdir(parents=True, exist_ok=True)
        files = dict(self.told.get("files", {}))
        if "requires" in self.told:
            files["requirements.in"] = "\n".join(self.told["requires"]) + "\n"
        if not any("index]]" in text for text in files.values()):
            last = list(self.addresses)[-1]
            files["uv.toml"] = files.get("uv.toml", "") + "".join(
                f'[[index]]\nname = "{name}"\nurl = "{{{name}}}"\n{"default = true" if name == last else ""}\n'
                for name in self.addresses
            )
        for name, text in files.items():
            (folder / name).write_text(self._placed(text))

    def _placed(self, text: str) -> str:
        for name, address in self.addresses.items():
            text = text.replace(f"{{{name}}}", address)
        return text

    def stable(self, text: str) -> str:
        """Without ports."""
        for name, address in self.addresses.items():
            text = text.replace(address, f"http://{name}/").replace(address.removesuffix("/simple/"), f"http://{name}")
        return text


@contextmanager
def compiling(told: Mapping[str, Any]) -> Iterator[Compilation]:
    """The scenario's indexes, serving."""
    options = told.get("options", {})
    indexes = {name: _filled(packages, options.get(name, {})) for name, packages in told["index"].items()}

    def answer(request: Received) -> Reply:
        _, index, kind, last, *_ = [*request.path.split("/"), "", "", ""]
        if index not in indexes:
            return Reply(404)
        host = "localhost" if options.get(index, {}).get("elsewhere") else "127.0.0.1"
        root = server.url.replace("127.0.0.1", host) + f"/{index}/files"
        return indexes[index].page(last, root) if kind == "simple" else indexes[index].file(last)

    with serving(answer) as server:
        addresses = {}
        for name in indexes:
            host = "localhost" if options.get(name, {}).get("elsewhere") else "127.0.0.1"
            addresses[name] = server.url.replace("127.0.0.1", host) + f"/{name}/simple/"
        yield Compilation(told, server, addresses)


def _filled(packages: Mapping[str, Mapping[str, Any]], options: Mapping[str, Any]) -> _Index:
    make, index = PackageFactory(), _Index(options)
    for key, package in packages.items():
        name, version = key.split()
        extras, python = package.get("extras", {}), package.get("python", "")
        requires = [*package.get("requires", []), *required_by_extra(extras)]
        text = core_metadata(name, version, requires=requires, extras=dict.fromkeys(extras, ()), requires_python=python)
        for tag in package.get("tags", ["py3-none-any"]):
            if tag == "sdist":
                built = make.sdist(name, version, metadata=text)
            else:
                built = make.wheel(name, version, metadata=text, tag=tag)
            index.files.setdefault(normalize(name), []).append(_Offered(built, python, package))
    return index
