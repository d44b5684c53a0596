"""Threads that wait for answers, and are not waited for when a person interrupts."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def pool(workers: int, name: str) -> Iterator[ThreadPoolExecutor]:
    """At most ``workers`` threads, all of which have ended at the end; after a failure nothing more is begun.

    A ``KeyboardInterrupt`` ends it at once: what still waits for a server that is silent would keep the person waiting too.
    """
    # The HTTP library crashes when the thread that imported it has ended (pyreqwest 0.15.1): threads of a pool do.
    import cove.http.transport  # noqa: F401, PLC0415 - where nothing is asked, nothing is loaded

    executor = ThreadPoolExecutor(max_workers=max(1, workers), thread_name_prefix=name)
    try:
        yield executor
    except KeyboardInterrupt:
        executor.shutdown(wait=False, cancel_futures=True)
        raise
    except BaseException:
        executor.shutdown(cancel_futures=True)
        raise
    executor.shutdown()
