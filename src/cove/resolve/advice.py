"""What a person might do about a failure."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from packaging.specifiers import SpecifierSet

from cove.model.name import Name
from cove.resolve import reasons
from cove.resolve.condense import by_kind
from cove.resolve.incompatibility import Constrained, Incompatibility, Requires, Unusable
from cove.resolve.phrases import and_list, or_list
from cove.resolve.wording import Wording

_REFUSED = re.compile(r"\S+ \((?:401|403|407|511) [^)]*\)")


def hints(facts: Sequence[Incompatibility], wording: Wording) -> list[str]:
    """What might be done about any of the facts, each once."""
    found: list[str] = []
    for several in by_kind(facts):
        found += _unusable(several, wording)
    for fact in facts:
        if isinstance(fact.cause, Requires) and wording.is_impossible(fact, fact.cause):
            name = wording.variables[fact.cause.target].name
            found += absent(name, wording) if wording.absence(fact.cause.target) else _prerelease(fact.cause, wording)
    parts = {fact.cause.where for fact in facts if isinstance(fact.cause, Requires)}
    apart = sorted(part for part in parts if part.startswith(("extra ", "group ")))
    if len(apart) > 1:
        found.append(f"{and_list(apart)} may exclude each other: `conflicts` in [tool.uv] says so")
    return [hint for hint in dict.fromkeys(found) if hint]


def _unusable(several: Sequence[tuple[Incompatibility, Unusable]], wording: Wording) -> list[str]:
    project, candidates, whys = several[0][1].project, 0, [cause.why for _, cause in several]
    for fact, _ in several:
        candidates |= fact.terms[project]
    if reasons.kind_of(whys[0]) is reasons.PYTHON:
        return python(several, wording)
    name = wording.variables[project].name
    origin = wording.catalogue.listings[name].origin
    return [reasons.advice(whys, name, wording.versions(project, candidates), origin)]


def python(several: Sequence[tuple[Incompatibility, Unusable]], wording: Wording) -> list[str]:
    """What to do where versions need another Python: which one is enough for which of them."""
    project, candidates = several[0][1].project, 0
    needed = reasons.lowest_python([cause.why for _, cause in several])
    for fact, cause in several:
        candidates |= fact.terms[project] if reasons.detail_of(cause.why) == needed else 0
    enough = f"Python {needed} is enough for {wording.versions(project, candidates)}"
    if wording.catalogue.request.environments is None:
        return [f"{enough}: choose one with --python or --python-version"]
    marker = f"python_full_version >= '{reasons.lower_bound(needed)}'"
    return [f"{enough}: raise `requires-python` to that, or have what needs it required under the marker `{marker}`"]


def absent(name: Name, wording: Wording) -> list[str]:
    """What to do about a project that is not there."""
    listings = wording.catalogue.listings
    refused = _REFUSED.findall(listings[name].absent)
    found = [f"{and_list(refused)} counts as absence (ignore-error-codes), and may hide it"] if refused else []
    present = [other for other, listing in listings.items() if not listing.absent]
    near = get_close_matches(name, sorted(present), n=2, cutoff=0.8)
    meant = f" ({or_list(near)}?)" if near else ""
    return [*found, f"Check the spelling of {name}{meant}, or configure the index that has it"]


def _prerelease(cause: Requires, wording: Wording) -> list[str]:
    """That pre-releases do not count for a release that they come before, where that is all that is lacking."""
    project, owner = wording.variables[cause.target], wording.variables[cause.owner]
    if not owner.is_root or len(cause.texts) != 1 or "@" in cause.texts[0]:
        return []
    wanted = SpecifierSet(cause.texts[0])
    early = [each for each in project.versions if each.is_prerelease and wanted.contains(each.base_version)]
    if not early:
        return []
    newest, name = max(early), project.name
    return [f"{name} {newest} is a pre-release, which comes before {newest.base_version}: `{name}>={newest}` allows it"]


def lacking(facts: Sequence[Incompatibility], wording: Wording) -> Iterable[tuple[str, str]]:
    """The requirements that no version meets which may be chosen, and what constraints leave nothing of."""
    troubled = {fact.cause.project for fact in facts if isinstance(fact.cause, Unusable | Constrained)}
    for fact in facts:
        cause = fact.cause
        if not isinstance(cause, Requires) or not wording.variables[cause.target].is_project:
            continue
        if cause.target in troubled or wording.is_impossible(fact, cause):
            yield from ((wording.variables[cause.target].name, text) for text in cause.texts if "@" not in text)
