"""The options of an index that only cove knows: ``[tool.cove.index.<name>]``, or ``[index.<name>]`` of a ``cove.toml``."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import TypeVar, cast, get_args
from urllib.parse import quote, urljoin

from cove.config.readers import list_of, one_of, read_text
from cove.config.settings import Given
from cove.config.variables import Unset, expand
from cove.errors import ConfigurationError
from cove.formats.file_url import to_path
from cove.model.dataclasses import replace
from cove.model.index import CredentialProtocol, Index, OnUnreachable
from cove.model.name import normalize
from cove.model.origin import Origin
from cove.model.secret import can_carry_secret
from cove.model.url import Url

T = TypeVar("T")

KEYS = (
    "packages", "on-unreachable", "mirrors", "allow-redirect-to", "auth-scheme", "credential-command", "credential-protocol",
    "aws-profile",
    "ca-cert", "client-cert", "proxy", "timeout", "concurrency",
)  # fmt: skip

ANYWHERE = "any"
"""The word with which ``allow-redirect-to`` allows all origins."""

Options = Mapping[str, tuple[Given, object]]
"""By key: the table it stands in and its raw value."""


def gather(items: Iterable[Given]) -> dict[str, dict[str, tuple[Given, object]]]:
    """The options by index and key: what several files say adds up key by key, the first file that has a key counts.

    Raises ``ConfigurationError`` for what is no table and for a key that means nothing: left out, a misspelled route would
    send private names to a public index.
    """
    found: dict[str, dict[str, tuple[Given, object]]] = {}
    for item in items:
        if not isinstance(item.value, dict):
            raise ConfigurationError(f"{item.origin}: `tool.cove.index` must be a table of tables")
        for name, table in item.value.items():
            if not isinstance(table, dict):
                raise ConfigurationError(f"{item.origin_of(name)}: {_what(name)} must be a table")
            for key, raw in table.items():
                if key not in KEYS:
                    near = get_close_matches(key.replace("_", "-"), KEYS, n=1, cutoff=0.7)
                    raise ConfigurationError(
                        f"{item.origin_of(name, key)}: {_what(name)} has the key `{key}`, which means nothing",
                        hints=(f"did you mean `{near[0]}`?" if near else f"there are {', '.join(KEYS)}",),
                    )
                found.setdefault(name, {}).setdefault(key, (item, raw))
    return found


def applied(index: Index, options: Options, environ: Mapping[str, str]) -> Index:
    """``index`` with its options; raises ``ConfigurationError`` naming file and line of one that cannot be used."""

    def read(key: str, reader: Callable[[object, Given], T], default: T) -> T:
        if key not in options:
            return default
        item, raw = options[key]
        try:
            return reader(raw, item)
        except ValueError as error:
            where = item.origin_of(index.name, key)
            raise ConfigurationError(f"{where}: `{key}` of {_what(index.name)} cannot be used: {error}") from None

    proxy = read("proxy", lambda raw, _: _url(raw, environ, schemes=("http", "https", "socks5", "socks5h")), None)
    return replace(
        index,
        packages=read("packages", _patterns, ()),
        on_unreachable=read("on-unreachable", _on_unreachable, "fail"),
        mirrors=read("mirrors", lambda raw, _: _mirrors(raw, environ), ()),
        allow_redirects_to=read("allow-redirect-to", _allowed, ()),
        auth_scheme=read("auth-scheme", _scheme, ""),
        credential_command=read("credential-command", _command, ()),
        credential_protocol=read("credential-protocol", _protocol, "auto"),
        aws_profile=read("aws-profile", _profile, ""),
        ca_cert=read("ca-cert", _path, ""),
        client_cert=read("client-cert", _path, ""),
        proxy=proxy,
        timeout=read("timeout", _seconds, None),
        concurrency=read("concurrency", _count, None),
        origins={**index.origins, **{key: item.origin_of(index.name, key) for key, (item, _) in options.items()}},
    )


def first_origin(name: str, options: Options) -> Origin:
    """Where the options of the index ``name`` are given."""
    item, _ = next(iter(options.values()))
    return item.origin_of(name)


def _what(name: str) -> str:
    return f"`[tool.cove.index.{name}]`"


def _patterns(raw: object, _: Given) -> tuple[str, ...]:
    patterns = list_of(read_text)(raw)
    if not all(patterns):
        raise ValueError("one of the patterns is empty")
    return tuple(normalize(pattern) for pattern in patterns)


def _on_unreachable(raw: object, _: Given) -> OnUnreachable:
    word = one_of("fail", "skip", "cached")(raw)
    return "skip" if word == "skip" else "cached" if word == "cached" else "fail"


def _profile(raw: object, _: Given) -> str:
    name = read_text(raw)
    if not name or name.startswith("-") or not name.isprintable():
        raise ValueError("it is no name of a profile")
    return name


def _url(raw: object, environ: Mapping[str, str], schemes: tuple[str, ...] = ("http", "https")) -> Url:
    try:
        url = Url.parse(expand(read_text(raw), environ))
    except Unset as unset:
        raise ValueError(f"the variable `{unset}` is not set") from None
    if url.scheme not in schemes:
        raise ValueError(f"expected a URL with {' or '.join(schemes)}")
    return url


def _mirrors(raw: object, environ: Mapping[str, str]) -> tuple[Url, ...]:
    return tuple(_url(each, environ) for each in list_of(read_text)(raw))


def _allowed(raw: object, _: Given) -> tuple[str, ...]:
    return tuple(_origin_text(each) for each in list_of(read_text)(raw))


def _origin_text(text: str) -> str:
    """``any``, or an origin as RFC 6454 writes it: scheme, host and port that is not the usual one."""
    if text == ANYWHERE:
        return text
    url = Url.parse(text)
    if url.scheme not in ("http", "https") or url.path not in ("", "/") or url.query or url.username is not None:
        raise ValueError(f"expected origins (`https://files.example.com`) or `{ANYWHERE}`")
    return url.public.rstrip("/")


def _scheme(raw: object, _: Given) -> str:
    text = read_text(raw)
    word, colon, header = text.partition(":")
    header = header.strip()
    if word == "header" and colon:
        if not can_carry_secret(header):
            raise ValueError(f"a secret cannot be sent in the header `{header}`")
        return f"header:{header}"
    return one_of("basic", "bearer")(text)


def _command(raw: object, item: Given) -> tuple[str, ...]:
    """A program found on ``PATH``, or relative to the file that names it; no shell has a say, so text is not split."""
    if not isinstance(raw, list) or not raw or not all(isinstance(word, str) and "\0" not in word for word in raw):
        raise ValueError('expected the words of a command: ["program", "argument"]')
    if not raw[0]:
        raise ValueError("its program is empty")
    program = _path(raw[0], item) if "/" in raw[0] else raw[0]
    return (program, *raw[1:])


def _protocol(raw: object, _: Given) -> CredentialProtocol:
    return cast("CredentialProtocol", one_of(*get_args(CredentialProtocol))(raw))


def _path(raw: object, item: Given) -> str:
    text = read_text(raw)
    if not text:
        raise ValueError("expected a path")
    return to_path(Url.parse(urljoin(item.folder, quote(text))).path)


def _seconds(raw: object, _: Given) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw < float("inf"):
        raise ValueError("expected a number of seconds above 0")
    return float(raw)


def _count(raw: object, _: Given) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 1:
        raise ValueError("expected a whole number, 1 or more")
    return raw
