"""The listener and the connections it has accepted: kept, looked at once a second, and closed at the end."""

import asyncio
import socket
from email.utils import formatdate

from allgate.http.protocol import Application, EdgeProtocol

LISTEN_BACKLOG = 2_048
"""Twice the connections that one process is measured with: a burst of reconnecting streams is not refused."""
SWEEP_S = 1.0


class EdgeServer:
    """Serves `application` on a bound socket, from `start` to `aclose`."""

    def __init__(self, application: Application, loop: asyncio.AbstractEventLoop) -> None:
        self.application = application
        self.loop = loop
        self.closing = False
        self.date_field = _date_field()
        self._connections: set[EdgeProtocol] = set()
        self._empty = asyncio.Event()
        self._listener: asyncio.Server | None = None

    async def start(self, bound: socket.socket) -> None:
        self._listener = await self.loop.create_server(
            lambda: EdgeProtocol(self), sock=bound, backlog=LISTEN_BACKLOG
        )

    async def sweep(self) -> None:
        """Look at the pace of every connection once a second, until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self.date_field = _date_field()
            now_s = self.loop.time()
            for connection in tuple(self._connections):
                connection.check_pace(now_s)

    def stop(self) -> None:
        """Accept nobody any more, and close what is idle; a request under way is its connection's last."""
        self.closing = True
        if self._listener is not None:
            self._listener.close()
        for connection in tuple(self._connections):
            connection.close_if_idle()

    async def aclose(self, grace_s: float) -> None:
        """Stop, wait up to `grace_s` for the last replies to leave, then cut."""
        self.stop()
        try:
            async with asyncio.timeout(grace_s):
                while self._connections:
                    self._empty.clear()
                    await self._empty.wait()
        except TimeoutError:
            for connection in tuple(self._connections):
                connection.transport.abort()

    def add(self, connection: EdgeProtocol) -> None:
        self._connections.add(connection)

    def discard(self, connection: EdgeProtocol) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()


def _date_field() -> bytes:
    return b"date: " + formatdate(usegmt=True).encode("ascii")
