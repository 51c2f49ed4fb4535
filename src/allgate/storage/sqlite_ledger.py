"""The durable ledger of one process: decided in memory, told when it is on the disk.

The book decides holds and settlements at once, from the balances that the database held at start; the database is
written by this process alone (ruling 21), so the two cannot part. What a settlement decides goes to the writer in groups: one
group is on its way to the disk, the next gathers meanwhile, so under load one fsync serves many charges. The future of
a settlement is done after that fsync (strict durability), and its receipt then survives a power cut.

Why this cannot lose or invent money (docs/decisions/0020):
- Holds are nowhere but in memory, so what a kill leaves behind is exactly the committed charges; nothing stays held.
- A void is not written: what was never posted needs no taking back.
- A charge that the disk refuses is taken back in the book and its future fails, so the answer ends in an error.
- A request id that was charged before gives the first receipt, from the book or from the key of its transfers.

    loop:    settle ─▶ waiting ──(none on its way)──▶ group ─┐            ┌─▶ futures done
    writer:                                                  └─▶ COMMIT ──┘
"""

import asyncio
import logging
import sqlite3
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from concurrent.futures import Future as Written
from functools import partial

from allgate.billing.book import Book
from allgate.billing.ledger import Hold, Receipt, Settlement
from allgate.core.errors import ErrorKind, refused
from allgate.core.money import NanoUsd
from allgate.storage.postings import Ending, Posting, read_balances, write_postings
from allgate.storage.writer import Writer, WriterBusy

WAITING_MAX = 10_000
"""Waiting charges beyond which no new request is admitted: five seconds of the fastest traffic, so the disk has stalled."""

_log = logging.getLogger("allgate.ledger")


class SqliteLedger:
    """`gateway.ports.Ledger` on a Book and the writer's thread. Lives on one loop. `strict` False: futures do not wait."""

    def __init__(
        self,
        writer: Writer,
        loop: AbstractEventLoop,
        now_ms: Callable[[], int],
        *,
        strict: bool = True,
        book: Book | None = None,
    ) -> None:
        self.book = book or Book()
        self._writer = writer
        self._loop = loop
        self._now_ms = now_ms
        self._strict = strict
        self._waiting: list[Posting] = []
        self._undecided: dict[str, Future[Receipt]] = {}
        self._on_their_way = 0
        self._flush_soon = False

    def load(self) -> None:
        """Begin with the balances in the database. Blocks; before the first hold."""
        self.book.restore(self._writer.submit(read_balances).result())

    async def hold(self, hold: Hold) -> None:
        """Raises: Refused(BILLING), Refused(CONFLICT), Refused(OVERLOADED): the disk does not keep up."""
        if self.waiting >= WAITING_MAX:
            raise refused(
                ErrorKind.OVERLOADED,
                "The gateway cannot write charges at the moment. Please try again.",
                code="ledger",
            )
        self.book.hold(hold)

    def settle(self, settlement: Settlement) -> "Future[Receipt]":
        """Decide now; the future is done when the decision is durable. Idempotent by request id.

        Raises: KeyError: never held. The future fails with sqlite3.Error or WriterBusy: nothing is charged.
        """
        request_id = settlement.hold.request_id
        waiting = self._undecided.get(request_id)
        if waiting is not None:
            return waiting
        first = self.book.is_open(request_id)
        receipt = self.book.settle(settlement)
        durable: Future[Receipt] = self._loop.create_future()
        if first and settlement.charge is not None:
            self._waiting.append(Posting(settlement, receipt))
            self._undecided[request_id] = durable
            self._schedule()
            if self._strict:
                return durable
            durable = self._loop.create_future()
        durable.set_result(receipt)
        return durable

    def available_nano_usd(self, account_id: str) -> NanoUsd:
        """Raises: KeyError: no such account."""
        return self.book.available_nano_usd(account_id)

    def balance_nano_usd(self, account_id: str) -> NanoUsd:
        """Raises: KeyError: no such account."""
        return self.book.balance_nano_usd(account_id)

    @property
    def waiting(self) -> int:
        """Charges that are not durable yet."""
        return len(self._undecided)

    async def written(self) -> None:
        """Until every charge decided so far is durable, or refused by the disk."""
        if self._undecided:
            await asyncio.wait(tuple(self._undecided.values()))

    def flush(self) -> None:
        """Hand over what waits, whatever is on its way already: what the writer is given after this comes after it."""
        self._flush_soon = False
        if not self._waiting:
            return
        group, self._waiting = self._waiting, []
        self._on_their_way += 1
        try:
            written = self._writer.submit(partial(write_postings, group, self._now_ms()))
        except WriterBusy as error:
            self._ended(group, error, None)
            return
        written.add_done_callback(partial(self._written, group))

    def _schedule(self) -> None:
        """At the end of this turn of the loop, so that what one turn settles goes together."""
        if not self._flush_soon and not self._on_their_way:
            self._flush_soon = True
            self._loop.call_soon(self.flush)

    def _written(self, group: list[Posting], written: "Written[list[Ending] | None]") -> None:
        """In the writer's thread, after the commit."""
        error = written.exception()
        endings = None if error is not None else written.result()
        self._loop.call_soon_threadsafe(self._ended, group, error, endings)

    def _ended(self, group: list[Posting], error: BaseException | None, endings: list[Ending] | None) -> None:
        """Tell everybody in the group."""
        self._on_their_way -= 1
        if error is not None:
            _log.error(
                "charges could not be written and are taken back",
                extra={"count": len(group), "error": repr(error)},
            )
            for posting in group:
                self._refuse(posting, error)
        elif endings is None:
            for posting in group:
                self._undecided.pop(posting.receipt.request_id).set_result(posting.receipt)
        else:
            for posting, ending in zip(group, endings, strict=True):
                self._correct(posting, ending)
        if self._waiting:
            self._schedule()

    def _correct(self, posting: Posting, ending: Ending) -> None:
        """This one did not end as the others: it was charged before, or cannot be."""
        if isinstance(ending, sqlite3.Error):
            request_id = posting.receipt.request_id
            _log.error(
                "the database refused a charge", extra={"request_id": request_id, "error": repr(ending)}
            )
            self._refuse(posting, ending)
            return
        if ending != posting.receipt:
            self.book.take_back(posting.settlement.hold, posting.receipt, ending)
        self._undecided.pop(posting.receipt.request_id).set_result(ending)

    def _refuse(self, posting: Posting, error: BaseException) -> None:
        self.book.take_back(posting.settlement.hold, posting.receipt)
        durable = self._undecided.pop(posting.receipt.request_id)
        durable.set_exception(error)
        durable.exception()  # seen: a client that has left asks nobody
