"""What stands on PostgreSQL: one node of many, none of which knows more than the database.

The ledger leases money from the database. Commands are written there by the command line; a watch sees the new
revision and swaps it in. What all nodes must agree on and none can make for the others is configured: the master key.
"""

import asyncio
import os
import re
import socket
import time

from allgate.admin.rows import ConfigError
from allgate.storage.connection import DatabaseGone, DatabaseRefused
from allgate.storage.postgres.jobs import PostgresThread
from allgate.storage.postgres.ledger import PostgresLedger
from allgate.storage.postgres.lines import to_postgres
from allgate.storage.request_log import WriteLines
from allgate.wiring.configuration import Configuration
from allgate.wiring.database import PostgresDatabase, postgres_name
from allgate.wiring.directory import SharedDirectory
from allgate.wiring.master_key import master_keys
from allgate.wiring.outbox import open_outbox
from allgate.wiring.registry import Snapshot
from allgate.wiring.settings import Settings
from allgate.wiring.shared_budgets import SharedBudgets
from allgate.wiring.watch import ANSWER_S_MAX, RevisionWatch


class Shared:
    """A `wiring.backing.Backing`."""

    def __init__(
        self,
        directory: SharedDirectory,
        ledger: PostgresLedger,
        budgets: SharedBudgets,
        watch: RevisionWatch,
        seal_keys: tuple[bytes, ...],
        write_lines: WriteLines,
    ) -> None:
        self.directory = directory
        self.ledger = ledger
        self.budgets = budgets
        self.watch = watch
        self.seal_keys = seal_keys
        self.write_lines = write_lines

    async def stop(self) -> None:
        """Look for no more changes."""
        await self.watch.stop()
        await self.budgets.stop()


async def share(
    settings: Settings, database: PostgresDatabase, configuration: Configuration, served: Snapshot
) -> Shared:
    """Raises: ConfigError."""
    keys = master_keys(settings.secrets, None, os.environ, settings.folder)
    directory = SharedDirectory(served)
    ledger = await _ledger(settings, database)
    budgets = SharedBudgets(ledger, database.writer, _now_ms)
    budgets.put_in_force(served.budgets)
    await _read(budgets, database)
    jobs = PostgresThread(database.url, reading=True, statement_s_max=ANSWER_S_MAX)
    watch = RevisionWatch(jobs, directory, configuration.snapshot, budgets.begin)
    watch.start()
    return Shared(directory, ledger, budgets, watch, keys, to_postgres(database.writer))


async def _ledger(settings: Settings, database: PostgresDatabase) -> PostgresLedger:
    node = _node(settings)
    outbox = open_outbox(settings, settings.folder / f"allgate-{node}")
    ledger = PostgresLedger(
        database.url,
        f"{socket.gethostname()} {node}",
        asyncio.get_running_loop(),
        _now_ms,
        strict=settings.ledger.durability == "strict",
        keep_lines=settings.request_log.enabled,
        outbox=outbox,
        commit_wait_s=settings.ledger.commit_wait_s,
        lease_s=settings.ledger.lease_s,
    )
    try:
        await ledger.open()
    except (DatabaseGone, DatabaseRefused) as error:
        outbox.close()
        raise ConfigError("", "database.url", f"{postgres_name(database.url)}: {error}") from error
    return ledger


async def _read(budgets: SharedBudgets, database: PostgresDatabase) -> None:
    """What was spent, before anybody is admitted."""
    try:
        await budgets.read()
    except (DatabaseGone, DatabaseRefused) as error:
        raise ConfigError("", "database.url", f"{postgres_name(database.url)}: {error}") from error


def _node(settings: Settings) -> str:
    """What tells the nodes of one machine apart: where they listen."""
    return re.sub(r"[^\w.-]+", "-", settings.server.listen)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
