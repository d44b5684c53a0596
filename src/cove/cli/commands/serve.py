"""``cove serve``."""

import gc
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from cove.cli.context import Context
from cove.errors import ConfigurationError, UsageError
from cove.model.event import Noted
from cove.model.secret import Secret
from cove.model.url import Url

if TYPE_CHECKING:
    from cove.server.accounts import Account
    from cove.server.gate import Seen

HELP = """Run a private index on the files of a folder, until interrupted.

Without --user and --accounts everybody may read and publish. The password of the user is $COVE_SERVE_PASSWORD, the first line
of --password-file, or generated and shown once. Requests are shown with -v."""
GROUPS: tuple[str, ...] = ()

_LIBRARIES = frozenset({"argon2", "granian", "multipart", "python_multipart", "starlette"})
"""What the extra ``server`` brings."""


def arguments(parser: ArgumentParser) -> None:
    """The folder, the address, and who may come in."""
    parser.add_argument(
        "folder", nargs="?", default="packages", metavar="FOLDER", help="Where the files are; ./packages"
    )
    parser.add_argument("--host", default="127.0.0.1", help="The address to listen on; this machine only by default")
    parser.add_argument("--port", type=int, default=8414, help="The port; 0 for a free one, 8414 by default")
    parser.add_argument("--user", metavar="NAME", help="The user who may read and publish")
    parser.add_argument("--password-file", metavar="FILE", help="The file whose first line is the user's password")
    parser.add_argument("--accounts", metavar="FILE", help="More users, one per line: NAME:read|upload:ARGON2-HASH")
    parser.add_argument("--anonymous-read", action="store_true", help="Everybody may read")
    parser.add_argument("--overwrite", action="store_true", help="An upload may replace a file that is there")


def run(context: Context) -> int:
    """Serve until SIGINT or SIGTERM."""
    asked = context.arguments
    try:
        from cove.server.serve import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _LIBRARIES:
            raise
        raise ConfigurationError(
            f"`cove serve` needs libraries that are not installed ({error.name})",
            hints=("pip install 'cove[server]'",),
        ) from error
    folder = context.cwd / asked.folder
    accounts = _accounts(context)
    if accounts is None:
        context.console.warning(
            f"everybody who reaches {asked.host} may read and publish", "`--user NAME` demands a password"
        )
    gc.enable()  # switched off for commands that end soon; this one does not
    serve(
        folder,
        host=asked.host,
        port=asked.port,
        accounts=accounts,
        anonymous_read=asked.anonymous_read,
        overwrite=asked.overwrite,
        on_ready=lambda url: _ready(context, folder, url),
        on_request=lambda seen: context.listener(Noted(_request_line(seen))),
    )
    return 0


def _accounts(context: Context) -> "list[Account] | None":
    from cove.server.accounts import Account, hash_password, read_accounts

    asked = context.arguments
    if asked.user is None and asked.accounts is None:
        if asked.password_file is not None:
            raise UsageError("--password-file without a user", hints=("name the user with `--user`",))
        return None
    accounts: list[Account] = []
    if asked.accounts is not None:
        path = context.cwd / asked.accounts
        accounts += read_accounts(_text(path), str(path))
    if asked.user is not None:
        if not asked.user or ":" in asked.user:
            raise UsageError("the name of a user is not empty and has no colon (RFC 7617)")
        accounts.append(Account(asked.user, hash_password(_password(context)), may_upload=True))
    return accounts


def _password(context: Context) -> Secret:
    file, given = context.arguments.password_file, context.settings.serve_password
    if file is not None:
        first = _text(context.cwd / file).partition("\n")[0].rstrip("\r")
        if not first:
            raise ConfigurationError(f"the first line of {context.cwd / file} is empty")
        return Secret(first)
    if given is not None:
        return given
    if context.settings.quiet:
        raise UsageError(
            "with --quiet nobody would see the generated password",
            hints=("set $COVE_SERVE_PASSWORD, or use `--password-file`",),
        )
    made = secrets.token_urlsafe(18)
    context.console.say(f"The password of `{context.arguments.user}`, shown only now: {made}")
    return Secret(made)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigurationError(f"{path} cannot be read: {reason}") from error


def _ready(context: Context, folder: Path, url: Url) -> None:
    say = context.console.say
    say(f"Serving {folder} at {url}; Ctrl-C ends it. For the projects that use it:")
    say("")
    say("[[tool.uv.index]]")
    say('name = "private"')
    say(f'url = "{url.join("simple/")}"')
    say(f'publish-url = "{url.join("legacy/")}"')


def _request_line(seen: "Seen") -> str:
    return f"{seen.method} {seen.path} {seen.status}" + (f" by {seen.user}" if seen.user else "")
