"""``cove pip compile``."""

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from cove.cli import header, pip_options
from cove.cli.context import Context
from cove.config.atomic import write_whole
from cove.errors import UsageError
from cove.formats.pylock_name import FORMATS, format_of
from cove.operations.inputs import Inputs, ask_ahead, texts
from cove.operations.remembered import fingerprint as fingerprint_of
from cove.wiring import Session

HELP = """Compile requirements to a file that pins everything they come to.

An output file that is there is preferred to newer versions; `--upgrade` takes these."""
GROUPS = ("index", "resolver", "limits", "build-limits", "build", "pip-binary", "pip", "cache", "python")

if TYPE_CHECKING:  # loaded while the first questions are on their way
    from cove.install.interpreter import Interpreter
    from cove.operations.compile import Form


def arguments(parser: ArgumentParser) -> None:
    """What to compile, and how the result looks."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="A requirements file, pyproject.toml, or `-` for standard input"
    )
    parser.add_argument("-o", "--output-file", metavar="FILE", help="Write the result to this file")
    parser.add_argument("--format", choices=FORMATS, help="The format; a file called pylock.toml needs no telling")
    pip_options.add_parts(parser)
    add, switch = parser.add_argument, {"action": "store_true"}
    add("--generate-hashes", help="Add the hashes of all files", **switch)  # type: ignore[arg-type]
    add("--no-header", help="Leave out the comment with the command", **switch)  # type: ignore[arg-type]
    add("--no-annotate", help="Leave out the comments on who requires what", **switch)  # type: ignore[arg-type]
    add("--no-strip-extras", help="Keep extras in the result", **switch)  # type: ignore[arg-type]
    add("--emit-index-url", help="Add the indexes, without credentials", **switch)  # type: ignore[arg-type]
    add("--emit-find-links", help="Add the places of --find-links", **switch)  # type: ignore[arg-type]
    add("--emit-index-annotation", help="Add a comment on the index of each package", **switch)  # type: ignore[arg-type]
    add("--no-deps", help="Leave out what packages require", **switch)  # type: ignore[arg-type]
    add("--universal", help="Compile for all platforms", **switch)  # type: ignore[arg-type]
    add("--python-version", metavar="VERSION", help="Compile for this Python, with --universal for all from it on")
    add(
        "--python-platform",
        metavar="PLATFORM",
        help="Compile for this platform: `linux`, `windows`, `macos`, or a triple such as `aarch64-apple-darwin`",
    )
    add(
        "--custom-compile-command",
        metavar="COMMAND",
        help="The command to show in the header [env: UV_CUSTOM_COMPILE_COMMAND]",
    )
    add(
        "--no-emit-package", action="append", default=[], metavar="PACKAGE", help="Leave this package out of the result"
    )


def run(context: Context) -> int:
    """Compile, and print the result unless it goes to a file."""
    arguments_ = context.arguments
    wanted = pip_options.inputs(arguments_, context.settings)
    if arguments_.universal and arguments_.python_platform:
        raise UsageError(
            "`--universal` is for all platforms, and `--python-platform` for one", hints=("give one of the two",)
        )
    if not (wanted.files or wanted.groups):
        raise UsageError("there is nothing to compile", hints=("name a requirements file, or pyproject.toml",))
    output = context.cwd / Path(arguments_.output_file) if arguments_.output_file else None
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        # Questions first, and a process that says what the interpreter is: both are on their way while all else is loaded.
        remembered = ask_ahead(session, wanted)
        from cove.operations.interpreters import to_compile_for

        interpreter = session.begin(lambda: to_compile_for(session))
        fingerprint, text = None, None
        if remembered is not None:
            fingerprint = _fingerprint(context, session, wanted, interpreter.result(), output)
            text = remembered.unchanged(fingerprint)
        if text is None:
            from cove.operations.compile import compile_requirements

            text = compile_requirements(
                session,
                wanted,
                _form(context),
                interpreter,
                output=output,
                python_version=arguments_.python_version or "",
                platform=arguments_.python_platform or "",
                universal=arguments_.universal,
                no_deps=arguments_.no_deps,
                remembered=remembered,
                fingerprint=fingerprint,
            )
    if output is None:
        if text:
            context.console.print(text.removesuffix("\n"))
    else:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_whole(output, text.encode())
    return 0


def _fingerprint(
    context: Context, session: Session, wanted: Inputs, interpreter: "Interpreter", output: Path | None
) -> str | None:
    """Of everything that the result depends on besides what indexes say; ``None`` if that cannot be told."""
    files = texts(session, wanted)
    if files is None:
        return None
    try:
        present = output.read_text(encoding="utf-8") if output is not None else None
    except FileNotFoundError:
        present = None
    except (OSError, UnicodeDecodeError):
        return None  # an error for whoever reads it in earnest
    return fingerprint_of(session, (vars(context.arguments), files, interpreter, present, str(output)))


def _form(context: Context) -> "Form":
    from cove.operations.compile import Form

    arguments_ = context.arguments
    return Form(
        header=header.of(context, "pip", "compile", positional="files"),
        format=format_of(arguments_.format, arguments_.output_file),
        annotations=not arguments_.no_annotate,
        hashes=arguments_.generate_hashes,
        index_url=arguments_.emit_index_url,
        find_links=arguments_.emit_find_links,
        index_annotations=arguments_.emit_index_annotation,
        extras=arguments_.no_strip_extras,
        leave_out=pip_options.names(arguments_.no_emit_package, "omitted package"),
    )
