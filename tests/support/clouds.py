"""Stand-ins for what is logged in to a cloud: programs on a PATH of a test's own, and a place to be asked from."""

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path

from cove.auth.native import Surroundings
from cove.auth.tokens import Kept, Tokens
from cove.http.client import Client
from cove.model.event import Event, Warned


class Machine:
    """A home, a PATH with only the programs that are put there, and what was told; no hardware of any cloud."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.bin = root / "bin"
        self.hardware = root / "dmi"
        for folder in (self.home, self.bin, self.hardware):
            folder.mkdir(parents=True, exist_ok=True)
        self.events: list[Event] = []
        self.environ = {
            "HOME": str(self.home),
            "PATH": str(self.bin),
            "NO_GCE_CHECK": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def program(self, name: str, says: object = "", *, status: int = 0, complains: str = "", script: str = "") -> Path:
        """A program that logs its arguments, says ``says`` (text, or JSON), complains and ends; the log is returned."""
        log = self.root / f"{name}.log"
        text = says if isinstance(says, str) else json.dumps(says)
        path = self.bin / name
        path.write_text(
            f'#!/bin/sh\necho "$@" >> {shlex.quote(str(log))}\n{script}\n'
            f"printf %s {shlex.quote(text)}\nprintf %s {shlex.quote(complains)} >&2\nexit {status}\n"
        )
        path.chmod(0o755)
        return log

    def surroundings(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        client: Callable[[], Client] | None = None,
        libraries: bool = False,
        offline: bool = False,
        program_limit: float = 30.0,
        endpoint_limit: float = 3.0,
    ) -> Surroundings:
        """What a provider is made from, with ``environ`` added to the environment; tokens are kept in ``root``."""
        return Surroundings(
            {**self.environ, **(environ or {})},
            Kept(Tokens(self.root / "data", self.events.append), self.events.append),
            client,
            offline=offline,
            listener=self.events.append,
            libraries=libraries,
            program_limit=program_limit,
            endpoint_limit=endpoint_limit,
            hardware=self.hardware,
        )

    @property
    def told(self) -> list[str]:
        """The warnings, each with its hint."""
        return [f"{event.message} | {event.hint}" for event in self.events if isinstance(event, Warned)]


def calls(log: Path) -> list[str]:
    """The arguments of each call of a program."""
    return log.read_text().splitlines() if log.exists() else []
