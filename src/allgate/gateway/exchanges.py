"""The exchanges under way: held strongly until each is over, ticked once a second, drained at shutdown.

One coarse ticker serves every stream, because a timer per stream, reset by every chunk, would cost more than the chunk.
"""

import asyncio

from allgate.core.errors import ErrorKind, Failure, refused
from allgate.gateway.exchange import Exchange, Leaving

TICK_S = 1.0
"""Keep-alives (15 s) and commits (10 s) need no finer clock."""


class Exchanges:
    """The registry. `admitting` is false once the process is asked to stop."""

    def __init__(self, *, commit_after_s: int, keep_alive_s: int, leaving: Leaving = "cancel") -> None:
        self._leaving: Leaving = leaving
        self._open: set[Exchange] = set()
        self._commit_after_ticks = max(1, round(commit_after_s / TICK_S))
        self._keep_alive_ticks = max(1, round(keep_alive_s / TICK_S))
        self._empty = asyncio.Event()
        self._empty.set()
        self.admitting = True

    def __len__(self) -> int:
        return len(self._open)

    def add(self, exchange: Exchange) -> None:
        exchange.leaving = self._leaving
        self._open.add(exchange)
        self._empty.clear()

    def discard(self, exchange: Exchange) -> None:
        self._open.discard(exchange)
        if not self._open:
            self._empty.set()

    async def idle(self) -> None:
        """Until no exchange is under way."""
        await self._empty.wait()

    def check_admitting(self) -> None:
        """Raises: Refused(OVERLOADED): the process is stopping."""
        if not self.admitting:
            raise refused(
                ErrorKind.OVERLOADED, "The gateway is restarting. Please try again.", code="draining"
            )

    def tick(self) -> None:
        """One second has passed."""
        for exchange in tuple(self._open):
            exchange.tick(self._commit_after_ticks, self._keep_alive_ticks)

    async def run_ticker(self) -> None:
        """Tick until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            self.tick()

    async def drain(self, drain_s: float) -> int:
        """Stop admitting, wait up to `drain_s` for what runs, then end it with an error. Returns how many were ended."""
        self.admitting = False
        try:
            async with asyncio.timeout(drain_s):
                await self.idle()
        except TimeoutError:
            pass
        left = tuple(self._open)
        stopping = Failure(kind=ErrorKind.OVERLOADED, message="The gateway is restarting. Please try again.")
        for exchange in left:
            exchange.cancel(stopping)
        return len(left)
