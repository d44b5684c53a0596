"""What excludes each other in a workspace, and how a resolution is divided by it."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from cove.errors import ConfigurationError
from cove.formats.pyproject import Project
from cove.model.conflict import Choice, Exclusion
from cove.model.dataclasses import dataclass, replace
from cove.model.name import Name
from cove.operations.project.project import Place

_MOST = 3000
"""The parts that a resolution may be divided into."""
_MOST_INFERRED = 1000


def declared(place: Place) -> tuple[Exclusion, ...]:
    """What may not be installed together, as the projects that are locked with ``place`` say, in the order of a lock.

    A root that is no project comes first, the projects follow by name. A group that includes one that excludes others
    excludes these, too.
    """
    root = place.root
    stated = [] if root.project.name else [*root.project.conflicts]
    for member in root.members:
        stated += member.project.conflicts
    return (*stated, *_inferred(stated, root.project))


def offered(place: Place) -> frozenset[Choice]:
    """All that can be chosen of the projects that are locked with ``place``."""
    found: set[Choice] = set()
    for member in place.root.members:
        project = member.project
        found.add(Choice(project.name, "project"))
        found |= {Choice(project.name, "extra", name) for name in project.optional_dependencies}
        found |= {Choice(project.name, "group", name) for name in project.dependency_groups}
    return frozenset(found)


def _inferred(stated: Sequence[Exclusion], project: Project) -> Iterator[Exclusion]:
    """What follows for groups that include others. As in uv, only for those of a root that is a project."""
    if not project.name or not project.group_includes:
        return
    named = {choice.name: choice for members in reversed(stated) for choice in members if choice.kind == "group"}
    known = dict.fromkeys(stated)
    for group, choice in sorted(named.items()):
        for includer in sorted(_including(group, project.group_includes)):
            other = named.get(includer, Choice(project.name, "group", includer))
            for members in [members for members in known if choice in members]:
                inferred = tuple(sorted({other, *members} - {choice}))
                if inferred not in known:
                    known[inferred] = None
                    if len(known) > _MOST_INFERRED:
                        raise too_many(f"groups that include others make them more than {_MOST_INFERRED}")
                    yield inferred


def _including(group: Name, includes: Mapping[Name, tuple[Name, ...]]) -> set[Name]:
    """The groups that include one, themselves or by way of others."""
    found: set[Name] = set()
    queue = [group]
    while queue:
        included = queue.pop()
        more = {name for name, several in includes.items() if included in several} - found
        found |= more
        queue += more
    return found


@dataclass(frozen=True, slots=True)
class Fork:
    """A part of what can be asked for: all of ``included``, and nothing that is ``excluded``.

    ``left_out`` is what follows from that: what excludes something and may not be chosen.
    """

    included: frozenset[Choice] = frozenset()
    excluded: frozenset[Choice] = frozenset()
    left_out: frozenset[Choice] = frozenset()

    def admits(self, choice: Choice) -> bool:
        """Whether ``choice`` may be made; extras of a project that is excluded may only where they are included."""
        if choice in self.excluded:
            return False
        is_left_out = choice.kind == "extra" and Choice(choice.package, "project") in self.excluded
        return not is_left_out or choice in self.included

    def without(self, choices: Iterable[Choice]) -> "Fork":
        """This fork less ``choices``."""
        return replace(self, excluded=self.excluded.union(choices))

    def choosing(self, choice: Choice | None, members: Exclusion) -> "Fork | None":
        """This fork with one of ``members`` included, or none, and the others excluded; ``None`` where that cannot be."""
        others = frozenset(members) - {choice}
        if choice in self.excluded or self.included & others:
            return None
        included = self.included | {choice} if choice is not None else self.included
        return Fork(included, self.excluded | others)


def forks(exclusions: Sequence[Exclusion], choices: Collection[Choice]) -> list[Fork]:
    """The parts that what excludes each other divides a resolution into, the last first, as uv resolves them.

    Of each exclusion none or one is chosen. Where an earlier one has left less than two of it to choose from, what is left
    needs no decision, unless something else excludes it. ``choices`` are those that there are.
    """
    found = [Fork()]
    for members in exclusions:
        found = [further for fork in found for further in _divided(fork, members, exclusions, choices)]
        if len(found) > _MOST:
            raise too_many(f"there are more than {_MOST} ways to choose from what they leave")
    every = frozenset(choice for members in exclusions for choice in members)
    return [replace(fork, left_out=frozenset(each for each in every if not fork.admits(each))) for fork in found[::-1]]


def too_many(why: str) -> ConfigurationError:
    """The error for what divides a resolution into more parts than can be solved."""
    return ConfigurationError(
        f"`conflicts` in [tool.uv] are too many to resolve for: {why}",
        hints=("what excludes each other in one set (`[[{ extra = … }, { extra = … }, …]]`) takes one part for each",),
    )


def _divided(
    fork: Fork, members: Exclusion, exclusions: Sequence[Exclusion], choices: Collection[Choice]
) -> Iterator[Fork]:
    admitted = [choice for choice in members if fork.admits(choice)]
    if not any(choice in choices for choice in admitted):
        yield fork
    elif len(admitted) < 2 and not any(_is_open(choice, fork, members, exclusions) for choice in admitted):
        yield fork.without(choice for choice in members if choice not in admitted)
    else:
        chosen = (fork.choosing(choice, members) for choice in (None, *members))
        yield from (each for each in chosen if each is not None)


def _is_open(choice: Choice, fork: Fork, members: Exclusion, exclusions: Sequence[Exclusion]) -> bool:
    """Whether another exclusion leaves ``choice`` and something else to choose from."""
    return any(
        choice in other and any(each != choice and fork.admits(each) for each in other)
        for other in exclusions
        if other is not members
    )
