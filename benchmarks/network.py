"""cove and uv against the embedded index over a slow network: ``python benchmarks/network.py --help``.

Every run has a home, a cache and a folder of its own; tools take turns, and must give the right answer.
"""

import argparse
import json
import multiprocessing
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Literal

import latency
import private_index
from package_sets import SHAPES, PackageSet, make, make_internal
from private_index import PASSWORD, PROFILES, USERNAME, Asked, Site

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from support.certificates import Authority

_SPAWN = multiprocessing.get_context("spawn")
_LIMIT = 300.0
_ALL_SETS = ("small", "jupyter", "web")

_LAUNCHER = """\
import json, os, sys, time
spec = json.load(sys.stdin)
os.chdir(spec["folder"])
log = os.open(spec["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
null = os.open(os.devnull, os.O_RDONLY)
files = [(os.POSIX_SPAWN_DUP2, source, number) for number, source in enumerate((null, log, log))]
begin = time.monotonic()
process = os.posix_spawn(spec["command"][0], spec["command"], spec["environ"], file_actions=files)
_, status, usage = os.wait4(process, 0)
wall = time.monotonic() - begin
print(json.dumps([os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""
"""A program is measured by one with little memory of its own: a process begins with the peak of the one that started it."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What is measured. ``profiles`` are those of the indexes in their order; the first of two has the internal projects."""

    profiles: tuple[str, ...] = ("private-html",)
    sets: tuple[str, ...] = ("jupyter",)
    installs: Literal["pins", "roots"] | None = None
    is_warm: bool = False
    uses_netrc: bool = False


