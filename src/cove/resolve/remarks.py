"""What to be warned of although there is a solution."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from packaging.version import Version

from cove.model.name import Name, normalize
from cove.resolve.catalogue import Catalogue
from cove.resolve.phrases import and_list

_LISTED = 8
"""Up to so many extras are listed; of more, those with similar names."""
_FROM_BELOW = {">=", ">", "==", "===", "~="}


def missing_extras(catalogue: Catalogue, name: Name, version: Version, extras: Sequence[Name]) -> Iterable[str]:
    """The extras that a version was chosen with, and does not have."""
    provided = catalogue.dependencies[name, version].provides_extra
    for extra in extras:
        if extra not in provided and not catalogue.requirements(name, version, extra):
            yield f"{name} {version} has no extra named {extra}{_instead(extra, provided)}"


def _instead(extra: Name, provided: Sequence[Name]) -> str:
    few = provided if len(provided) <= _LISTED else get_close_matches(extra, provided)
    return f", but {and_list(sorted(few))}" if few else ""


def unbounded(catalogue: Catalogue) -> Iterable[str]:
    """The requirements of whose project the oldest version there is was wanted, which is hardly meant."""
    if catalogue.request.resolution == "highest":
        return
    limits = [*catalogue.roots(), *(limit for several in catalogue.constraints.values() for limit in several)]
    bounded = {
        normalize(one.name) for one in limits if one.url or any(each.operator in _FROM_BELOW for each in one.specifier)
    }
    for name in sorted(catalogue.direct - bounded):
        if not catalogue.url(name):
            yield (
                f"`{name}` is required without a lower bound, and `--resolution {catalogue.request.resolution}` begins with "
                "the oldest version there is"
            )
