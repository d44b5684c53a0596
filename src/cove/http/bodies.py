"""Bodies that do not come straight from the wire."""

from collections.abc import Callable, Iterator

from cove.http.messages import Body


class Whole:
    """A body that is already in memory."""

    __slots__ = ("_content",)

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self) -> bytes:
        """Everything."""
        return self._content

    def chunks(self) -> Iterator[bytes]:
        """One piece, or none."""
        if self._content:
            yield self._content

    def close(self) -> None:
        """Nothing to give back."""


class Watched:
    """Another body, whose end is reported once: ``done`` is called with the number of bytes that were read."""

    __slots__ = ("_body", "_done", "_received")

    def __init__(self, body: Body, done: Callable[[int], None]) -> None:
        self._body = body
        self._done: Callable[[int], None] | None = done
        self._received = 0

    def read(self) -> bytes:
        """Everything."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """The pieces as they arrive."""
        try:
            for chunk in self._body.chunks():
                self._received += len(chunk)
                yield chunk
        finally:
            self.close()

    def close(self) -> None:
        """Close the other body and report."""
        self._body.close()
        done, self._done = self._done, None
        if done is not None:
            done(self._received)
