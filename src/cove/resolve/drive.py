"""The simplest driver: every question is answered by a function, one after the other.

It shows the shape that the driver with worker threads has as well: begin what is asked ``soon``, wait for what is asked
``now``, send it.
"""

from collections.abc import Callable, Mapping

from cove.resolve.questions import Answer, Conversation, Question, Solution


def drive(conversation: Conversation, answer: Callable[[Question], Answer]) -> Solution:
    """Hold the conversation to its end. Raises what ``conversation`` and ``answer`` raise."""
    try:
        ask = next(conversation)
        while True:
            ask = conversation.send(answer(ask.now))
    except StopIteration as finished:
        solution: Solution = finished.value
        return solution


def answer_from(answers: Mapping[Question, Answer]) -> Callable[[Question], Answer]:
    """A dictionary as the world; a question it does not hold is a ``KeyError``."""
    return answers.__getitem__
