"""The digest of a file of which nobody told one: it is fetched, and kept in the store."""

from pathlib import Path

from cove.install.fetch import fetch
from cove.model.dist import File
from cove.model.index import Index
from cove.model.name import Name
from cove.wiring import Session


def sha256_of(session: Session, file: File, *, name: Name, version: str, index: Index | None) -> str:
    """Lower-case hexadecimal. Raises what ``fetch`` raises."""
    got = fetch(
        session.client,
        file,
        name=name,
        version=version,
        index=index,
        store=session.store,
        listener=session.listener,
    )
    return got.parent.name if isinstance(got, Path) else got.sha256
