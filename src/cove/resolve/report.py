"""Why there is no solution, in sentences a person can act on.

The proof the search found mentions versions in the order they were tried. It is not told as it is: the external facts it
rests on are merged as far as they go, those that are not needed are dropped, and what remains is refuted once more. That
second proof is short, and it is the one that is put into words.
"""

import re
from collections.abc import Iterable, Sequence

from cove.errors import CoveError, NoSolution, ProjectNotFound, PythonIncompatible
from cove.model.dataclasses import dataclass, replace
from cove.model.name import Name
from cove.resolve.catalogue import Catalogue
from cove.resolve.incompatibility import Constrained, Incompatibility, Requires, RootSelected, Unusable, externals
from cove.resolve.phrases import and_list, or_list, requirement_phrase, versions_phrase
from cove.resolve.questions import PYTHON_REASON
from cove.resolve.search import refute
from cove.resolve.term import SELECTED, UNSELECTED, Variable

IS_PRERELEASE = "is a pre-release, and pre-releases are not allowed"
IS_YANKED = "was yanked"

_MINIMISED = 120
"""Up to so many facts each is tried to be left out; it takes as many refutations."""

_SENTENCES = 12
"""A longer story is cut."""

_NUMBERED = re.compile(r"\. \((\d+)\)$")
_REFERENCE = re.compile(r" \((\d+)\)")


@dataclass(frozen=True, slots=True)
class Failure:
    """A proof that there is no solution, and what its variables mean."""

    proof: Incompatibility
    variables: Sequence[Variable]
    catalogue: Catalogue


def explain(failure: Failure) -> CoveError:
    """The error to raise: ``ProjectNotFound`` or ``PythonIncompatible`` where that alone is the reason, else ``NoSolution``."""
    facts = _condensed(failure)
    story = _Story(failure)
    return _not_found(story, facts) or _wrong_python(story, facts) or _no_solution(story, facts)


def _no_solution(story: "_Story", facts: list[Incompatibility]) -> NoSolution:
    proof = refute((variable.full for variable in story.variables), facts)
    assert proof is not None, "condensed facts contradict each other"
    error = NoSolution("\n".join(story.sentences(proof)), hints=tuple(story.hints(facts)))
    error.lacking = tuple(dict.fromkeys(story.lacking(facts)))
    return error


# Fewer facts.


def _condensed(failure: Failure) -> list[Incompatibility]:
    facts = externals(failure.proof)
    fulls = [variable.full for variable in failure.variables]
    merged = _merged(facts, fulls, exactly=False)
    if refute(fulls, merged) is None:
        merged = _merged(facts, fulls, exactly=True)
    if len(merged) <= _MINIMISED:
        for fact in list(merged):
            fewer = [other for other in merged if other is not fact]
            if refute(fulls, fewer) is not None:
                merged = fewer
    return merged


def _merged(facts: Iterable[Incompatibility], fulls: Sequence[int], *, exactly: bool) -> list[Incompatibility]:
    """Facts of the same kind about different versions of a project as one.

    ``exactly`` merges only equal requirements; else a requirement becomes what the merged ones have in common, which is a
    weaker fact and usually enough.
    """
    merged: dict[tuple[object, ...], Incompatibility] = {}
    for fact in facts:
        cause = fact.cause
        key: tuple[object, ...] = (cause,) if isinstance(cause, Unusable) else (id(fact),)
        if isinstance(cause, Requires) and cause.target not in (cause.owner, cause.extra):
            violated = fact.terms.get(cause.target, fulls[cause.target])
            key = (cause.owner, cause.extra, cause.target, cause.conflict, violated if exactly else None)
        known = merged.get(key)
        merged[key] = fact if known is None else _merge(known, fact)
    return list(merged.values())


def _merge(first: Incompatibility, second: Incompatibility) -> Incompatibility:
    cause, other = first.cause, second.cause
    if isinstance(cause, Requires) and isinstance(other, Requires):
        terms = {**first.terms, cause.owner: first.terms[cause.owner] | second.terms[cause.owner]}
        violated = second.terms.get(cause.target)
        if violated is not None:
            terms[cause.target] = terms.get(cause.target, violated) & violated
        return Incompatibility(terms, replace(cause, texts=tuple(dict.fromkeys(cause.texts + other.texts))))
    assert isinstance(cause, Unusable), "nothing else is merged"
    return Incompatibility({cause.project: first.terms[cause.project] | second.terms[cause.project]}, cause)


# Failures with a single reason.


