"""What lower layers report while they work; only the command line draws it."""

from collections.abc import Callable

from cove.model.dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestDone:
    """One HTTP request was answered (``status``) or failed (``status`` 0). ``url`` holds no user info."""

    method: str
    url: str
    index: str
    status: int
    seconds: float
    received: int
    credential: str
    """Where the credential that was sent came from; empty when none was."""


@dataclass(frozen=True, slots=True)
class Started:
    """A step that may take long began: ``resolve``, ``download``, ``build``, ``install``, ``upload``."""

    step: str
    subject: str
    total: int = 0
    """Bytes or items to come; 0 when unknown."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """``amount`` more bytes or items of a step are done."""

    step: str
    subject: str
    amount: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A step is over."""

    step: str
    subject: str
    detail: str = ""


def resolution_done(count: int) -> Finished:
    """The end of a resolution that came to ``count`` packages."""
    return Finished("resolve", "", f"Resolved {count} package{'' if count == 1 else 's'}")


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a person should know although the work goes on."""

    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """A detail for ``-v``, or for ``-vv`` (``level`` 2)."""

    message: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Asking:
    """A person is asked something at the terminal (``begins``), or has answered: nothing is to be drawn in between."""

    begins: bool


Event = RequestDone | Started | Advanced | Finished | Warned | Noted | Asking
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """A listener for those who do not care."""
