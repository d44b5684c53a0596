"""What a person sees of the work while it goes on: bars on a terminal, nothing but summaries and warnings elsewhere."""

import threading
from typing import TYPE_CHECKING, Self

from cove.cli.render import Console
from cove.config.settings import Settings
from cove.model.event import Advanced, Asking, Event, Finished, Listener, Noted, RequestDone, Started, Warned, ignore

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

_DOING = {
    "resolve": "Resolving",
    "download": "Downloading",
    "build": "Building",
    "install": "Installing",
    "upload": "Uploading",
}


class Reporter:
    """The listener of a command: called from many threads, writes to one console.

    The drawing begins with the first ``Started`` on a terminal and disappears when nothing is under way any more.
    """

    def __init__(self, console: Console, settings: Settings, observe: Listener | None = None) -> None:
        """``observe`` is told of every event too."""
        self._console = console
        self._observe = observe or ignore
        self._draws = console.err_is_terminal and not (settings.no_progress or settings.quiet or settings.verbose)
        self._lock = threading.RLock()
        self._warned: set[Warned] = set()
        self._progress: Progress | None = None
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._is_asking = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._tasks.clear()
            self._stop()

    def __call__(self, event: Event) -> None:
        """Show ``event``, if this console shows such things."""
        with self._lock:
            self._observe(event)
            match event:
                case Warned():
                    self._warn(event)
                case RequestDone():
                    self._console.detail(_request_line(event))
                case Noted(message, level):
                    if self._console.verbose >= level:
                        self._console.detail(message)
                case Asking(begins):
                    self._make_way(begins=begins)
                case Started() | Advanced() | Finished():
                    self._step(event)

    def _warn(self, event: Warned) -> None:
        if event not in self._warned:
            self._warned.add(event)
            self._console.warning(event.message, event.hint)

    def _make_way(self, *, begins: bool) -> None:
        """Leave the terminal to whoever asks there."""
        self._is_asking = begins
        if self._progress is not None:
            if begins:
                self._progress.stop()
            else:
                self._progress.start()

    def _step(self, event: Started | Advanced | Finished) -> None:
        if self._draws:
            self._draw(event)
        if isinstance(event, Finished) and event.detail:
            self._console.say(event.detail)
        elif isinstance(event, Started):
            self._console.detail(_title(event))

    def _draw(self, event: Started | Advanced | Finished) -> None:
        key = (event.step, event.subject)
        if isinstance(event, Started):
            progress = self._progress or self._start()
            self._tasks[key] = progress.add_task(_title(event), total=event.total or None)
        elif key in self._tasks and self._progress is not None:
            if isinstance(event, Advanced):
                self._progress.advance(self._tasks[key], event.amount)
            else:
                self._progress.remove_task(self._tasks.pop(key))
                if not self._tasks:
                    self._stop()

    def _start(self) -> "Progress":
        from rich.console import Console as Screen
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
        from rich.text import Text

        screen = Screen(file=self._console.err, no_color=not self._console.err_color, highlight=False)
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(bar_width=24))
        progress = Progress(*columns, console=screen, transient=True, redirect_stdout=False, redirect_stderr=False)
        if not self._is_asking:
            progress.start()
        self._progress = progress
        self._console.above = lambda line: screen.print(Text.from_ansi(line), soft_wrap=True)
        return progress

    def _stop(self) -> None:
        if self._progress is not None:
            self._console.above = None
            self._progress.stop()
            self._progress = None


def _title(event: Started) -> str:
    doing = _DOING.get(event.step, event.step.capitalize())
    return f"{doing} {event.subject}".rstrip()


def _request_line(event: RequestDone) -> str:
    outcome = str(event.status) if event.status else "failed"
    where = f" for {event.index}" if event.index else ""
    who = f", credential from {event.credential}" if event.credential else ""
    return f"{event.method} {event.url} {outcome} in {event.seconds * 1000:.0f} ms, {event.received} bytes{where}{who}"
