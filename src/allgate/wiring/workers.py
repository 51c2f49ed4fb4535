"""Processes that decode what would hold the loop: behind `gateway.ports.Decoder`.

Reading 16 MB of JSON takes between 15 and 200 ms, in C calls that no other thread can interrupt. A process of its own
takes it off the loop, which only copies bytes there and values back (2 to 5 ms for a body of pictures; many thousand
turns cost more to take back than to copy, and are still three times cheaper). None is started before the first such body.

A worker ignores the terminal's interrupt, which is the gateway's to handle, and ends with the gateway however that ends.
"""

import asyncio
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from threading import Thread

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.dialects import CHAT_DIALECTS
from allgate.dialects.seals import SealBox
from allgate.operations.chat.request import ChatRequest
from allgate.wire.message import WireRequest

_DIED = Failure(
    kind=ErrorKind.OVERLOADED, message="The process that reads long requests has died. Please try again."
)

WORKERS_MAX = 2
"""Each may hold two copies of a body of 64 MB; more bodies than that wait."""


class DecodingWorkers:
    """See the module's essay."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    @property
    def started(self) -> bool:
        return self._pool is not None

    async def decode(self, dialect: str, wire: WireRequest, seals: SealBox) -> ChatRequest:
        """The request. Raises: WireError: what is wrong with it, or (OVERLOADED) that the worker died of it."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                WORKERS_MAX, mp_context=get_context("spawn"), initializer=_begin
            )  # never forked: the gateway has threads
        pool = self._pool
        try:
            answer = await asyncio.get_running_loop().run_in_executor(pool, _decode, dialect, wire, seals)
        except BrokenProcessPool as error:
            if self._pool is pool:
                self._pool = None
            raise WireError(_DIED) from error
        if isinstance(answer, Failure):
            raise WireError(answer)
        return answer

    def close(self) -> None:
        """End the workers; what they decode is not needed any more."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(0)


def _decode(dialect: str, wire: WireRequest, seals: SealBox) -> ChatRequest | Failure:
    """A failure is given back as a value: an exception of ours would lose it on its way between processes."""
    try:
        return CHAT_DIALECTS[dialect].decode_request(wire, seals)
    except WireError as error:
        return error.failure
