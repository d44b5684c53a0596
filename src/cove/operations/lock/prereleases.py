"""When pre-releases are taken, project by project, and how a lock records it."""

from cove.config.settings import Settings
from cove.model.name import Name


def package_prereleases(settings: Settings) -> dict[Name, str]:
    """What ``prerelease-package`` says, by name; a flag's word comes before a file's."""
    found: dict[Name, str] = {}
    for told in reversed(settings.prerelease_package):
        found.update(told)
    return dict(sorted(found.items()))


def recorded(settings: Settings) -> dict[str, object]:
    """The entries of ``[options]``; none where nothing is said but the default."""
    mode = _newest_name(settings.prerelease)
    found: dict[str, object] = {} if mode == "if-necessary" else {"prerelease-mode": mode}
    packages = {name: _newest_name(own) for name, own in package_prereleases(settings).items()}
    return found | ({"prerelease-package": packages} if packages else {})


def _newest_name(mode: str) -> str:
    return mode.removesuffix("-or-explicit")
