"""A simulator on a thread with a loop of its own, for callers that block: the vendors' synchronous SDKs, mostly.

with in_thread.running() as simulator:
    client = OpenAI(base_url=f"{simulator.url}/v1", api_key="sk-test")
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvloop

from allgate.simulator.ledger import Ledger, Line
from allgate.simulator.server import SECRET, Simulator, start

STARTED_S_MAX = 10
"""Seconds to start or to stop: a hundred times what it takes."""


class ThreadedSimulator:
    """The same words as `Simulator`, callable from any thread; `wait_for` blocks."""

    def __init__(self, simulator: Simulator, loop: asyncio.AbstractEventLoop) -> None:
        self._simulator = simulator
        self._loop = loop
        self.url, self.port = simulator.url, simulator.port

    @property
    def ledger(self) -> Ledger:
        """Read it when nothing is on its way: after `wait_for(lambda line: line.done)`."""
        return self._simulator.ledger

    @property
    def open_connections(self) -> int:
        """Connections that are open now."""
        return self._simulator.open_connections

    def script(self, *scenes: str) -> None:
        """Queue scenes, each for one request to come."""

        async def queue() -> None:
            self._simulator.script(*scenes)

        asyncio.run_coroutine_threadsafe(queue(), self._loop).result(STARTED_S_MAX)

    def release(self, name: str) -> None:
        """Let every request go on that waits at `hold=name`, now and later."""
        self._loop.call_soon_threadsafe(self._simulator.release, name)

    def wait_for(self, wanted: Callable[[Line], bool], timeout_s: float = 10) -> Line:
        """The first ledger line, kept or to come, for which `wanted` is true. Raises: TimeoutError."""
        waiting = self._simulator.wait_for(wanted, timeout_s)
        return asyncio.run_coroutine_threadsafe(waiting, self._loop).result(timeout_s + STARTED_S_MAX)


@contextmanager
def running(*, secret: bytes = SECRET, tls: ssl.SSLContext | None = None) -> Generator[ThreadedSimulator]:
    """A simulator for the length of a with block. Raises at its end what the simulator itself crashed with."""
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="simulator", daemon=True)
    thread.start()
    try:
        simulator = asyncio.run_coroutine_threadsafe(start(secret=secret, tls=tls), loop).result(
            STARTED_S_MAX
        )
        yield ThreadedSimulator(simulator, loop)
        asyncio.run_coroutine_threadsafe(simulator.close(), loop).result(STARTED_S_MAX)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STARTED_S_MAX)
        loop.close()
