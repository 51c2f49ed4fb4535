"""Charges on their way to the database, in groups; and what happens to them while it does not answer (ruling 10).

One group is on its way, the next gathers meanwhile, so under load one fsync serves many charges. A group is durable when
the database has committed it. If it fails, or has not answered for `commit_wait_s`, the group goes to the outbox, which
counts as much. From then on the database is *gone*: every group goes straight to the outbox, nobody new is admitted, and
the outbox is brought into the database, oldest first, again and again until that succeeds.

A group can reach both: the database was slow, not dead. Whoever writes must therefore not mind a repetition (the key of
a transfer is its request's id). And it is refused only when neither has it for certain: one that fails in the outbox
while the database has not answered waits for that answer.

    waiting ─▶ group ─▶ database ──committed──────────────┐
                 │         │ failed, or late              ├─▶ told
                 │ (gone)  ▼                              │
                 └────▶ outbox ─────synced────────────────┘
                           └──(drained, oldest first)──▶ database

This knows neither SQL nor the rules of money. `P` is what a store calls a charge that is to be written; the store says how
a group of them is written, who is told, and how one becomes a record of the outbox and comes out of it again.
"""

import asyncio
import logging
from asyncio import AbstractEventLoop, Future, Task, TimerHandle
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, Protocol, TypeAlias, TypeVar

from allgate.billing.ledger import Receipt
from allgate.storage.outbox import Outbox, OutboxFull

COMMIT_WAIT_S = 5.0
"""How long the database may take before a group goes to the outbox: ruling 10. SQLite waits as long for a lock."""

WAITING_MAX = 10_000
"""Waiting charges beyond which no new request is admitted: five seconds of the fastest traffic, so the disk has stalled."""

DRAIN_AT_ONCE_MAX = 256
"""Charges brought into the database in one transaction: 3 ms of work, after which others may write."""

DRAIN_RETRY_S = 0.25
"""Between two attempts to reach a database that is gone."""

P = TypeVar("P")

_log = logging.getLogger("allgate.ledger")


Ending: TypeAlias = Receipt | Exception
"""What became of a posting: the receipt that is in force, or why it can never be written."""

Endings: TypeAlias = list[Ending] | None
"""Of a group, one for each posting. None: every one as it was decided."""

Done: TypeAlias = Callable[[Endings, Exception | None], None]
"""Hears, on the loop, that a group is committed and how its postings ended; or why the database took none of it."""


class Store(Protocol[P]):
    """What a ledger tells its group commit. All of it is called on the loop."""

    def write_group(self, postings: Sequence[P], done: Done) -> None:
        """Begin to write the group, all or nothing, and return at once."""
        ...

    def group_ended(self, postings: Sequence[P], endings: Endings, error: Exception | None) -> None:
        """The group is durable; or (the error) nobody keeps it. Again, with endings, if the database corrects later what
        the outbox took."""
        ...

    def to_record(self, posting: P) -> bytes: ...

    def from_record(self, record: bytes) -> P:
        """Raises: ValueError: it is none."""
        ...


