"""The bounds that a requirement without a version gets when it is added."""

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.config.settings import Bounds


def bounded(requirement: Requirement, version: Version, bounds: Bounds) -> Requirement:
    """``requirement`` with the bounds that ``version`` gives; a local version is none."""
    found = Requirement(str(requirement))
    found.specifier = SpecifierSet(_text(Version(version.public), bounds))
    return found


def _text(version: Version, bounds: Bounds) -> str:
    if bounds == "exact":
        return f"=={version}"
    return f">={version}" + ("" if bounds == "lower" else f",<{_above(version, minor=bounds == 'minor')}")


def _above(version: Version, *, minor: bool) -> str:
    """The first version that may break what works, by the rules of semantic versioning: ``1.2.3`` gives ``2.0.0`` and, if a
    ``minor`` may, ``1.3.0``. Leading zeros count for nothing: ``0.1.2`` gives ``0.2.0`` and ``0.1.3``."""
    release = version.release
    zeros = next((place for place, part in enumerate(release) if part), len(release) - 1)
    place = zeros + 1 if minor and zeros < 2 else zeros
    padded = (*release, *[0] * (place + 1 - len(release)))
    above = (*padded[:place], padded[place] + 1, *[0] * (len(padded) - place - 1))
    return (f"{version.epoch}!" if version.epoch else "") + ".".join(map(str, above))
