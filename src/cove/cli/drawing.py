"""Trees as lines of text."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, Self, TypeVar


class Branch(Protocol):
    """Something with what stands below it. ``is_repeated``: that is shown elsewhere."""

    @property
    def branches(self) -> Sequence[Self]:
        """What stands below."""
        ...

    @property
    def is_repeated(self) -> bool:
        """Whether it is shown elsewhere."""
        ...


B = TypeVar("B", bound=Branch)


def lines(roots: Iterable[B], label: Callable[[B], str], *, repeated: str) -> Iterator[str]:
    """The trees of ``roots``, and what a ``(*)`` means where there is one: ``repeated``."""
    repeats = False
    for root in roots:
        for line, is_repeated in _drawn(root, label, "", ""):
            repeats = repeats or is_repeated
            yield line
    if repeats:
        yield f"(*) {repeated}"


def _drawn(branch: B, label: Callable[[B], str], first: str, rest: str) -> Iterator[tuple[str, bool]]:
    yield first + label(branch) + (" (*)" if branch.is_repeated else ""), branch.is_repeated
    for position, below in enumerate(branch.branches):
        is_last = position == len(branch.branches) - 1
        tee, bar = ("└── ", "    ") if is_last else ("├── ", "│   ")
        yield from _drawn(below, label, rest + tee, rest + bar)


def size(count: int) -> str:
    """A number of bytes for people, as uv writes it: ``512B``, ``1.5KiB``."""
    if count < 1024:
        return f"{count}B"
    quantity, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB"):
        if 1024.0 - quantity > 0.05:  # what rounds to 1024.0 is one of the next unit
            break
        quantity, unit = quantity / 1024, larger
    return f"{quantity:.1f}{unit}"
