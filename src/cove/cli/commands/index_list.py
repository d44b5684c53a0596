"""``cove index list``."""

from argparse import ArgumentParser
from collections.abc import Iterator

from cove.cli.context import Context
from cove.model.index import Index
from cove.model.origin import DEFAULT, Origin
from cove.operations.auth.inspection import QUICK
from cove.wiring import Session

HELP = """List the indexes in force, in the order they are asked, and where each is defined.

Indexes that are only used by projects pinned to them come last. With `--origin`, every value of each index is listed with the
place it was given, and where its credential comes from."""
GROUPS = ("index", "output")


def arguments(parser: ArgumentParser) -> None:
    """``--origin``."""
    parser.add_argument("--origin", action="store_true", help="Say of every value where it was given")


def run(context: Context) -> int:
    """Print one row, or JSON object, for each index."""
    with Session(context.settings, environ=context.environ, cwd=context.cwd, listener=context.listener) as session:
        indexes = session.indexes
        others = [index for index in indexes.all if index not in indexes.search]
        listed = [*indexes.search, *others, *indexes.find_links]
        if context.settings.output_format == "json":
            context.console.json([_as_object(session, index, origins=context.arguments.origin) for index in listed])
        elif context.arguments.origin:
            for position, index in enumerate(listed):
                if position:
                    context.console.print("")
                context.console.print(f"{position + 1}. {index.name or '(no name)'}")
                found = [(f"   {key}", text, str(origin)) for key, text, origin in _values(session, index)]
                context.console.table(("   Key", "Value", "From"), found)
        else:
            rows = [(index.name or "-", _url(index), _role(index), str(index.origin)) for index in listed]
            context.console.table(("Name", "URL", "Role", "Defined in"), rows)
    return 0


def _url(index: Index) -> str:
    """What is in force; a value that a variable gives to the path, which may be a token, is left as written."""
    is_replaced = index.origin_of("url").kind == "variable"
    return index.written_url if index.written_url and not is_replaced else str(index.url)


def _role(index: Index) -> str:
    roles = [word for word, holds in (("default", index.default), ("explicit", index.explicit)) if holds]
    if index.format == "flat":
        roles.append("flat")
    if index.packages:
        roles.append("only for " + ", ".join(index.packages))
    return "; ".join(roles) or "-"


def _as_object(session: Session, index: Index, *, origins: bool) -> dict[str, object]:
    about: dict[str, object] = {
        "name": index.name,
        "url": index.url.public if _url(index) == str(index.url) else _url(index),
        "default": index.default,
        "explicit": index.explicit,
        "format": index.format,
        "packages": list(index.packages),
        "origin": str(index.origin),
    }
    if not origins:
        return about
    return about | {"values": {key: {"value": text, "origin": str(at)} for key, text, at in _values(session, index)}}


def _values(session: Session, index: Index) -> Iterator[tuple[str, str, Origin]]:
    """Every value that differs from what an index has when nothing is said, as text, and where it was given."""
    values = {
        "url": _url(index),
        "default": _yes(holds=index.default),
        "explicit": _yes(holds=index.explicit),
        "format": index.format if index.format != "simple" else "",
        "publish-url": str(index.publish_url) if index.publish_url is not None else "",
        "authenticate": index.authenticate if index.authenticate != "auto" else "",
        "ignore-error-codes": ", ".join(map(str, sorted(index.ignore_error_codes))),
        "cache-control": ", ".join(f"{key}: {value}" for key, value in index.cache_control.items()),
        "hash-algorithm": index.hash_algorithm or "",
        "exclude-newer": "" if index.exclude_newer is None else str(index.exclude_newer or "false"),
        "packages": ", ".join(index.packages),
        "on-unreachable": index.on_unreachable if index.on_unreachable != "fail" else "",
        "mirrors": ", ".join(map(str, index.mirrors)),
        "allow-redirect-to": ", ".join(index.allow_redirects_to),
        "auth-scheme": index.auth_scheme,
        "ca-cert": index.ca_cert,
        "client-cert": index.client_cert,
        "proxy": str(index.proxy) if index.proxy is not None else "",
        "timeout": f"{index.timeout:g}" if index.timeout is not None else "",
        "concurrency": str(index.concurrency) if index.concurrency is not None else "",
    }
    for key, text in values.items():
        if text:
            yield key, text, index.origin_of(key)
    if index.url.scheme == "file":
        return
    credential, unasked = session.credentials.at_hand(index, QUICK)
    if credential is None:
        yield "credential", f"not asked: {', '.join(unasked)}" if unasked else "none", DEFAULT
    else:
        yield "credential", credential.whose, credential.origin


def _yes(*, holds: bool) -> str:
    return "true" if holds else ""
