"""Doing a thing once, however many threads ask for it."""

from collections.abc import Callable, Hashable
from threading import Event, Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Flight(Generic[V]):
    """A result that is being made or has been made."""

    __slots__ = ("error", "landed", "value")

    def __init__(self) -> None:
        self.landed = Event()
        self.value: list[V] = []
        self.error: BaseException | None = None

    def wait(self) -> V:
        self.landed.wait()
        if self.error is not None:
            raise self.error
        return self.value[0]


class Once(Generic[K, V]):
    """One result for each key, made by the first thread that asks and shared by all others.

    Results are kept for the life of the object, and so are exceptions: an index that refused us is not asked again. A
    ``make`` that asks for its own key would wait for itself; do not write one.
    """

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[V]] = {}
        self._lock = Lock()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value for ``key``; ``make`` is called at most once. Raises what ``make`` raised, to every asker."""
        with self._lock:
            flight = self._flights.get(key)
            first = flight is None
            if flight is None:
                flight = self._flights[key] = _Flight()
        if first:
            try:
                flight.value.append(make())
            except BaseException as error:
                flight.error = error
                raise
            finally:
                flight.landed.set()
        return flight.wait()

    def forget(self, key: K) -> None:
        """Have ``key`` made anew when it is asked for next; those who wait for it get what is being made."""
        with self._lock:
            self._flights.pop(key, None)

    def known(self, key: K) -> bool:
        """Whether ``get`` would answer at once."""
        with self._lock:
            flight = self._flights.get(key)
        return flight is not None and flight.landed.is_set()
