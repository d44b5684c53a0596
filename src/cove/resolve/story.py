"""A proof as sentences, one a step (N. Weizenbaum's algorithm, without its line breaks)."""

import re
from collections.abc import Sequence

from cove.resolve.incompatibility import Incompatibility, RootSelected, externals
from cove.resolve.phrases import and_list
from cove.resolve.wording import Clause, Wording, both

_SENTENCES = 12
"""A longer story is cut."""

_NUMBERED = re.compile(r"\. \((\d+)\)$")
_REFERENCE = re.compile(r" \((\d+)\)")


def sentences(proof: Incompatibility, wording: Wording) -> list[str]:
    """The whole derivation, or its end."""
    story = _Story(wording)
    story.tell(_without_root(proof), final=True)
    lines = story.lines
    if len(lines) <= _SENTENCES:
        return lines
    # Nobody reads more, and without its beginning little of it means anything: but what the root's requirements come to does.
    above = next((back for back in range(2, len(lines)) if wording.root not in lines[-back]), 2)
    end = lines[-min(above, _SENTENCES) :]
    told = {match[1] for line in end if (match := _NUMBERED.search(line))}
    involved = (wording.variables[variable] for fact in externals(proof) for variable in fact.terms)
    names = sorted({variable.name for variable in involved if not variable.is_root})
    return [
        f"What the versions of {_several(names)} require does not fit together; the end of {len(lines)} steps:",
        *(_REFERENCE.sub(lambda match: match[0] if match[1] in told else "", line) for line in end),
    ]


class _Story:
    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._numbers: dict[int, int] = {}
        self.lines: list[str] = []

    def tell(self, node: Incompatibility, *, final: bool = False) -> None:
        """Write the sentences that end in what ``node`` says."""
        if not isinstance(node.cause, tuple):
            self._write(node, f"Because {self._fact(node)}", final=final)
            return
        first, second = map(_without_root, node.cause)
        if not isinstance(first.cause, tuple):
            first, second = second, first
        if not isinstance(first.cause, tuple):
            self._write(node, f"Because {both(self._fact(second), self._fact(first))}", final=final)
        elif isinstance(second.cause, tuple):
            self._tell_two(node, first, second, final=final)
        elif id(first) in self._numbers:
            self._write(node, f"Because {both(self._fact(second), self._known(first))}", final=final)
        else:
            self._tell_collapsed(node, first, self._fact(second), final=final)

    def _tell_two(self, node: Incompatibility, first: Incompatibility, second: Incompatibility, *, final: bool) -> None:
        if id(first) in self._numbers and id(second) in self._numbers:
            self._write(node, f"Because {both(self._known(first), self._known(second))}", final=final)
            return
        if id(first) in self._numbers:
            first, second = second, first
        if id(second) not in self._numbers:
            self.tell(second)
            self._number(second)
        self.tell(first)
        self._write(node, f"And because {self._known(second)}", final=final)

    def _tell_collapsed(self, node: Incompatibility, derived: Incompatibility, reason: Clause, *, final: bool) -> None:
        """Two steps that each add one fact are told as one sentence that adds both."""
        assert isinstance(derived.cause, tuple), "facts are not collapsed"
        inner = [_without_root(cause) for cause in derived.cause]
        deeper = [cause for cause in inner if isinstance(cause.cause, tuple)]
        if len(deeper) == 1:
            fact = next(cause for cause in inner if not isinstance(cause.cause, tuple))
            if id(deeper[0]) not in self._numbers:
                self.tell(deeper[0])
                self._write(node, f"And because {both(self._fact(fact), reason)}", final=final)
                return
        self.tell(derived)
        self._write(node, f"And because {reason}", final=final)

    def _fact(self, node: Incompatibility) -> Clause:
        return self._wording.fact(node)

    def _number(self, node: Incompatibility) -> None:
        if id(node) not in self._numbers:
            self._numbers[id(node)] = len(self._numbers) + 1
            self.lines[-1] += f" ({self._numbers[id(node)]})"

    def _known(self, node: Incompatibility) -> Clause:
        return Clause(f"{self._wording.conclusion(node)} ({self._numbers[id(node)]})")

    def _write(self, node: Incompatibility, reasons: str, *, final: bool) -> None:
        self.lines.append(f"{reasons}, {self._wording.unmet if final else self._wording.conclusion(node)}.")


def _several(names: Sequence[str]) -> str:
    return and_list(names if len(names) <= 6 else [*names[:5], f"{len(names) - 5} other projects"])


def _without_root(node: Incompatibility) -> Incompatibility:
    """The step before, where the last one only said that the root is part of every solution."""
    while isinstance(node.cause, tuple):
        others = [cause for cause in node.cause if not isinstance(cause.cause, RootSelected)]
        if len(others) != 1:
            break
        node = others[0]
    return node