def _not_found(story: "_Story", facts: list[Incompatibility]) -> ProjectNotFound | None:
    chain = _chain(facts)
    if chain is None or len(chain) != len(facts) - 1:
        return None
    absent = [target for target in map(story.target, chain) if story.absence(target)]
    impossible = [fact for fact, cause in chain if story.is_impossible(fact, cause)]
    if len(absent) != 1 or len(impossible) != 1:
        return None
    name = story.variables[absent[0]].name
    reason = story.absence(absent[0])
    message = f"{name} was {reason}" if reason.startswith("not found") else f"{name} was not found: {reason}"
    return ProjectNotFound(message, causes=story.requirers(chain), hints=story.hints_absent(absent[0]))


def _wrong_python(story: "_Story", facts: list[Incompatibility]) -> PythonIncompatible | None:
    chain = _chain(facts)
    unusable = [(fact, fact.cause) for fact in facts if isinstance(fact.cause, Unusable)]
    if chain is None or not unusable or len(chain) + len(unusable) != len(facts) - 1:
        return None
    project = unusable[0][1].project
    if any(cause.project != project or not cause.why.startswith(PYTHON_REASON) for _, cause in unusable):
        return None
    name = story.variables[project].name
    needs = and_list([f"{story.versions(project, fact)} requires Python {_python(cause)}" for fact, cause in unusable])
    python = story.catalogue.request.python
    present = f", but the target is Python {python}" if python else ", which the target's Python is not"
    origin = story.catalogue.listings[name].origin
    message = f"No usable version of {name}{f' on {origin}' if origin else ''} supports this Python: {needs}{present}"
    return PythonIncompatible(message, causes=story.requirers(chain), hints=(_hint_python(name),))


def _chain(facts: list[Incompatibility]) -> "list[tuple[Incompatibility, Requires]] | None":
    """The requirements among the facts, if no two of them are about the same project."""
    chain = [(fact, fact.cause) for fact in facts if isinstance(fact.cause, Requires)]
    targets = [cause.target for _, cause in chain]
    return chain if len(set(targets)) == len(targets) else None


def _python(cause: Unusable) -> str:
    return cause.why.removeprefix(PYTHON_REASON).partition(", and ")[0]


def _alternatives(words: Sequence[str]) -> str:
    return or_list(words if len(words) <= 3 else [*words[:3], "others"])


def _several(names: Sequence[str]) -> str:
    return and_list(names if len(names) <= 6 else [*names[:5], f"{len(names) - 5} other projects"])


def _both(first: str, second: str) -> str:
    who, depends, what = second.partition(" depends on ")
    if depends and first.startswith(who + depends) and " and " not in first + second:
        return f"{first} and {what}"
    return f"{first}, and {second}" if " and " in first + second or ", " in first else f"{first} and {second}"


def _hint_absent(name: str) -> str:
    return f"Check the spelling of {name}, or configure the index that has it"


def _hint_python(name: str) -> str:
    return (
        f"Choose another Python with --python or --python-version, or allow a version of {name} that supports this one"
    )


_REFUSED = re.compile(r"\S+ \((?:401|403|407|511) [^)]*\)")

_ADVICE = (
    ("has no wheel for", "An sdist, or a wheel for this platform and Python, has to be on the index: {}"),
    ("building is forbidden", "Allow an sdist to be built (--no-build, --only-binary) to use {}"),
    ("wheels are forbidden", "Allow wheels (--no-binary), which is all there is, to use {}"),
    ("after exclude-newer", "Allow newer files with --exclude-newer or --exclude-newer-package to use {}"),
    (
        "which exclude-newer needs",
        "Allow files without a known time with `--exclude-newer-package NAME=false` to use {}",
    ),
)
"""What may be done about a version that cannot be used, by words of the reason."""


# Sentences.


