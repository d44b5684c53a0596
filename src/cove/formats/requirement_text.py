"""Requirements as a project's file has them, spelled as uv spells them."""

from packaging.requirements import Requirement

from cove.formats.locked_requirement import specifier_text
from cove.formats.marker_text import stated
from cove.model.name import normalize


def spelled(requirement: Requirement) -> str:
    """``name[extra]>=1.0 ; marker`` or ``name @ URL ; marker``, with names normalised and everything in order."""
    extras = ",".join(sorted({normalize(extra) for extra in requirement.extras}))
    place = f" @ {requirement.url}" if requirement.url else specifier_text(requirement.specifier)
    marker = stated(requirement.marker)
    name = normalize(requirement.name) + (f"[{extras}]" if extras else "")
    return name + place + (f" ; {marker}" if marker else "")


def merged(old: Requirement, new: Requirement, *, has_source: bool) -> Requirement:
    """``old`` with what ``new`` says besides: its extras too, its version or URL in the place of the old one. ``has_source``
    says that a source of the project gives the place, and no URL here."""
    found = Requirement(str(old))
    found.extras = {normalize(extra) for extra in (*old.extras, *new.extras)}
    if has_source:
        found.url = None
    if new.url:
        found.url, found.specifier = new.url, type(new.specifier)()
    elif new.specifier:
        found.url, found.specifier = None, new.specifier
    return found
