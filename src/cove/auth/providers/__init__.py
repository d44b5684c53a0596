"""The places where credentials may be, one module each, and the order in which they are asked."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cove.auth.provider import Provider
from cove.auth.providers.environment import Environment
from cove.auth.providers.inline import Inline
from cove.auth.providers.keyring import Keyring
from cove.auth.providers.netrc import Netrc
from cove.model.dataclasses import dataclass
from cove.model.event import Listener, ignore
from cove.model.index import Index


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """What providers are made from. ``environ`` is ``None`` for the process's own; ``netrc`` is ``None`` for no file."""

    indexes: Sequence[Index] = ()
    environ: Mapping[str, str] | None = None
    netrc: Path | None = None
    keyring: bool = False
    listener: Listener = ignore


PROVIDERS: tuple[Callable[[ProviderOptions], Provider | None], ...] = (
    lambda options: Environment(options.indexes, options.environ),
    lambda options: Inline(),  # noqa: ARG005 - it needs none
    lambda options: Netrc(options.netrc, options.listener) if options.netrc is not None else None,
    lambda options: Keyring(options.listener, environ=options.environ) if options.keyring else None,
)
"""In order of priority: what was set for this run comes before what is written down, and that before what others keep."""


def make_providers(options: ProviderOptions) -> tuple[Provider, ...]:
    """The providers that are switched on. Raises ``ConfigurationError`` for variables that two indexes would read."""
    return tuple(provider for make in PROVIDERS if (provider := make(options)) is not None)
