"""Sets of versions in few words."""

from collections.abc import Sequence

from packaging.version import Version

from cove.resolve.term import Variable, positions

_LISTED = 3
"""Up to so many versions, or ranges of them, are named one by one."""


def and_list(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return _joined(words, "and")


def or_list(words: Sequence[str]) -> str:
    """``a, b or c``."""
    return _joined(words, "or")


def _joined(words: Sequence[str], last: str) -> str:
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def versions_phrase(project: Variable, candidates: int, extra: str | None = None) -> str:
    """A set as the subject of a sentence: ``every version of foo``, ``foo 2.0``, ``foo>=1.2,<=1.8``."""
    name = f"{project.name}[{extra}]" if extra else project.name
    chosen = list(positions(candidates))
    if len(chosen) == len(project.versions) > 1:
        return f"every version of {name}"
    return _ranges(project, chosen, name, "each")


def requirement_phrase(variable: Variable, candidates: int) -> str:
    """A set as what is required: ``foo``, ``foo 2.0``, ``foo>=1.2``; an extra is ``foo[x]``."""
    if variable.extra:
        return f"{variable.name}[{variable.extra}]"
    chosen = list(positions(candidates))
    if len(chosen) == len(variable.versions):
        return variable.name
    return _ranges(variable, chosen, variable.name, "one")


def _ranges(project: Variable, chosen: Sequence[int], name: str, many: str) -> str:
    versions = project.versions
    if not chosen:
        return f"no version of {name}"
    if len(chosen) == 1:
        return f"{name} {versions[chosen[0]]}"
    runs = _runs(chosen)
    if len(runs) > 1 and len(chosen) <= _LISTED:
        return f"{name} {or_list([str(versions[position]) for position in chosen])}"
    if len(runs) > _LISTED:
        return f"{many} of {len(chosen)} versions of {_range(versions, chosen[0], chosen[-1], name)}"
    return or_list([_range(versions, first, last, name) for first, last in runs])


def _runs(chosen: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring positions as pairs of the first and the last."""
    runs: list[tuple[int, int]] = []
    for position in chosen:
        if runs and runs[-1][1] == position - 1:
            runs[-1] = (runs[-1][0], position)
        else:
            runs.append((position, position))
    return runs


def _range(versions: Sequence[Version], first: int, last: int, name: str) -> str:
    if first == last:
        return f"{name} {versions[first]}"
    bounds = [f">={versions[first]}"] if first else []
    if last < len(versions) - 1:
        bounds.append(f"<={versions[last]}")
    return name + ",".join(bounds)
