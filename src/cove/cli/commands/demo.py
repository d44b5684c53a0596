"""``cove demo``: the whole journey, from a private index that demands credentials to a script that runs."""

import io
import secrets
import shutil
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from cove.cli import demo_projects as projects
from cove.cli.context import Context
from cove.cli.main import run as run_cove
from cove.errors import DemoFailed
from cove.model.dataclasses import dataclass
from cove.model.event import Event, RequestDone
from cove.model.secret import Secret
from cove.server.serve import RunningIndex

HELP = """
Publish to a private index that demands credentials, then lock, install and run a project from it.

Everything happens in a temporary folder with its own cache and environment. With --offline the public packages are
replaced by small ones that are built on the spot.
"""
GROUPS: tuple[str, ...] = ()

_USER = "demo"
_KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "TMPDIR",
    "TEMP",
    "SYSTEMROOT",
    "USERPROFILE",
    "LANG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
_NETWORK_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: int
    stdout: str
    stderr: str


class _Stage:
    """Runs command lines of cove in this process and tells of each: what it did, how long, how many requests to whom."""

    def __init__(self, context: Context, folder: Path, environ: Mapping[str, str]) -> None:
        self._context = context
        self.folder = folder
        self.environ = environ
        self._requests: Counter[str] = Counter()

    def cove(self, *argv: str, cwd: Path, environ: Mapping[str, str] | None = None) -> _Outcome:
        """``cove *argv`` as a person would run it in ``cwd``."""
        self._context.console.out.flush()  # `cove run` gives its program the very same stream
        stdout, stderr = io.StringIO(), io.StringIO()
        status = run_cove(
            argv, environ=environ or self.environ, cwd=cwd, stdout=stdout, stderr=stderr, observe=self._observe
        )
        return _Outcome(status, stdout.getvalue(), stderr.getvalue())

    def must(self, *argv: str, cwd: Path) -> _Outcome:
        """``cove`` that has to succeed."""
        outcome = self.cove(*argv, cwd=cwd)
        if outcome.status:
            raise DemoFailed(
                f"`cove {' '.join(argv)}` ended with status {outcome.status}", causes=(outcome.stderr.strip(),)
            )
        return outcome

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step: announced when it begins, told when it is over."""
        self._context.console.print(title)
        self._requests.clear()
        started = perf_counter()
        yield
        asked = ", ".join(f"{index} {count}" for index, count in sorted(self._requests.items())) or "none"
        self._context.console.print(f"    {perf_counter() - started:.2f} s, requests: {asked}")

    def tell(self, line: str) -> None:
        """A result worth seeing."""
        self._context.console.print(f"    {line}")

    def _observe(self, event: Event) -> None:
        if isinstance(event, RequestDone):
            self._requests[event.index or event.url.split("/")[2]] += 1


def arguments(parser: ArgumentParser) -> None:
    """``--keep FOLDER``."""
    parser.add_argument("--keep", metavar="FOLDER", help="work in this new folder and leave it there, to look at")


def run(context: Context) -> int:
    """All steps, in order; the first that is not as it must be ends the demonstration."""
    offline = context.settings.offline
    password = Secret(secrets.token_urlsafe(18))
    started = perf_counter()
    with ExitStack() as exits:
        folder = _folder(exits, context.arguments.keep, context.cwd)
        index = exits.enter_context(RunningIndex(folder / "index", {_USER: password}))
        environ = _environ(context.environ, folder)
        environ["UV_INDEX_PRIVATE_REGISTRY_USERNAME"] = _USER
        environ["UV_INDEX_PRIVATE_REGISTRY_PASSWORD"] = password.reveal()
        if offline:
            public = exits.enter_context(RunningIndex(folder / "public"))
            environ["UV_DEFAULT_INDEX"] = f"public={public.simple_url.public}"
            environ["UV_PUBLISH_USERNAME"] = environ["UV_PUBLISH_PASSWORD"] = "anyone"  # noqa: S105 - an open index
            _stock_public(_Stage(context, folder, environ), public)
            del environ["UV_PUBLISH_USERNAME"], environ["UV_PUBLISH_PASSWORD"]
        context.console.print(f"A private index with Basic authentication answers at {index.simple_url}")
        stage = _Stage(context, folder, environ)
        application = projects.write_application(folder, index.simple_url, index.upload_url)
        packages = _build(stage, in_tree=offline)
        _publish(stage, application, packages)
        _install(stage, application)
        _without_credentials(stage, application)
        _no_secret_written(stage, password)
    context.console.print(f"All as it should be, in {perf_counter() - started:.1f} s.")
    return 0


def _folder(exits: ExitStack, keep: str | None, cwd: Path) -> Path:
    if keep is None:
        return Path(exits.enter_context(TemporaryDirectory(prefix="cove-demo-"))).resolve()
    folder = (cwd / keep).resolve()
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise DemoFailed(f"{folder} exists already", hints=("name a folder that does not exist",)) from error
    return folder


def _environ(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What a person would have, less every setting that could reach out of the demonstration."""
    names = {*_KEPT_VARIABLES, *_NETWORK_VARIABLES, *(name.lower() for name in _NETWORK_VARIABLES)}
    kept = {name: value for name, value in environ.items() if name in names}
    return kept | {
        "UV_CACHE_DIR": str(folder / "cache"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "UV_NO_SYSTEM_CONFIG": "1",
        "NETRC": str(folder / "no-netrc"),
    }


def _stock_public(stage: _Stage, public: RunningIndex) -> None:
    with stage.step("Stand in for the public index with packages built here"):
        for name in projects.PUBLIC:
            project = projects.write_package(stage.folder / "public-sources", name, in_tree=True)
            stage.must("build", "--wheel", cwd=project)
            stage.must("publish", "--publish-url", public.upload_url.public, "dist/*", cwd=project)


def _build(stage: _Stage, *, in_tree: bool) -> list[Path]:
    packages = [projects.write_package(stage.folder, name, in_tree=in_tree) for name in projects.INTERNAL]
    with stage.step(f"Build {' and '.join(projects.INTERNAL)} with their own backends"):
        for package in packages:
            stage.must("build", cwd=package)
            stage.tell(", ".join(sorted(path.name for path in (package / "dist").glob("*-*"))))
    return packages


def _publish(stage: _Stage, application: Path, packages: Sequence[Path]) -> None:
    files = [str(package / "dist" / "*") for package in packages]
    with stage.step(f"cove publish --index {projects.INDEX_NAME}"):
        told = stage.must("publish", "--index", projects.INDEX_NAME, *files, cwd=application).stderr
        _demand(told.count("Uploaded ") == 4, "four files should have been uploaded", told)
        stage.tell("4 files uploaded")
    with stage.step("The same again: nothing to upload"):
        told = stage.must("publish", "--index", projects.INDEX_NAME, *files, cwd=application).stderr
        _demand("Uploaded " not in told and told.count("already there") >= 4, "nothing should have been uploaded", told)
        stage.tell("4 files already there, by hash")


def _install(stage: _Stage, application: Path) -> None:
    with stage.step(f"cove add {projects.INTERNAL[1]}"):
        stage.must("add", projects.INTERNAL[1], cwd=application)
    with stage.step(f"cove add {' '.join(projects.PUBLIC)}"):
        stage.must("add", *projects.PUBLIC, cwd=application)
    with stage.step("cove lock --check"):
        stage.must("lock", "--check", cwd=application)
    with stage.step("cove sync, with everything in place"):
        stage.must("sync", cwd=application)
    with stage.step("cove run python main.py"):
        stage.must("run", "--quiet", "python", "main.py", cwd=application)


def _without_credentials(stage: _Stage, application: Path) -> None:
    with stage.step("cove sync without credentials, in a new environment with an empty cache"):
        shutil.rmtree(application / ".venv")
        bare = {
            name: value for name, value in stage.environ.items() if not name.startswith("UV_INDEX_PRIVATE_REGISTRY_")
        }
        bare["UV_CACHE_DIR"] = str(stage.folder / "another-cache")
        outcome = stage.cove("sync", cwd=application, environ=bare)
        said = outcome.status == 2 and "credentials" in outcome.stderr and projects.INDEX_NAME in outcome.stderr
        _demand(said, "the sync should have failed for want of credentials, and said so", outcome.stderr)
        for line in outcome.stderr.strip().splitlines():
            stage.tell(line)


def _no_secret_written(stage: _Stage, password: Secret) -> None:
    with stage.step("Look for the password in every file that was written"):
        canary = password.reveal().encode()
        files = [path for path in stage.folder.rglob("*") if path.is_file() and not path.is_symlink()]
        leaks = [path for path in files if canary in path.read_bytes()]
        _demand(not leaks, f"the password should be in no file, but is in {', '.join(map(str, leaks))}", "")
        stage.tell(f"{len(files)} files, none holds it")


def _demand(holds: bool, sentence: str, told: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not holds:
        raise DemoFailed(sentence, causes=(told.strip(),) if told.strip() else ())
