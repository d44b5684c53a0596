"""``cove index list``."""

from argparse import ArgumentParser

from cove.cli.context import Context
from cove.config import load
from cove.model.index import Index

HELP = """List the indexes in force, in the order they are asked, and where each is defined.

Indexes that are only used by projects pinned to them come last."""
GROUPS = ("index", "output")


def arguments(parser: ArgumentParser) -> None:
    """None of its own."""


def run(context: Context) -> int:
    """Print one row, or JSON object, for each index."""
    indexes = load.indexes(context.settings, context.environ)
    for notice in indexes.notices:
        context.listener(notice)
    others = [index for index in indexes.all if index not in indexes.search]
    listed = [*indexes.search, *others, *indexes.find_links]
    if context.settings.output_format == "json":
        context.console.json([_as_object(index) for index in listed])
    else:
        rows = [(index.name or "-", str(index.url), _role(index), str(index.origin)) for index in listed]
        context.console.table(("Name", "URL", "Role", "Defined in"), rows)
    return 0


def _role(index: Index) -> str:
    roles = [word for word, holds in (("default", index.default), ("explicit", index.explicit)) if holds]
    if index.format == "flat":
        roles.append("flat")
    if index.packages:
        roles.append("only for " + ", ".join(index.packages))
    return "; ".join(roles) or "-"


def _as_object(index: Index) -> dict[str, object]:
    return {
        "name": index.name,
        "url": index.url.public,
        "default": index.default,
        "explicit": index.explicit,
        "format": index.format,
        "packages": list(index.packages),
        "origin": str(index.origin),
    }
