"""The upload form of the "legacy" API, written for a registry and read by one.

The one description of the form is Warehouse's upload endpoint ("Legacy API: upload"); the order of the fields is uv's,
so that a registry sees from ``cove`` what it sees from uv.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence

from cove.errors import InvalidArtifact
from cove.formats.core_metadata import raw_fields
from cove.model.dataclasses import dataclass
from cove.model.dist import WheelName, parse_filename

Field = tuple[str, str]

CONTENT = "content"
"""The name of the part that holds the file."""

# Form field and metadata header; each is sent when the metadata has it.
_SINGLE = (
    ("author", "Author"),
    ("author_email", "Author-email"),
    ("description", "Description"),
    ("description_content_type", "Description-Content-Type"),
    ("download_url", "Download-URL"),
    ("home_page", "Home-page"),
    ("keywords", "Keywords"),
    ("license", "License"),
    ("license_expression", "License-Expression"),
    ("maintainer", "Maintainer"),
    ("maintainer_email", "Maintainer-email"),
    ("summary", "Summary"),
)
_REPEATED = (
    ("classifiers", "Classifier"),
    ("dynamic", "Dynamic"),
    ("license_file", "License-File"),
    ("obsoletes_dist", "Obsoletes-Dist"),
    ("platform", "Platform"),
    ("project_urls", "Project-URL"),
    ("provides_dist", "Provides-Dist"),
    ("provides_extra", "Provides-Extra"),
    ("import_names", "Import-Name"),
    ("import_namespaces", "Import-Namespace"),
    ("requires_dist", "Requires-Dist"),
    ("requires_external", "Requires-External"),
)
_DIGESTS = {"sha256_digest": "sha256", "blake2_256_digest": "blake2_256", "md5_digest": "md5"}


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the form says of the file beside its metadata: digests as lower-case hexadecimal, size in bytes."""

    filename: str
    size: int
    sha256: str
    blake2_256: str


@dataclass(frozen=True, slots=True)
class UploadForm:
    """An upload form as a registry reads it.

    ``digests`` maps ``sha256``, ``blake2_256`` and ``md5`` to what the client said, lower case, only those it gave;
    ``requires_python`` is empty when there is none.
    """

    action: str
    name: str
    version: str
    filetype: str
    metadata_version: str
    requires_python: str
    digests: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Multipart:
    """A body in ``multipart/form-data`` (RFC 7578) around a file of known size that is streamed."""

    content_type: str
    content_length: int
    head: bytes
    tail: bytes

    def stream(self, pieces: Callable[[], Iterator[bytes]]) -> Callable[[], Iterator[bytes]]:
        """A function that gives the whole body afresh each time, ``pieces`` giving the file's bytes afresh."""

        def body() -> Iterator[bytes]:
            yield self.head
            yield from pieces()
            yield self.tail

        return body


def fields(metadata: bytes, facts: FileFacts) -> tuple[Field, ...]:
    """The form's text fields in order, for the file ``facts`` describe with the ``METADATA`` or ``PKG-INFO`` given.

    Raises ``InvalidArtifact`` when the metadata lacks its version, or name or version of the project.
    """
    headers = raw_fields(metadata)
    parsed = parse_filename(facts.filename)
    is_wheel = isinstance(parsed, WheelName)
    result: list[Field] = [
        (":action", "file_upload"),
        ("sha256_digest", facts.sha256),
        ("blake2_256_digest", facts.blake2_256),
        ("protocol_version", "1"),
        ("metadata_version", _required(headers, "Metadata-Version", facts.filename)),
        ("name", _required(headers, "Name", facts.filename)),
        ("version", _required(headers, "Version", facts.filename)),
        ("filetype", "bdist_wheel" if is_wheel else "sdist"),
        ("pyversion", ".".join(parsed.pythons) if isinstance(parsed, WheelName) else "source"),
    ]
    for field, header in _SINGLE:
        value = headers.get("description", [""])[-1] if field == "description" else _text(headers, header)
        if value:
            result.append((field, value))
    result.append(("requires_python", _text(headers, "Requires-Python")))  # GitLab refuses a form without it
    for field, header in _REPEATED:
        result.extend((field, _unfold(value)) for value in headers.get(header.lower(), ()))
    return tuple(result)


def encode(text_fields: Sequence[Field], facts: FileFacts) -> Multipart:
    """The body for these fields and the file, which comes last."""
    # A boundary must not occur in the body. This one is a digest over the fields, which hold the file's own digests: to
    # contain it, a file would have to contain a digest of itself.
    digest = hashlib.sha256(b"cove upload form\0")
    for name, value in text_fields:
        digest.update(f"{name}\0{value}\0".encode())
    digest.update(f"{facts.sha256}\0{facts.filename}".encode())
    boundary = digest.hexdigest()
    head = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'.encode()
        for name, value in text_fields
    )
    head += (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="{CONTENT}"; filename="{_quoted(facts.filename)}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = f"\r\n--{boundary}--\r\n".encode()
    return Multipart(f"multipart/form-data; boundary={boundary}", len(head) + facts.size + len(tail), head, tail)


def read(text_fields: Sequence[Field]) -> UploadForm:
    """The text fields of a received form; what is missing is empty, of repeated ones the first counts."""
    values: dict[str, str] = {}
    for name, value in text_fields:
        values.setdefault(name, value.strip())
    return UploadForm(
        action=values.get(":action", ""),
        name=values.get("name", ""),
        version=values.get("version", ""),
        filetype=values.get("filetype", ""),
        metadata_version=values.get("metadata_version", ""),
        requires_python=values.get("requires_python", ""),
        digests={kind: values[field].lower() for field, kind in _DIGESTS.items() if values.get(field)},
    )


def _required(headers: Mapping[str, list[str]], header: str, filename: str) -> str:
    value = _text(headers, header)
    if not value:
        raise InvalidArtifact(f"{filename}: its metadata has no `{header}`")
    return value


def _text(headers: Mapping[str, list[str]], header: str) -> str:
    text = _unfold(headers.get(header.lower(), [""])[0])
    return "" if text == "UNKNOWN" else text  # what old setuptools wrote for "nothing"


def _unfold(value: str) -> str:
    """A header's value with continuation lines joined; ``       |`` is the marker of old descriptions (PEP 314)."""
    return "\n".join(line.strip().removeprefix("|") for line in value.strip().splitlines())


def _quoted(text: str) -> str:
    """As the HTML standard writes names in ``multipart/form-data``."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
