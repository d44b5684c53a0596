"""What an upload must satisfy before it is taken: a list of small checks, each one sentence of refusal or none."""

from collections.abc import Callable, Mapping

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from cove.formats.upload_form import UploadForm
from cove.model.dataclasses import dataclass
from cove.model.dist import SdistName, WheelName, parse_filename
from cove.model.name import is_valid_name, normalize

MAX_SIZE = 1024 * 1024 * 1024
"""The largest file that is taken unless the server is told otherwise, in bytes."""


@dataclass(frozen=True, slots=True)
class Received:
    """A file that has arrived completely.

    ``digests`` are computed from its bytes, lower-case hexadecimal: ``sha256``, ``blake2_256``, ``md5``. ``metadata`` is the
    content of its ``METADATA`` or ``PKG-INFO``, or ``None`` when the archive could not be read, ``damage`` then says why.
    """

    form: UploadForm
    filename: str
    size: int
    digests: Mapping[str, str]
    metadata: bytes | None
    damage: str = ""

    @property
    def parsed(self) -> WheelName | SdistName | None:
        """What the file name says."""
        return parse_filename(self.filename, normalize(self.form.name))

    @property
    def raw(self) -> RawMetadata:
        """The metadata's fields; empty when there is none."""
        return parse_email(self.metadata)[0] if self.metadata is not None else RawMetadata()


Check = Callable[[Received], str]
"""Says why an upload is refused; the empty text when this check has nothing against it."""


def refusal(received: Received) -> str:
    """The first objection, or the empty text when the file may be taken."""
    return next((objection for check in CHECKS if (objection := check(received))), "")


def is_safe_filename(filename: str) -> bool:
    """Whether ``filename`` is one plain path segment of visible ASCII characters that does not hide."""
    return (
        0 < len(filename) <= 255
        and not filename.startswith(".")
        and all(" " < character <= "~" and character not in '/\\:*?"<>|' for character in filename)
    )


def _action(received: Received) -> str:
    action = received.form.action
    return "" if action == "file_upload" else f"the form's `:action` is `{action[:40]}` where `file_upload` is known"


def _name(received: Received) -> str:
    return "" if is_valid_name(received.form.name) else "the form's `name` is not a valid project name"


def _version(received: Received) -> str:
    return "" if _canonical(received.form.version) else "the form's `version` is not a valid version"


def _filename(received: Received) -> str:
    if not is_safe_filename(received.filename):
        return "the file name holds characters that no distribution's name has"
    if received.parsed is None:
        return f"`{received.filename}` is neither a wheel nor an sdist of the project `{received.form.name}`"
    return ""


def _filetype(received: Received) -> str:
    expected = "bdist_wheel" if isinstance(received.parsed, WheelName) else "sdist"
    given = received.form.filetype
    return (
        "" if given == expected else f"the form's `filetype` is `{given[:40]}`, but the file's name says `{expected}`"
    )


def _filename_agrees(received: Received) -> str:
    parsed, form = received.parsed, received.form
    if parsed is None or parsed.name != normalize(form.name):
        return f"`{received.filename}` does not belong to the project `{form.name}`"
    if _canonical(parsed.version) != _canonical(form.version):
        return f"`{received.filename}` is not of version `{form.version}`"
    return ""


def _digests(received: Received) -> str:
    for kind, given in received.form.digests.items():
        if received.digests.get(kind) != given:
            return f"the {kind} digest of `{received.filename}` is not the one the form announces"
    return ""


def _archive(received: Received) -> str:
    if received.size == 0:
        return f"`{received.filename}` is empty"
    return received.damage


def _metadata(received: Received) -> str:
    raw, form = received.raw, received.form
    if normalize(raw.get("name", "")) != normalize(form.name):
        return f"the metadata in `{received.filename}` is of another project than the form's `{form.name}`"
    version = _canonical(raw.get("version", ""))
    if version is None or version != _canonical(form.version):
        return f"the metadata in `{received.filename}` is of another version than the form's `{form.version}`"
    return ""


def _requires_python(received: Received) -> str:
    inside = received.raw.get("requires_python", "")
    try:
        agrees = SpecifierSet(inside) == SpecifierSet(received.form.requires_python)
    except InvalidSpecifier:
        return f"`Requires-Python` of `{received.filename}` is not a version specifier"
    return "" if agrees else f"`requires_python` of the form differs from the metadata in `{received.filename}`"


def _requirements(received: Received) -> str:
    for text in received.raw.get("requires_dist", ()):
        try:
            Requirement(text)
        except InvalidRequirement:
            return f"`Requires-Dist: {text[:100]}` of `{received.filename}` is not a requirement"
    return ""


def _canonical(version: str) -> Version | None:
    try:
        return Version(version)
    except InvalidVersion:
        return None


CHECKS: tuple[Check, ...] = (
    _action,
    _name,
    _version,
    _filename,
    _filetype,
    _filename_agrees,
    _digests,
    _archive,
    _metadata,
    _requires_python,
    _requirements,
)
"""In the order in which they are asked: a later one may rely on the earlier ones."""
