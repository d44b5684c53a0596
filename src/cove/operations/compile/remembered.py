"""What a compilation came to last time.

Two things follow from it. The next one asks for all projects in one wave instead of step by step. And where every input is
the same and every index says that its pages have not changed, the result is the same and is not computed again: resolving is
a function of its inputs, the pages, and metadata that belongs to a file's digest.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock

from cove.model.dataclasses import dataclass
from cove.model.event import resolution_done
from cove.model.name import Name, is_valid_name, normalize
from cove.wiring import Session

_SCHEMA = 1

Pages = Mapping[Name, tuple[tuple[str, str], ...]]
"""For each project the indexes that were asked, in order: URL, and the mark of the answer (see ``SimpleIndex.mark``)."""


@dataclass(frozen=True, slots=True)
class Result:
    """The text of a compiled file and how many distributions it holds; ``inputs`` is a fingerprint of what it was made from."""

    inputs: str
    text: str
    count: int


class Remembered:
    """What these ``roots`` led to on the indexes in force; nothing before the first time.

    The names are a guess and no more than that: each project is asked for where it always is, and what has become
    superfluous costs one request.
    """

    def __init__(self, session: Session, roots: Iterable[Name]) -> None:
        self._session = session
        # Whatever decides where a name may go is part of the key: a route that was set since must not be passed by.
        places = [repr(index) for index in session.indexes.all]
        key = json.dumps([_SCHEMA, sorted(set(roots)), session.settings.index_strategy, places])
        self._path = session.cache_dir / "resolved" / hashlib.sha256(key.encode()).hexdigest()[:32]
        self._document = self._read()
        self._pages = _pages(self._document.get("pages"))
        self._sources = {index.url.public: source for index, source in session.sources}
        self._lock = Lock()
        self._unchanged: set[Name] = set()

    @property
    def names(self) -> Sequence[Name]:
        """Every project that was asked for, in order of names."""
        return tuple(self._pages)

    def check(self, name: Name) -> None:
        """Ask whether the answers for ``name`` are still the same: index by index, each only after the one before it."""
        for place, mark in self._pages[name]:
            source = self._sources.get(place)
            if source is None or not mark or source.mark(name) != mark:
                return
        with self._lock:
            self._unchanged.add(name)

    def unchanged(self, inputs: str | None) -> str | None:
        """The text of last time, if it was made from the same ``inputs`` and every page is found unchanged."""
        known, text, count = (self._document.get(key) for key in ("inputs", "text", "count"))
        if inputs is None or known != inputs or not isinstance(text, str) or not isinstance(count, int):
            return None
        self._session.wait_for_answers()
        if self._unchanged != self._pages.keys():
            return None
        self._session.listener(resolution_done(count))
        return text

    def keep(self, result: Result | None) -> None:
        """Keep it for the next time, with all that was asked for: what a page lacked has decided, too.

        Without a ``result`` the pages alone are kept. A cache that cannot be written is no reason to fail.
        """
        document: dict[str, object] = {"pages": self._asked()}
        if result is not None:
            document |= {"inputs": result.inputs, "text": result.text, "count": result.count}
        if document == self._document:
            return
        from cove.config.atomic import write_whole

        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, json.dumps(document).encode(), mode=0o600)
        except OSError:
            return

    def _asked(self) -> dict[Name, list[list[str]]]:
        # In the order in which indexes are asked: see ``index.chain.Router``.
        in_order = sorted(self._session.sources, key=lambda pair: pair[0].default)
        found: dict[Name, list[list[str]]] = {}
        for index, source in in_order:
            for name, mark in source.marks().items():
                found.setdefault(name, []).append([index.url.public, mark])
        return dict(sorted(found.items()))

    def _read(self) -> dict[str, object]:
        try:
            document = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}


def _pages(raw: object) -> Pages:
    """None where what was kept is not in the form in which it is kept."""
    try:
        return {
            normalize(name): tuple((str(place), str(mark)) for place, mark in answers)
            for name, answers in dict(raw).items()  # type: ignore[call-overload]
            if is_valid_name(name)
        }
    except (TypeError, ValueError):
        return {}


def fingerprint(session: Session, parts: Iterable[object]) -> str | None:
    """A fingerprint of everything that a result is made from: settings, indexes, and ``parts``.

    ``None`` where a result depends on more than that: on the clock (``exclude-newer``), on files and folders (local indexes,
    ``--find-links``), or where the cache is not to be believed.
    """
    settings, found = session.settings, session.indexes
    if settings.no_cache or settings.refresh or settings.refresh_package or settings.offline or found.find_links:
        return None
    if settings.exclude_newer or settings.exclude_newer_package:
        return None
    if any(index.format == "flat" or index.url.scheme == "file" or index.exclude_newer for index in found.all):
        return None
    from cove import __version__
    from cove.config.settings import SETTINGS

    values = {setting.name: repr(getattr(settings, setting.name.replace("-", "_"))) for setting in SETTINGS}
    text = repr((_SCHEMA, __version__, values, found.all, tuple(parts)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
