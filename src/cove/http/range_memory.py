"""Which servers understand range requests."""

from threading import Lock

from cove.model.url import Url


class RangeMemory:
    """Which realms do not understand range requests: learnt from their answers, kept for one run. Thread-safe."""

    def __init__(self) -> None:
        self._refusing: set[tuple[str, str, int | None]] = set()
        self._lock = Lock()

    def refuses(self, url: Url) -> bool:
        """Whether a range request to this realm was answered with nonsense before."""
        with self._lock:
            return url.realm in self._refusing

    def remember_refusal(self, url: Url) -> None:
        """Send no more range requests to this realm."""
        with self._lock:
            self._refusing.add(url.realm)
