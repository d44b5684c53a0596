"""From when on files do not exist, as a lock records it: in ``[options]``."""

from cove.config.settings import Settings
from cove.model.name import Name


def cutoffs(settings: Settings) -> dict[str, object]:
    """The entries of ``exclude-newer`` and ``exclude-newer-package``; none where nothing is said."""
    if settings.exclude_newer is None and not settings.exclude_newer_package:
        return {}
    from cove.formats.cutoff import NO_MOMENT, recorded

    found: dict[str, object] = {}
    if settings.exclude_newer is not None:
        moment, span = recorded(settings.exclude_newer)
        found["exclude-newer"] = moment
        if span:
            found["exclude-newer-span"] = span
    packages: dict[Name, object] = {}
    for told in reversed(settings.exclude_newer_package):
        packages.update(told)
    for name, text in sorted(packages.items()):
        if not isinstance(text, str):
            continue
        moment, span = recorded(text)
        packages[name] = {"timestamp": NO_MOMENT, "span": span} if span else moment
    if packages:
        found["exclude-newer-package"] = dict(sorted(packages.items()))
    return found
