"""The places where credentials may be, one module each, and the order in which they are asked."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cove.auth import clouds
from cove.auth.provider import Provider
from cove.auth.providers.environment import Environment
from cove.auth.providers.inline import Inline
from cove.auth.providers.keyring import Keyring
from cove.auth.providers.netrc import Netrc
from cove.model.dataclasses import dataclass
from cove.model.event import Listener, ignore
from cove.model.index import Index

if TYPE_CHECKING:  # loaded where a token is needed
    from cove.auth.native import Surroundings
    from cove.auth.tokens import Tokens
    from cove.http.client import Client


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """What providers are made from. ``environ`` is ``None`` for the process's own; ``netrc`` is ``None`` for no file."""

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
    keyring: bool = False
    listener: Listener = ignore


PROVIDERS: tuple[Callable[[ProviderOptions], Provider | None], ...] = (
    lambda options: Environment(options.indexes, options.environ),
    lambda options: Inline(),  # noqa: ARG005 - it needs none
    lambda options: Netrc(options.netrc, options.listener) if options.netrc is not None else None,
    lambda options: clouds.codeartifact(lambda: _surroundings(options)) if options.native else None,
    lambda options: clouds.google(lambda: _surroundings(options)) if options.native else None,
    lambda options: clouds.azure(lambda: _surroundings(options)) if options.native else None,
    lambda options: Keyring(options.listener, environ=options.environ) if options.keyring else None,
)
"""In order of priority: what was set for this run comes before what is written down, and that before what others keep."""


def make_providers(options: ProviderOptions) -> tuple[Provider, ...]:
    """The providers that are switched on. Raises ``ConfigurationError`` for variables that two indexes would read."""
    return tuple(provider for make in PROVIDERS if (provider := make(options)) is not None)


def _surroundings(options: ProviderOptions) -> "Surroundings":
    from cove.auth.native import Surroundings  # noqa: PLC0415 - most people have no index in a cloud
    from cove.auth.tokens import Kept  # noqa: PLC0415

    kept = Kept(options.tokens() if options.tokens is not None else None, options.listener)
    return Surroundings(options.environ or {}, kept, options.services, offline=options.offline, listener=options.listener)
