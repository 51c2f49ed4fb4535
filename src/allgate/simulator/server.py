"""The simulator as a server: started inside a test on a loopback socket, or on its own by `allgate simulate`.

    async with await start() as simulator:
        base_url = f"http://127.0.0.1:{simulator.port}/v1"
        …
        line = await simulator.wait_for(lambda line: line.done)

"In process" still means a real socket: the caller's HTTP stack is always part of what is tested.
"""

import asyncio
import signal
import ssl
from collections.abc import Callable
from types import TracebackType

import uvloop

from allgate.simulator.connection import Connection
from allgate.simulator.desk import Desk
from allgate.simulator.ledger import Ledger, Line

SECRET = b"the simulator's own signing key"
"""Signs thinking blocks and the like. Give two simulators different ones, and each refuses the other's."""

BACKLOG = 4096
"""Connections that may wait to be accepted: 1,024 streams start at once in the load tests."""


class Simulator:
    """A running simulator. Close it, or use it as an async context manager."""

    def __init__(self, desk: Desk, server: asyncio.Server, connections: set[Connection], scheme: str) -> None:
        self._desk = desk
        self._server = server
        self._connections = connections
        self._scheme = scheme
        self.host, self.port = server.sockets[0].getsockname()[:2]

    @property
    def ledger(self) -> Ledger:
        """What was served."""
        return self._desk.ledger

    @property
    def url(self) -> str:
        """`http://host:port` (or https), without a path."""
        return f"{self._scheme}://{self.host}:{self.port}"

    @property
    def open_connections(self) -> int:
        """Connections that are open now."""
        return len(self._connections)

    def script(self, *scenes: str) -> None:
        """Queue scenes: each is played by one request to come, in order, whatever that request says for itself."""
        self._desk.script(*scenes)

    def release(self, name: str) -> None:
        """Let every request go on that waits at `hold=name`, now and later."""
        self._desk.held(name).set()

    async def wait_for(self, wanted: Callable[[Line], bool], timeout_s: float = 10) -> Line:
        """The first ledger line, kept or to come, for which `wanted` is true. Raises: TimeoutError."""
        return await self._desk.ledger.wait_for(wanted, timeout_s)

    async def close(self) -> None:
        """Stop listening and reset what is open. Raises: what the simulator itself crashed with, if it did."""
        self._server.close()
        for connection in tuple(self._connections):
            connection.end("reset")
            await connection.gone()
        await self._server.wait_closed()
        if self._desk.crashes:
            raise self._desk.crashes[0]

    async def __aenter__(self) -> "Simulator":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def start(
    host: str = "127.0.0.1", port: int = 0, *, secret: bytes = SECRET, tls: ssl.SSLContext | None = None
) -> Simulator:
    """A simulator that listens; port 0 takes a free one. Raises: OSError: the address is taken."""
    desk = Desk(secret)
    connections: set[Connection] = set()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Connection(desk, connections), host, port, backlog=BACKLOG, ssl=tls
    )
    return Simulator(desk, server, connections, "https" if tls else "http")


async def serve(host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; one line says when it is ready."""
    simulator = await start(host, port)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    print(f"allgate simulator: listening on {simulator.url}", flush=True)  # noqa: T201  the one line it says
    await stopped.wait()
    await simulator.close()


def run(port: int, host: str = "127.0.0.1") -> None:
    """Serve until SIGINT or SIGTERM, blocking."""
    uvloop.run(serve(host, port))
