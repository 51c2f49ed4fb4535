"""What stands on SQLite: one process, whose memory is never behind its database.

The ledger decides in memory. Commands come over the control socket and run here, so a change is swapped in, and money
credited, by whoever wrote it: nobody has to look for changes.
"""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable

from allgate.admin.commands import TopUp
from allgate.admin.rows import ConfigError
from allgate.storage.request_log import WriteLines
from allgate.storage.sqlite.ledger import SqliteLedger
from allgate.storage.sqlite.lines import to_sqlite
from allgate.wiring.budgets import BudgetKeeper
from allgate.wiring.configuration import Configuration
from allgate.wiring.control import ControlServer
from allgate.wiring.corrections import BookPurse
from allgate.wiring.database import SqliteDatabase
from allgate.wiring.directory import LiveDirectory
from allgate.wiring.master_key import master_keys
from allgate.wiring.orders import OperatorOrders
from allgate.wiring.outbox import open_outbox
from allgate.wiring.registry import Snapshot
from allgate.wiring.settings import Settings

_log = logging.getLogger("allgate.state")


class Embedded:
    """A `wiring.backing.Backing`."""

    def __init__(
        self,
        directory: LiveDirectory,
        ledger: SqliteLedger,
        control: ControlServer,
        seal_keys: tuple[bytes, ...],
        write_lines: WriteLines,
    ) -> None:
        self.directory = directory
        self.ledger = ledger
        self.control = control
        self.seal_keys = seal_keys
        self.write_lines = write_lines

    async def stop(self) -> None:
        """Take no more commands."""
        await self.control.close()


async def embed(
    settings: Settings, database: SqliteDatabase, configuration: Configuration, served: Snapshot
) -> Embedded:
    """Raises: ConfigError."""
    keys = master_keys(settings.secrets, database.path.parent, os.environ, settings.folder)
    ledger = await _ledger(settings, database)
    directory = LiveDirectory(served)
    budgets = BudgetKeeper(ledger.book, ledger.flush, database.writer, _now_ms)
    await budgets.bring_in(served.budgets)
    _swap_when_published(configuration, directory, ledger, budgets)
    purse = BookPurse(ledger.book, asyncio.get_running_loop())
    orders = OperatorOrders(configuration, database.writer, _credited(ledger), purse)
    control = ControlServer(orders, database.path)
    await control.start()
    database.lock.tell(str(control.path))
    return Embedded(directory, ledger, control, keys, to_sqlite(database.writer))


async def _ledger(settings: Settings, database: SqliteDatabase) -> SqliteLedger:
    outbox = open_outbox(settings, database.path)
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
        outbox.close()
        raise ConfigError("", "database.url", f"{database.path}: {error}") from error
    return ledger


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


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