class GroupCommit(Generic[P]):
    """See the module's essay. Lives on one loop. `gone`: nobody new may be admitted."""

    def __init__(
        self,
        loop: AbstractEventLoop,
        store: Store[P],
        *,
        outbox: Outbox | None = None,
        commit_wait_s: float = COMMIT_WAIT_S,
    ) -> None:
        self.gone = False
        self._loop = loop
        self._store = store
        self._outbox = outbox
        self._commit_wait_s = commit_wait_s
        self._waiting: list[P] = []
        self._on_their_way = 0
        self._flush_soon = False
        self._thread = ThreadPoolExecutor(1, "outbox")  # its thread begins with the first outage
        self._appending: set[Future[None]] = set()
        self._draining: Task[None] | None = None

    @property
    def outbox_depth(self) -> int:
        """Charges that only the outbox keeps."""
        return 0 if self._outbox is None else self._outbox.depth

    def add(self, posting: P) -> None:
        """Take a charge; it leaves at the end of this turn of the loop, with what else the turn decides."""
        self._waiting.append(posting)
        self._schedule()

    def flush(self) -> None:
        """Hand over what waits, whatever is on its way already: what the database is given after this comes after it."""
        self._flush_soon = False
        if not self._waiting:
            return
        group, self._waiting = _Group(self._waiting), []
        self._on_their_way += 1
        if self.gone:
            group.in_database = False
            self._to_outbox(group)
            return
        if self._outbox is not None:
            group.timer = self._loop.call_later(self._commit_wait_s, self._late, group)
        self._store.write_group(group.postings, partial(self._written, group))

    async def open(self) -> None:
        """Before the first charge: drain what an earlier life left. Raises: what the database failed with."""
        if self.outbox_depth:
            _log.warning("charges wait in the outbox", extra={"count": self.outbox_depth})
            await self._drain(opening=True)
            await self._clear()

    async def until_back(self) -> None:
        """Until the database is not gone, or no more."""
        if self.gone and self._draining is not None:
            await asyncio.wait([self._draining])

    async def close(self) -> None:
        """Stop draining and let go of the outbox; what is still in it is drained at the next start."""
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.wait([self._draining])
        await self._loop.run_in_executor(None, self._thread.shutdown)
        if self._outbox is not None:
            self._outbox.close()

    def _schedule(self) -> None:
        if not self._flush_soon and not self._on_their_way:
            self._flush_soon = True
            self._loop.call_soon(self.flush)

    def _written(self, group: "_Group[P]", endings: Endings, error: Exception | None) -> None:
        """The database has answered, in time or not."""
        if group.timer is not None:
            group.timer.cancel()
        group.in_database = error is None
        group.endings, group.error = endings, error
        if error is not None and self._outbox is not None and not group.sent_to_outbox:
            self._lose_database(repr(error))
            self._to_outbox(group)
        self._decide(group)

    def _late(self, group: "_Group[P]") -> None:
        self._lose_database(f"no answer for {self._commit_wait_s} s")
        self._to_outbox(group)

    def _to_outbox(self, group: "_Group[P]") -> None:
        assert self._outbox is not None  # without one, the database is never given up
        group.sent_to_outbox = True
        records = [self._store.to_record(posting) for posting in group.postings]
        appended = self._loop.run_in_executor(self._thread, self._outbox.append, records)
        self._appending.add(appended)
        appended.add_done_callback(partial(self._appended, group))

    def _appended(self, group: "_Group[P]", appended: "Future[None]") -> None:
        self._appending.discard(appended)
        error = appended.exception()
        if isinstance(error, (OSError, OutboxFull)):
            _log.error("the outbox takes no charges", extra={"error": repr(error)})
            group.error = error
        elif error is not None:
            raise error
        group.in_outbox = error is None
        self._decide(group)

    def _decide(self, group: "_Group[P]") -> None:
        """Tell, once, as soon as somebody keeps the group, or when nobody can."""
        if group.told or not (group.in_database or group.in_outbox or self._kept_by_nobody(group)):
            return
        group.told = True
        self._on_their_way -= 1
        if group.in_database or group.in_outbox:
            self._store.group_ended(group.postings, group.endings, None)
        else:
            self._store.group_ended(group.postings, None, group.error)
        if self._waiting:
            self._schedule()

    def _kept_by_nobody(self, group: "_Group[P]") -> bool:
        return group.in_database is False and (self._outbox is None or group.in_outbox is False)

    def _lose_database(self, why: str) -> None:
        if not self.gone:
            self.gone = True
            _log.error("the database is gone: charges go to the outbox", extra={"reason": why})
            self._draining = self._loop.create_task(self._until_it_is_back(), name="drain")

    async def _until_it_is_back(self) -> None:
        while not await self._drained():  # noqa: ASYNC110  nobody tells when a database is back
            await asyncio.sleep(DRAIN_RETRY_S)
        self.gone = False  # from here on groups go to the database, and there is no await since the last look
        _log.warning("the database is back, and the outbox is drained")
        await self._clear()

    async def _drained(self) -> bool:
        """Whether everything is in the database, and it answers."""
        try:
            await self._written_now([])
            while self._appending or self.outbox_depth:
                if self._appending:
                    await asyncio.wait(self._appending)
                await self._drain()
        except Exception as error:
            _log.info("the database is still gone", extra={"error": repr(error)})
            return False
        return True

    async def _drain(self, *, opening: bool = False) -> None:
        """Bring what the outbox holds into the database. Raises: what the database failed with; the rest stays."""
        outbox = self._outbox
        while outbox is not None and (records := outbox.oldest(DRAIN_AT_ONCE_MAX)):
            postings = [posting for posting in map(self._posting, records) if posting is not None]
            endings = await self._written_now(postings)
            if endings is not None:
                self._set_aside_refused(postings, endings)
                if not opening:  # whoever waited then was in an earlier life
                    self._store.group_ended(postings, endings, None)
            outbox.taken(len(records))

    def _posting(self, record: bytes) -> P | None:
        try:
            return self._store.from_record(record)
        except ValueError as error:
            assert self._outbox is not None  # the record came out of it
            self._outbox.set_aside(record, repr(error))
            return None

    def _set_aside_refused(self, postings: Sequence[P], endings: list[Ending]) -> None:
        assert self._outbox is not None  # the postings came out of it
        for posting, ending in zip(postings, endings, strict=True):
            if isinstance(ending, Exception):
                self._outbox.set_aside(self._store.to_record(posting), repr(ending))

    async def _written_now(self, postings: Sequence[P]) -> Endings:
        answer: Future[Endings] = self._loop.create_future()

        def done(endings: Endings, error: Exception | None) -> None:
            if answer.done():  # the drain was cancelled
                return
            if error is None:
                answer.set_result(endings)
            else:
                answer.set_exception(error)

        self._store.write_group(postings, done)
        return await answer

    async def _clear(self) -> None:
        if self._outbox is not None:
            try:
                await self._loop.run_in_executor(self._thread, self._outbox.clear)
            except OSError as error:  # its records come again, which changes nothing
                _log.error("the outbox could not be emptied", extra={"error": repr(error)})


class _Group(Generic[P]):
    """Postings that leave together. None: not known yet."""

    __slots__ = (
        "endings", "error", "in_database", "in_outbox", "postings", "sent_to_outbox", "timer", "told",
    )  # fmt: skip

    def __init__(self, postings: Sequence[P]) -> None:
        self.postings = postings
        self.in_database: bool | None = None
        self.in_outbox: bool | None = None
        self.sent_to_outbox = False
        self.told = False
        self.endings: Endings = None
        self.error: Exception | None = None
        self.timer: TimerHandle | None = None
