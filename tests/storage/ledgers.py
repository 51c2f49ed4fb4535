"""The stores that keep the ledger, each behind one small handle, for the suite that holds them to the same rules."""

import asyncio
import shutil
import threading
from pathlib import Path

from allgate.billing.book import Book
from allgate.core.money import NanoUsd
from allgate.storage.outbox import Outbox
from allgate.storage.sqlite.ledger import SqliteLedger
from allgate.storage.sqlite.schema import open_writing
from allgate.storage.sqlite.writer import Writer
from allgate.storage.transfers import open_account, read_balances
from storage.memory_ledger import MemoryLedger

NOW_MS = 1_700_000_000_000


class MemoryStore:
    """The pure book behind the port. It forgets everything when it ends."""

    durable = False

    def __init__(self, loop: asyncio.AbstractEventLoop, folder: Path) -> None:
        self.ledger = MemoryLedger()

    def open_account(self, account: str, amount: int) -> bool:
        return self.ledger.book.grant_once(account, NanoUsd(amount))

    def committed(self) -> dict[str, int]:
        """The balances that would survive."""
        return self.ledger.book.balances

    def transferred(self) -> dict[str, int]:
        """The balances as all transfers add up."""
        return self.ledger.book.balances

    def close(self) -> None:
        pass


class SqliteStore:
    """A database in a file."""

    durable = True

    def __init__(self, loop: asyncio.AbstractEventLoop, folder: Path) -> None:
        self.path = folder / "t.db"
        self._loop = loop
        self._connection = open_writing(self.path)
        self.writer = Writer(self._connection)
        self.ledger = SqliteLedger(self.writer, loop, lambda: NOW_MS)
        self.ledger.book.restore(self.writer.submit(read_balances).result())

    def open_account(self, account: str, amount: int) -> bool:
        opened = self.writer.submit(lambda db: open_account(db, account, NanoUsd(amount), NOW_MS)).result()
        self.ledger.book.grant_once(account, NanoUsd(amount))
        return opened

    def committed(self) -> dict[str, int]:
        return self.writer.submit(read_balances).result()

    def transferred(self) -> dict[str, int]:
        rows = self.writer.submit(
            lambda db: db.execute("SELECT debit, credit, amount_nano_usd FROM transfers").fetchall()
        ).result()
        balances: dict[str, int] = {}
        for debit, credit, amount in rows:
            balances[debit] = balances.get(debit, 0) - amount
            balances[credit] = balances.get(credit, 0) + amount
        return balances

    def refuse_writes(self, refused: bool) -> None:
        """The disk takes nothing more, or takes it again. Only while the writer has nothing to do."""
        self._connection.execute(f"PRAGMA query_only = {int(refused)}")

    def stop_writing(self) -> threading.Event:
        """The writer waits until the event is set: what is settled now is on its way and not committed."""
        going_on = threading.Event()
        self.writer.submit(lambda db: going_on.wait(30))
        return going_on

    def files_copied(self, folder: Path) -> None:
        """The files as a power cut would leave them."""
        for file in self.path.parent.glob("t.db*"):
            shutil.copy(file, folder / file.name)

    def close(self) -> None:
        self.ledger.flush()
        self.writer.close()


class OutboxStore(SqliteStore):
    """The same with an outbox beside it. `ledger.load()` is still to be awaited."""

    def __init__(self, loop: asyncio.AbstractEventLoop, folder: Path) -> None:
        super().__init__(loop, folder)
        self._connection.execute("PRAGMA busy_timeout = 20")
        self.outbox = Outbox(folder / "t.db.outbox")
        self.ledger = SqliteLedger(self.writer, loop, lambda: NOW_MS, outbox=self.outbox)

    def submit(self, sql: str) -> None:
        self.writer.submit(lambda db: db.execute(sql).fetchall()).result()

    def lines(self) -> list[str]:
        """The request log's ids."""
        rows = self.writer.submit(
            lambda db: db.execute("SELECT request_id FROM requests ORDER BY request_id").fetchall()
        )
        return [request_id for (request_id,) in rows.result()]

    async def aclose(self) -> None:
        await self.ledger.close()
        self.writer.close()

    async def abandon(self) -> None:
        """As a kill does: what is in the outbox stays there."""
        await self.ledger.commit.close()
        self.writer.close()


def balances_of(book: Book) -> dict[str, int]:
    """Without accounts that nothing ever moved: a database has no row for them."""
    return {name: balance for name, balance in book.balances.items() if balance}
