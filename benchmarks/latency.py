"""A TCP proxy on the loopback interface that makes a network of it: every byte is under way for half the round-trip time, and a
connection is there after one more. Bandwidth is not limited.
"""

import contextlib
import heapq
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

_READ = 256 * 1024
_TICK = 0.5


class _Flow:
    """One direction of a connection. ``under_way`` holds what was read with the time at which it is due; empty is the end."""

    def __init__(self, source: socket.socket, sink: socket.socket, not_before: float) -> None:
        self.source = source
        self.sink = sink
        self.not_before = not_before
        self.under_way: deque[tuple[float, memoryview]] = deque()
        self.has_ended = False


class Latency:
    """Proxies for the loopback ports ``targets``; ``ports`` are their own, in the same order. ``round_trip`` is in seconds."""

    def __init__(self, round_trip: float, targets: Sequence[int]) -> None:
        self._round_trip = round_trip
        self._listeners = {_listener(): target for target in targets}
        self.ports = [listener.getsockname()[1] for listener in self._listeners]
        self._flows: dict[socket.socket, _Flow] = {}
        self._blocked: dict[socket.socket, _Flow] = {}
        self._partners: dict[_Flow, _Flow] = {}
        self._timers: list[tuple[float, int, Callable[[_Flow], None], _Flow]] = []
        self._count = 0

    def run(self, owner: Connection) -> None:
        """Until the other end of ``owner`` is closed. `select`, as its timeouts are not rounded to milliseconds."""
        while True:
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                _, _, action, flow = heapq.heappop(self._timers)
                action(flow)
            wait = max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else _TICK
            readers: list[socket.socket | Connection] = [owner, *self._listeners, *self._flows]
            readable, writable, _ = select.select(readers, list(self._blocked), [], min(wait, _TICK))
            if owner in readable:
                return
            for sink in writable:
                if sink in self._blocked:
                    self._deliver(self._blocked.pop(sink))
            for source in readable:
                assert isinstance(source, socket.socket)
                if source in self._listeners:
                    self._accept(source, self._listeners[source])
                elif source in self._flows:
                    self._read(self._flows[source])

    def _accept(self, listener: socket.socket, target: int) -> None:
        client, _ = listener.accept()
        server = socket.create_connection(("127.0.0.1", target))
        for sock in (client, server):
            sock.settimeout(0)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The kernel accepts at once: the handshake's round trip is added to what the client sends first.
        there = _Flow(client, server, time.monotonic() + 1.5 * self._round_trip)
        back = _Flow(server, client, 0.0)
        self._flows |= {client: there, server: back}
        self._partners |= {there: back, back: there}

    def _read(self, flow: _Flow) -> None:
        try:
            data = flow.source.recv(_READ)
        except BlockingIOError:
            return
        except OSError:  # reset by its peer: an end like others
            data = b""
        if not data:
            del self._flows[flow.source]
        due = max(time.monotonic() + self._round_trip / 2, flow.not_before)
        flow.under_way.append((due, memoryview(data)))
        self._count += 1
        heapq.heappush(self._timers, (due, self._count, self._deliver, flow))

    def _deliver(self, flow: _Flow) -> None:
        while flow.under_way and flow.under_way[0][0] <= time.monotonic() and not flow.has_ended:
            due, data = flow.under_way.popleft()
            if not data:
                self._end(flow)
                return
            try:
                sent = flow.sink.send(data)
            except BlockingIOError:
                sent = 0
            except OSError:  # nobody listens any more
                self._end(flow)
                return
            if sent < len(data):
                flow.under_way.appendleft((due, data[sent:]))
                self._blocked[flow.sink] = flow
                return

    def _end(self, flow: _Flow) -> None:
        """Pass on that no more comes; close both sockets after the second end."""
        flow.has_ended = True
        flow.under_way.clear()
        partner = self._partners[flow]
        if not partner.has_ended:
            with contextlib.suppress(OSError):  # it is closed on both sides already
                flow.sink.shutdown(socket.SHUT_WR)
            return
        for sock in (flow.source, flow.sink):
            self._flows.pop(sock, None)
            self._blocked.pop(sock, None)
            sock.close()
        del self._partners[flow], self._partners[partner]


def run(connection: Connection, round_trip: float, targets: Sequence[int]) -> None:
    """A process of its own: tells its ports, and works until ``connection`` is closed."""
    proxy = Latency(round_trip, targets)
    connection.send(proxy.ports)
    proxy.run(connection)


def _listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    listener.settimeout(0)
    return listener
