"""Bodies that arrive compressed."""

import zlib
from collections.abc import Iterator

from cove.errors import InvalidResponse, TruncatedDownload

_LARGEST = 512 * 1024 * 1024
_PIECE = 1024 * 1024


def gunzipped(chunks: Iterator[bytes], encoding: str, who: str) -> Iterator[bytes]:
    """``chunks`` decoded as ``Content-Encoding: gzip`` says, in pieces of at most 1 MB.

    Raises ``InvalidResponse`` for another encoding, for what is not gzip, and beyond 512 MB, which no page has and only a
    decompression bomb reaches; ``TruncatedDownload`` when the stream ends early. ``who`` is named in messages.
    """
    if encoding.strip().lower() not in ("gzip", "x-gzip", "identity"):
        raise InvalidResponse(f"{who} answered in the content encoding {encoding!r}, which was not asked for")
    return chunks if encoding.strip().lower() == "identity" else _decoded(chunks, who)


def _decoded(chunks: Iterator[bytes], who: str) -> Iterator[bytes]:
    decoder = zlib.decompressobj(wbits=31)
    total = 0
    started = False
    try:
        for chunk in chunks:
            started = started or bool(chunk)
            pending = chunk
            while pending:
                if decoder.eof:  # RFC 1952, 2.2: a gzip file is a series of members
                    decoder = zlib.decompressobj(wbits=31)
                piece = decoder.decompress(pending, _PIECE)
                total += len(piece)
                if total > _LARGEST:
                    raise InvalidResponse(f"{who} sent a compressed answer that unpacks to more than 512 MB")
                if piece:
                    yield piece
                pending = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    except zlib.error as error:
        raise InvalidResponse(f"{who} sent an answer that says gzip and is not") from error
    rest = decoder.flush()
    if rest:
        yield rest
    if started and not decoder.eof:
        raise TruncatedDownload(f"a compressed answer of {who} broke off before its end")