class _Story:
    """Turns facts and conclusions into words."""

    def __init__(self, failure: Failure) -> None:
        self.variables = failure.variables
        self.catalogue = failure.catalogue
        self._numbers: dict[int, int] = {}
        self._lines: list[str] = []

    @property
    def _root(self) -> str:
        return self.catalogue.request.root_name

    # Facts.

    def target(self, link: tuple[Incompatibility, Requires]) -> int:
        """What a requirement is about."""
        return link[1].target

    def absence(self, variable: int) -> str:
        """Why there is no such project, empty if there is."""
        named = self.variables[variable]
        return self.catalogue.listings[named.name].absent if named.is_project else ""

    def is_impossible(self, fact: Incompatibility, cause: Requires) -> bool:
        """Whether no version at all satisfies the requirement."""
        return cause.target not in fact.terms

    def versions(self, project: int, fact: Incompatibility) -> str:
        """The versions of a project that a fact is about."""
        return versions_phrase(self.variables[project], fact.terms[project])

    def requirers(self, chain: Iterable[tuple[Incompatibility, Requires]]) -> tuple[str, ...]:
        """Who requires what, from the root downwards, extras left out where the project itself is named."""
        links = [link for link in chain if self.variables[link[1].target].extra is None]
        owners: dict[int, list[tuple[Incompatibility, Requires]]] = {}
        for link in links:
            owners.setdefault(link[1].owner, []).append(link)
        roots = [variable for variable in owners if self.variables[variable].is_root]
        ordered: list[str] = []
        while roots:
            for fact, cause in owners.pop(roots.pop(0), ()):
                ordered.append(self._requires(fact, cause, with_reason=False))
                roots.append(cause.target)
        return tuple(ordered)

    def _fact(self, fact: Incompatibility) -> str:
        match fact.cause:
            case Requires() as cause:
                return self._requires(fact, cause)
            case Constrained(project, text):
                return f"a constraint allows only {self.variables[project].name}{text}"
            case Unusable(project, why):
                return f"{self.versions(project, fact)} {why}"
            case _:
                return f"{self._root} is what is resolved"

    def _requires(self, fact: Incompatibility, cause: Requires, *, with_reason: bool = True) -> str:
        owner = self.variables[cause.owner]
        extra = None if cause.extra is None else self.variables[cause.extra].extra
        who = self._root if owner.is_root else versions_phrase(owner, fact.terms[cause.owner], extra)
        target = self.variables[cause.target]
        what = f"{target.name}[{target.extra}]" if target.extra else target.name
        if (target.is_project and self.is_impossible(fact, cause)) or len(cause.texts) == 1:
            wanted = _alternatives([f"{what}{text}" for text in cause.texts])
        else:
            wanted = requirement_phrase(target, target.full & ~fact.terms[cause.target])
        sentence = f"{who} depends on {wanted}"
        if with_reason and target.is_project and self.is_impossible(fact, cause):
            return f"{sentence} and {cause.conflict or self._available(target)}"
        return sentence

    def _available(self, project: Variable) -> str:
        listing = self.catalogue.listings[project.name]
        if listing.absent:
            reason = listing.absent
            return (
                f"{project.name} was {reason}"
                if reason.startswith("not found")
                else f"{project.name} is absent: {reason}"
            )
        has = f"{listing.origin} has" if listing.origin else "there is"
        if not project.versions:
            return f"{has} no version of {project.name}"
        texts = [str(version) for version in project.versions]
        if len(texts) <= 4:
            return f"{has} only {project.name} {and_list(texts)}"
        return f"{has} only {project.name} {texts[0]} to {texts[-1]}"

    # Conclusions.

    def sentences(self, proof: Incompatibility) -> list[str]:
        """The whole derivation, one sentence a step."""
        self._tell(_without_root(proof), final=True)
        if len(self._lines) <= _SENTENCES:
            return self._lines
        # Nobody reads more. The end says what the root's requirements have to do with it.
        end = self._lines[-_SENTENCES // 2 :]
        told = {match[1] for line in end if (match := _NUMBERED.search(line))}
        involved = (self.variables[variable] for fact in externals(proof) for variable in fact.terms)
        names = sorted({variable.name for variable in involved if not variable.is_root})
        return [
            f"What the versions of {_several(names)} require does not fit together; the end of {len(self._lines)} steps:",
            *(_REFERENCE.sub(lambda match: match[0] if match[1] in told else "", line) for line in end),
        ]

    def _tell(self, node: Incompatibility, *, final: bool = False) -> None:
        """Write the sentences that end in what ``node`` says. (N. Weizenbaum's algorithm, without its line breaks.)"""
        if not isinstance(node.cause, tuple):
            self._write(node, f"Because {self._fact(node)}", final=final)
            return
        first, second = map(_without_root, node.cause)
        if not isinstance(first.cause, tuple):
            first, second = second, first
        if not isinstance(first.cause, tuple):
            self._write(node, f"Because {_both(self._fact(second), self._fact(first))}", final=final)
        elif isinstance(second.cause, tuple):
            self._tell_two(node, first, second, final=final)
        elif id(first) in self._numbers:
            self._write(node, f"Because {_both(self._fact(second), self._known(first))}", final=final)
        else:
            self._tell_collapsed(node, first, self._fact(second), final=final)

    def _tell_two(self, node: Incompatibility, first: Incompatibility, second: Incompatibility, *, final: bool) -> None:
        if id(first) in self._numbers and id(second) in self._numbers:
            self._write(node, f"Because {_both(self._known(first), self._known(second))}", final=final)
            return
        if id(first) in self._numbers:
            first, second = second, first
        if id(second) not in self._numbers:
            self._tell(second)
            self._number(second)
        self._tell(first)
        self._write(node, f"And because {self._known(second)}", final=final)

    def _tell_collapsed(self, node: Incompatibility, derived: Incompatibility, reason: str, *, final: bool) -> None:
        """Two steps that each add one fact are told as one sentence that adds both."""
        assert isinstance(derived.cause, tuple), "facts are not collapsed"
        inner = [_without_root(cause) for cause in derived.cause]
        deeper = [cause for cause in inner if isinstance(cause.cause, tuple)]
        if len(deeper) == 1:
            fact = next(cause for cause in inner if not isinstance(cause.cause, tuple))
            if id(deeper[0]) not in self._numbers:
                self._tell(deeper[0])
                self._write(node, f"And because {_both(self._fact(fact), reason)}", final=final)
                return
        self._tell(derived)
        self._write(node, f"And because {reason}", final=final)

    def _number(self, node: Incompatibility) -> None:
        if id(node) not in self._numbers:
            self._numbers[id(node)] = len(self._numbers) + 1
            self._lines[-1] += f" ({self._numbers[id(node)]})"

    def _known(self, node: Incompatibility) -> str:
        return f"{self._conclusion(node)} ({self._numbers[id(node)]})"

    def _write(self, node: Incompatibility, reasons: str, *, final: bool) -> None:
        conclusion = f"the requirements of {self._root} cannot be met" if final else self._conclusion(node)
        self._lines.append(f"{reasons}, {conclusion}.")

    def _conclusion(self, node: Incompatibility) -> str:
        by_root, positive, negative = False, [], []
        extras: dict[Name, str] = {}
        for variable, candidates in node.terms.items():
            extra_of, extra = self.variables[variable].name, self.variables[variable].extra
            if extra and candidates == SELECTED:
                extras[extra_of] = f"{extras[extra_of]},{extra}" if extra_of in extras else extra
        for variable, candidates in node.terms.items():
            named = self.variables[variable]
            if named.is_root:
                by_root = True
            elif candidates & UNSELECTED:
                negative.append(requirement_phrase(named, named.full & ~candidates))
            elif named.is_project:
                positive.append(versions_phrase(named, candidates, extras.pop(named.name, None)))
        positive.extend(f"{name}[{extra}]" for name, extra in extras.items())
        if negative:
            who = and_list([self._root, *positive] if by_root else positive)
            return f"{who} {'together depend' if len(positive) + by_root > 1 else 'depends'} on {or_list(negative)}"
        if not positive:
            return f"the requirements of {self._root} cannot be met"
        what, together = and_list(positive), " together" if len(positive) > 1 else ""
        if by_root:
            return f"{self._root} cannot use {what}{together}"
        if what.startswith("every ") and not together:
            return f"no {what.removeprefix('every ')} can be used"
        return f"{what} cannot be used{together}"

    # Advice.

    def hints(self, facts: Iterable[Incompatibility]) -> list[str]:
        """What a person might do about it, each once."""
        advice: dict[str, None] = {}
        for fact in facts:
            cause = fact.cause
            if isinstance(cause, Unusable):
                advice[self._hint_unusable(fact, cause)] = None
            elif isinstance(cause, Requires) and self.absence(cause.target):
                advice.update(dict.fromkeys(self.hints_absent(cause.target)))
        return [hint for hint in advice if hint]

    def hints_absent(self, variable: int) -> tuple[str, ...]:
        """What a person might do about a project that is not there."""
        refused = _REFUSED.findall(self.absence(variable))
        doubts = (f"{and_list(refused)} counts as absence (ignore-error-codes), and may hide it" for _ in refused[:1])
        return (*doubts, _hint_absent(self.variables[variable].name))

    def lacking(self, facts: Iterable[Incompatibility]) -> Iterable[tuple[str, str]]:
        """The requirements that no version meets which may be chosen, and what constraints leave nothing of."""
        troubled = {fact.cause.project for fact in facts if isinstance(fact.cause, Unusable | Constrained)}
        for fact in facts:
            cause = fact.cause
            if not isinstance(cause, Requires) or not self.variables[cause.target].is_project:
                continue
            if cause.target in troubled or self.is_impossible(fact, cause):
                yield from ((self.variables[cause.target].name, text) for text in cause.texts if "@" not in text)

    def _hint_unusable(self, fact: Incompatibility, cause: Unusable) -> str:
        phrase, name = self.versions(cause.project, fact), self.variables[cause.project].name
        if cause.why == IS_PRERELEASE:
            return f"Allow pre-releases with --prerelease allow to use {phrase}"
        if cause.why == IS_YANKED:
            return f"A yanked version is used only where a requirement pins it with ==: {phrase}"
        if cause.why.startswith(PYTHON_REASON):
            return _hint_python(name)
        return next((advice.format(phrase) for words, advice in _ADVICE if words in cause.why), "")


def _without_root(node: Incompatibility) -> Incompatibility:
    """The step before, where the last one only said that the root is part of every solution."""
    while isinstance(node.cause, tuple):
        others = [cause for cause in node.cause if not isinstance(cause.cause, RootSelected)]
        if len(others) != 1:
            break
        node = others[0]
    return node
