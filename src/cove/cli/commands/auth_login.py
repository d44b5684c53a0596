"""``cove auth login``."""

from argparse import ArgumentParser, Namespace

from cove.cli.asking import ask, ask_secret, line_of_stdin, somebody_is_there
from cove.cli.context import Context
from cove.errors import UsageError
from cove.model.secret import Secret
from cove.operations.auth.logins import LoggedIn, Service, login, service_named
from cove.wiring import Session

HELP = """Store a user name and password, or a token, for an index, a URL or a host.

It is kept in uv's store, a file that only you can read, and sent with every request below the service's URL, by uv too. Of
several that are stored, the one for the longest URL counts. What is not given is asked for."""
GROUPS = ("index", "output")


def arguments(parser: ArgumentParser) -> None:
    """The service, and what to store."""
    parser.add_argument("service", metavar="SERVICE", help="The name of a configured index, a URL, or a host")
    parser.add_argument("-u", "--username", metavar="NAME", help="The user name; some registries want an empty one")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--password", metavar="PASSWORD", help="The password; `-` reads a line from stdin")
    secret.add_argument("-t", "--token", metavar="TOKEN", help="A token; `-` reads a line from stdin")
    parser.add_argument("--bearer", action="store_true", help="Send the token as `Bearer`, without a user name")
    parser.add_argument("--check", action="store_true", help="Ask the index first; store nothing that it refuses")


def run(context: Context) -> int:
    """Store it, and say what it is good for."""
    given = context.arguments
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        service = service_named(session, given.service)
        username, secret = _asked(given, service)
        done = login(
            session,
            service,
            secret,
            username=username,
            is_token=given.token is not None,
            is_bearer=given.bearer,
            checks=given.check,
        )
    if context.settings.output_format == "json":
        context.console.json(_as_object(done))
    else:
        _tell(context, done)
    return 0


def _asked(given: Namespace, service: Service) -> tuple[str | None, Secret]:
    """User name and secret: as given, as typed in the URL, or asked for."""
    username: str | None = given.username
    if given.bearer and (given.token is None or username is not None):
        raise UsageError("`--bearer` goes with `--token`, and without a user name")
    if given.token is not None:
        return username, _read(given.token)
    if username is None and service.username is None:
        if not somebody_is_there():
            raise UsageError("no user name is given", hints=("give it with `--username`, or a token with `--token`",))
        username = ask("user name: ")
    if given.password is not None:
        return username, _read(given.password)
    if service.password is not None:
        return username, service.password
    if not somebody_is_there():
        raise UsageError("no password is given", hints=("give it on stdin: `--password -`, or `--token -`",))
    return username, Secret(ask_secret("password: "))


def _read(text: str) -> Secret:
    return Secret(line_of_stdin() if text == "-" else text)


def _tell(context: Context, done: LoggedIn) -> None:
    console, stored = context.console, done.stored
    what = f"the password of {stored.whose}" if stored.username is not None else stored.whose
    if done.checked:
        console.say(done.checked)
    console.say(f"Stored {what} for {stored.service} in {done.path}")
    names = ", ".join(f"`{index.label}`" for index in done.used_for)
    below = f"with every request below {stored.service}"
    console.say(f"It is sent {below}" + (f", so for the index {names}" if names else ""))
    for index, origin in done.hidden:
        console.warning(f"for `{index.label}`, the credential from {origin} comes before it", f"remove it in {origin}")
    if done.others and not done.used_for:
        others = ", ".join(each.whose for each in done.others)
        console.warning(
            f"for the same service, {others} is stored too: none is sent where no user name is given",
            "give the user name in the index's URL or as $UV_INDEX_<NAME>_USERNAME, or remove one: `cove auth logout`",
        )


def _as_object(done: LoggedIn) -> dict[str, object]:
    return {
        "service": done.stored.service.public,
        "username": done.stored.username,
        "scheme": done.stored.scheme,
        "path": str(done.path),
        "used-for": [index.label for index in done.used_for],
        "hidden": [{"index": index.label, "by": str(origin)} for index, origin in done.hidden],
        "other-users": [each.username for each in done.others],
    }
