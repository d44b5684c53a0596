"""Doing the same for many things at once."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from cove.http.pool import pool

T = TypeVar("T")
R = TypeVar("R")


def each(function: Callable[[T], R], items: Iterable[T], *, workers: int) -> list[R]:
    """``function`` of every item, in the order of the items; the first failure in that order is raised, and what has not
    begun by then is not begun any more."""
    things = list(items)
    if len(things) < 2:
        return [function(thing) for thing in things]
    with pool(min(workers, len(things)), "cove-each") as threads:
        futures = [threads.submit(function, thing) for thing in things]
        return [future.result() for future in futures]
