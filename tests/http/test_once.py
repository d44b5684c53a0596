import threading

import pytest

from cove.http.once import Once


def test_is_made_once_for_all_threads() -> None:
    once: Once[str, int] = Once()
    calls: list[int] = []
    gate = threading.Event()
    results: list[int] = []

    def make() -> int:
        calls.append(1)
        gate.wait(5)
        return 7

    threads = [threading.Thread(target=lambda: results.append(once.get("a", make))) for _ in range(20)]
    for thread in threads:
        thread.start()
    assert not once.known("a")
    gate.set()
    for thread in threads:
        thread.join()
    assert (len(calls), results) == (1, [7] * 20)
    assert once.known("a")


def test_keys_are_independent() -> None:
    once: Once[int, int] = Once()
    assert [once.get(key, lambda key=key: key * 2) for key in (1, 2, 1)] == [2, 4, 2]  # type: ignore[misc]


def test_a_failure_is_shared_and_kept() -> None:
    once: Once[str, int] = Once()
    calls: list[int] = []

    def fail() -> int:
        calls.append(1)
        raise ValueError("no")

    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            once.get("a", fail)
    assert len(calls) == 1
