"""The elements of any HTML, by the standard library's parser."""

from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from typing import Generic, TypeVar

T = TypeVar("T")


class Parser(HTMLParser, Generic[T]):
    """Calls ``take`` with each start tag, its attributes (of repeated ones the first) and ``found``."""

    def __init__(self, found: T, take: Callable[[str, Mapping[str, str], T], None]) -> None:
        super().__init__(convert_charrefs=True)
        self.found = found
        self._take = take

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """One start tag."""
        values: dict[str, str] = {}
        for name, value in attrs:
            values.setdefault(name, value or "")
        self._take(tag, values, self.found)
