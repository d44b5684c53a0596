"""Whether what a lock says can be read: others may have written it, or changed it."""

from collections.abc import Callable, Iterator
from itertools import chain

from packaging.markers import Marker
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from cove.errors import ConfigurationError
from cove.model.lock import Lock
from cove.model.url import Url

_LONGEST_PATH, _LONGEST_NAME = 4095, 255
"""What Linux takes, in bytes."""

_Text = tuple[str, str]
"""A text, and where in the lock it stands."""


def check(lock: Lock, path: str) -> None:
    """Raise ``ConfigurationError`` naming the file and the first version, range, marker or place that cannot be read."""
    _read(SpecifierSet, "range of Pythons", [(lock.requires_python, "requires-python")], path)
    _read(Version, "version", ((package.version, f"package {package.name!r}") for package in lock.packages), path)
    _read(Marker, "marker", _markers(lock), path)
    _read(Url.parse, "URL", _urls(lock), path)
    _read(_check_path, "path", _paths(lock), path)


def _markers(lock: Lock) -> Iterator[_Text]:
    for text in (*lock.resolution_markers, *lock.supported_markers, *lock.required_markers):
        yield text, "its environments"
    for package in lock.packages:
        where = f"package {package.name!r}"
        yield from ((text, where) for text in package.resolution_markers)
        several = (package.dependencies, *package.optional_dependencies.values(), *package.dev_dependencies.values())
        yield from ((edge.marker, where) for edge in chain.from_iterable(several))


def _urls(lock: Lock) -> Iterator[_Text]:
    for package in lock.packages:
        where = f"package {package.name!r}"
        if package.source.kind == "url":
            yield package.source.location or " ", where
        yield from ((file.url, where) for file in (package.sdist, *package.wheels) if file is not None)


def _paths(lock: Lock) -> Iterator[_Text]:
    for package in lock.packages:
        where = f"package {package.name!r}"
        if package.source.kind not in ("url", "git"):
            yield package.source.location, where
        yield from ((file.path, where) for file in (package.sdist, *package.wheels) if file is not None)


def _check_path(text: str) -> None:
    """No system has paths with zeros, or of such lengths."""
    if "\0" in text or len(text) > _LONGEST_PATH or any(len(part) > _LONGEST_NAME for part in text.split("/")):
        raise ValueError(text)


def _read(read: Callable[[str], object], what: str, texts: "Iterator[_Text] | list[_Text]", path: str) -> None:
    for text, where in {text: where for text, where in texts if text}.items():
        try:
            read(text)
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits are ValueErrors, too
            raise ConfigurationError(
                f"{path}: {where}: {text[:80]!r} is no {what}",
                hints=("remove the lock and run `cove lock` to make a new one",),
            ) from error
