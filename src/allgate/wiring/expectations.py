"""Has answers measured while some group holds what is expected; nobody else pays for it.

From the first such group on every answer is counted, and what was answered before is read from the request log, in the
background: until it is there, some milliseconds, the worst case is held. An answer that ends in between may be counted
twice, which changes no percentile. Each node of many counts its own answers, on top of what all had logged before.
"""

import asyncio
import logging
from asyncio import Task

from allgate.billing.output_sizes import OutputSizes
from allgate.storage.connection import Jobs
from allgate.storage.output_sizes import read_output_sizes
from allgate.telemetry.recorder import RequestRecorder

_log = logging.getLogger("allgate.ledger")


class Expectations:
    """Lives on one loop. `sizes` are those that the directory answers from."""

    def __init__(self, sizes: OutputSizes, recorder: RequestRecorder, reader: Jobs) -> None:
        self._sizes = sizes
        self._recorder = recorder
        self._reader = reader
        self._reading: Task[None] | None = None

    def begin(self) -> None:
        """Some group holds what is expected. Does nothing the second time."""
        if self._recorder.sizes is None:
            self._recorder.sizes = self._sizes
            self._reading = asyncio.create_task(self.read_log(), name="output-sizes")

    async def begin_now(self) -> None:
        """The same; done when the log is read."""
        self.begin()
        if self._reading is not None:
            await asyncio.wait([self._reading])

    async def read_log(self) -> None:
        """Add what was answered before. A log that cannot be read leaves the worst case for longer, and says so."""
        try:
            self._sizes.add(await asyncio.wrap_future(self._reader.submit(read_output_sizes)))
        except Exception as error:
            _log.warning("the request log does not say how long answers are", extra={"error": repr(error)})

    async def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
