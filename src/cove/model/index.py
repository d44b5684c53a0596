"""An index: an entry the user configured."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from cove.model.dataclasses import dataclass, field
from cove.model.origin import DEFAULT, Origin
from cove.model.url import Url

DEFAULT_INDEX_URL = "https://pypi.org/simple"
"""The index in force when no other is the default."""

DEFAULT_PUBLISH_URL = "https://upload.pypi.org/legacy/"

Authenticate = Literal["auto", "always", "never"]
Format = Literal["simple", "flat"]
CredentialProtocol = Literal["auto", "text", "json", "git", "bazel"]
OnUnreachable = Literal["fail", "skip", "cached"]


@dataclass(frozen=True, slots=True)
class Index:
    """One ``[[tool.uv.index]]`` table, or its equal from a flag or variable.

    ``url`` is absolute (``http``, ``https`` or ``file``) and may carry user info, which is never printed or written.
    ``packages`` to ``concurrency`` are from ``[tool.cove.index.<name>]``: ``packages`` are globs, names that
    match go to this index only; ``mirrors`` have the same content and are never written to a lock; ``allow_redirects_to`` has
    origins (``https://example.com:8443``), or ``any``, to which its redirects are followed besides its own; ``auth_scheme``
    is how the secret is sent, whatever its source says: ``basic``, ``bearer``, or ``header:`` and the name of a header;
    ``credential_command`` (program and arguments) prints a credential, as ``credential_protocol`` says; ``aws_profile``
    is whose token it takes; ``ca_cert`` and ``client_cert`` are absolute paths; ``timeout`` is in seconds.
    """

    url: Url
    name: str = ""
    default: bool = False
    explicit: bool = False
    format: Format = "simple"
    publish_url: Url | None = None
    authenticate: Authenticate = "auto"
    ignore_error_codes: frozenset[int] = frozenset()
    cache_control: Mapping[str, str] = field(default_factory=dict)
    hash_algorithm: str | None = None
    exclude_newer: str | Literal[False] | None = None
    packages: tuple[str, ...] = ()
    on_unreachable: OnUnreachable = "fail"
    mirrors: tuple[Url, ...] = ()
    allow_redirects_to: tuple[str, ...] = ()
    auth_scheme: str = ""
    credential_command: tuple[str, ...] = ()
    credential_protocol: CredentialProtocol = "auto"
    aws_profile: str = ""
    ca_cert: str = ""
    client_cert: str = ""
    proxy: Url | None = None
    timeout: float | None = None
    concurrency: int | None = None
    origin: Origin = DEFAULT
    origins: Mapping[str, Origin] = field(default_factory=dict, compare=False)
    """Where single values were given, by the keys of its tables; those that are missing stand where ``origin`` says."""
    is_relative: bool = field(default=False, compare=False)
    """Whether it was given as a path that starts from somewhere: so does then the path in a lock."""
    written_url: str = field(default="", compare=False)
    """The URL as its file has it, where that names variables (``${…}``): what is written to other files."""

    @property
    def label(self) -> str:
        """How messages call it: its name, else its URL (masked)."""
        return self.name or str(self.url)

    @property
    def credential_variables(self) -> tuple[str, str] | None:
        """The names of the variables for its user name and password; ``None`` for an index without a name.

        The name is upper-cased, and everything that is not an ASCII letter or digit becomes ``_``.
        """
        if not self.name:
            return None
        return f"{self._variable}_USERNAME", f"{self._variable}_PASSWORD"

    @property
    def url_variable(self) -> str:
        """The name of the variable that replaces the URL its file gives; empty for an index without a name."""
        return f"{self._variable}_URL" if self.name else ""

    @property
    def _variable(self) -> str:
        mangled = "".join(c if c.isascii() and c.isalnum() else "_" for c in self.name.upper())
        return f"UV_INDEX_{mangled}"

    def origin_of(self, key: str) -> Origin:
        """Where the value of ``key`` (as tables spell it) was given."""
        return self.origins.get(key, self.origin)

    @property
    def root(self) -> Url:
        """The URL below which its pages and files lie: without a last segment ``simple`` or ``+simple``."""
        return _root(self.url)


@lru_cache(maxsize=64)
def _root(url: Url) -> Url:
    head, _, last = url.path.removesuffix("/").rpartition("/")
    if last.lower() not in ("simple", "+simple"):
        return url
    scheme, separator, rest = url.public.partition("://")
    netloc = rest.partition("/")[0]
    return Url(f"{scheme}{separator}{netloc}{head}/", url.username, url.password)
