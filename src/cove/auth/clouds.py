"""The providers of the clouds, which are loaded when there is a URL of theirs: most people never have one."""

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from cove.model.index import Index
from cove.model.secret import Credential
from cove.model.url import Url
from cove.registries.azure import is_azure_devops
from cove.registries.codeartifact import domain_of
from cove.registries.google import is_google

if TYPE_CHECKING:
    from cove.auth.native import Native, Surroundings


class Cloud:
    """An ``Issuer`` that stands for the one which ``load`` makes as soon as a URL is on one of its hosts."""

    def __init__(self, name: str, recognises: Callable[[Url], bool], load: "Callable[[], Native]") -> None:
        self.name = name
        self._recognises = recognises
        self._load = load
        self._loaded: Native | None = None
        self._lock = Lock()

    def covers(self, index: Index | None, url: Url) -> bool:
        """As the provider itself says, of a URL of its cloud."""
        return url.scheme == "https" and self._recognises(url) and self._native().covers(index, url)

    def get(self, index: Index | None, url: Url) -> Credential | None:
        """As the provider itself says."""
        return self._native().get(index, url)

    def forget(self, index: Index | None, url: Url, refused: Credential) -> bool:
        """As the provider itself says."""
        return self._native().forget(index, url, refused)

    def _native(self) -> "Native":
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded


def codeartifact(make: "Callable[[], Surroundings]") -> Cloud:
    """AWS CodeArtifact."""

    def load() -> "Native":
        from cove.auth.providers.codeartifact import CodeArtifact  # noqa: PLC0415 - see the module

        return CodeArtifact(make())

    return Cloud("codeartifact", lambda url: domain_of(url) is not None, load)


def google(make: "Callable[[], Surroundings]") -> Cloud:
    """Google Artifact Registry."""

    def load() -> "Native":
        from cove.auth.providers.google import Google  # noqa: PLC0415 - see the module

        return Google(make())

    return Cloud("google", is_google, load)


def azure(make: "Callable[[], Surroundings]") -> Cloud:
    """Azure Artifacts."""

    def load() -> "Native":
        from cove.auth.providers.azure import Azure  # noqa: PLC0415 - see the module

        return Azure(make())

    return Cloud("azure", is_azure_devops, load)
