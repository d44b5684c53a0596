"""The links of a page whose links are all written alike: read as a whole, and each one taken apart when it is looked at.

Pages are long because projects have thousands of files, of which a few are wanted. A page in the form that servers write is
checked and split by two regular expressions, a tenth of the time that a look at every link takes.
"""

import re
from collections.abc import Sequence

from cove.model.url import is_plain_link

_OTHERS = r'((?: [a-z-]+(?:="[^"]*")?)*+)'
_RUN = re.compile(rf'(?:<a href="[^"]*"{_OTHERS}>[^<]*</a>(?:<br ?/?>)?\s*+)++')
_LINK = re.compile(rf'<a href="([^"]*/)?([^"]*)"{_OTHERS}>')
_NAME_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~!+-\n"
"""Those of a name that stands for itself in a link, and the one that joins names here."""


class UniformLinks:
    """The links of a page: ``names`` of the files, ``around`` the page without its links.

    ``others`` are the attributes of each besides ``href``, as they are written.
    """

    __slots__ = ("_links", "around", "names")

    def __init__(self, links: Sequence[tuple[str, str, str]], around: str) -> None:
        self._links = links
        self.around = around
        self.names = [last.partition("#")[0] for _, last, _ in links]

    @property
    def yanked(self) -> frozenset[int]:
        """The positions of those that have ``data-yanked``."""
        return frozenset(number for number, (_, _, others) in enumerate(self._links) if " data-yanked" in others)

    def tag(self, number: int) -> str:
        """The start tag of a link, as it is written."""
        folder, last, others = self._links[number]
        return f'<a href="{folder}{last}"{others}>'

    @property
    def are_plain(self) -> bool:
        """Whether every name is what its link ends in, and every link is of the usual form (see ``is_plain_link``)."""
        if "" in self.names or "\n".join(self.names).encode().translate(None, _NAME_CHARACTERS):
            return False
        return all(map(is_plain_link, {folder for folder, _, _ in self._links}))


def read(text: str) -> UniformLinks | None:
    """The links of a page that come one after the other in the same form; ``None`` for a page of any other form."""
    start = text.find("<a ")
    run = _RUN.match(text, start) if start >= 0 else None
    if run is None or "<a" in (around := text[:start] + text[run.end() :]).lower():
        return None
    links = UniformLinks(_LINK.findall(text, start, run.end()), around)
    return links if links.are_plain else None
