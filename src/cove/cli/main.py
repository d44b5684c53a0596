"""``cove``: from the words of a command line to one command's module.

Nothing is imported here before it is known to be needed: ``cove --version`` loads this module and no other.
"""

from __future__ import annotations

import sys

from cove import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import NoReturn, TextIO

    from cove.cli.context import Command
    from cove.cli.render import Console
    from cove.config.settings import Interface
    from cove.model.event import Listener

COMMANDS: dict[tuple[str, ...], tuple[str, str]] = {
    ("add",): ("add", "Add requirements to the project, lock and install them"),
    ("auth", "dir"): ("auth_dir", "Print the folder of stored credentials"),
    ("auth", "doctor"): ("auth_doctor", "Find out what is wrong with the credentials for an index"),
    ("auth", "helper"): ("auth_helper", "Give credentials to Bazel and git"),
    ("auth", "login"): ("auth_login", "Store a password or token for an index"),
    ("auth", "logout"): ("auth_logout", "Remove what is stored for an index"),
    ("auth", "status"): ("auth_status", "Say which credential is in force for each index"),
    ("auth", "token"): ("auth_token", "Print the password or token for an index"),
    ("build",): ("build", "Build the sdist and the wheel of a project"),
    ("cache", "clean"): ("cache_clean", "Remove everything from the cache"),
    ("cache", "dir"): ("cache_dir", "Print the folder of the cache"),
    ("demo",): ("demo", "Show the whole journey in a temporary folder"),
    ("export",): ("export", "Write the lock as requirements.txt or pylock.toml"),
    ("index", "check"): ("index_check", "Ask an index what it can do, and print the configuration that fits"),
    ("index", "list"): ("index_list", "List the indexes in force, in the order they are asked"),
    ("index", "versions"): ("index_versions", "List the versions of a package, index by index"),
    ("index", "why"): ("index_why", "Say which index a package is taken from, and why"),
    ("init",): ("init", "Start a project"),
    ("lock",): ("lock", "Bring the project's lock up to date"),
    ("pip", "compile"): ("pip_compile", "Compile requirements to a file that pins everything"),
    ("pip", "freeze"): ("pip_freeze", "List what is installed as requirements"),
    ("pip", "install"): ("pip_install", "Install packages into an environment"),
    ("pip", "list"): ("pip_list", "List what is installed"),
    ("pip", "sync"): ("pip_sync", "Make an environment have exactly what files list"),
    ("pip", "tree"): ("pip_tree", "Show what is installed as a tree"),
    ("pip", "uninstall"): ("pip_uninstall", "Remove packages from an environment"),
    ("publish",): ("publish", "Upload wheels and sdists to an index"),
    ("remove",): ("remove", "Remove requirements from the project, lock and uninstall them"),
    ("run",): ("run", "Run a command in the project's environment"),
    ("serve",): ("serve", "Run a private index on a folder"),
    ("sync",): ("sync", "Make the project's environment what the lock says"),
    ("tool", "install"): ("tool_install", "Install a program in an environment of its own"),
    ("tool", "list"): ("tool_list", "List the tools that are installed"),
    ("tool", "uninstall"): ("tool_uninstall", "Remove tools"),
    ("tree",): ("tree", "Show what the lock has as a tree"),
    ("venv",): ("venv", "Make a virtual environment"),
    ("version",): ("version", "Print the version of cove"),
}
"""Every command: its words, its module in ``cove.cli.commands``, and its line in ``cove help``."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (without the program's name) in this process's environment; returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words in (["--version"], ["-V"]):
        sys.stdout.write(f"cove {__version__}\n")
        return 0

    import gc

    gc.disable()  # pages and locks are large trees without cycles: looking for some triples the time
    return run(words, stdout=sys.stdout, stderr=sys.stderr)


def program() -> NoReturn:
    """``main`` as a process of its own: ends it without taking apart, object by object, what the system frees at once."""
    import os

    status = main()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        status = _reader_went_away()
    os._exit(status)


def run(
    argv: Sequence[str],
    *,
    stdout: TextIO,
    stderr: TextIO,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    observe: Listener | None = None,
) -> int:
    """``main`` with streams, variables and working directory passed in; those of the process where they are not.

    ``observe`` is told of every event, besides what is shown.
    """
    from cove.cli.render import Console
    from cove.config.load import environment, working_directory
    from cove.errors import CoveError

    console = Console(stdout, stderr)
    try:
        variables = environment() if environ is None else environ
        where = cwd or working_directory()
        status = _dispatch(argv, console=console, environ=variables, cwd=where, observe=observe)
        stdout.flush()
    except CoveError as error:
        console.error(error)
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _reader_went_away()
    except Exception as error:  # noqa: BLE001 - the last resort: a person gets a sentence, not a stack
        console.defect(error)
        return 2
    return status


def _reader_went_away() -> int:
    """``cove … | head`` is not an error; Python must not complain either when it flushes stdout at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _dispatch(
    argv: Sequence[str], *, console: Console, environ: Mapping[str, str], cwd: Path, observe: Listener | None
) -> int:
    from cove.cli import options

    leading, words = options.split_leading(argv)
    if any(option in ("-V", "--version") for option in leading):
        console.print(f"cove {__version__}")
        return 0
    wants_help = bool({"-h", "--help"}.intersection(leading))
    if words[:1] == ["help"]:
        wants_help, words = True, words[1:]
    path = _command_path(words)
    if path is None:
        if words[1:2] in (["-h"], ["--help"]):  # `cove auth --help`: the commands that begin so
            wants_help, words = True, words[:1]
        if wants_help or not words:
            console.print(overview(tuple(words)))
            return 0 if wants_help else 2
        raise _unknown(words)
    arguments = [*leading, *words[len(path) :], *(["--help"] if wants_help else [])]
    return _run_command(path, arguments, console=console, environ=environ, cwd=cwd, observe=observe)


