"""What a serving process keeps: the directory, the ledger, the recorder, and the database below them.

`open_state` makes it from the settings, `close` ends it; both are for `build`, which adds the network. On the way up:
lock, schema, the file's rows, one snapshot. On the way down, the reverse, so that what waits is written.
"""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from allgate.admin.commands import Apply, TopUp
from allgate.admin.rows import ConfigError
from allgate.core.secret import Secret
from allgate.storage.books import SqliteBooks
from allgate.storage.config_store import read_number
from allgate.storage.lock import Locked
from allgate.storage.outbox import Outbox
from allgate.storage.request_log import RequestLog
from allgate.storage.response_store import SqliteResponses
from allgate.storage.retention import Retention
from allgate.storage.sqlite_ledger import SqliteLedger
from allgate.storage.writer import WriterBusy
from allgate.telemetry.loop_lag import LoopLag
from allgate.telemetry.metrics import Metrics
from allgate.telemetry.recorder import RequestRecorder
from allgate.wiring.budgets import BudgetKeeper
from allgate.wiring.configuration import Configuration, Done
from allgate.wiring.control import ControlServer
from allgate.wiring.credentials import resolved
from allgate.wiring.database import Database, database_path
from allgate.wiring.declared import declared_document
from allgate.wiring.directory import LiveDirectory
from allgate.wiring.listen import Listen
from allgate.wiring.master_key import master_keys
from allgate.wiring.orders import OperatorOrders
from allgate.wiring.outbox import open_outbox
from allgate.wiring.registry import Snapshot, packaged_providers
from allgate.wiring.settings import Settings

_log = logging.getLogger("allgate.state")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """All of it lives on one loop, but for the database's thread. `seal_keys` are for `dialects.seals.SealBox`."""

    directory: LiveDirectory
    ledger: SqliteLedger
    books: SqliteBooks
    responses: SqliteResponses
    recorder: RequestRecorder
    metrics: Metrics
    loop_lag: LoopLag
    seal_keys: tuple[bytes, ...]
    request_log: RequestLog
    control: ControlServer
    database: Database

    async def ready(self) -> None:
        """Touch what a request would need, for `/readyz`. Raises: OSError: it cannot be reached."""
        try:
            await asyncio.wrap_future(self.database.writer.submit(read_number))
        except (sqlite3.Error, WriterBusy) as error:
            raise OSError(f"the database cannot be read: {error}") from error

    async def close(self) -> None:
        """Write what waits, then let go."""
        self.loop_lag.stop()
        self.responses.stop()
        await self.control.close()
        await self.ledger.close()
        self.request_log.close()
        await asyncio.to_thread(self.database.close)


async def open_state(settings: Settings) -> State:
    """Raises: ConfigError: a setting or a row that cannot be used, or the database is another process's."""
    try:
        database = Database(database_path(settings))
    except Locked as error:
        raise ConfigError(
            "", "database.url", f"{error}; a SQLite database is served by one process"
        ) from error
    try:
        outbox = open_outbox(settings, database.path)
        try:
            return await _with_database(settings, database, outbox)
        except BaseException:
            outbox.close()
            raise
    except BaseException:
        database.close()
        raise


async def _with_database(settings: Settings, database: Database, outbox: Outbox) -> State:
    configuration = _configuration(settings, database)
    if settings.declared is not None:
        declared = declared_document(settings.declared, settings.folder, os.environ)
        _tell(configuration.run(Apply(declared=declared)))
    published = configuration.published()
    served = configuration.snapshot(published)
    directory, ledger, metrics = LiveDirectory(served), await _ledger(settings, database, outbox), Metrics()
    budgets = BudgetKeeper(ledger.book, ledger.flush, database.writer, _now_ms)
    await budgets.bring_in(served.budgets)
    _swap_when_published(configuration, directory, ledger, budgets)
    orders = OperatorOrders(configuration, database.writer, _credited(ledger))
    control = ControlServer(orders, database.path)
    await control.start()
    database.lock.tell(str(control.path))
    log = settings.request_log
    request_log = RequestLog(
        database.writer,
        asyncio.get_running_loop(),
        flush_s=log.flush_s,
        queue_rows_max=log.queue_rows_max,
    )
    accounts = tuple(published.document.accounts)
    Retention(database.writer, retain_days=log.retain_days).start(accounts, _now_ms())
    loop_lag = LoopLag(asyncio.get_running_loop())
    loop_lag.start()
    kept = settings.responses
    responses = SqliteResponses(
        database.path, database.writer, hours=kept.keep_hours, bytes_max=kept.bytes_max
    )
    responses.start(asyncio.get_running_loop(), _now_ms)
    _show(metrics, ledger, loop_lag, request_log, directory)
    metrics.gauge(
        "allgate_responses_unwritten_total",
        "counter",
        "Responses that could not be kept.",
        partial(_one, lambda: responses.unwritten_total),
    )
    return State(
        directory=directory,
        ledger=ledger,
        books=SqliteBooks(database.path, database.writer, request_log.flush),
        responses=responses,
        recorder=RequestRecorder(metrics, request_log.append if log.enabled else None),
        metrics=metrics,
        loop_lag=loop_lag,
        seal_keys=master_keys(settings.secrets, database.path.parent, os.environ, settings.folder),
        request_log=request_log,
        control=control,
        database=database,
    )


