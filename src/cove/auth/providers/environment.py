"""``UV_INDEX_<NAME>_USERNAME``, ``_PASSWORD``, ``_PASSWORD_FILE`` and ``_TOKEN``."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from cove.auth.provider import Username
from cove.errors import ConfigurationError
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url

_SUFFIXES = ("_USERNAME", "_PASSWORD", "_PASSWORD_FILE", "_TOKEN")


def variables_of(environ: Mapping[str, str] | None) -> Mapping[str, str]:
    """``environ``, or the process's own variables for ``None``."""
    return os.environ if environ is None else environ


class Environment:
    """The variables of each named index.

    A file that ``_PASSWORD_FILE`` names (as containers mount their secrets) holds the password and nothing else; ``_TOKEN`` is
    sent as a bearer token. Raises ``ConfigurationError`` when made, if a variable is set that two of ``indexes`` would read:
    it is not known to which of the two its owner wants to show it.
    """

    name = "environment"

    def __init__(self, indexes: Sequence[Index], environ: Mapping[str, str] | None = None) -> None:
        self._environ = variables_of(environ)
        owners: dict[str, str] = {}
        for index in indexes:
            for variable in _variables(index):
                if owners.setdefault(variable, index.name) != index.name and variable in self._environ:
                    raise ConfigurationError(
                        f"${variable} would be read by two indexes, `{owners[variable]}` and `{index.name}`",
                        hints=("rename one of the two indexes",),
                    )

    def covers(self, index: Index | None, url: Url) -> bool:  # noqa: ARG002 - the shape of a provider
        """Whether one of the index's variables is set."""
        return index is not None and any(variable in self._environ for variable in _variables(index))

    def get(self, index: Index | None, url: Url) -> Credential | Username | None:
        """What the variables say together: the user name of a lone password is the one in the URL, else empty.

        Raises ``ConfigurationError`` when more than one of them gives a secret, or the file cannot be read.
        """
        variables = _variables(index) if index is not None else ()
        if not variables:
            return None
        secrets = [variable for variable in variables[1:] if variable in self._environ]
        if len(secrets) > 1:
            raise ConfigurationError(
                f"${secrets[0]} and ${secrets[1]} are both set: it is not clear which one to send",
                hints=("unset all but one of them",),
            )
        username = self._environ.get(variables[0])
        if not secrets:
            return Username(username, Origin("variable", variables[0])) if username else None
        variable = secrets[0]
        secret = self._environ[variable]
        origin = Origin("variable", variable)
        if variable.endswith("_TOKEN"):
            return Credential(username or "", Secret(secret.strip()), origin, "bearer")
        if variable.endswith("_FILE"):
            secret = _content(variable, secret)
        return Credential(username or url.username or "", Secret(secret), origin)


def _variables(index: Index) -> tuple[str, ...]:
    """In the order of ``_SUFFIXES``; none for an index without a name."""
    usual = index.credential_variables
    if usual is None:
        return ()
    stem = usual[0].removesuffix(_SUFFIXES[0])
    return tuple(stem + suffix for suffix in _SUFFIXES)


def _content(variable: str, name: str) -> str:
    """The password in the file ``name``, without white space around it."""
    try:
        text = Path(name).read_text("utf-8").strip()
    except OSError as error:
        raise ConfigurationError(f"${variable} names {name}, which cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"${variable} names {name}, which is not UTF-8") from None
    if not text:
        raise ConfigurationError(f"${variable} names {name}, which is empty")
    return text
