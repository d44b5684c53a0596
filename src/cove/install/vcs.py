"""Repositories, through the ``git`` program: a database of each in the cache, and a checkout for each commit.

``git`` asks its own helpers for credentials and nobody on a terminal. User info of a URL reaches it through variables and a
helper for that one host, in whose place no other helper is asked: none keeps it.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from cove.config.file_lock import locked
from cove.errors import BuildFailed, IndexUnreachable, InvalidArtifact, OfflineError
from cove.formats.git_url import SCHEMES, GitUrl, is_commit
from cove.model.dataclasses import dataclass, replace
from cove.model.event import Finished, Listener, Started, ignore
from cove.model.url import with_masked_users

_MOST_SECONDS = 900.0
# What points git at another repository, or tells it whom to run, is for the repository one stands in.
_PLACES = re.compile(
    r"GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|COMMON_DIR)$"
)
_OWN = re.compile(r"(UV|COVE)_")
_HELPER = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$COVE_GIT_USER" "$COVE_GIT_PASSWORD"; }; f'
_TAKE_LFS = (("install", "--local", "--skip-repo"), ("pull",))
"""What has git-lfs put files into the place of their pointers, here and now."""

_SETTINGS = ("core.hooksPath=/dev/null", "core.fsmonitor=false", "advice.detachedHead=false", "gc.auto=0")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server may send nothing, and how long a command may run at all, in seconds."""

    silence: float = 30.0
    whole: float = _MOST_SECONDS


