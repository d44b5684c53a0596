"""The places where credentials may be, one module each, and the order in which they are asked."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cove.auth import clouds
from cove.auth.provider import Provider
from cove.auth.providers.environment import Environment
from cove.auth.providers.huggingface import HuggingFace
from cove.auth.providers.inline import Inline
from cove.auth.providers.netrc import Netrc
from cove.config.settings import KeyringProvider
from cove.model.dataclasses import dataclass
from cove.model.event import Listener, ignore
from cove.model.index import Index

if TYPE_CHECKING:  # loaded where a token is needed
    from cove.auth.native import Surroundings
    from cove.auth.tokens import Tokens
    from cove.http.client import Client


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """What providers are made from. ``environ`` is ``None`` for the process's own; ``netrc`` is ``None`` for no file,
    ``store`` (the file of what was stored by logging in) too. ``tools`` are folders of programs that need not be on ``PATH``.
    ``on_terminal``: a person can be asked there."""

    indexes: Sequence[Index] = ()
    environ: Mapping[str, str] | None = None
    netrc: Path | None = None
    native: bool = False
    """Whether the clouds' own logins are made use of."""
    tokens: "Callable[[], Tokens] | None" = None
    """Where tokens are kept from run to run; ``None``: they are not."""
    services: "Callable[[], Client] | None" = None
    """A client for services that give out tokens; ``None``: they are not asked."""
    offline: bool = False
    store: Path | None = None
    keyring: KeyringProvider = "disabled"
    tools: Sequence[Path] = ()
    on_terminal: bool = False
    data: Path | None = None
    """Where it is kept which projects may run commands; ``None``: nowhere."""
    trust_commands: bool = False
    """Whether every project may run commands for credentials."""
    listener: Listener = ignore


PROVIDERS: tuple[Callable[[ProviderOptions], Provider | None], ...] = (
    lambda options: Environment(options.indexes, options.environ),
    lambda options: Inline(),  # noqa: ARG005 - it needs none
    lambda options: HuggingFace(options.environ),
    lambda options: Netrc(options.netrc, options.listener) if options.netrc is not None else None,
    lambda options: _stored(options) if options.store is not None and _is_there(options.store) else None,
    lambda options: _command(options) if any(index.credential_command for index in options.indexes) else None,
    lambda options: clouds.codeartifact(lambda: _surroundings(options)) if options.native else None,
    lambda options: clouds.google(lambda: _surroundings(options)) if options.native else None,
    lambda options: clouds.azure(lambda: _surroundings(options)) if options.native else None,
    lambda options: _keyring(options) if options.keyring != "disabled" else None,
    lambda options: _prompt(options) if options.on_terminal else None,
)
"""In order of priority: what was set for this run comes before what is written down, and that before what others keep."""


def make_providers(options: ProviderOptions) -> tuple[Provider, ...]:
    """The providers that are switched on. Raises ``ConfigurationError`` for variables that two indexes would read."""
    return tuple(provider for make in PROVIDERS if (provider := make(options)) is not None)


def _command(options: ProviderOptions) -> Provider:
    from cove.auth.confirmed import Confirmed  # noqa: PLC0415 - few indexes have a command
    from cove.auth.providers.command import Command  # noqa: PLC0415
    from cove.auth.tokens import Kept  # noqa: PLC0415

    confirmed = Confirmed(
        options.data, options.listener, everything=options.trust_commands, on_terminal=options.on_terminal
    )
    kept = Kept(options.tokens() if options.tokens is not None else None, options.listener)
    return Command(confirmed, kept, options.environ or {}, options.listener, on_terminal=options.on_terminal)


def _surroundings(options: ProviderOptions) -> "Surroundings":
    from cove.auth.native import Surroundings  # noqa: PLC0415 - most people have no index in a cloud
    from cove.auth.tokens import Kept  # noqa: PLC0415

    tokens = options.tokens() if options.tokens is not None else None
    # Offline, a token is not sent but says whose pages are in the cache: it need not be good any more.
    clock = (lambda: datetime.min.replace(tzinfo=UTC)) if options.offline else (lambda: datetime.now(UTC))
    kept = Kept(tokens, options.listener, now=clock)
    return Surroundings(
        options.environ or {}, kept, options.services, offline=options.offline, listener=options.listener
    )


def _stored(options: ProviderOptions) -> Provider:
    from cove.auth.providers.stored import Stored  # noqa: PLC0415 - most people have not logged in anywhere
    from cove.auth.store import CredentialStore  # noqa: PLC0415

    assert options.store is not None
    return Stored(CredentialStore(options.store), options.listener)


def _keyring(options: ProviderOptions) -> Provider | None:
    from cove.auth.providers.keyring import make_keyring  # noqa: PLC0415 - off unless somebody says so

    return make_keyring(
        options.keyring,
        environ=options.environ,
        places=options.tools,
        listener=options.listener,
        on_terminal=options.on_terminal,
    )


def _prompt(options: ProviderOptions) -> Provider:
    from cove.auth.providers.prompt import Prompt  # noqa: PLC0415 - most runs have nobody to ask

    return Prompt(options.listener)


def _is_there(path: Path) -> bool:
    """Whether there is something at ``path``, readable or not."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
