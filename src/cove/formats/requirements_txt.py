"""Requirements files as pip reads them, and as ``pip compile`` writes them.

There is no standard; the format is pip's ("Requirements File Format" in its documentation), with ``${NAME}`` expanded.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from cove.errors import ConfigurationError
from cove.model.dataclasses import dataclass, field
from cove.model.name import Name

_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_USERINFO = re.compile(r"(?<=://)[^/?#]*@")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_HASH = re.compile(r"(md5|sha1|sha224|sha256|sha384|sha512):[0-9a-fA-F]+")
_ALIASES = {
    "-i": "--index-url",
    "--pypi-url": "--index-url",
    "-f": "--find-links",
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
}
_WITH_VALUE = frozenset(_ALIASES.values()) | {"--extra-index-url", "--no-binary", "--only-binary"}
_FLAGS = ("--no-index", "--pre", "--require-hashes", "--prefer-binary")
_ARCHIVES = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz")
_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """One requirement. Either ``requirement`` is set (it may have a URL of its own), or ``location``: a path or URL without
    a name, as written (paths are relative to the file). ``where`` is ``file:line``; ``hashes`` are ``sha256:…``.
    """

    where: str
    requirement: Requirement | None = None
    location: str = ""
    extras: tuple[str, ...] = ()
    editable: bool = False
    hashes: tuple[str, ...] = ()


@dataclass(slots=True)
class Requirements:
    """Everything that a requirements file and the files it includes say. URLs may carry credentials: never print them.

    ``written`` maps the values of index options, and the URLs of requirements, in which variables were expanded to the text
    that has the variables.
    """

    entries: list[Entry] = field(default_factory=list)
    constraints: list[Entry] = field(default_factory=list)
    index_url: str = ""
    extra_index_urls: list[str] = field(default_factory=list)
    find_links: list[str] = field(default_factory=list)
    no_index: bool = False
    pre: bool = False
    require_hashes: bool = False
    no_binary: list[str] = field(default_factory=list)
    only_binary: list[str] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)


def parse(text: str, path: str, *, read: Callable[[str], str], environ: Mapping[str, str]) -> Requirements:
    """What the file says. ``read`` gives the text of an included file, by path relative to where ``path`` is, or by URL.

    Raises ``ConfigurationError`` naming ``file:line``; it never quotes an option's value, which may hold a credential.
    """
    found = Requirements()
    _Parser(found, read, environ).file(text, path, constraint=False, including=())
    return found


class _Parser:
    def __init__(self, found: Requirements, read: Callable[[str], str], environ: Mapping[str, str]) -> None:
        self.found = found
        self.read = read
        self.environ = environ

    def file(self, text: str, path: str, *, constraint: bool, including: tuple[str, ...]) -> None:
        if path in including or len(including) >= _DEPTH:
            raise ConfigurationError(f"{including[-1]}: includes itself: {' → '.join((*including, path))}")
        for number, line in _logical_lines(text):
            where = f"{path}:{number}" if path else "the argument"
            expanded = _VARIABLE.sub(lambda match: self.environ.get(match.group(1)) or match.group(0), line)
            if expanded.startswith("-"):
                self._option(expanded, where, path, constraint=constraint, including=including)
                if expanded != line:
                    self.found.written[_split_option(expanded, where)[1]] = _split_option(line, where)[1]
                continue
            entry = _entry(expanded, where)
            (self.found.constraints if constraint else self.found.entries).append(entry)
            if expanded != line and (place := _place(entry)):
                self.found.written[place] = _place(_entry(line, where))

    def _option(self, line: str, where: str, path: str, *, constraint: bool, including: tuple[str, ...]) -> None:
        name, value = _split_option(line, where)
        found = self.found
        match name:
            case "--requirement" | "--constraint":
                nested = _beside(path, value)
                inner = constraint or name == "--constraint"
                text = self.read(nested)
                self.file(text, without_userinfo(nested), constraint=inner, including=(*including, path))
            case "--editable":
                if constraint:
                    raise ConfigurationError(f"{where}: a constraint cannot be editable")
                found.entries.append(_location(value, where, editable=True))
            case "--index-url":
                if found.index_url and found.index_url != value:
                    raise ConfigurationError(f"{where}: a different --index-url was given before")
                found.index_url = value
            case "--extra-index-url":
                found.extra_index_urls.append(value)
            case "--find-links":
                found.find_links.append(value if "://" in value else _beside(path, value))
            case "--no-binary":
                found.no_binary += [part for part in value.split(",") if part]
            case "--only-binary":
                found.only_binary += [part for part in value.split(",") if part]
            case "--no-index":
                found.no_index = True
            case "--pre":
                found.pre = True
            case "--require-hashes":
                found.require_hashes = True


def without_userinfo(path: str) -> str:
    """How a file is called in messages: a URL without its user info."""
    return _USERINFO.sub("", path)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with continuations joined and comments removed, each with the number of its first line."""
    start, pending = 0, ""
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        start = start or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            pending += line[:-1]
            continue
        whole = _COMMENT.sub("", pending + line).strip()
        if whole:
            yield start, whole
        start, pending = 0, ""
    if rest := _COMMENT.sub("", pending).strip():
        yield start, rest


