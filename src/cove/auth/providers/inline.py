"""Credentials in a URL: ``https://user:password@host/``."""

from cove.auth.provider import Username
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential
from cove.model.url import Url


class Inline:
    """User info of the index's URL, or of the requested URL where no index is concerned."""

    name = "URL"

    def covers(self, index: Index | None, url: Url) -> bool:  # noqa: ARG002 - the shape of a provider
        """Whether there is any user info."""
        return url.username is not None

    def get(self, index: Index | None, url: Url) -> Credential | Username | None:
        """A credential if there is a password, which may be empty; else the user name."""
        if url.username is None:
            return None
        origin = Origin(
            "url", f"the URL of {index.label}" if index is not None and index.name else f"the URL of {url.host}"
        )
        if url.password is None:
            return Username(url.username, origin) if url.username else None
        return Credential(url.username, url.password, origin)
