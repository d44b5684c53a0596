"""An index that cannot be reached is found out once in a run; what happens then is for whoever configured it to say."""

from threading import Lock
from typing import Protocol

from cove.errors import IndexUnreachable, TruncatedDownload
from cove.http.failures import CertificateRefused, ServerTrouble
from cove.index.source import Marked
from cove.model.event import Listener, Warned, ignore
from cove.model.index import Index
from cove.model.name import Name
from cove.model.outcome import Absent, Outcome, Unavailable


class Remote(Marked, Protocol):
    """A source that may have kept what it was told before."""

    @property
    def index(self) -> Index:
        """Which index it asks."""
        ...

    def stored(self, name: Name) -> Outcome:
        """What it knows without asking, however old that is; ``Unavailable`` when that is nothing."""
        ...


class Breaker:
    """A source before another one: after the first failure of that to be reached it is asked no more.

    A failure is one of the connection, a time-out, or an answer that tells of trouble on the server's side, each after all
    retries. Then, by ``on-unreachable`` of the index: every name gets the same error (``fail``), or the page that is in the
    cache however old, else the error (``cached``), or the index is passed over with a warning (``skip``). A certificate that
    is not trusted is an error in any case.
    """

    def __init__(self, source: Remote, listener: Listener = ignore) -> None:
        self.index = source.index
        self._source = source
        self._listener = listener
        self._lock = Lock()
        self._trouble: Unavailable | None = None

    def project(self, name: Name) -> Outcome:
        """What the index says, or what is said in its stead."""
        if self._trouble is None:
            outcome = self._source.project(name)
            if not isinstance(outcome, Unavailable) or not _is_out_of_reach(outcome):
                return outcome
            self._open(outcome)
        return self._instead(name)

    def mark(self, name: Name) -> str:
        """As the source says, as long as it can be reached."""
        return self._source.mark(name) if self._trouble is None else ""

    def marks(self) -> dict[Name, str]:
        """As the source says."""
        return self._source.marks()

    def _open(self, trouble: Unavailable) -> None:
        with self._lock:
            is_first, self._trouble = self._trouble is None, self._trouble or trouble
        if not is_first or self.index.on_unreachable == "fail":
            return
        done = "it is passed over" if self.index.on_unreachable == "skip" else "what the cache has of it is used"
        self._listener(
            Warned(
                f"{trouble.error.message}; {done}",
                f'`on-unreachable = "{self.index.on_unreachable}"` is set for {self.index.label}',
            )
        )

    def _instead(self, name: Name) -> Outcome:
        assert self._trouble is not None
        if self.index.on_unreachable == "skip":
            return Absent(self.index, "passed over, for it cannot be reached")
        if self.index.on_unreachable == "cached":
            stored = self._source.stored(name)
            return self._trouble if isinstance(stored, Unavailable) else stored
        return self._trouble


def _is_out_of_reach(outcome: Unavailable) -> bool:
    error = outcome.error
    return isinstance(error, IndexUnreachable | TruncatedDownload | ServerTrouble) and not isinstance(
        error, CertificateRefused
    )
