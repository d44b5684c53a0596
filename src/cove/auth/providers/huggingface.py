"""``HF_TOKEN``, for the indexes and files of Hugging Face."""

from collections.abc import Mapping

from cove.auth.providers.environment import variables_of
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url

_REALM = ("https", "huggingface.co", 443)


class HuggingFace:
    """The token of its own tools, sent as a bearer token to their host and nowhere else; ``UV_NO_HF_TOKEN`` keeps it back."""

    name = "huggingface"

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = variables_of(environ)

    def covers(self, index: Index | None, url: Url) -> bool:  # noqa: ARG002 - the shape of a provider
        """Whether it is that host, and nobody else was named."""
        return url.realm == _REALM and not url.username

    def get(self, index: Index | None, url: Url) -> Credential | None:
        """The token, if it is set and wanted."""
        token = self._environ.get("HF_TOKEN", "").strip()
        if not token or "UV_NO_HF_TOKEN" in self._environ or not self.covers(index, url):
            return None
        return Credential("", Secret(token), Origin("variable", "HF_TOKEN"), "bearer")