class Repositories:
    """Repositories below ``folder``. ``environ`` is what ``git`` sees, less what is not its business. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        *,
        offline: bool = False,
        patience: Patience | None = None,
        report: Listener = ignore,
    ) -> None:
        self._folder = folder
        self._environ = environ
        self._offline = offline
        self._patience = patience or Patience()
        self._report = report

    def resolve(self, git: GitUrl, label: str, known: str = "") -> GitUrl:
        """``git`` with its commit. ``known`` is one that it was found to be before, which is not asked for again.

        ``label`` names the project in errors. Raises ``IndexUnreachable`` when git fails, ``InvalidArtifact`` when the
        reference does not exist, ``OfflineError``.
        """
        with self._database(git) as database:
            wanted = known or (git.reference if is_commit(git.reference) else "")
            if wanted and self._has(database, wanted):
                return replace(git, commit=wanted)
            if self._offline:
                if (commit := self._find(database, git)) and not known:
                    return replace(git, commit=commit)
                raise OfflineError(
                    f"{label}: {git} is not in the cache, and the network is switched off",
                    hints=("leave --offline out once, and it will be",),
                )
            self._report(Started("git", str(git)))
            commit = self._fetch(database, git, wanted, label)
        self._report(Finished("git", str(git)))
        return replace(git, commit=commit)

    def checkout(self, git: GitUrl, label: str) -> Path:
        """The files of ``git.commit`` with those of its submodules: a folder that is kept, and must not be changed.

        Raises as ``resolve`` does.
        """
        place = self._folder / "checkouts" / _digest(git) / f"{git.commit}{'-lfs' if git.lfs else ''}"
        if place.is_dir():
            return place
        self.resolve(git, label, git.commit)
        with self._database(git) as database:
            if not place.is_dir():
                place.parent.mkdir(parents=True, exist_ok=True)
                with TemporaryDirectory(prefix=".making-", dir=place.parent) as work:
                    self._check_out(database, git, Path(work) / "tree", label)
                    (Path(work) / "tree").rename(place)
        return place

    # -- the database

    def _database(self, git: GitUrl) -> "_Held":
        return _Held(self._folder / "db" / _digest(git), self)

    def make(self, database: Path) -> None:
        """An empty database."""
        self.run(["init", "--quiet", "--bare", str(database)], None)

    def _has(self, database: Path, commit: str) -> bool:
        done = self.run(["cat-file", "-e", f"{commit}^{{commit}}"], database, check=False)
        return done.returncode == 0

    def _find(self, database: Path, git: GitUrl) -> str:
        """The commit that the reference is, by what was fetched last; a branch before a tag, and that before a commit."""
        name = git.reference
        names = {
            "branch": [f"refs/remotes/origin/{name}"],
            "tag": [f"refs/tags/{name}"],
            "rev": [f"refs/remotes/origin/{name}", f"refs/tags/{name}", f"refs/cove/{name}", name],
            "": ["refs/cove/HEAD"],
        }[git.kind]
        for each in names:
            done = self.run(
                ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{each}^{{commit}}"], database, check=False
            )
            if done.returncode == 0:
                return done.stdout.strip()
        return ""

    def _fetch(self, database: Path, git: GitUrl, wanted: str, label: str) -> str:
        for refspecs in _refspecs(git, wanted):
            done = self.run(
                ["fetch", "--quiet", "--force", "--", git.url.public, *refspecs], database, git, check=False
            )
            if done.returncode == 0:
                found = (
                    wanted if wanted and self._has(database, wanted) else "" if wanted else self._find(database, git)
                )
                if found:
                    return found
            elif not _is_absence(done.stderr):
                raise self._failed(label, git, done)
        kind = "commit" if wanted else {"rev": "revision", "": "branch"}.get(git.kind, git.kind)
        raise InvalidArtifact(
            f"{label}: {git.url} has no {kind} `{wanted or git.reference or 'HEAD'}`",
            hints=("look whether it is spelled rightly, and was pushed",),
        )

    # -- checkouts

    def _check_out(self, database: Path, git: GitUrl, tree: Path, label: str) -> None:
        steps: list[tuple[list[str], Path | None]] = [
            (["clone", "--quiet", "--local", "--no-checkout", "--", str(database), str(tree)], None),
            (["remote", "set-url", "origin", git.url.public], tree),  # submodules may be relative to it
            (["checkout", "--quiet", "--force", "--detach", git.commit], tree),
        ]
        if git.lfs:
            steps += [(["lfs", *words], tree) for words in _TAKE_LFS]
        for arguments, folder in steps:
            self._must(arguments, folder, git, label)
        if (tree / ".gitmodules").is_file():
            self._must(["submodule", "--quiet", "update", "--init", "--recursive"], tree, git, label)
            if git.lfs:
                script = " && ".join(" ".join(["git", "lfs", *words]) for words in _TAKE_LFS)
                self._must(["submodule", "--quiet", "foreach", "--recursive", script], tree, git, label)

    def _must(self, arguments: Sequence[str], folder: Path | None, git: GitUrl, label: str) -> None:
        done = self.run(arguments, folder, git, check=False, submodules=arguments[0] == "submodule")
        if done.returncode:
            raise self._failed(label, git, done)

    # -- the program

    def run(
        self,
        arguments: Sequence[str],
        folder: Path | None,
        git: GitUrl | None = None,
        *,
        check: bool = True,
        submodules: bool = False,
    ) -> "subprocess.CompletedProcess[str]":
        """``git *arguments`` in ``folder``, with the user info of ``git``; nothing is asked on a terminal.

        Raises ``BuildFailed`` where there is no such program, ``IndexUnreachable`` when it takes too long, and with
        ``check`` when it fails.
        """
        settings = [*_SETTINGS, "http.lowSpeedLimit=1", f"http.lowSpeedTime={max(1, int(self._patience.silence))}"]
        program = shutil.which("git", path=self._environ.get("PATH", os.defpath))
        if program is None:
            raise BuildFailed(
                f"{git or 'a repository'}: there is no program `git` on PATH",
                hints=("install git, or require an archive",),
            )
        command = [program, *(word for each in settings for word in ("-c", each)), *arguments]
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=self._variables(git, submodules=submodules),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,  # without a terminal: neither git nor ssh can ask anybody
        )
        try:
            out, err = process.communicate(timeout=self._patience.whole)
        except BaseException as error:
            _end(process)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise IndexUnreachable(
                f"`git {arguments[0]}` of {git} took more than {self._patience.whole:.0f} seconds, and was ended"
            ) from None
        done = subprocess.CompletedProcess(command, process.returncode, out, with_masked_users(err))
        if check and done.returncode:
            raise IndexUnreachable(f"`git {arguments[0]}` failed", causes=_lines(done.stderr))
        return done

    def _variables(self, git: GitUrl | None, *, submodules: bool) -> dict[str, str]:
        found = {
            name: value for name, value in self._environ.items() if not (_PLACES.fullmatch(name) or _OWN.match(name))
        }
        # A repository says where its submodules are: it shall not reach folders of this machine unless it is one.
        local = git is not None and git.url.scheme == "file"
        transports = [scheme for scheme in SCHEMES if scheme != "file" or local or not submodules]
        found |= {
            "GIT_TERMINAL_PROMPT": "0",
            "GCM_INTERACTIVE": "never",
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": ":".join(transports),
        }
        if git is None or not git.lfs:
            found["GIT_LFS_SKIP_SMUDGE"] = "1"
        if git is not None and git.url.username is not None and git.url.scheme in ("http", "https"):
            found |= _credential(git, found)
        return found

    def _failed(self, label: str, git: GitUrl, done: "subprocess.CompletedProcess[str]") -> IndexUnreachable:
        text = done.stderr.lower()
        hint = "look whether the address is right and can be reached: `git ls-remote` tells"
        if "could not read username" in text or "authentication failed" in text or "permission denied" in text:
            hint = "git asks its own credential helpers (`git help credentials`), and nobody on the terminal"
        elif "is not a git command" in text:
            hint = "git-lfs must be installed for sources with `lfs = true`"
        return IndexUnreachable(f"{label}: git cannot get {git}", causes=_lines(done.stderr), hints=(hint,))


class _Held:
    """A database, for one process or thread at a time; made when it is not there."""

    def __init__(self, folder: Path, repositories: Repositories) -> None:
        self._folder = folder
        self._repositories = repositories

    def __enter__(self) -> Path:
        self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = locked(self._folder.with_name(self._folder.name + ".lock"), seconds=_MOST_SECONDS)
        self._lock.__enter__()
        if not (self._folder / "HEAD").is_file():
            self._repositories.make(self._folder)
        return self._folder

    def __exit__(self, *exception: object) -> None:
        self._lock.__exit__(None, None, None)


def _refspecs(git: GitUrl, wanted: str) -> list[list[str]]:
    """What to fetch, in turn, until the reference is there: one commit or reference; everything, where that is not enough."""
    everything = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
    if wanted:
        return [[wanted], everything]
    name = git.reference
    if git.kind == "branch":
        return [[f"+refs/heads/{name}:refs/remotes/origin/{name}"]]
    if git.kind == "tag":
        return [[f"+refs/tags/{name}:refs/tags/{name}"]]
    if git.kind == "":
        return [["+HEAD:refs/cove/HEAD"]]
    return [[f"+{name}:refs/cove/{name}"]] if name.startswith("refs/") else [everything]


def _credential(git: GitUrl, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables by which git learns the user info of a URL: a name, or a name and a password for that host alone."""
    url = git.url
    port = f":{url.realm[2]}" if f":{url.realm[2]}" in url.public.split("/")[2] else ""
    section = f"credential.{url.scheme}://{url.host}{port}"
    pairs = [(f"{section}.username", url.username or "")]
    found = {}
    if url.password is not None:
        pairs = [(f"{section}.helper", ""), (f"{section}.helper", _HELPER)]
        found = {"COVE_GIT_USER": url.username or "", "COVE_GIT_PASSWORD": url.password.reveal()}
    start = int(environ.get("GIT_CONFIG_COUNT", "0") or 0)
    for number, (key, value) in enumerate(pairs, start):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found | {"GIT_CONFIG_COUNT": str(start + len(pairs))}


def _digest(git: GitUrl) -> str:
    address = git.url.public.removesuffix("/").removesuffix(".git")
    return hashlib.sha256(address.encode()).hexdigest()[:24]


def _is_absence(stderr: str) -> bool:
    """Whether git complains that the reference or commit is not there, rather than the repository."""
    return any(
        text in stderr
        for text in ("couldn't find remote ref", "not our ref", "unadvertised object", "Server does not allow request")
    )


def _lines(stderr: str) -> tuple[str, ...]:
    return tuple(line for line in stderr.strip().splitlines()[-8:] if line.strip())


def _end(process: "subprocess.Popen[str]") -> None:
    """End git and what it started (ssh, helpers), which all are in a group of their own."""
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate()
