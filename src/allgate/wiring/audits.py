"""The books looked at again and again while a server runs: what `ledger verify` finds, as metrics.

Each audit adds up every transfer and compares it with the balances, in a reader's thread and in the database's own code, so
the loop goes on. Charges are not recomputed from their lines here: that is 40 µs of Python for each, and a command's work.
"""

import asyncio
import logging
import time
from asyncio import Task
from collections.abc import Callable
from functools import partial

from allgate.storage.audit import Audit, audit_balances
from allgate.storage.connection import Jobs
from allgate.telemetry.metrics import Metrics

_log = logging.getLogger("allgate.ledger")

SHOWN: tuple[tuple[str, str, Callable[[Audit, float], float]], ...] = (
    (
        "allgate_ledger_drift",
        "Things in the books that are not as they must be, at the last audit.",
        lambda found, _: found.drift_count,
    ),
    (
        "allgate_ledger_uncollected_nano_usd",
        "Used beyond balances that could not cover it, ever.",
        lambda found, _: found.uncollected_nano_usd,
    ),
    (
        "allgate_ledger_unanswered_nano_usd",
        "What attempts that nobody answered may have cost, ever, estimated.",
        lambda found, _: found.unanswered_nano_usd,
    ),
    (
        "allgate_ledger_audited_timestamp_seconds",
        "When the books were last audited.",
        lambda _, at_s: at_s,
    ),
)


class Audits:
    """From `start` to `stop`, every `every_s` seconds (0: never). `last` is the newest audit, at `last_s`."""

    def __init__(self, reader: Jobs, *, every_s: float) -> None:
        self._reader = reader
        self._every_s = every_s
        self._task: Task[None] | None = None
        self.last: Audit | None = None
        self.last_s = 0.0
        self.failed = 0

    def start(self) -> None:
        """Audit now, and then again and again."""
        if self._every_s:
            self._task = asyncio.create_task(self._run(), name="audits")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def audit(self) -> None:
        """Look once. A database that cannot be read is no drift: it is counted."""
        try:
            found = await asyncio.wrap_future(self._reader.submit(audit_balances))
        except Exception as error:
            self.failed += 1
            _log.warning("the books could not be audited", extra={"error": repr(error)})
            return
        self.last, self.last_s = found, time.time()
        for drift in found.drifts:
            _log.error(
                "the books are not as they must be",
                extra={
                    "what": drift.what,
                    "where": drift.where,
                    "kept": drift.kept,
                    "must_be": drift.must_be,
                },
            )

    def show(self, metrics: Metrics) -> None:
        """Nothing is shown before the first audit."""
        for name, text, read in SHOWN:
            metrics.gauge(name, "gauge", text, partial(self._read, read))
        metrics.gauge(
            "allgate_ledger_audits_failed_total",
            "counter",
            "Audits for which the database could not be read.",
            lambda: [({}, self.failed)],
        )

    def _read(self, read: Callable[[Audit, float], float]) -> list[tuple[dict[str, str], float]]:
        return [] if self.last is None else [({}, read(self.last, self.last_s))]

    async def _run(self) -> None:
        while True:
            await self.audit()
            await asyncio.sleep(self._every_s)
