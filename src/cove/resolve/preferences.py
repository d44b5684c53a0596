"""Which candidate is tried first, and which project is decided next."""

from cove.model.name import Name
from cove.resolve.catalogue import Catalogue
from cove.resolve.search import TROUBLED, Search


def choose(catalogue: Catalogue, name: Name, possible: int) -> int:
    """The bit of the candidate to try first among ``possible``, which is not empty and lacks "not selected".

    A preferred version comes first, what was chosen elsewhere in its highest local variant; then an earlier tier before a
    later one. In a tier a yanked version comes last, and a pre-release only where there is nothing else, unless all are
    welcome. Then ``resolution`` decides between the highest and the lowest.
    """
    request, listing = catalogue.request, catalogue.listings[name]
    if name in request.preferences:
        preferred = listing.value(request.preferences[name]) & possible
        if preferred:
            return preferred
    for version in request.fallbacks.get(name, ()):
        preferred = listing.value(version) & possible
        if preferred:
            variants = listing.variants(version) & possible
            return 1 << variants.bit_length() - 1 if variants else preferred
    possible = next((possible & tier for tier in listing.tiers if possible & tier), possible)
    possible = possible & ~listing.yanked or possible
    if request.prereleases_of(name) != "allow":
        possible = possible & ~listing.prereleases or possible
    lowest = request.resolution == "lowest" or (request.resolution == "lowest-direct" and name in catalogue.direct)
    return possible & -possible if lowest else 1 << possible.bit_length() - 1


def forbidden_prereleases(catalogue: Catalogue, name: Name) -> int:
    """The candidates that the mode for pre-releases rules out."""
    mode = catalogue.request.prereleases_of(name)
    if catalogue.url(name) or mode in ("allow", "if-necessary", "if-necessary-or-explicit"):
        return 0
    if mode == "explicit" and name in catalogue.explicit:
        return 0
    return catalogue.listings[name].prereleases


def forbidden_yanked(catalogue: Catalogue, name: Name) -> int:
    """The yanked candidates that nothing pins (PEP 592)."""
    listing = catalogue.listings[name]
    forbidden = listing.yanked if not catalogue.url(name) else 0
    if forbidden:
        for pinned_name, version in catalogue.pinned:
            if pinned_name == name:
                forbidden &= ~listing.value(version)
    return forbidden


def most_urgent(search: Search, undecided: list[int]) -> int:
    """The project to decide next: the one in most trouble, else one without alternatives, else the one met first.

    Projects are met breadth first, so what is required directly gets its favourite before what it depends on does.
    """
    current, conflicts = search.solution.current, search.conflicts

    def urgency(variable: int) -> tuple[int, bool, int]:
        count = conflicts[variable]
        return (-count if count >= TROUBLED else 0, current[variable].bit_count() > 1, variable)

    return min(undecided, key=urgency)
