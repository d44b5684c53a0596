"""Upload forms for tests, with whatever lie a test wants in them."""

import hashlib

from cove.formats.upload_form import FileFacts, encode, fields
from cove.testing import BuiltFile
from support.browser import Answer, ask


def facts_of(built: BuiltFile) -> FileFacts:
    """What is true of the file."""
    blake2 = hashlib.blake2b(built.content, digest_size=32).hexdigest()
    return FileFacts(built.filename, len(built.content), built.sha256, blake2)


def upload(
    url: str,
    built: BuiltFile,
    metadata: bytes,
    *,
    user: tuple[str, str] | None = None,
    lies: dict[str, str] | None = None,
) -> Answer:
    """Send the file with the form of ``metadata``; ``lies`` replace or add fields."""
    facts = facts_of(built)
    honest = dict(fields(metadata, facts)) | (lies or {})
    form = encode(tuple(honest.items()), facts)
    body = b"".join(form.stream(lambda: iter([built.content]))())
    assert len(body) == form.content_length
    return ask(url, "POST", user=user, headers={"Content-Type": form.content_type}, body=body)