def _split_option(line: str, where: str) -> tuple[str, str]:
    written, separator, value = line.partition("=")
    if not (separator and line.startswith("--") and " " not in written):
        written, _, value = line.partition(" ")
        if not line.startswith("--") and written[:2] in _ALIASES and len(written) > 2:  # pip accepts `-rother.txt`
            written, value = written[:2], line[2:]
    name = _ALIASES.get(written, written)
    value = value.strip().strip("\"'")
    if name in _FLAGS and not value:
        return name, ""
    if name not in _WITH_VALUE:
        raise ConfigurationError(f"{where}: the option {written!r} is not supported in a requirements file")
    if not value:
        raise ConfigurationError(f"{where}: {written} needs a value")
    return name, value


def _beside(path: str, other: str) -> str:
    """``other`` as seen from the folder of ``path``; absolute paths and URLs as they are."""
    if other.startswith("/") or "://" in other or re.match(r"[A-Za-z]:[\\/]", other):
        return other
    folder, slash, _ = path.rpartition("/")
    return folder + slash + other


def _entry(line: str, where: str) -> Entry:
    text, *options = re.split(r"\s+(?=--)", line)
    hashes: list[str] = []
    for option in options:
        name, _, value = option.replace(" ", "=", 1).partition("=")
        if name != "--hash":
            raise ConfigurationError(f"{where}: the option {name!r} cannot follow a requirement")
        if not _HASH.fullmatch(value.strip()):
            raise ConfigurationError(f"{where}: {value!r} is not a hash", hints=("write it as --hash=sha256:<digest>",))
        hashes.append(value.strip().lower())
    if _is_location(text):
        return _location(text, where, hashes=tuple(hashes))
    try:
        return Entry(where, Requirement(text), hashes=tuple(hashes))
    except InvalidRequirement as error:
        if "://" in text:  # may hold a credential: not quoted
            raise ConfigurationError(f"{where}: not a requirement; a URL is written as `name @ URL`") from None
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(f"{where}: {text!r} is not a requirement: {reason}") from error


def _place(entry: Entry) -> str:
    return entry.location or (entry.requirement.url if entry.requirement is not None else "") or ""


def _is_location(text: str) -> bool:
    place = text.partition("[")[0].strip()
    if re.match(r"[A-Za-z0-9][\w.-]*\s*(\[[^\]]*\])?\s*@", text):
        return False
    is_url = re.match(r"(\w+\+)?(https?|file|ssh|git)://", place) is not None
    return (
        is_url
        or place in (".", "..")
        or place.startswith(("./", "../", "/"))
        or (place.endswith(_ARCHIVES) and "://" not in place)
    )


