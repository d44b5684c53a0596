"""``direct_url.json``: that a distribution was installed from a URL rather than from an index (PEP 610)."""

import json
from collections.abc import Mapping

from cove.model.dataclasses import dataclass, field
from cove.model.url import Url


@dataclass(frozen=True, slots=True)
class Archive:
    """A wheel or sdist at the URL; ``hashes`` maps algorithm to lower-case hexadecimal digest."""

    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Directory:
    """A folder, in place (PEP 660) or not."""

    editable: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """A version control system, the commit that was taken, and what was asked for (a branch, a tag) if anything."""

    vcs: str
    commit_id: str
    requested_revision: str = ""


@dataclass(frozen=True, slots=True)
class DirectUrl:
    """Where a distribution came from. User info in ``url`` is never written; ``subdirectory`` is relative to the root."""

    url: Url
    info: Archive | Directory | Repository
    subdirectory: str = ""


def render(direct: DirectUrl) -> str:
    """The JSON text.

    PEP 610: "When persisted, url MUST be stripped of any sensitive authentication information, for security reasons."
    """
    document: dict[str, object] = {"url": direct.url.public}
    match direct.info:
        case Archive(hashes):
            document["archive_info"] = {"hashes": dict(sorted(hashes.items()))} if hashes else {}
        case Directory(editable):
            document["dir_info"] = {"editable": editable}  # said even where it is the default: uv compares it
        case Repository(vcs, commit_id, requested_revision):
            revision = {"requested_revision": requested_revision} if requested_revision else {}
            document["vcs_info"] = {"vcs": vcs, "commit_id": commit_id, **revision}
    if direct.subdirectory:
        document["subdirectory"] = direct.subdirectory
    return json.dumps(document, sort_keys=True)


def parse(text: str) -> DirectUrl:
    """What a ``direct_url.json`` says. Raises ``ValueError`` (never quoting the URL) when it breaks PEP 610."""
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one kind of error for every malformed document
    kinds = [key for key in ("archive_info", "dir_info", "vcs_info") if key in document]
    # PEP 610: "Depending on what url refers to, exactly one of vcs_info, archive_info or dir_info".
    if len(kinds) != 1:
        raise ValueError("exactly one of archive_info, dir_info and vcs_info must be present")
    info = document[kinds[0]]
    if not isinstance(info, dict):
        raise ValueError(f"{kinds[0]} is not an object")  # noqa: TRY004
    url = Url.parse(_text(document, "url")).without_credentials()
    return DirectUrl(url, _info(kinds[0], info), _text(document, "subdirectory", ""))


def _info(kind: str, info: dict[str, object]) -> Archive | Directory | Repository:
    if kind == "dir_info":
        return Directory(info.get("editable") is True)
    if kind == "vcs_info":
        return Repository(_text(info, "vcs"), _text(info, "commit_id"), _text(info, "requested_revision", ""))
    hashes = info.get("hashes")
    if isinstance(hashes, dict):
        return Archive({str(algorithm): str(digest).lower() for algorithm, digest in hashes.items()})
    # "hash" is the older form, ``algorithm=digest``.
    algorithm, separator, digest = _text(info, "hash", "").partition("=")
    return Archive({algorithm: digest.lower()} if separator else {})


def _text(table: Mapping[str, object], key: str, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"{key} must be text")  # noqa: TRY004
    return value
