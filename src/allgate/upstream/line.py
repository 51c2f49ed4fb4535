"""A socket before it speaks HTTP: keeps what it hears, and is asked for it."""

import asyncio
from typing import cast


class Line(asyncio.Protocol):
    """Holds a transport until `Dialer` hands it to a `Connection`.

    `received`: what came so far; `lost`: the connection has ended.
    """

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.received = b""
        self.lost = False
        self._waiter: asyncio.Future[None] | None = None

    async def read_until(self, ending: bytes, bytes_max: int) -> bytes:
        """What came up to and with `ending`; what follows stays. Raises: ConnectionError: it ended, or is too long."""
        while ending not in self.received:
            if self.lost:
                raise ConnectionError("the connection ended")
            if len(self.received) > bytes_max:
                raise ConnectionError(f"more than {bytes_max} bytes")
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        text, _, self.received = self.received.partition(ending)
        return text + ending

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop passes it
        self.lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
