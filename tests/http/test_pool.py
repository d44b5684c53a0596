"""Pools of threads."""

import subprocess
import sys

LOADED = "import sys; from cove.http.pool import pool\nwith pool(1, 'x') as threads: print('pyreqwest' in sys.modules)"


def test_the_http_library_is_loaded_by_the_thread_that_stays() -> None:
    """Where a thread of the pool is the first to need it, the process crashes after that thread has ended."""
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
