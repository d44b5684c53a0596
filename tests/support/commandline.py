"""Running cove as a person would, in a place of its own."""

import gc
import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cove.cli.main import run
from cove.model.event import Event, RequestDone


@dataclass(frozen=True)
class Ran:
    """What came of a command line; ``requests`` are those that were answered or failed."""

    status: int
    stdout: str
    stderr: str
    requests: tuple[RequestDone, ...]

    def ok(self) -> "Ran":
        """Itself, if it succeeded."""
        assert self.status == 0, f"status {self.status}\n{self.stdout}\n{self.stderr}"
        return self


class Sandbox:
    """A home folder, a cache, and a working folder ``work``; no variable of this machine but ``PATH``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.work = root / "work"
        self.cache = root / "cache"
        for folder in (self.home, self.work):
            folder.mkdir(parents=True, exist_ok=True)
        # The interpreter that runs the tests is the one that environments are made from.
        self.environ: dict[str, str] = {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.base_prefix) / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin",
            "UV_CACHE_DIR": str(self.cache),
            "UV_NO_SYSTEM_CONFIG": "1",
            "UV_HTTP_RETRIES": "0",
        }

    def cove(
        self, *argv: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None, **variables: str
    ) -> Ran:
        """``cove *argv`` in ``cwd`` (else ``work``), with ``variables`` and ``environ`` added to the environment."""
        stdout, stderr = io.StringIO(), io.StringIO()
        requests: list[RequestDone] = []

        def observe(event: Event) -> None:
            if isinstance(event, RequestDone):
                requests.append(event)

        # As in a process of its own, which besides keeps CPython 3.11 from switching threads while it makes a syntax tree of
        # a marker's string: "AST constructor recursion depth mismatch".
        gc.disable()
        try:
            status = run(
                argv,
                environ={**self.environ, **(environ or {}), **variables},
                cwd=cwd or self.work,
                stdout=stdout,
                stderr=stderr,
                observe=observe,
            )
        finally:
            gc.enable()
        return Ran(status, stdout.getvalue(), stderr.getvalue(), tuple(requests))

    def project(self, toml: str, folder: str = "") -> Path:
        """A ``pyproject.toml`` in ``work`` (or a folder below it)."""
        place = self.work / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / "pyproject.toml").write_text(toml)
        return place

    def using(self, variables: Mapping[str, str]) -> "Sandbox":
        """Itself, with these variables for every command from now on."""
        self.environ.update(variables)
        return self
