"""``cove pip compile``."""

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from cove.cli import header, pip_options
from cove.cli.context import Context
from cove.config.atomic import write_whole
from cove.errors import UsageError
from cove.formats.pylock_name import FORMATS, format_of
from cove.operations.compile.inputs import Inputs, ask_ahead, texts
from cove.operations.compile.remembered import fingerprint as fingerprint_of
from cove.wiring import Session

HELP = """Compile requirements to a file that pins everything they come to.

An output file that is there is preferred to newer versions; `--upgrade` takes these."""
GROUPS = ("compile", "index", "resolver", "limits", "build-limits", "build", "pip-binary", "pip", "cache", "python")

if TYPE_CHECKING:  # loaded while the first questions are on their way
    from cove.install.interpreter import Interpreter
    from cove.operations.compile.compile import Form


def arguments(parser: ArgumentParser) -> None:
    """What to compile, and how the result looks."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="A requirements file, pyproject.toml, or `-` for standard input"
    )
    parser.add_argument("-o", "--output-file", metavar="FILE", help="Write the result to this file")
    parser.add_argument("--format", choices=FORMATS, help="The format; a file called pylock.toml needs no telling")
    pip_options.add_parts(parser)
    parser.add_argument("--no-deps", action="store_true", help="Leave out what packages require")


def run(context: Context) -> int:
    """Compile, and print the result unless it goes to a file."""
    arguments_, settings = context.arguments, context.settings
    wanted = pip_options.inputs(arguments_, settings)
    if settings.universal and settings.python_platform:
        raise UsageError(
            "`--universal` is for all platforms, and `--python-platform` for one", hints=("give one of the two",)
        )
    if not (wanted.files or wanted.groups):
        raise UsageError("there is nothing to compile", hints=("name a requirements file, or pyproject.toml",))
    output = context.cwd / Path(arguments_.output_file) if arguments_.output_file else None
    with Session(settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        # Questions first, and a process that says what the interpreter is: both are on their way while all else is loaded.
        remembered = ask_ahead(session, wanted)
        from cove.operations.environment.interpreters import to_compile_for

        interpreter = session.begin(lambda: to_compile_for(session))
        fingerprint, text = None, None
        if remembered is not None:
            fingerprint = _fingerprint(context, session, wanted, interpreter.result(), output)
            text = remembered.unchanged(fingerprint)
        if text is None:
            from cove.operations.compile.compile import compile_requirements

            text = compile_requirements(
                session,
                wanted,
                _form(context),
                interpreter,
                output=output,
                python_version=settings.python_version or "",
                platform=settings.python_platform or "",
                universal=settings.universal,
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
    from cove.operations.compile.compile import Form

    arguments_, settings = context.arguments, context.settings
    return Form(
        header=""
        if settings.no_header
        else " ".join((settings.custom_compile_command or "").split()) or _command(context),
        format=format_of(arguments_.format, arguments_.output_file),
        annotations=not settings.no_annotate,
        annotation_style=settings.annotation_style,
        hashes=settings.generate_hashes,
        index_url=settings.emit_index_url,
        find_links=settings.emit_find_links,
        build_options=settings.emit_build_options,
        index_annotations=settings.emit_index_annotation,
        environment=settings.emit_marker_expression,
        extras=settings.no_strip_extras,
        markers=settings.no_strip_markers,
        leave_out=settings.no_emit_package,
    )


def _command(context: Context) -> str:
    emits = {"index_url": context.settings.emit_index_url, "find_links": context.settings.emit_find_links}
    return header.of(context, "pip", "compile", positional="files", **emits)