def _configuration(settings: Settings, database: Database) -> Configuration:
    def resolve(reference: Secret, key: str) -> Secret:
        return resolved(reference, key, os.environ)

    loopback = Listen.parse(settings.server.listen).loopback
    return Configuration(database.writer, packaged_providers(), resolve, loopback=loopback)


def _swap_when_published(
    configuration: Configuration, directory: LiveDirectory, ledger: SqliteLedger, budgets: BudgetKeeper
) -> None:
    """Commands run in threads; what they publish is swapped in on the loop."""
    loop = asyncio.get_running_loop()

    def swap(served: Snapshot) -> None:
        _grant(ledger, served)
        budgets.begin(served.budgets)
        directory.swap(served)
        catalogue = served.catalogue
        _log.info(
            "configuration changed", extra={"revision": catalogue.revision, "models": len(catalogue.models)}
        )

    def publish(served: Snapshot) -> None:
        loop.call_soon_threadsafe(swap, served)

    configuration.on_published = publish


async def _ledger(settings: Settings, database: Database, outbox: Outbox) -> SqliteLedger:
    ledger = SqliteLedger(
        database.writer,
        asyncio.get_running_loop(),
        _now_ms,
        strict=settings.ledger.durability == "strict",
        keep_lines=settings.request_log.enabled,
        outbox=outbox,
        commit_wait_s=settings.ledger.commit_wait_s,
    )
    try:
        await ledger.load()
    except sqlite3.Error as error:
        raise ConfigError("", "database.url", f"{database.path}: {error}") from error
    return ledger


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _grant(ledger: SqliteLedger, served: Snapshot) -> None:
    """Accounts that were opened since the ledger was loaded: the database granted them when it published them."""
    for account, amount in served.grants_nano_usd.items():
        ledger.book.grant_once(account, amount)


def _credited(ledger: SqliteLedger) -> Callable[[TopUp], None]:
    """Top-ups run in threads; the book hears of them on the loop, when they are durable."""
    loop = asyncio.get_running_loop()

    def credit(order: TopUp) -> None:
        loop.call_soon_threadsafe(ledger.book.credit, order.account, order.amount_nano_usd)
        _log.info("topped up", extra={"account": order.account, "amount_nano_usd": order.amount_nano_usd})

    return credit


def _tell(done: Done) -> None:
    for change in done.changes:
        _log.info("applied", extra={"kind": change.kind, "table": change.table, "row": change.name})
    for remark in done.remarks:
        _log.warning(remark)


def _show(
    metrics: Metrics,
    ledger: SqliteLedger,
    loop_lag: LoopLag,
    request_log: RequestLog,
    directory: LiveDirectory,
) -> None:
    gauges: tuple[tuple[str, str, str, Callable[[], float]], ...] = (
        (
            "allgate_loop_lag_seconds_max",
            "gauge",
            "Largest delay of the loop since last read.",
            loop_lag.worst_s,
        ),
        ("allgate_holds_open", "gauge", "Holds that have not ended.", lambda: ledger.book.open_count),
        ("allgate_charges_waiting", "gauge", "Charges not yet durable.", lambda: ledger.waiting),
        (
            "allgate_outbox_charges",
            "gauge",
            "Charges that only the outbox keeps.",
            lambda: ledger.commit.outbox_depth,
        ),
        (
            "allgate_database_gone",
            "gauge",
            "1: the database takes no charges, and nobody is admitted.",
            lambda: ledger.commit.gone,
        ),
        ("allgate_request_log_waiting", "gauge", "Log rows not yet written.", lambda: request_log.waiting),
        (
            "allgate_request_log_lost_total",
            "counter",
            "Log rows not written.",
            lambda: request_log.lost_total,
        ),
        ("allgate_revision", "gauge", "The configuration in force.", lambda: directory.catalogue.revision),
    )
    for name, kind, text, read in gauges:
        metrics.gauge(name, kind, text, partial(_one, read))


def _one(read: Callable[[], float]) -> list[tuple[dict[str, str], float]]:
    return [({}, read())]
