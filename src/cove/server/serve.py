"""Running the embedded index: until a signal for people, in a background thread for tests and the demonstration."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self

from granian.constants import Interfaces
from granian.server.embed import Server

from cove.errors import ConfigurationError
from cove.model.secret import Secret
from cove.model.url import Url
from cove.server.accounts import Account, Accounts, hash_password
from cove.server.app import create_app
from cove.server.gate import OnRequest, Seen
from cove.server.receive import MAX_SIZE
from cove.server.store import Store

_START_LIMIT = 10.0


def serve(
    root: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8414,
    accounts: Iterable[Account] | None = None,
    anonymous_read: bool = False,
    overwrite: bool = False,
    max_size: int = MAX_SIZE,
    on_ready: Callable[[Url], None],
    on_request: OnRequest | None = None,
) -> None:
    """Serve the folder ``root`` until SIGINT or SIGTERM; ``port`` 0 takes a free one. Call it from the main thread.

    ``accounts`` ``None`` lets everyone do everything; ``on_ready`` gets the index's address when requests are answered.
    Raises ``ConfigurationError`` when the folder or the address cannot be used.
    """
    store = Store(root, overwrite=overwrite)
    app = create_app(
        store,
        None if accounts is None else Accounts(accounts),
        anonymous_read=anonymous_read,
        max_size=max_size,
        on_request=on_request,
    )
    with _reserved(host, port) as reserved:
        server = _server(app, host, reserved)

        async def run() -> None:
            loop = asyncio.get_running_loop()
            serving = asyncio.ensure_future(server.serve())
            with _stopping(loop, server):
                await _answering(host, reserved, serving)
                on_ready(_address(host, reserved))
                await serving

        with asyncio.Runner() as runner:
            runner.run(run())


class RunningIndex:
    """The embedded index on a free loopback port, answered by a background thread, for the length of a ``with`` block.

    ``users`` maps user names to passwords; all of them may publish, ``readers`` may only read. Without either the index is
    open to everyone.
    """

    def __init__(
        self,
        root: Path,
        users: dict[str, Secret] | None = None,
        *,
        readers: dict[str, Secret] | None = None,
        anonymous_read: bool = False,
        overwrite: bool = False,
        max_size: int = MAX_SIZE,
    ) -> None:
        self.store = Store(root, overwrite=overwrite)
        self.requests: list[Seen] = []
        """Every answered request, in order of the answers."""
        accounts = [Account(name, hash_password(password), may_upload=True) for name, password in (users or {}).items()]
        accounts += [Account(name, hash_password(password)) for name, password in (readers or {}).items()]
        app = create_app(
            self.store,
            Accounts(accounts) if accounts else None,
            anonymous_read=anonymous_read,
            max_size=max_size,
            on_request=self.requests.append,
        )
        self._exit = contextlib.ExitStack()
        host = "127.0.0.1"
        port = self._exit.enter_context(_reserved(host, 0))
        self._server = _server(app, host, port)
        self._loop = asyncio.new_event_loop()
        self._started: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, args=(host, port), name="cove-index", daemon=True)
        self._thread.start()
        try:
            self._started.result()
        except BaseException:
            self.close()
            raise
        self.url = _address(host, port)
        """The root, without credentials: ``http://127.0.0.1:PORT/``."""
        self.simple_url = self.url.join("simple/")
        self.upload_url = self.url.join("legacy/")

    def close(self) -> None:
        """Stop answering and wait until the thread has ended; harmless when called again."""
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server ended by itself
                self._loop.call_soon_threadsafe(self._server.stop)
            self._thread.join()
        self._exit.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, host: str, port: int) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._main(host, port))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for the start
            if not self._started.done():
                self._started.set_exception(error)
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _main(self, host: str, port: int) -> None:
        serving = asyncio.ensure_future(self._server.serve())
        await _answering(host, port, serving)
        self._started.set_result(None)
        await serving


def _server(app: object, host: str, port: int) -> Server:
    logging.getLogger("_granian").propagate = False
    return Server(
        app,
        host,
        port,
        interface=Interfaces.ASGINL,  # no lifespan events: the index has nothing to start or stop
        websockets=False,
        log_enabled=False,
    )


@contextlib.contextmanager
def _reserved(host: str, port: int) -> Iterator[int]:
    """A port that nobody else has, kept until the block ends so that nobody gets it before the server does."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        _refuse_busy(family, host, port)
        holder = socket.socket(family)
        with holder:
            if sys.platform != "win32":
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind((host, port))
            free = holder.getsockname()[1]
            if sys.platform != "linux":
                holder.close()  # elsewhere the server cannot share a bound port
            yield free
    except OSError as error:
        raise ConfigurationError(
            f"the index cannot listen on {host} port {port}",
            causes=(error.strerror or str(error),),
            hints=("choose another port, or port 0 for a free one",),
        ) from error


def _refuse_busy(family: socket.AddressFamily, host: str, port: int) -> None:
    """Raise ``OSError`` when someone listens there: sharing the port with them would succeed, and go wrong quietly."""
    if port:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))


async def _answering(host: str, port: int, serving: "asyncio.Future[None]") -> None:
    """Return when the server accepts connections; raises what the server raised, or ``TimeoutError``."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    async with asyncio.timeout(_START_LIMIT):
        while True:
            if serving.done():
                serving.result()
                raise ConfigurationError("the index stopped before it answered")
            try:
                _, writer = await asyncio.open_connection(target, port)
            except OSError:
                await asyncio.sleep(0.005)
                continue
            writer.close()
            await writer.wait_closed()
            return


@contextlib.contextmanager
def _stopping(loop: asyncio.AbstractEventLoop, server: Server) -> Iterator[None]:
    """SIGINT and SIGTERM stop the server, for the length of the block."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(server.stop))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _address(host: str, port: int) -> Url:
    shown = f"[{host}]" if ":" in host else host
    return Url.parse(f"http://{shown}:{port}/")