def _run_command(
    path: tuple[str, ...],
    argv: Sequence[str],
    *,
    console: Console,
    environ: Mapping[str, str],
    cwd: Path,
    observe: Listener | None,
) -> int:
    from cove.cli import options
    from cove.cli.context import Context
    from cove.cli.progress import Reporter
    from cove.config.load import load

    module = command(path)
    parser = options.parser(" ".join(("cove", *path)), module, color=console.out_is_terminal)
    try:
        flags, arguments = options.parse(parser, argv)
    except options.HelpShown as shown:
        console.print(shown.text)
        return 0
    console.expect(flags)
    settings = load(flags, environ=environ, cwd=cwd, interface=interface(path))
    console.configure(settings)
    with Reporter(console, settings, observe) as listener:
        for notice in settings.notices:
            listener(notice)
        return module.run(Context(settings, arguments, console, listener, cwd / (settings.directory or ""), environ))


def command(path: tuple[str, ...]) -> Command:
    """The module of a command of ``COMMANDS``."""
    from importlib import import_module

    module: Command = import_module(f"cove.cli.commands.{COMMANDS[path][0]}")
    return module


def interface(path: tuple[str, ...]) -> Interface:
    """Which of uv's three interfaces a command belongs to: they differ in the files they read and the order of indexes."""
    if path[0] == "pip":
        return "pip"
    return "tool" if path[0] == "tool" else "project"


def _command_path(words: Sequence[str]) -> tuple[str, ...] | None:
    for length in (2, 1):
        if tuple(words[:length]) in COMMANDS:
            return tuple(words[:length])
    return None


def _unknown(words: Sequence[str]) -> Exception:
    from difflib import get_close_matches

    from cove.errors import UsageError

    first = words[0]
    under = sorted(path[1] for path in COMMANDS if path[0] == first and len(path) > 1)
    if not under:
        near = get_close_matches(first, {path[0] for path in COMMANDS}, n=1)
        hints = [f"did you mean `cove {near[0]}`?"] if near else []
        return UsageError(f"unknown command `{first}`", hints=(*hints, "`cove help` lists the commands"))
    listed = ", ".join(f"`cove {first} {word}`" for word in under)
    if len(words) == 1:
        return UsageError(f"`cove {first}` needs a second word", hints=(f"there are {listed}",))
    near = get_close_matches(words[1], under, n=1)
    hint = f"did you mean `cove {first} {near[0]}`?" if near else f"there are {listed}"
    return UsageError(f"unknown command `cove {first} {words[1]}`", hints=(hint,))


def overview(prefix: tuple[str, ...] = ()) -> str:
    """The text of ``cove help``: the commands, or those that begin with ``prefix``."""
    chosen = {path: entry for path, entry in COMMANDS.items() if path[: len(prefix)] == prefix} or COMMANDS
    width = max(len(" ".join(path)) for path in chosen)
    rows = (f"  {' '.join(path):<{width}}  {line}" for path, (_, line) in chosen.items())
    return "\n".join(
        (
            "A Python package manager for packages that live on alternative indexes",
            "",
            "Usage: cove [OPTIONS] <COMMAND>",
            "",
            "Commands:",
            *rows,
            "",
            "`cove help <COMMAND>` describes one; `cove --version` prints the version.",
        )
    )