CELLS = {
    "private-html": Cell(sets=_ALL_SETS),
    "private-norange": Cell(("private-norange",)),
    "split": Cell(("private-html", "plain")),
    "plain": Cell(("plain",)),
    "netrc": Cell(uses_netrc=True),
    "resolve-warm": Cell(is_warm=True),
    "install": Cell(installs="pins"),
    "install-norange": Cell(("private-norange",), installs="roots"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """What one run took: seconds, seconds of CPU, MB at the peak; and how often the indexes were asked, and refused.

    ``twice`` is how many files were sent whole more than once; ``kinds`` counts requests by what they asked for.
    """

    cell: str
    tool: str
    wall: float
    cpu: float
    memory: float
    requests: int
    refused: int
    twice: int
    kinds: dict[str, int]


class WrongAnswer(Exception):
    """A tool failed, or found something else than the set's answer."""


def main() -> int:
    """Measure, and print what came of it."""
    arguments = _parser().parse_args()
    tools = {"cove": arguments.cove} | ({} if arguments.without_uv else {"uv": arguments.uv})
    for name, program in tools.items():
        if program is None or not program.is_file():
            sys.stderr.write(f"there is no {name} here: `--{name} PATH` says where it is\n")
            return 2
    programs = {name: str(program.absolute()) for name, program in tools.items()}
    facts = {"rtt_ms": arguments.rtt, "repeats": arguments.repeats, "cores": os.cpu_count()}
    facts |= {
        name: subprocess.check_output([program, "--version"], text=True).strip() for name, program in programs.items()
    }
    memory = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made in it
    with tempfile.TemporaryDirectory(prefix="cove-bench-", dir=memory if memory.is_dir() else None) as work:
        bench = Bench(Path(work), programs, str(arguments.python.absolute()), arguments.rtt / 1000, arguments.repeats)
        try:
            runs = [run for name, kind in arguments.cells for run in bench.measure(name, kind)]
        except (WrongAnswer, subprocess.TimeoutExpired) as error:
            sys.stderr.write(f"{error}\n")
            return 1
        except KeyboardInterrupt:
            return 130
    if arguments.output == "json":
        sys.stdout.write(json.dumps({**facts, "runs": [asdict(run) for run in runs]}, indent=1) + "\n")
    else:
        sys.stdout.write("; ".join(f"{key}: {value}" for key, value in facts.items()) + "\n\n" + table(runs))
    return 0


class Bench:
    """Measures cells below ``work``; ``round_trip`` is in seconds."""

    def __init__(self, work: Path, tools: dict[str, str], python: str, round_trip: float, repeats: int) -> None:
        self._work = work
        self._tools = tools
        self._python = python
        self._round_trip = round_trip
        self._repeats = repeats
        self._authority = Authority(work / "tls")
        self._certificate = self._authority.issue("server")
        self._made: dict[str, PackageSet] = {}

    def measure(self, name: str, kind: str) -> list[Run]:
        """All runs of the cell ``name`` with the set ``kind``; a first one of each tool is not counted."""
        sys.stderr.write(f"{name}:{kind}\n")
        cell = CELLS[name]
        sets = self._sets(cell, kind)
        answer = {project: version for each in sets for project, version in each.answer().items()}
        runs = []
        with self._network(cell, sets) as network:
            task = Task(cell, f"{name}:{kind}", [root for each in sets for root in each.roots], answer, network)
            for tool in self._tools:
                self._run(task, tool)
            for repeat in range(self._repeats):
                order = list(self._tools) if repeat % 2 == 0 else list(reversed(self._tools))
                runs += [self._run(task, tool) for tool in order]
        for tool in self._tools:
            shutil.rmtree(self._cache(tool), ignore_errors=True)
        return runs

    def _sets(self, cell: Cell, kind: str) -> list[PackageSet]:
        """One for each index of the cell."""
        if kind not in self._made:
            self._made[kind] = make(kind, self._work / "files" / kind)
        public = self._made[kind]
        if len(cell.profiles) == 1:
            return [public]
        return [make_internal(public, self._work / "files" / f"internal-{kind}"), public]

    @contextmanager
    def _network(self, cell: Cell, sets: Sequence[PackageSet]) -> "Iterator[Network]":
        folder = self._work / "index"
        sites = [
            Site(packages, PROFILES[profile], folder / str(number), self._certificate)
            for number, (packages, profile) in enumerate(zip(sets, cell.profiles, strict=True))
        ]
        with ExitStack() as stack:
            index = stack.enter_context(_process(private_index.run, sites))
            ports: list[int] = index.recv()
            if self._round_trip:
                proxy = stack.enter_context(_process(latency.run, self._round_trip, ports))
                ports = proxy.recv()
            yield Network(index, [(port, site.profile.is_private) for port, site in zip(ports, sites, strict=True)])

    def _cache(self, tool: str) -> Path:
        return self._work / f"cache-{tool}"

    def _run(self, task: "Task", tool: str) -> Run:
        folder, cache = self._work / "run", self._cache(tool)
        shutil.rmtree(folder, ignore_errors=True)
        if not task.cell.is_warm:
            shutil.rmtree(cache, ignore_errors=True)
        (folder / "home").mkdir(parents=True)
        command = [self._tools[tool], *self._prepare(task, folder)]
        task.network.take()
        status, wall, cpu, kilobytes = _launch(command, self._environ(task, folder, cache), folder)
        asked = task.network.take()
        if status != 0 or task.found(folder) != task.answer:
            output = (folder / "log").read_text(errors="replace")[-2000:]
            raise WrongAnswer(f"{tool}, {task.name}: status {status}, or not the right packages\n{output}")
        wholes = Counter(each.path for each in asked if _kind(each) == "file" and each.status == 200)
        return Run(
            task.name,
            tool,
            wall,
            cpu,
            kilobytes / 1024,
            requests=len(asked),
            refused=sum(each.status == 401 for each in asked),
            twice=sum(count > 1 for count in wholes.values()),
            kinds=dict(Counter(map(_kind, asked))),
        )

    def _prepare(self, task: "Task", folder: Path) -> list[str]:
        """Write what the tool reads; its arguments."""
        (folder / "roots.in").write_text("".join(f"{root}\n" for root in task.roots))
        if task.cell.installs is None:
            return ["pip", "compile", "roots.in", "-o", "pins.txt", "--python", self._python]
        environment = folder / "environment"
        subprocess.run([self._python, "-I", "-m", "venv", "--without-pip", environment], check=True)
        python = str(environment / "bin" / "python")
        if task.cell.installs == "roots":
            return ["pip", "install", "-r", "roots.in", "--python", python]
        (folder / "pins.txt").write_text("".join(f"{name}=={version}\n" for name, version in task.answer.items()))
        return ["pip", "sync", "pins.txt", "--python", python]

    def _environ(self, task: "Task", folder: Path, cache: Path) -> dict[str, str]:
        if task.cell.uses_netrc:
            netrc = folder / "home" / ".netrc"
            netrc.write_text(f"machine 127.0.0.1 login {USERNAME} password {PASSWORD.reveal()}\n")
            netrc.chmod(0o600)
        *others, default = task.network.urls(with_password=not task.cell.uses_netrc)
        return {
            "HOME": str(folder / "home"),
            "PATH": os.defpath,
            "NO_COLOR": "1",
            "SSL_CERT_FILE": str(self._authority.ca),
            "UV_CACHE_DIR": str(cache),
            "UV_DEFAULT_INDEX": default,
            "UV_LINK_MODE": "hardlink",
            "UV_NO_SYSTEM_CONFIG": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        } | ({"UV_INDEX": " ".join(others)} if others else {})


@dataclass(frozen=True, slots=True)
class Network:
    """The running indexes of a cell: their port, and whether they want a password."""

    index: Connection
    ports: Sequence[tuple[int, bool]]

    def take(self) -> list[Asked]:
        """What was asked since the last time."""
        self.index.send("take")
        asked: list[Asked] = self.index.recv()
        return asked

    def urls(self, *, with_password: bool) -> list[str]:
        """In order."""
        user = f"{USERNAME}:{PASSWORD.reveal()}@"
        return [
            f"https://{user if is_private and with_password else ''}127.0.0.1:{port}/simple/"
            for port, is_private in self.ports
        ]


@dataclass(frozen=True, slots=True)
class Task:
    """A cell with a set: what is asked for, what must come of it, and where."""

    cell: Cell
    name: str
    roots: Sequence[str]
    answer: dict[str, str]
    network: Network

    def found(self, folder: Path) -> dict[str, str]:
        """Versions by name, of the file that was written or of what is installed."""
        if self.cell.installs:
            stems = [path.name.removesuffix(".dist-info") for path in folder.glob("environment/lib/*/*/*.dist-info")]
            pairs = [tuple(stem.split("-")) for stem in stems]
            return {name.replace("_", "-"): version for name, version in pairs}
        compiled = folder / "pins.txt"
        text = compiled.read_text() if compiled.exists() else ""
        return dict(re.findall(r"^([\w-]+)==(\S+)", text, re.MULTILINE))


def table(runs: Sequence[Run]) -> str:
    """Medians, a line for each cell and tool in Markdown; the ratio is of medians, to uv."""
    lines = [
        "| cell | tool | wall s | ratio | CPU s | requests | 401 | twice | MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for cell in dict.fromkeys(run.cell for run in runs):
        tools = {run.tool: [each for each in runs if (each.cell, each.tool) == (cell, run.tool)] for run in runs}
        base = _median(tools["uv"], "wall") if "uv" in tools else None
        for tool, mine in tools.items():
            wall = _median(mine, "wall")
            ratio = f"**{wall / base:.2f}**" if base and tool != "uv" else ""
            counts = " | ".join(f"{_median(mine, key):.0f}" for key in ("requests", "refused", "twice", "memory"))
            lines.append(f"| {cell} | {tool} | {wall:.3f} | {ratio} | {_median(mine, 'cpu'):.2f} | {counts} |")
    return "\n".join(lines) + "\n"


def _median(runs: Sequence[Run], key: str) -> float:
    return float(statistics.median(getattr(run, key) for run in runs))


@contextmanager
def _process(work: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """Run ``work(connection, *arguments)`` in a new process, which ends when its connection does."""
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_deaf, args=(work, theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
    except BaseException:
        process.kill()
        raise
    finally:
        ours.close()
        process.join(5)
        process.kill()
        process.join()


def _deaf(work: Callable[..., None], *arguments: object) -> None:
    """Do ``work``; an interrupt is for the process that measures, which ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(*arguments)


def _launch(command: Sequence[str], environ: dict[str, str], folder: Path) -> tuple[int, float, float, int]:
    """Status, seconds, seconds of CPU (of all its processes), and KB at the peak (of the largest)."""
    spec = {"command": command, "environ": environ, "folder": str(folder), "log": str(folder / "log")}
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER]
    with subprocess.Popen(
        launcher, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            told, _ = process.communicate(json.dumps(spec), timeout=_LIMIT)
        except BaseException:
            with suppress(ProcessLookupError):  # it ends at this moment
                os.killpg(process.pid, signal.SIGKILL)  # the tool too
            raise
    status, wall, cpu, peak = json.loads(told)
    return status, wall, cpu, peak


def _kind(asked: Asked) -> str:
    if asked.path.startswith("/simple/"):
        return "page"
    if asked.method == "HEAD":
        return "head"
    if asked.path.endswith(".metadata"):
        return "metadata"
    return "range" if asked.is_range and asked.status != 200 else "file"  # who has no ranges sends the whole


def _cells(text: str) -> list[tuple[str, str]]:
    """``CELL`` or ``CELL:SET``, separated by commas, as pairs."""
    pairs = []
    for part in text.split(","):
        name, _, kind = part.strip().partition(":")
        if name not in CELLS or (kind and kind not in SHAPES):
            raise argparse.ArgumentTypeError(f"cells are {', '.join(CELLS)}; sets {', '.join(SHAPES)}")
        pairs += [(name, each) for each in ([kind] if kind else CELLS[name].sets)]
    return pairs


def _parser() -> argparse.ArgumentParser:
    beside = str(Path(sys.executable).parent)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cells",
        type=_cells,
        default=",".join(CELLS),
        metavar="CELL[:SET],…",
        help=f"what to measure: {', '.join(CELLS)}; with {', '.join(SHAPES)}. All cells by default",
    )
    parser.add_argument("--rtt", type=float, default=30, metavar="MS", help="round-trip time; 30 by default")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs of each tool; 5 by default")
    parser.add_argument("--output", choices=("table", "json"), default="table", help="medians, or every run")
    parser.add_argument("--python", type=Path, default=sys.executable, help="what to resolve and install for")
    parser.add_argument("--cove", type=Path, default=shutil.which("cove", path=beside), metavar="PATH")
    parser.add_argument(
        "--uv", type=Path, default=shutil.which("uv") or shutil.which("uv", path=beside), metavar="PATH"
    )
    parser.add_argument("--without-uv", action="store_true", help="measure cove alone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
