"""The durable ledger of one process: decided in memory, told when it is on the disk.

The book decides holds and settlements at once, from the balances that the database held at start; the database is
written by this process alone (ruling 21), so the two cannot part. What a settlement decides goes to the writer in groups
(`group_commit`), with its line of the request log. A settlement is done after that commit (strict
durability), or when the outbox has it, and its receipt then survives a power cut.

Why this cannot lose or invent money (docs/decisions/0020, 0049):
- Holds are nowhere but in memory, so what a kill leaves behind is exactly the committed charges; nothing stays held.
- A void is not written: what was never posted needs no taking back.
- A charge that neither the database nor the outbox takes is taken back in the book and fails, so the answer
  ends in an error.
- A request id that was charged before gives the first receipt, from the book or from the key of its transfers.
"""

import asyncio
import logging
from asyncio import AbstractEventLoop
from collections.abc import Callable, Sequence
from functools import partial

from allgate.billing.book import Book
from allgate.billing.ledger import Hold, Receipt, Settlement
from allgate.core.errors import ErrorKind, Failure, Refused
from allgate.core.money import NanoUsd
from allgate.gateway.durable import Durable
from allgate.gateway.ports import Funds, LogRow
from allgate.storage.connection import WriterBusy
from allgate.storage.group_commit import COMMIT_WAIT_S, WAITING_MAX, Done, Ending, Endings, GroupCommit
from allgate.storage.outbox import Outbox
from allgate.storage.sqlite.postings import Posting, write_postings
from allgate.storage.sqlite.writer import Writer
from allgate.storage.transfers import read_balances

RETRY_AFTER_S = 2.0
"""What a refused client is asked to wait: a database that restarts takes seconds, and SDKs repeat twice."""

_log = logging.getLogger("allgate.ledger")


