"""How a node of many learns of a new configuration, and that the database is gone (ruling 22).

It asks for the number of the revision twice a second: a key that is disabled anywhere is refused here within one. When
the number has changed it reads the document, builds the snapshot in a thread, and swaps it in whole. One that cannot be
served here (a credential's file is missing on this machine) is logged, and the old one stays.

The same question tells whether the database is there. The directory is told, and decides for how long it believes
what it knows.
"""

import asyncio
import logging
from collections.abc import Callable

from allgate.admin.rows import ConfigError
from allgate.billing.budgets import BudgetPlan
from allgate.storage.config_store import Published, read_number, read_published
from allgate.storage.connection import Connection, DatabaseGone, DatabaseRefused, Jobs, WriterBusy
from allgate.wiring.directory import SharedDirectory
from allgate.wiring.registry import Snapshot

POLL_S = 0.5
"""Twice a second: a change is in force within one on every node, and costs the database two look-ups of a row."""

ANSWER_S_MAX = 1.0
"""A database that needs longer for one row is gone."""

_log = logging.getLogger("allgate.watch")


class RevisionWatch:
    """`start` on the loop, after the directory has its first snapshot; `stop` ends it. `jobs` are its own, and impatient. `limit`
    has budgets in force, before anybody whom they are for is let in."""

    def __init__(
        self,
        jobs: Jobs,
        directory: SharedDirectory,
        snapshot: Callable[[Published], Snapshot],
        limit: Callable[[BudgetPlan], None],
    ) -> None:
        self._jobs = jobs
        self._directory = directory
        self._snapshot = snapshot
        self._limit = limit
        self._number = directory.catalogue.revision
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="revision-watch")

    async def stop(self) -> None:
        """Disconnects, too."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await asyncio.to_thread(self._jobs.close)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            await self.look()

    async def look(self) -> None:
        """Ask once, and do what the answer wants."""
        try:
            async with asyncio.timeout(ANSWER_S_MAX):
                number = await asyncio.wrap_future(self._jobs.submit(read_number))
        except (DatabaseGone, DatabaseRefused, WriterBusy, TimeoutError) as error:
            if self._directory.lose():
                _log.error(
                    "the database is gone: keys are believed for a while", extra={"error": repr(error)}
                )
            return
        if self._directory.find():
            _log.warning("the database is back")
        if number != self._number:
            await self._change()

    async def _change(self) -> None:
        try:
            number, served = await asyncio.wrap_future(self._jobs.submit(self._read))
        except (DatabaseGone, DatabaseRefused, WriterBusy) as error:
            _log.warning("a new configuration could not be read yet", extra={"error": repr(error)})
            return
        self._number = number
        if isinstance(served, ConfigError):
            _log.error(
                "a new configuration cannot be served here; the old one stays", extra={"error": str(served)}
            )
            return
        self._limit(served.budgets)
        self._directory.swap(served)
        _log.info("configuration changed", extra={"revision": number, "models": len(served.catalogue.models)})

    def _read(self, connection: Connection) -> tuple[int, Snapshot | ConfigError]:
        """A job: in the thread, because ten thousand keys take a tenth of a second."""
        published = read_published(connection)
        try:
            return published.number, self._snapshot(published)
        except ConfigError as error:
            return published.number, error
