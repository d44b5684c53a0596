"""Asking the person at the terminal."""

import sys
from threading import Lock
from typing import Final

from cove.http.once import Once
from cove.model.event import Asking, Listener, ignore
from cove.model.index import Index
from cove.model.origin import Origin
from cove.model.secret import Credential, Secret
from cove.model.url import Url


class Prompt:
    """A user name, if none is known, and a password that is not shown while it is typed; once for each index.

    It answers nothing unless input and messages are a terminal. The chain asks it last, and only once the index has answered
    401. While it waits, the listener keeps the terminal free.
    """

    name = "prompt"
    is_interactive: Final = True

    def __init__(self, listener: Listener = ignore) -> None:
        self._listener = listener
        self._terminal = Lock()
        self._once: Once[tuple[str, Url], Credential | None] = Once()

    def covers(self, index: Index | None, url: Url) -> bool:  # noqa: ARG002 - the shape of a provider
        """Whether there is an index to name, and somebody to ask."""
        return index is not None and all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))

    def get(self, index: Index | None, url: Url) -> Credential | None:
        """What was typed; ``None`` for an empty answer or the end of the input."""
        if index is None or not self.covers(index, url):
            return None
        return self._once.get((index.label, url), lambda: self._ask(index, url.username))

    def _ask(self, index: Index, username: str | None) -> Credential | None:
        from getpass import getpass  # noqa: PLC0415 - few runs ask anybody

        with self._terminal:
            self._listener(Asking(begins=True))
            try:
                if not username:
                    sys.stderr.write(f"User name for {index.label}: ")
                    sys.stderr.flush()
                    username = sys.stdin.readline().strip()
                password = getpass(f"Password for {index.label}: ", sys.stderr)
            except EOFError:
                return None
            finally:
                self._listener(Asking(begins=False))
        return Credential(username, Secret(password), Origin("provider", "the prompt")) if password else None
