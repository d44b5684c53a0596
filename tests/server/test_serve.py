import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cove.errors import ConfigurationError
from cove.model.url import Url
from cove.server.serve import RunningIndex, serve
from support.browser import ask

SERVING = """
import sys
from pathlib import Path
from cove.server.serve import serve
serve(Path(sys.argv[1]), port=0, on_ready=lambda url: print(url.public, flush=True))
print("ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_in_order_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVING, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert ask(f"{url}simple/").status == 200
        os.kill(process.pid, number)
        assert process.stdout.read() == "ended\n"
        assert process.wait(10) == 0


def test_a_port_that_is_taken_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(ConfigurationError, match="cannot listen"):
        serve(tmp_path, port=other.getsockname()[1], on_ready=lambda url: None)


def test_many_indexes_run_at_once_and_end(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    indexes = [RunningIndex(tmp_path / str(number)) for number in range(4)]
    assert len({index.url for index in indexes}) == 4
    for index in indexes:
        assert ask(index.simple_url.public).status == 200
        index.close()
        index.close()
        with pytest.raises(OSError, match=r".*"):
            ask(index.simple_url.public)
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name == "cove-index"]


def test_addresses(tmp_path: Path) -> None:
    with RunningIndex(tmp_path) as index:
        assert index.url == Url.parse(f"http://127.0.0.1:{index.url.realm[2]}/")
        assert index.simple_url == index.url.join("simple/")