class SqliteLedger:
    """`gateway.ports.Ledger` on a Book and the writer's thread. Lives on one loop.

    `strict` False: nobody waits for the disk. `keep_lines` False: charges are written without their lines.
    """

    def __init__(
        self,
        writer: Writer,
        loop: AbstractEventLoop,
        now_ms: Callable[[], int],
        *,
        strict: bool = True,
        keep_lines: bool = True,
        outbox: Outbox | None = None,
        commit_wait_s: float = COMMIT_WAIT_S,
        book: Book | None = None,
    ) -> None:
        self.book = book or Book()
        self._writer = writer
        self._loop = loop
        self._now_ms = now_ms
        self._strict = strict
        self._keep_lines = keep_lines
        self._undecided: dict[str, Durable] = {}
        self.commit = GroupCommit(loop, self, outbox=outbox, commit_wait_s=commit_wait_s)

    async def load(self) -> None:
        """Drain what an earlier life left in the outbox, then begin with the balances in the database. Before the first
        hold. Raises: sqlite3.Error: the database cannot be used."""
        await self.commit.open()
        self.book.restore(await asyncio.wrap_future(self._writer.submit(read_balances)))

    async def hold(self, hold: Hold) -> None:
        """Raises: Refused(BILLING), Refused(CONFLICT), Refused(OVERLOADED): the database is gone, or does not keep up."""
        if self.commit.gone or self.waiting >= WAITING_MAX:
            raise Refused(DATABASE_GONE)
        self.book.hold(hold)

    def settle(self, settlement: Settlement, line: LogRow | None = None) -> Durable:
        """Decide now; done when the decision is durable. Idempotent by request id. `line` is written with
        the charge, in one transaction; that of a void is not.

        Raises: KeyError: never held. It fails if nobody takes the charge: nothing is charged.
        """
        request_id = settlement.hold.request_id
        waiting = self._undecided.get(request_id)
        if waiting is not None:
            return waiting
        first = self.book.is_open(request_id)
        receipt = self.book.settle(settlement)
        if first and settlement.charge is not None:
            durable = self._undecided[request_id] = Durable()
            kept_line = line if self._keep_lines else None
            self.commit.add(Posting(settlement, receipt, kept_line, self._now_ms()))
            if self._strict:
                return durable
        return Durable(receipt)

    async def funds(self, account_id: str) -> Funds:
        """Raises: KeyError: no such account."""
        return Funds(self.balance_nano_usd(account_id), self.available_nano_usd(account_id))

    def available_nano_usd(self, account_id: str) -> NanoUsd:
        """Raises: KeyError: no such account."""
        return self.book.available_nano_usd(account_id)

    def balance_nano_usd(self, account_id: str) -> NanoUsd:
        """Raises: KeyError: no such account."""
        return self.book.balance_nano_usd(account_id)

    @property
    def open_count(self) -> int:
        """Holds that have not ended."""
        return self.book.open_count

    @property
    def outbox_depth(self) -> int:
        """Charges that only the outbox keeps."""
        return self.commit.outbox_depth

    @property
    def database_gone(self) -> bool:
        """It takes no charges, and nobody is admitted."""
        return self.commit.gone

    @property
    def waiting(self) -> int:
        """Charges that are not durable yet."""
        return len(self._undecided)

    async def written(self) -> None:
        """Until every charge decided so far is durable, or refused."""
        if self._undecided:
            await asyncio.gather(*self._undecided.values(), return_exceptions=True)

    def flush(self) -> None:
        """Hand over what waits: what the writer is given after this comes after it."""
        self.commit.flush()

    async def close(self) -> None:
        """Until everything decided is durable; then let go of the outbox."""
        self.flush()
        await self.written()
        await self.commit.close()

    def write_group(self, postings: Sequence[Posting], done: Done) -> None:
        """For `commit`."""

        def in_the_writers_thread(endings: Endings, error: Exception | None) -> None:
            self._loop.call_soon_threadsafe(done, endings, error)

        try:
            self._writer.commit(partial(write_postings, postings), in_the_writers_thread)
        except WriterBusy as error:
            self._loop.call_soon(done, None, error)

    def group_ended(self, postings: Sequence[Posting], endings: Endings, error: Exception | None) -> None:
        """For `commit`: tell everybody in the group."""
        if error is not None:
            _log.error(
                "charges could not be written and are taken back",
                extra={"count": len(postings), "error": repr(error)},
            )
            for posting in postings:
                self._refuse(posting, error)
        elif endings is None:
            for posting in postings:
                self._tell(posting.receipt)
        else:
            for posting, ending in zip(postings, endings, strict=True):
                self._correct(posting, ending)

    def to_record(self, posting: Posting) -> bytes:
        """For `commit`."""
        return posting.to_record()

    def from_record(self, record: bytes) -> Posting:
        """For `commit`. Raises: ValueError: it is none."""
        return Posting.from_record(record)

    def _correct(self, posting: Posting, ending: Ending) -> None:
        """This one did not end as the others: it was charged before, or cannot be."""
        if isinstance(ending, Exception):
            request_id = posting.receipt.request_id
            _log.error(
                "the database refused a charge", extra={"request_id": request_id, "error": repr(ending)}
            )
            self._refuse(posting, ending)
            return
        if ending != posting.receipt:
            self.book.take_back(posting.settlement.hold, posting.receipt, ending)
        self._tell(ending)

    def _tell(self, receipt: Receipt) -> None:
        durable = self._undecided.pop(receipt.request_id, None)  # None: told when the outbox had it
        if durable is not None:
            durable.set_result(receipt)

    def _refuse(self, posting: Posting, error: Exception) -> None:
        self.book.take_back(posting.settlement.hold, posting.receipt)
        durable = self._undecided.pop(posting.receipt.request_id, None)
        if durable is not None:
            durable.set_exception(error)


DATABASE_GONE = Failure(
    kind=ErrorKind.OVERLOADED,
    message="The gateway cannot write charges at the moment. Please try again.",
    code="ledger",
    retry_after_s=RETRY_AFTER_S,
)
