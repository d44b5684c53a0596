"""What a resolution came to last time, so that the next one can ask for all of it in one wave instead of step by step."""

import hashlib
import json
from collections.abc import Iterable, Sequence

from cove.model.name import Name, is_valid_name, normalize
from cove.wiring import Session


class Remembered:
    """The projects that these ``roots`` led to on the indexes in force; nothing before the first time.

    It is a guess and no more than that: each project is asked for where it always is, and what has become superfluous costs
    one request.
    """

    def __init__(self, session: Session, roots: Iterable[Name]) -> None:
        places = [index.url.public for index in session.indexes.all]
        key = json.dumps([sorted(set(roots)), places])
        self._path = session.cache_dir / "resolved" / hashlib.sha256(key.encode()).hexdigest()[:32]

    def names(self) -> Sequence[Name]:
        """In order of names; none where nothing readable was kept."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            return ()
        return tuple(normalize(line) for line in lines if is_valid_name(line))

    def keep(self, names: Iterable[Name]) -> None:
        """Keep them for the next time; a cache that cannot be written is no reason to fail."""
        wanted = tuple(sorted(set(names)))
        if wanted == self.names():
            return
        from cove.config.atomic import write_whole

        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self._path, "\n".join(wanted).encode(), mode=0o600)
        except OSError:
            return
