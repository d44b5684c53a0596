"""``cove pip compile``."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from cove.cli import pip_options
from cove.cli.context import Context
from cove.config.settings import SETTINGS, Setting
from cove.errors import UsageError
from cove.model.url import Url
from cove.operations.compile import Form, compile_requirements
from cove.wiring import Session

HELP = """Compile requirements to a file that pins everything they come to.

An output file that is there is preferred to newer versions; `--upgrade` takes these."""
GROUPS = ("index", "resolver", "build", "pip-binary", "pip", "cache", "python")

_SHOWN = frozenset({"resolver", "build", "pip-binary", "pip", "python"})
_NOT_SHOWN = frozenset({"upgrade", "upgrade-package"})
_PLACES = frozenset({"index", "default-index", "index-url", "extra-index-url", "find-links"})


def arguments(parser: ArgumentParser) -> None:
    """What to compile, and how the result looks."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="A requirements file, pyproject.toml, or `-` for standard input"
    )
    parser.add_argument("-o", "--output-file", metavar="FILE", help="Write the result to this file")
    pip_options.add_limits(parser)
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
    wanted = pip_options.inputs(arguments_)
    if not (wanted.files or wanted.groups):
        raise UsageError("there is nothing to compile", hints=("name a requirements file, or pyproject.toml",))
    form = Form(
        command=_command(context),
        annotations=not arguments_.no_annotate,
        hashes=arguments_.generate_hashes,
        index_url=arguments_.emit_index_url,
        find_links=arguments_.emit_find_links,
        index_annotations=arguments_.emit_index_annotation,
        extras=arguments_.no_strip_extras,
        leave_out=pip_options.names(arguments_.no_emit_package, "omitted package"),
    )
    output = context.cwd / Path(arguments_.output_file) if arguments_.output_file else None
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        text = compile_requirements(
            session,
            wanted,
            form,
            output=output,
            python_version=arguments_.python_version or "",
            universal=arguments_.universal,
            no_deps=arguments_.no_deps,
        )
    if output is None:
        context.console.print(text.removesuffix("\n"))
    return 0


# -- the command in the header ------------------------------------------------------------------------------------------


def _command(context: Context) -> tuple[str, ...] | str | None:
    """The command, made anew from what it was understood to be: what may hold a secret does not get in."""
    arguments_ = context.arguments
    if arguments_.no_header:
        return None
    custom = arguments_.custom_compile_command or context.settings.custom_compile_command
    return custom or ("cove", "pip", "compile", *_own(context), *_of_settings(context))


def _own(context: Context) -> Iterator[str]:
    for name, value in vars(context.arguments).items():
        flag = "--" + {"output_file": "output-file"}.get(name, name).replace("_", "-")
        if name == "files":
            yield from map(_without_secret, value)
        elif value is True:
            yield flag
        elif isinstance(value, list):
            yield from (word for each in value for word in (flag, _without_secret(each)))
        elif isinstance(value, str):
            yield from (flag, _without_secret(value))


def _of_settings(context: Context) -> Iterator[str]:
    for setting in SETTINGS:
        given = [item for item in context.settings.given(setting.name) if item.origin.kind == "flag"]
        if not given or not _is_shown(setting, context):
            continue
        if setting.form == "switch":
            yield given[0].origin.name
        else:
            yield from (word for item in given for word in (setting.flag, _without_secret(str(item.value))))


def _is_shown(setting: Setting[object], context: Context) -> bool:
    if setting.name in _PLACES:
        arguments_ = context.arguments
        return bool(arguments_.emit_find_links if setting.name == "find-links" else arguments_.emit_index_url)
    return (setting.group in _SHOWN and setting.name not in _NOT_SHOWN) or setting.group == "index"


def _without_secret(text: str) -> str:
    """User info is left out of URLs, also behind the name of an index."""
    name, equals, place = text.partition("=")
    prefix, url = (name + equals, place) if equals and "://" not in name else ("", text)
    if "://" not in url:
        return text
    try:
        return prefix + Url.parse(url).public
    except ValueError:
        return prefix + "<URL>"
