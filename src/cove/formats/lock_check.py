"""Whether what a lock says can be read: others may have written it, or changed it."""

from collections.abc import Callable, Iterator
from itertools import chain

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.errors import ConfigurationError
from cove.model.lock import Lock

_Text = tuple[str, str]
"""A text, and where in the lock it stands."""


def check(lock: Lock, path: str) -> None:
    """Raise ``ConfigurationError`` naming the file and the first version, range or marker that cannot be read."""
    _read(SpecifierSet, "range of Pythons", [(lock.requires_python, "requires-python")], path)
    _read(Version, "version", ((package.version, f"package {package.name!r}") for package in lock.packages), path)
    _read(Marker, "marker", _markers(lock), path)


def _markers(lock: Lock) -> Iterator[_Text]:
    for text in (*lock.resolution_markers, *lock.supported_markers, *lock.required_markers):
        yield text, "its environments"
    for package in lock.packages:
        where = f"package {package.name!r}"
        yield from ((text, where) for text in package.resolution_markers)
        several = (package.dependencies, *package.optional_dependencies.values(), *package.dev_dependencies.values())
        yield from ((edge.marker, where) for edge in chain.from_iterable(several))


def _read(read: Callable[[str], object], what: str, texts: "Iterator[_Text] | list[_Text]", path: str) -> None:
    for text, where in {text: where for text, where in texts if text}.items():
        try:
            read(text)
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits are ValueErrors, too
            raise ConfigurationError(
                f"{path}: {where}: {text[:80]!r} is no {what}",
                hints=("remove the lock and run `cove lock` to make a new one",),
            ) from error
