"""What is installed in an environment, for ``pip list`` and ``pip freeze``."""

from collections.abc import Iterator

from cove.formats.direct_url import Archive, Directory, DirectUrl, Repository
from cove.formats.file_url import to_path
from cove.install.installed import Installed, direct_url_of, scan
from cove.model.dataclasses import dataclass
from cove.model.name import Name
from cove.operations.environment.environments import readable
from cove.wiring import Session


@dataclass(frozen=True, slots=True)
class Listed:
    """A distribution that is installed; ``editable_location`` is a path, empty for one that is not editable."""

    name: Name
    version: str
    requirement: str
    editable_location: str = ""


def listing(session: Session) -> tuple[Listed, ...]:
    """Everything in the environment, by name. ``requirement`` is a line that installs it again, without user info."""
    return tuple(_listed(each) for each in scan(readable(session).sites).values())


def _listed(installed: Installed) -> Listed:
    direct = direct_url_of(installed)
    pinned = f"{installed.name}=={installed.version}"
    if direct is None:
        return Listed(installed.name, installed.version, pinned)
    if isinstance(direct.info, Directory) and direct.info.editable:
        location = to_path(direct.url.path) if direct.url.scheme == "file" else direct.url.public
        return Listed(installed.name, installed.version, f"-e {direct.url.public}", location)
    return Listed(installed.name, installed.version, f"{installed.name} @ {''.join(_reference(direct))}")


def _reference(direct: DirectUrl) -> Iterator[str]:
    info = direct.info
    if isinstance(info, Repository):
        yield f"{info.vcs}+"
    yield direct.url.public
    if isinstance(info, Repository):
        yield f"@{info.commit_id}"
    fragments = (
        [f"{algorithm}={digest}" for algorithm, digest in sorted(info.hashes.items())]
        if isinstance(info, Archive)
        else []
    )
    fragments += [f"subdirectory={direct.subdirectory}"] if direct.subdirectory else []
    if fragments:
        yield "#" + "&".join(fragments)
