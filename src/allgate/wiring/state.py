"""What a serving process keeps: the directory, the ledger, the recorder, and the database below them.

`open_state` makes it from the settings, `close` ends it; both are for `build`, which adds the network. On the way up:
database, the file's rows, one snapshot, and what differs between one process and many (`embedded`, `shared`). On the way
down, the reverse, so that what waits is written.
"""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from allgate.admin.commands import Apply
from allgate.admin.rows import ConfigError
from allgate.core.secret import Secret
from allgate.storage.books import StoredBooks
from allgate.storage.config_store import read_number
from allgate.storage.connection import DatabaseRefused, WriterBusy
from allgate.storage.house_costs import HouseCosts, house_costs
from allgate.storage.request_log import RequestLog
from allgate.storage.response_store import StoredResponses
from allgate.storage.retention import Retention
from allgate.storage.sqlite.lock import Locked
from allgate.telemetry.loop_lag import LoopLag
from allgate.telemetry.metrics import Metrics
from allgate.telemetry.recorder import RequestRecorder
from allgate.wiring.audits import Audits
from allgate.wiring.backing import Backing, Gauges, KeptLedger, ledger_gauges
from allgate.wiring.configuration import Configuration, Done
from allgate.wiring.credentials import resolved
from allgate.wiring.database import Database, SqliteDatabase, served
from allgate.wiring.declared import declared_document
from allgate.wiring.directory import LiveDirectory
from allgate.wiring.embedded import embed
from allgate.wiring.expectations import Expectations
from allgate.wiring.listen import Listen
from allgate.wiring.registry import Snapshot, packaged_providers
from allgate.wiring.settings import Settings

_log = logging.getLogger("allgate.state")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All of it lives on one loop, but for the database's threads. `seal_keys` are for `dialects.seals.SealBox`."""

    backing: Backing
    books: StoredBooks
    responses: StoredResponses
    recorder: RequestRecorder
    metrics: Metrics
    loop_lag: LoopLag
    request_log: RequestLog
    database: Database
    audits: Audits
    expectations: Expectations
    house_costs: HouseCosts

    @property
    def directory(self) -> LiveDirectory:
        return self.backing.directory

    @property
    def ledger(self) -> KeptLedger:
        return self.backing.ledger

    @property
    def seal_keys(self) -> tuple[bytes, ...]:
        return self.backing.seal_keys

    async def ready(self) -> None:
        """Touch what a request would need, for `/readyz`. Raises: OSError: it cannot be reached."""
        try:
            await asyncio.wrap_future(self.database.writer.submit(read_number))
        except (sqlite3.Error, DatabaseRefused, WriterBusy) as error:
            raise OSError(f"the database cannot be read: {error}") from error

    async def close(self) -> None:
        """Write what waits, then let go."""
        self.loop_lag.stop()
        self.responses.stop()
        await self.audits.stop()
        await self.expectations.stop()
        await self.backing.stop()
        await self.backing.ledger.close()
        self.request_log.close()
        self.house_costs.close()
        await asyncio.to_thread(self.database.close)


async def open_state(settings: Settings) -> State:
    """Raises: ConfigError: a setting or a row that cannot be used, or the database is another process's."""
    try:
        database = served(settings)
    except Locked as error:
        raise ConfigError(
            "", "database.url", f"{error}; a SQLite database is served by one process"
        ) from error
    try:
        return await _with_database(settings, database)
    except BaseException:
        database.close()
        raise


async def _with_database(settings: Settings, database: Database) -> State:
    configuration = _configuration(settings, database)
    if settings.declared is not None:
        declared = declared_document(settings.declared, settings.folder, os.environ)
        _tell(configuration.run(Apply(declared=declared)))
    published = configuration.published()
    snapshot = configuration.snapshot(published)
    backing = await _backing(settings, database, configuration, snapshot)
    metrics, loop = Metrics(), asyncio.get_running_loop()
    log, kept = settings.request_log, settings.responses
    request_log = RequestLog(
        backing.write_lines, loop, flush_s=log.flush_s, queue_rows_max=log.queue_rows_max
    )
    Retention(database.writer, retain_days=log.retain_days).start(_now_ms())
    loop_lag = LoopLag(loop)
    loop_lag.start()
    responses = StoredResponses(
        database.writer,
        database.reader,
        hours=kept.keep_hours,
        bytes_max=kept.bytes_max,
        shared=not isinstance(database, SqliteDatabase),
    )
    responses.start(loop, _now_ms)
    costs = house_costs(database.writer, loop)
    recorder = RequestRecorder(metrics, request_log.append if log.enabled else None, costs.append)
    state = State(
        backing=backing,
        books=StoredBooks(database.writer, database.reader, request_log.flush),
        responses=responses,
        recorder=recorder,
        metrics=metrics,
        loop_lag=loop_lag,
        request_log=request_log,
        database=database,
        audits=Audits(database.reader, every_s=settings.ledger.audit_s),
        expectations=Expectations(backing.directory.sizes, recorder, database.reader),
        house_costs=costs,
    )
    await _expect(state)
    state.audits.show(metrics)
    state.audits.start()
    for name, kind, text, read in (*ledger_gauges(backing.ledger), *_gauges(state)):
        metrics.gauge(name, kind, text, partial(_one, read))
    return state


async def _expect(state: State) -> None:
    """Before the first request, if some group already holds what is expected."""
    directory, expectations = state.directory, state.expectations
    directory.on_expecting = expectations.begin
    if directory.expecting:
        await expectations.begin_now()


async def _backing(
    settings: Settings, database: Database, configuration: Configuration, snapshot: Snapshot
) -> Backing:
    if isinstance(database, SqliteDatabase):
        return await embed(settings, database, configuration, snapshot)
    from allgate.wiring.shared import share

    return await share(settings, database, configuration, snapshot)


def _configuration(settings: Settings, database: Database) -> Configuration:
    def resolve(reference: Secret, key: str) -> Secret:
        return resolved(reference, key, os.environ)

    loopback = Listen.parse(settings.server.listen).loopback
    return Configuration(database.writer, packaged_providers(), resolve, loopback=loopback)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _tell(done: Done) -> None:
    for change in done.changes:
        _log.info("applied", extra={"kind": change.kind, "table": change.table, "row": change.name})
    for remark in done.remarks:
        _log.warning(remark)


def _gauges(state: State) -> Gauges:
    log = state.request_log
    return (
        (
            "allgate_loop_lag_seconds_max",
            "gauge",
            "Largest delay of the loop since last read.",
            state.loop_lag.worst_s,
        ),
        ("allgate_request_log_waiting", "gauge", "Log rows not yet written.", lambda: log.waiting),
        ("allgate_request_log_lost_total", "counter", "Log rows not written.", lambda: log.lost_total),
        (
            "allgate_house_costs_lost_total",
            "counter",
            "Costs of the house that were not booked.",
            lambda: state.house_costs.lost_total,
        ),
        (
            "allgate_responses_unwritten_total",
            "counter",
            "Responses that could not be kept.",
            lambda: state.responses.unwritten_total,
        ),
        (
            "allgate_revision",
            "gauge",
            "The configuration in force.",
            lambda: state.directory.catalogue.revision,
        ),
    )


def _one(read: Callable[[], float]) -> list[tuple[dict[str, str], float]]:
    return [({}, read())]
