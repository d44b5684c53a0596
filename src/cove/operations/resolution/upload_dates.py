"""When files were uploaded of which their index does not say it: pages of links have no such times.

What the server of a file says of it (``Last-Modified``) is the time at which the file came there: it may be later than the
first upload, after a move or a copy, and then leaves out more than it must. When this machine saw the file first would be
another answer on each machine, and is not used.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock

from cove.errors import CoveError
from cove.http.messages import Request
from cove.model.dist import File
from cove.model.event import Warned
from cove.model.index import Index
from cove.wiring import Session


class UploadDates:
    """Asks the servers of files, each file once; says so once for each index. Thread-safe."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = Lock()
        self._known: dict[str, datetime | None] = {}
        self._told: set[str] = set()

    def __call__(self, file: File, index: Index) -> datetime | None:
        """The time of upload as far as the file's server knows it."""
        key = file.url.public
        if key not in self._known:
            found = self._asked(file, index)
            self._known[key] = found
            self._tell(index, is_dated=found is not None)
        return self._known[key]

    def _asked(self, file: File, index: Index) -> datetime | None:
        if file.url.scheme == "file":
            return None
        try:
            response = self._session.client.send(Request("HEAD", file.url.without_fragment(), {}, index))
        except CoveError:
            return None  # whoever fetches the file is told why
        response.body.close()
        try:
            found = parsedate_to_datetime(response.headers.get("last-modified", ""))
        except ValueError:
            return None
        return (found if found.tzinfo else found.replace(tzinfo=UTC)) if response.status == 200 else None

    def _tell(self, index: Index, *, is_dated: bool) -> None:
        with self._lock:
            if index.url.public in self._told:
                return
            self._told.add(index.url.public)
        instead = (
            "exclude-newer goes by the Last-Modified of each file, which is when it came to the server"
            if is_dated
            else "and its files have no Last-Modified: exclude-newer leaves them out"
        )
        joint = "; " if is_dated else ", "
        self._session.listener(
            Warned(
                f"{index.label} does not say when files were uploaded{joint}{instead}",
                "`exclude-newer = false` on the index takes all of its files",
            )
        )
