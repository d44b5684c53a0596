"""A project's page on an index: the answer to one Simple API request."""

from collections.abc import Callable, Sequence

from cove.model.dist import File
from cove.model.name import Name


class Page:
    """Every file an index lists for a project, in the order of the page.

    ``versions`` is PEP 700's list, empty when the index gives none; ``status`` and ``status_reason`` are PEP 792's.
    ``names`` are the file names, ``yanked`` the positions of files that are (PEP 592). Of the thousands of files of a page
    a few are looked at: one that was read from a server makes a ``File`` when it is asked for, and ``files`` are all of them.
    """

    __slots__ = ("_files", "_make", "name", "names", "status", "status_reason", "versions", "yanked")

    def __init__(
        self,
        name: Name,
        files: Sequence[File] = (),
        versions: Sequence[str] = (),
        status: str = "active",
        status_reason: str = "",
    ) -> None:
        self.name = name
        self.names: Sequence[str] = [file.filename for file in files]
        self.yanked = frozenset(number for number, file in enumerate(files) if file.yanked is not None)
        self.versions = tuple(versions)
        self.status = status
        self.status_reason = status_reason
        self._make: Callable[[int], File | None] = files.__getitem__
        self._files: tuple[File, ...] | None = tuple(files)

    @classmethod
    def of_entries(
        cls,
        name: Name,
        names: Sequence[str],
        make: Callable[[int], File | None],
        *,
        yanked: frozenset[int] = frozenset(),
        versions: Sequence[str] = (),
        status: str = "active",
        status_reason: str = "",
    ) -> "Page":
        """A page whose files are made on demand: ``make(n)`` gives the one called ``names[n]``, ``None`` if unreadable."""
        page = cls(name, (), versions, status, status_reason)
        page.names, page.yanked, page._make, page._files = names, yanked, make, None
        return page

    def file(self, number: int) -> File | None:
        """The file called ``names[number]``, ``None`` if its entry cannot be read."""
        return self._make(number) if self._files is None else self._files[number]

    @property
    def files(self) -> tuple[File, ...]:
        """All files that can be read."""
        if self._files is None:
            made = (self._make(number) for number in range(len(self.names)))
            readable = tuple(file for file in made if file is not None)
            self.names, self._files = [file.filename for file in readable], readable
            self.yanked = frozenset(number for number, file in enumerate(readable) if file.yanked is not None)
        return self._files

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Page) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Page{self._parts()!r}"

    def _parts(self) -> tuple[object, ...]:
        return (self.name, self.files, self.versions, self.status, self.status_reason)
