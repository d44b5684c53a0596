"""Requirements and version ranges as ``uv.lock`` spells them, so that the lock notices when the project changes them."""

from urllib.parse import parse_qsl

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from cove.formats.git_url import is_git, parse
from cove.formats.marker_text import stated
from cove.model.lock import LockedRequirement, SourceKind
from cove.model.name import Name, normalize
from cove.model.url import Url


def requirement_entry(
    requirement: Requirement,
    *,
    extra: Name | None = None,
    marker: Marker | None = None,
    index: str = "",
    source: tuple[SourceKind, str] | None = None,
) -> LockedRequirement:
    """The entry of ``requires-dist``, ``requires-dev`` or the manifest for ``requirement``.

    ``extra`` is the optional dependency it belongs to, ``marker`` that of the source entry which applies. ``index`` is the URL
    (without user info) of the index it is pinned to; ``source`` a local project, archive or repository as kind and location,
    relative to the lock. A URL in the requirement itself is written without user info.
    """
    conditions = [
        part for part in (requirement.marker, marker, Marker(f'extra == "{extra}"') if extra else None) if part
    ]
    whole: Marker | None = None
    for condition in conditions:
        whole = condition if whole is None else whole & condition
    places: dict[str, str] = {}
    if source is not None:
        kind, location = source
        places[kind] = location
    elif requirement.url:
        places.update(_direct(requirement.url))
    return LockedRequirement(
        normalize(requirement.name),
        tuple(sorted(normalize(name) for name in requirement.extras)),
        specifier=specifier_text(requirement.specifier),
        marker=stated(whole),
        index=index,
        **places,
    )


def _direct(text: str) -> dict[str, str]:
    """A direct reference: ``git+https://…@rev`` becomes ``git`` with ``?rev=…``, anything else is a ``url``. What follows its
    ``#`` is a digest, which the lock has beside the file, or the folder."""
    if is_git(text):
        return {"git": parse(text).requested}
    public, _, fragment = Url.parse(text).public.partition("#")
    below = dict(parse_qsl(fragment)).get("subdirectory", "")
    return {"url": public, "subdirectory": below}


def specifier_text(specifiers: SpecifierSet) -> str:
    """``>=1.0,!=1.5,<2``: by version, without blanks; empty for any version."""

    def key(specifier: Specifier) -> tuple[int, Version, str]:
        if specifier.operator == "===":  # any text may follow
            return (1, Version("0"), specifier.version)
        return (0, Version(specifier.version.removesuffix(".*")), specifier.operator)

    return ",".join(f"{specifier.operator}{specifier.version}" for specifier in sorted(specifiers, key=key))
