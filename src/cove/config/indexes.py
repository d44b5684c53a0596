"""The indexes in force: from what flags, variables and files say to an ordered list.

The order is uv's, with one exception: ``--index-url`` and ``UV_INDEX_URL`` outrank a default index of a file, as everybody
who types them expects (uv ignores them there without a word).
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Literal, TypeVar
from urllib.parse import quote, urljoin

from cove.config.index_options import applied, first_origin, gather
from cove.config.readers import one_of, read_bool, read_cutoff, read_table, read_text
from cove.config.settings import Given, Settings
from cove.config.toml_lines import Path
from cove.config.variables import Unset, as_written, expand, has_variables
from cove.errors import ConfigurationError, UnknownIndex
from cove.model.dataclasses import dataclass, field, replace
from cove.model.event import Warned
from cove.model.index import DEFAULT_INDEX_URL, Authenticate, Format, Index
from cove.model.origin import Origin
from cove.model.url import Url

T = TypeVar("T")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_NOWHERE = Url("file:///")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]*")
_KEYS = (
    "name", "url", "default", "explicit", "format", "publish-url", "authenticate", "ignore-error-codes", "cache-control",
    "hash-algorithm", "exclude-newer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Indexes:
    """The indexes of one run.

    ``all`` has every index that can be meant by name or by URL, those of ``members`` of a workspace included: these can be
    named only in ``tool.uv.sources`` of the file that they are by. ``search`` are those that are asked for projects that are
    not pinned to one, in order; ``default`` is the last resort, ``None`` under ``--no-index``. ``find_links`` are flat and
    complete whatever ``search`` finds.
    """

    all: tuple[Index, ...]
    search: tuple[Index, ...]
    default: Index | None
    find_links: tuple[Index, ...] = ()
    no_index: bool = False
    notices: tuple[Warned, ...] = ()
    members: Mapping[str, tuple[Index, ...]] = field(default_factory=dict)

    def named(self, name: str, by: str = "") -> Index:
        """The index called ``name``, by exact comparison, where the project whose file is ``by`` says so (empty: no project);
        raises ``UnknownIndex`` listing those there are."""
        others = {index.origin for several in self.members.values() for index in several}
        for index in (*self.members.get(by, ()), *(each for each in self.all if each.origin not in others)):
            if name and index.name == name:
                return index
        if self.no_index:
            raise UnknownIndex(f"the index `{name}` cannot be used because `--no-index` is given")
        raise unknown_index(f"no index is named `{name}`", name, (index.name for index in self.all))


def unknown_index(message: str, name: str, known: Iterable[str], *hints: str) -> UnknownIndex:
    """The error for a name that no configuration defines, with what there is."""
    names = sorted({each for each in known if each})
    near = get_close_matches(name, names, n=1)
    listed = f"there are {', '.join(f'`{each}`' for each in names)}" if names else "no index has a name"
    first = f"did you mean `{near[0]}`?" if near else f"{listed}; an index is defined by a `[[tool.uv.index]]` table"
    return UnknownIndex(message, hints=(first, *hints))


def build(settings: Settings, environ: Mapping[str, str]) -> Indexes:
    """The indexes that ``settings`` add up to; ``environ`` has the variables that tables name, and ``UV_INDEX_<NAME>_URL``.

    Raises ``ConfigurationError`` for a definition that cannot be used, ``UnknownIndex`` for a name that nothing defines.
    """
    find_links = tuple(
        Index(
            _location(item.value, item, "--find-links"),
            format="flat",
            origin=item.origin,
            is_relative=_is_relative(item.value),
        )
        for item in settings.given("find-links")
    )
    if settings.no_index:
        return Indexes((), (), None, find_links, no_index=True)
    notices: list[Warned] = []
    candidates = list(_unshadowed(_in_order(settings, environ, notices)))
    default = next((index for index in candidates if index.default), None)
    if default is None:
        default = Index(Url.parse(DEFAULT_INDEX_URL), default=True)
        candidates.append(default)
    candidates = _with_options(candidates, settings, environ)
    default = next(index for index in candidates if index.default)
    others = [index for index in candidates if not index.default and not index.explicit]
    search = _distinct([*others, *([] if default.explicit else [default])])
    members = _of_members(settings, environ, candidates, notices)
    every = (*candidates, *(index for several in members.values() for index in several))
    return Indexes(every, search, default, find_links, notices=tuple(notices), members=members)


def _of_members(
    settings: Settings, environ: Mapping[str, str], candidates: Iterable[Index], notices: list[Warned]
) -> dict[str, tuple[Index, ...]]:
    """The indexes of members of a workspace. Raises ``ConfigurationError`` where a name means different places: what is
    pinned to it would come from one of them, and its credentials would be shown to both."""
    known = {index.name: index for index in candidates if index.name}
    found: dict[str, tuple[Index, ...]] = {}
    for item in settings.member_indexes:
        index = _of_table(item, environ, notices)
        if not index.name or item.origin in {other.origin for other in known.values()}:
            continue
        other = known.setdefault(index.name, index)
        if other.url != index.url:
            raise ConfigurationError(
                f"{index.origin}: the index `{index.name}` has another URL in {other.origin}",
                hints=("one name means one index in a workspace: rename one of the two",),
            )
        own = index if other is index else replace(other, origin=index.origin)
        found[item.origin.name] = (*found.get(item.origin.name, ()), replace(own, explicit=True, default=False))
    return found


def _in_order(settings: Settings, environ: Mapping[str, str], notices: list[Warned]) -> Iterator[Index]:
    """Every definition, those that outrank others first (uv's order for the interface in use)."""
    items = settings.given("index")
    written = [item for item in items if not _is_typed(item)]
    tables = [_of_table(item, environ, notices) for item in written]
    _check_duplicates([(item.path[:-1], table) for item, table in zip(written, tables, strict=True)], notices)
    _check_variables(tables, environ)
    for item in settings.given("default-index"):
        yield _of_text(item, tables, default=True)
    for item in items:
        if _is_typed(item):
            yield _of_text(item, tables)
    extra = [(_is_typed(item), _plain(item)) for item in settings.given("extra-index-url")]
    old = [(_is_typed(item), replace(_plain(item), default=True)) for item in settings.given("index-url")]
    if settings.interface == "pip":
        yield from (index for typed, index in extra if typed)
    yield from (index for typed, index in old if typed)
    yield from tables
    yield from (index for typed, index in extra if not typed or settings.interface != "pip")
    yield from (index for typed, index in old if not typed)


def _unshadowed(indexes: Iterable[Index]) -> Iterator[Index]:
    names: set[str] = set()
    for index in indexes:
        if not index.name or index.name not in names:
            names.add(index.name)
            yield index


def _distinct(indexes: Iterable[Index]) -> tuple[Index, ...]:
    by_url: dict[Url, Index] = {}
    for index in indexes:
        by_url.setdefault(index.url, index)
    return tuple(by_url.values())


def _is_typed(item: Given) -> bool:
    return item.origin.kind in ("flag", "variable")


# -- flags and variables ---------------------------------------------------------------------------------------------


def _of_text(item: Given, tables: Iterable[Index], *, default: bool = False) -> Index:
    """``NAME=URL``, a URL, a path, or the bare name of an index that a file defines."""
    text = item.value
    assert isinstance(text, str)
    name, equals, rest = text.partition("=")
    if equals and ":" not in name and "/" not in name:
        if name:
            _check_name(name, item.origin)
        url = _location(rest, item, name or str(item.origin))
        return Index(url, name=name, default=default, origin=item.origin, is_relative=_is_relative(rest))
    if _NAME.fullmatch(text) and text not in (".", ".."):
        for table in tables:
            if table.name == text:
                return replace(table, default=default, explicit=False, origin=item.origin)
        raise unknown_index(
            f"{item.origin}: no index is named `{text}`",
            text,
            (table.name for table in tables),
            f"a folder is written with a slash: `./{text}`",
        )
    url = _location(text, item, str(item.origin))
    return Index(url, default=default, origin=item.origin, is_relative=_is_relative(text))


def _plain(item: Given) -> Index:
    url = _location(item.value, item, str(item.origin))
    return Index(url, origin=item.origin, is_relative=_is_relative(item.value))


def _check_name(name: str, origin: Origin) -> None:
    if not _NAME.fullmatch(name):
        wrong = next((character for character in name if not _NAME.fullmatch(character)), "")
        raise ConfigurationError(
            f"{origin}: the name of an index cannot contain {wrong!r}",
            hints=("names of indexes consist of ASCII letters, digits, `-`, `_` and `.`",),
        )


def _location(raw: object, item: Given, what: str) -> Url:
    """A URL, or a path relative to the folder of the file (or the working directory) it is written in.

    Messages never quote the text: it may hold a password.
    """
    if not isinstance(raw, str) or not raw.strip():
        raise ConfigurationError(f"{item.origin}: the URL of `{what}` must be text that is not empty")
    text = raw.strip()
    if _DRIVE.match(text):
        return Url.parse("file:///" + quote(text.replace("\\", "/"), safe="/:"))
    scheme = _SCHEME.match(text)
    if scheme is None:
        return Url.parse(urljoin(item.folder, quote(text)))
    if scheme[1].lower() not in ("http", "https", "file"):
        raise ConfigurationError(
            f"{item.origin}: the URL of `{what}` has the scheme `{scheme[1]}`, which is none of http, https and file",
            hints=(f"a folder whose name holds a colon is written `./{scheme[1]}:…`",),
        )
    try:
        url = Url.parse(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{item.origin}: the URL of `{what}` cannot be used: {error}",
            hints=("special characters in a user name or password are written percent-encoded (`/` as `%2F`)",),
        ) from None
    if url.scheme == "file" and not text[len("file:") :].startswith("/"):
        raise ConfigurationError(f"{item.origin}: the file URL of `{what}` needs an absolute path (`file:///…`)")
    return url


def _is_relative(raw: object) -> bool:
    """Whether a location is a path that starts from the folder of its file."""
    text = raw.strip() if isinstance(raw, str) else "/"
    return not (text.startswith(("/", "\\")) or _SCHEME.match(text) or _DRIVE.match(text))


# -- tables ----------------------------------------------------------------------------------------------------------


def _of_table(item: Given, environ: Mapping[str, str], notices: list[Warned]) -> Index:
    table = _checked(read_table, item.value, item, "an index")
    name = _checked(read_text, table.get("name", ""), item, "`name` of an index")
    if name:
        _check_name(name, item.origin)
    label = f"index `{name}`" if name else "an index without a name"

    def field(key: str, read: Callable[[object], T], default: T) -> T:
        return _checked(read, table[key], item, f"`{key}` of {label}", key) if key in table else default

    notices.extend(_unknown_key(key, label, item.origin_of(key)) for key in table if key not in _KEYS)
    if "url" not in table:
        raise ConfigurationError(f"{item.origin}: {label} has no `url`")
    explicit = field("explicit", read_bool, default=False)
    if explicit and not name:
        raise ConfigurationError(
            f"{item.origin}: an explicit index needs a name",
            hints=('add `name = "…"`: only `tool.uv.sources` can choose an explicit index, and does so by name',),
        )
    url, written_url, url_origin = _url_of_table(name, item, table["url"], environ)
    publish_url = _expanded(table.get("publish-url"), item, "publish-url", environ)
    return Index(
        url,
        name=name,
        default=field("default", read_bool, default=False),
        explicit=explicit,
        format=field("format", _read_format, "simple"),
        publish_url=None if publish_url is None else _location(publish_url, item, f"publish-url of {name or 'index'}"),
        authenticate=field("authenticate", _read_authenticate, "auto"),
        ignore_error_codes=field("ignore-error-codes", _read_statuses, frozenset()),
        cache_control=field("cache-control", _read_cache_control, {}),
        hash_algorithm=field("hash-algorithm", _read_hash_algorithm, None),
        exclude_newer=field("exclude-newer", _read_exclude_newer, None),
        origin=item.origin,
        origins={**{key: item.origin_of(key) for key in table if key in _KEYS}, "url": url_origin},
        is_relative=url_origin.kind != "variable" and _is_relative(table["url"]),
        written_url=written_url,
    )


def _checked(read: Callable[[object], T], raw: object, item: Given, what: str, key: str = "") -> T:
    try:
        return read(raw)
    except ValueError as error:
        raise ConfigurationError(f"{item.origin_of(*([key] if key else []))}: {what} cannot be used: {error}") from None


def _url_of_table(name: str, item: Given, raw: object, environ: Mapping[str, str]) -> tuple[Url, str, Origin]:
    """The URL in force, how it is written to files where that is another text, and where it was given."""
    given = replace(item, origin=item.origin_of("url"), lines=None)
    written = as_written(raw) if isinstance(raw, str) and has_variables(raw) else ""
    variable = Index(_NOWHERE, name).url_variable
    replacement = environ.get(variable, "") if variable else ""
    if not replacement:
        return _location(_expanded(raw, item, "url", environ), given, name or "index"), written, given.origin
    origin = Origin("variable", variable)
    if _SCHEME.match(replacement.strip()) is None and not replacement.strip().startswith("/"):
        raise ConfigurationError(f"{origin}: a URL or an absolute path is needed")
    written = written or _location(raw, given, name).public  # what replaces it is for this run only
    return _location(replacement, Given(replacement, origin, item.folder), name), written, origin


def _expanded(raw: object, item: Given, key: str, environ: Mapping[str, str]) -> object:
    """``raw`` with the values of the variables it names; raises ``ConfigurationError`` for one that has none."""
    if not isinstance(raw, str) or not has_variables(raw):
        return raw
    try:
        return expand(raw, environ)
    except Unset as unset:
        raise ConfigurationError(
            f"{item.origin_of(key)}: `{key}` needs the environment variable `{unset}`, which is not set",
            hints=(f"set it, or write a default: `${{{unset}:-…}}`",),
        ) from None
    except ValueError as error:
        raise ConfigurationError(f"{item.origin_of(key)}: `{key}` cannot be used: {error}") from None


def _check_variables(tables: Iterable[Index], environ: Mapping[str, str]) -> None:
    """A variable that two indexes would read is an error: one of the two would ask, and be shown a credential, elsewhere."""
    owners: dict[str, str] = {}
    for index in tables:
        if (
            index.name
            and owners.setdefault(index.url_variable, index.name) != index.name
            and environ.get(index.url_variable)
        ):
            raise ConfigurationError(
                f"${index.url_variable} would be read by two indexes, `{owners[index.url_variable]}` and `{index.name}`",
                hints=(f"rename one of the two indexes; `{index.name}` is defined in {index.origin}",),
            )


def _read_format(raw: object) -> Format:
    return "flat" if one_of("simple", "flat")(raw) == "flat" else "simple"


def _read_authenticate(raw: object) -> Authenticate:
    word = one_of("auto", "always", "never")(raw)
    return "always" if word == "always" else "never" if word == "never" else "auto"


def _read_hash_algorithm(raw: object) -> str | None:
    return one_of("md5", "sha256", "sha384", "sha512", "blake2b")(raw)


def _read_exclude_newer(raw: object) -> str | Literal[False] | None:
    return False if raw is False else read_cutoff(raw)


def _read_statuses(raw: object) -> frozenset[int]:
    if not isinstance(raw, list) or not all(type(code) is int and 100 <= code <= 999 for code in raw):
        raise ValueError("expected a list of HTTP status codes (100 to 999)")
    return frozenset(raw)


def _read_cache_control(raw: object) -> Mapping[str, str]:
    table = read_table(raw)
    for key, value in table.items():
        if key not in ("api", "files") or not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError("expected a table with the keys `api` and `files` and header values as text")
    return {key: str(value) for key, value in table.items()}


def _unknown_key(key: str, label: str, origin: Origin) -> Warned:
    near = get_close_matches(key.replace("_", "-"), _KEYS, n=1, cutoff=0.8)
    hint = f"did you mean `{near[0]}`?" if near else ""
    return Warned(f"{origin}: {label} has the key `{key}`, which means nothing", hint)


def _check_duplicates(tables: Iterable[tuple[Path, Index]], notices: list[Warned]) -> None:
    """Within one list a name is given once and one index is the default: else an error, in a ``uv.toml`` (as uv) a warning."""
    names: dict[tuple[object, str], Index] = {}
    defaults: dict[object, Index] = {}
    for path, index in tables:
        file = (index.origin.name, path)
        first = names.setdefault((file, index.name), index) if index.name else index
        if first is not index:
            _twice(
                f"{index.origin_of('name')}: the index name `{index.name}` is already used on line {first.origin.line}",
                index,
                notices,
            )
        if index.default and defaults.setdefault(file, index) is not index:
            line = defaults[file].origin.line
            _twice(
                f"{index.origin_of('default')}: an index is already marked as default on line {line}", index, notices
            )


def _twice(message: str, index: Index, notices: list[Warned]) -> None:
    if index.origin.name.endswith("pyproject.toml"):
        raise ConfigurationError(message)
    notices.append(Warned(message, "the first one counts"))


# -- options of cove ---------------------------------------------------------------------------------------------------


def _with_options(indexes: list[Index], settings: Settings, environ: Mapping[str, str]) -> list[Index]:
    """Give indexes what ``[tool.cove.index.<name>]`` says.

    Options for an index that is not there are an error: ignored, a route would send private names to a public index.
    """
    options = gather(settings.given("index-options"))
    names = {index.name for index in indexes if index.name}
    for name, found in options.items():
        if name not in names:
            raise unknown_index(
                f"{first_origin(name, found)}: `[tool.cove.index.{name}]` belongs to no index", name, names
            )
    return [applied(index, options[index.name], environ) if index.name in options else index for index in indexes]
