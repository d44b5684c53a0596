"""Doing the same for many things at once."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def each(function: Callable[[T], R], items: Iterable[T], *, workers: int) -> list[R]:
    """``function`` of every item, in the order of the items; the first failure in that order is raised, and what has not
    begun by then is not begun any more."""
    things = list(items)
    if len(things) < 2:
        return [function(thing) for thing in things]
    with ThreadPoolExecutor(max_workers=min(workers, len(things)), thread_name_prefix="cove-each") as pool:
        futures = [pool.submit(function, thing) for thing in things]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
