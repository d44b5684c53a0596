"""``UV_INDEX_<NAME>_USERNAME`` and ``UV_INDEX_<NAME>_PASSWORD``."""

import os
from collections.abc import Mapping, Sequence

from cove.auth.provider import Username
from cove.errors import ConfigurationError
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url


class Environment:
    """The variables of each named index.

    Raises ``ConfigurationError`` when made, if a variable is set that two of ``indexes`` would read: it is not known to
    which of the two its owner wants to show it.
    """

    name = "environment"

    def __init__(self, indexes: Sequence[Index], environ: Mapping[str, str] | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        owners: dict[str, str] = {}
        for index in indexes:
            for variable in index.credential_variables or ():
                if owners.setdefault(variable, index.name) != index.name and variable in self._environ:
                    raise ConfigurationError(
                        f"${variable} would be read by two indexes, `{owners[variable]}` and `{index.name}`",
                        hints=("rename one of the two indexes",),
                    )

    def covers(self, index: Index | None, url: Url) -> bool:  # noqa: ARG002 - the shape of a provider
        """Whether one of the index's variables is set."""
        variables = index.credential_variables if index is not None else None
        return variables is not None and any(variable in self._environ for variable in variables)

    def get(self, index: Index | None, url: Url) -> Credential | Username | None:
        """Both variables, or either: the user name of a lone password is the one in the URL, else empty."""
        variables = index.credential_variables if index is not None else None
        if variables is None:
            return None
        username, password = map(self._environ.get, variables)
        if password is not None:
            return Credential(username or url.username or "", Secret(password), Origin("variable", variables[1]))
        return Username(username, Origin("variable", variables[0])) if username else None
