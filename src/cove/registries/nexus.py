"""Sonatype Nexus Repository."""

import re

from cove.model.url import Url
from cove.registries.registry import Registry, without_simple

_SIMPLE = re.compile(r"(?:/.*)?/repository/[^/]+/simple/?")


def _recognise(url: Url) -> bool:
    return _SIMPLE.fullmatch(url.path) is not None


NEXUS = Registry(
    "nexus",
    "Sonatype Nexus",
    _recognise,
    publish_url=without_simple,
    login=("Nexus takes your user name and password, or the two halves of a user token",),
    duplicates=((400, "does not allow updating assets"), (400, "updating asset"), (400, "cannot be updated")),
)
