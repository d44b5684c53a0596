"""The driver between the solver, which asks by yielding, and the sources, which answer on worker threads.

Two rules keep the network busy: every question is asked at most once, and each answer is expanded the moment it arrives (the
newest candidate of every dependency), so that the order in which the solver thinks never holds a request back. All thinking
is done on the calling thread; workers only wait for the network.
"""

from collections.abc import Generator, Iterable, Sequence
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from cove.errors import CoveError
from cove.http.pool import pool
from cove.model.dataclasses import dataclass
from cove.model.event import Advanced, Finished, Listener, Started, Warned, resolution_done
from cove.resolve.forks import Environments
from cove.resolve.questions import Answer, Ask, AskVersions, Question, Solution
from cove.resolve.request import Request
from cove.resolve.solver import solve
from cove.resolve.universal import Branch, Known, solve_everywhere
from cove.resolve.walk import Walk

_T = TypeVar("_T")


class Respond(Protocol):
    """Answers one question, blocking; raises ``CoveError`` when it cannot. Called from worker threads.

    ``None`` puts a question that is not ``in_earnest`` off: it is asked again if the solver really wants to know.
    """

    def __call__(self, question: Question, *, in_earnest: bool) -> Answer | None:
        """The answer."""
        ...


@dataclass(frozen=True, slots=True)
class _Arrival:
    question: Question
    answer: Answer | None
    error: BaseException | None


class Driver:
    """Runs one resolution; a context manager that ends its threads."""

    def __init__(self, respond: Respond, *, workers: int, listener: Listener) -> None:
        self._respond = respond
        self._listener = listener
        self._threads = pool(workers, "cove-ask")
        self._arrivals: SimpleQueue[_Arrival] = SimpleQueue()
        self._asked: set[Question] = set()
        self._arrived: dict[Question, _Arrival] = {}

    def __enter__(self) -> Self:
        self._pool = self._threads.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)  # what was only guessed is not asked any more
        self._threads.__exit__(kind, error, traceback)

    def resolve(self, request: Request) -> Solution:
        """The solution; raises what the solver raises, and what answering raised for a question it asked in earnest."""
        walk = Walk(request)
        solution = self._hold(walk, solve(request, walk))
        self._warn((solution,))
        self._listener(resolution_done(len(solution.packages)))
        return solution

    def resolve_everywhere(
        self, request: Request, initial: Sequence[Environments[Any]], known: Sequence[Known] = ()
    ) -> tuple[Branch, ...]:
        """The solutions for all environments, as ``universal.solve_everywhere`` has them; raises as ``resolve`` does."""
        walk = Walk(request)
        branches = self._hold(walk, solve_everywhere(request, initial, walk, known))
        self._warn([branch.solution for branch in branches])
        self._listener(Finished("resolve", "", ""))  # how many packages that comes to is seen when they are joined
        return branches

    def _hold(self, walk: Walk, conversation: Generator[Ask, Answer, _T]) -> _T:
        self._listener(Started("resolve", ""))
        self._ask(walk.start())
        try:
            ask = next(conversation)
            while True:
                self._ask((ask.now,), in_earnest=True)
                self._ask(ask.soon)
                try:
                    answer = self._wait(ask.now, walk)
                except CoveError as error:
                    ask = conversation.throw(error)  # which says who wanted to know
                else:
                    ask = conversation.send(answer)
        except StopIteration as finished:
            found: _T = finished.value
            return found
        finally:
            conversation.close()

    def _warn(self, solutions: Sequence[Solution]) -> None:
        for warning in dict.fromkeys(warning for solution in solutions for warning in solution.warnings):
            self._listener(Warned(warning))

    def _ask(self, questions: Iterable[Question], *, in_earnest: bool = False) -> None:
        for question in questions:
            if question not in self._asked:
                self._asked.add(question)
                self._pool.submit(self._work, question, in_earnest=in_earnest)

    def _work(self, question: Question, *, in_earnest: bool) -> None:
        try:
            self._arrivals.put(_Arrival(question, self._respond(question, in_earnest=in_earnest), None))
        except BaseException as error:  # noqa: BLE001 - raised again on the thread that asked, if it asks in earnest
            self._arrivals.put(_Arrival(question, None, error))

    def _wait(self, question: Question, walk: Walk) -> Answer:
        """The answer to ``question``; whatever else arrives meanwhile is expanded at once."""
        while question not in self._arrived:
            arrival = self._arrivals.get()
            if arrival.answer is None and arrival.error is None:
                self._asked.remove(arrival.question)
                self._ask((question,), in_earnest=True)  # it may have been this one
                continue
            self._arrived[arrival.question] = arrival
            if arrival.answer is not None:
                self._ask(walk.answered(arrival.question, arrival.answer))
                if isinstance(arrival.question, AskVersions):
                    self._listener(Advanced("resolve", arrival.question.name, 1))
        arrival = self._arrived[question]
        if arrival.error is not None:
            raise arrival.error
        assert arrival.answer is not None
        return arrival.answer
