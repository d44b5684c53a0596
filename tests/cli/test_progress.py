import io
from concurrent.futures import ThreadPoolExecutor

from cove.cli.progress import Reporter
from cove.cli.render import Console
from cove.config.merge import merge
from cove.config.settings import Given
from cove.model.event import Advanced, Event, Finished, Noted, RequestDone, Started, Warned
from cove.model.origin import Origin

WORK: tuple[Event, ...] = (
    Started("download", "big-1.0.whl", 10),
    Noted("a detail"),
    RequestDone("GET", "https://example.com/a", "corp", 200, 0.0123, 45, "$UV_INDEX_CORP_PASSWORD"),
    Advanced("download", "big-1.0.whl", 10),
    Warned("careful", "do this"),
    Warned("careful", "do this"),
    Finished("download", "big-1.0.whl", "Downloaded big-1.0.whl"),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(*events: Event, terminal: bool = False, **settings: object) -> str:
    given = {name.replace("_", "-"): (Given(value, Origin("flag", name)),) for name, value in settings.items()}
    err = Terminal() if terminal else io.StringIO()
    console = Console(io.StringIO(), err)
    console.configure(merge([given]))
    with Reporter(console, merge([given])) as listener:
        for event in events:
            listener(event)
    assert console.above is None
    return err.getvalue()


def test_in_a_pipe_there_are_summaries_and_warnings_once() -> None:
    assert shown(*WORK) == "warning: careful\nhint: do this\nDownloaded big-1.0.whl\n"


def test_q_is_silent() -> None:
    assert shown(*WORK, quiet=1) == ""


def test_v_shows_requests_with_the_origin_of_the_credential() -> None:
    lines = shown(*WORK, verbose=1).splitlines()
    assert "a detail" in lines
    assert "GET https://example.com/a 200 in 12 ms, 45 bytes for corp, credential from $UV_INDEX_CORP_PASSWORD" in lines
    assert "Downloading big-1.0.whl" in lines


def test_a_request_that_failed_says_so() -> None:
    failed = RequestDone("GET", "https://example.com/a", "", 0, 1.0, 0, "")
    assert shown(failed, verbose=1) == "GET https://example.com/a failed in 1000 ms, 0 bytes\n"


def test_on_a_terminal_bars_come_and_go() -> None:
    text = shown(*WORK, terminal=True, color="never")
    assert "Downloading big-1.0.whl" in text
    assert "warning: careful" in text
    assert text.count("warning: careful") == 1
    assert text.rstrip().endswith("Downloaded big-1.0.whl")
    assert "Downloading" not in shown(*WORK, terminal=True, no_progress=True)


def test_events_without_a_beginning_are_harmless() -> None:
    assert shown(Advanced("download", "x", 1), Finished("download", "x"), terminal=True) == ""


def test_many_threads_may_report() -> None:
    console = Console(io.StringIO(), Terminal())
    with Reporter(console, merge([])) as listener, ThreadPoolExecutor(8) as pool:

        def work(number: int) -> None:
            listener(Started("download", str(number), 3))
            listener(Advanced("download", str(number), 3))
            listener(Finished("download", str(number)))

        list(pool.map(work, range(40)))
    assert console.above is None