def _location(text: str, where: str, *, editable: bool = False, hashes: tuple[str, ...] = ()) -> Entry:
    match = re.fullmatch(r"(.*?)(?:\[([\w.,\s-]+)\])?", text)
    assert match is not None
    extras = tuple(part.strip() for part in (match.group(2) or "").split(",") if part.strip())
    return Entry(where, location=match.group(1), extras=extras, editable=editable, hashes=hashes)


# --- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a compiled file. ``version`` or ``location`` (a direct URL, or ``-e`` path) says which.

    ``via`` are those whose dependency it is, ``stated`` the files that ask for it; ``index`` is the public URL of the index it
    is from, where that is to be told. With ``bare`` the location stands alone; with ``first`` it stands where editables do.
    """

    name: Name
    version: str = ""
    extras: tuple[Name, ...] = ()
    marker: str = ""
    hashes: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    stated: tuple[str, ...] = ()
    location: str = ""
    editable: bool = False
    index: str = ""
    bare: bool = False
    first: bool = False


def write(
    pins: Iterable[Pin],
    *,
    header: str = "",
    environment: str = "",
    options: Iterable[str] = (),
    on_one_line: bool = False,
    left_out: Iterable[str] = (),
) -> str:
    """A compiled requirements file: what is editable first, then what has no name, then the rest by name and version.

    ``header`` is the command that makes it (no header without one), ``environment`` a marker for where it is good, ``options``
    are whole lines; none may hold a secret. ``on_one_line`` is for comments on who requires what. ``left_out`` are names of
    which the end tells.
    """
    lines = heading(header)
    lines += ["# Pinned dependencies known to be valid for:", f"#    {environment}"] if environment else []
    stated = list(options)
    lines += [*stated, ""] if stated else []
    for pin in sorted(pins, key=_order):
        lines += _pin_lines(pin, on_one_line=on_one_line)
    return "".join(f"{line}\n" for line in (*lines, *ending(left_out)))


def heading(header: str) -> list[str]:
    """The comment at the beginning of a file that a command has written."""
    return ["# This file was autogenerated by cove via the following command:", f"#    {header}"] if header else []


def ending(left_out: Iterable[str]) -> list[str]:
    """The comment at its end on what is not in it though it is required."""
    names = sorted(left_out)
    return (
        ["", "# The following packages were excluded from the output:", *(f"# {name}" for name in names)]
        if names
        else []
    )


def _order(pin: Pin) -> tuple[int, str, Version, str]:
    place = 0 if pin.editable or pin.first else 1 if pin.bare else 2
    try:
        version = Version(pin.version or "0")
    except InvalidVersion:  # a lock may have any text
        version = Version("0")
    return (place, pin.location if place < 2 else pin.name, version, pin.marker)


def _pin_lines(pin: Pin, *, on_one_line: bool) -> list[str]:
    if pin.editable:
        text = f"-e {pin.location}"
    elif pin.bare:
        text = pin.location
    else:
        extras = f"[{', '.join(pin.extras)}]" if pin.extras else ""
        text = f"{pin.name}{extras}" + (f" @ {pin.location}" if pin.location else f"=={pin.version}")
    if pin.marker:
        text += f" ; {pin.marker}"
    lines = [text, *(f"    --hash={digest}" for digest in sorted(pin.hashes))]
    lines = [*(f"{line} \\" for line in lines[:-1]), lines[-1]]
    if on_one_line:
        lines = _with_comment(lines, ", ".join((*sorted(pin.via), *pin.stated)))
    elif len(several := (*pin.stated, *sorted(pin.via))) == 1:
        lines.append(f"    # via {several[0]}")
    elif several:
        lines += ["    # via", *(f"    #   {name}" for name in several)]
    return [*lines, f"    # from {pin.index}"] if pin.index else lines


def _with_comment(lines: list[str], who: str) -> list[str]:
    if not who:
        return lines
    return [*lines, f"    # via {who}"] if len(lines) > 1 else [f"{lines[0]:24}  # via {who}"]
