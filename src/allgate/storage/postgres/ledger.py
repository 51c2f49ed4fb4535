"""The ledger of many nodes over PostgreSQL: holds in memory against leases, charges in groups, every cent in the database.

A node leases slices of an account's money (`teller`) and holds against them without asking anybody (`lease`). What
a settlement decides goes to the database in groups (`group_commit`); it is done when that is committed, or when the
outbox has it. `node` renews, answers recalls and sweeps nodes that died.

Why this cannot lose or invent money (docs/decisions/0040, 0041):
- Whatever a node may spend is pending on the account's row, in the same update that gave it the lease. The database itself
  refuses a balance below what is pending on it.
- A charge is one transaction: its transfers, the balance, and the lease that pays for it. No lease row, no such charge: a
  node that was swept (it was paused, or cut off) cannot spend what others have by now. Its charges are decided by the
  database then: from what is available, and the rest is `uncollected`.
- A node that dies leaves its row to expire: what was committed is charged, the rest returns. Its open holds go with it.
- A commit whose answer was lost is sent again; the key of a transfer, (request id, kind), makes that harmless.
"""

import asyncio
import logging
from asyncio import AbstractEventLoop, Task
from collections.abc import Callable, Sequence

import asyncpg
import msgspec

from allgate.billing.ledger import Hold, Receipt, Settlement, voided
from allgate.gateway.durable import Durable
from allgate.gateway.ports import Funds, LogRow
from allgate.storage.connection import ConstraintBroken, DatabaseGone
from allgate.storage.group_commit import COMMIT_WAIT_S, WAITING_MAX, Done, Ending, Endings, GroupCommit
from allgate.storage.outbox import Outbox
from allgate.storage.postgres import statements as sql
from allgate.storage.postgres.budgets import BudgetTeller
from allgate.storage.postgres.lease import NOTHING, Purse
from allgate.storage.postgres.link import RETRY_S, Connection, Link
from allgate.storage.postgres.node import LEASE_S, Node
from allgate.storage.postgres.postings import Decided, Posting, decide, post
from allgate.storage.postgres.teller import Teller, gone

_log = logging.getLogger("allgate.ledger")


class PostgresLedger:
    """`gateway.ports.Ledger` for one of many nodes. Lives on one loop, between `open` and `close`. `strict` False: nobody
    waits for the disk."""

    def __init__(
        self,
        url: str,
        name: str,
        loop: AbstractEventLoop,
        now_ms: Callable[[], int],
        *,
        strict: bool = True,
        keep_lines: bool = True,
        lease_s: float = LEASE_S,
        outbox: Outbox | None = None,
        commit_wait_s: float = COMMIT_WAIT_S,
    ) -> None:
        self.purse = Purse()
        self.link = Link(url)
        self.node = Node(self.link, self.purse, name, lease_s=lease_s)
        self.teller = Teller(self.link, self.purse, self.node)
        self.budgets = BudgetTeller(self.link, self.purse, self.node, self.teller)
        self.commit: GroupCommit[Posting] = GroupCommit(
            loop, self, outbox=outbox, commit_wait_s=commit_wait_s
        )
        self._loop = loop
        self._now_ms = now_ms
        self._strict = strict
        self._keep_lines = keep_lines
        self._undecided: dict[str, Durable] = {}
        self._unwritten: dict[str, Posting] = {}
        self._writing: set[Task[Endings]] = set()
        self._closed = False

    async def open(self) -> None:
        """Join the nodes, and write what an earlier life left in the outbox. Before the first hold. Raises: DatabaseGone,
        DatabaseRefused."""
        await self.node.start(self.teller)
        await self.commit.open()

    async def hold(self, hold: Hold) -> None:
        """Raises: Refused(BILLING), Refused(CONFLICT), Refused(OVERLOADED): the database is gone, or does not keep up."""
        if not self.node.may_admit or self.commit.gone or self.waiting >= WAITING_MAX:
            raise gone()
        self.purse.check(hold)
        if self.budgets.limits is not None and (scopes := self.budgets.limits.of(hold)):
            await self.budgets.fetch(hold, scopes)
            return
        lease = self.purse.take(hold)
        if lease is None:
            await self.teller.fetch(hold)
        elif lease.running_low:
            self.teller.replenish(hold.account_id)

    def settle(self, settlement: Settlement, line: LogRow | None = None) -> Durable:
        """Decide now, as far as this node can; done when all is decided and durable. Idempotent by request id.

        Raises: KeyError: never held. It fails if nobody takes the charge: nothing is charged.
        """
        request_id = settlement.hold.request_id
        waiting = self._undecided.get(request_id)
        if waiting is not None:
            return waiting
        if not self.purse.is_open(request_id):
            return Durable(self.purse.ended(request_id))
        receipt, backing = self.purse.end(settlement)
        if settlement.charge is None:
            if backing is not None:
                self.teller.release(settlement.hold)
        else:
            assert backing is not None  # only a void may need nothing
            durable = self._undecided[request_id] = Durable()
            posting = Posting(
                settlement, receipt, backing, line if self._keep_lines else None, self._now_ms()
            )
            self._unwritten[request_id] = posting
            self.commit.add(posting)
            if self._strict:
                return durable
        return Durable(receipt)

    async def funds(self, account_id: str) -> Funds:
        """As the database has it: what nodes have leased is set aside. Raises: KeyError; Refused(OVERLOADED)."""
        try:
            found = await self.link.use(lambda connection: connection.rows(Funds, sql.FUNDS, account_id))
        except DatabaseGone as error:
            raise gone() from error
        if not found:
            raise KeyError(account_id)
        return found[0]

    @property
    def outbox_depth(self) -> int:
        """Charges that only the outbox keeps."""
        return self.commit.outbox_depth

    @property
    def database_gone(self) -> bool:
        """It takes no charges, or the node cannot reach it, and nobody is admitted."""
        return self.commit.gone or self.node.gone

    @property
    def waiting(self) -> int:
        """Charges that are not durable yet."""
        return len(self._undecided)

    @property
    def open_count(self) -> int:
        """Holds that have not ended."""
        return self.purse.open_count

    async def written(self) -> None:
        """Until every charge decided so far is durable, or refused."""
        if self._undecided:
            await asyncio.gather(*self._undecided.values(), return_exceptions=True)

    async def landed(self) -> None:
        """Until every group that is on its way now has come to the database, or failed."""
        if self._writing:
            await asyncio.wait(tuple(self._writing))

    def flush(self) -> None:
        """Hand over what waits."""
        self.commit.flush()

    async def close(self) -> None:
        """Until everything decided is durable; then give back what is leased, and let go."""
        self.flush()
        await self.written()
        await self.commit.close()
        self._closed = True
        if self._writing:
            await asyncio.wait(self._writing)
        await self.budgets.close()
        await self.teller.close()
        await self.node.stop()
        await self.link.close()

    # --- group_commit.Store ---

    def write_group(self, postings: Sequence[Posting], done: Done) -> None:
        writing = self._loop.create_task(self._write(postings), name="ledger-write")
        self._writing.add(writing)

        def ended(task: "Task[Endings]") -> None:
            self._writing.discard(task)
            if task.cancelled():
                return  # we close, and the outbox has the group
            error = task.exception()
            if error is None:
                done(task.result(), None)
            else:
                done(None, error if isinstance(error, Exception) else RuntimeError(repr(error)))

        writing.add_done_callback(ended)

    def group_ended(self, postings: Sequence[Posting], endings: Endings, error: Exception | None) -> None:
        """Tell everybody in the group."""
        for number, posting in enumerate(postings):
            ending = error or (posting.receipt if endings is None else endings[number])
            durable = self._undecided.pop(posting.request_id, None)  # None: told when the outbox had it
            if isinstance(ending, Receipt):
                if durable is not None:
                    durable.set_result(ending)
                continue
            self._keep(posting, Decided(voided(posting.request_id), 0))
            _log.error("a charge is refused", extra={"request_id": posting.request_id, "error": repr(ending)})
            if durable is not None:
                durable.set_exception(ending)

    def to_record(self, posting: Posting) -> bytes:
        return msgspec.json.encode((posting.settlement, posting.receipt, posting.line, posting.at_ms))

    def from_record(self, record: bytes) -> Posting:
        settlement, receipt, line, at_ms = msgspec.json.decode(record, type=_Record)
        known = self._unwritten.get(settlement.hold.request_id)
        return known or Posting(settlement, receipt, NOTHING, line, at_ms)

    # --- writing ---

    async def _write(self, postings: Sequence[Posting]) -> Endings:
        """As often as it takes: while the database does not answer, nobody knows whether it has them."""
        while True:
            try:
                return await self._written(postings)
            except DatabaseGone as error:
                self.node.lose(error)
                if self._closed:
                    raise
            await asyncio.sleep(RETRY_S)

    async def _written(self, postings: Sequence[Posting]) -> Endings:
        """Decided charges first, then those for the database; what it refuses as a group is tried one by one."""
        if not postings:
            await self.link.use(_nothing)
            return None
        endings: dict[str, Ending] = {}
        alone = self._decided_alone
        decided = [one for one in postings if alone(one)]
        rest = [one for one in postings if not alone(one)]
        if decided:
            rest += await self._post(decided)
        if rest:
            for account_id in sorted({one.settlement.hold.account_id for one in rest if _goes_beyond(one)}):
                await self.teller.recall(account_id)
            endings = await self._decide(rest)
        return [endings.get(one.request_id, one.receipt) for one in postings] if endings else None

    def _decided_alone(self, posting: Posting) -> bool:
        """A lease covers it, and no budget counts it (one may have come since the request was admitted)."""
        limits = self.budgets.limits
        return posting.backing.covers and (limits is None or not limits.of(posting.settlement.hold))

    async def _post(self, postings: Sequence[Posting]) -> list[Posting]:
        """Write what is decided; what is left for the database to decide."""
        epoch = self.node.epoch

        async def posted(connection: Connection) -> set[str] | None:
            try:
                return await post(connection, epoch, postings)
            except (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError):
                return None

        lost = await self.link.use(posted)
        if lost is None:  # one of them was written before, or overflows a balance
            return list(postings)
        for posting in postings:
            if posting.account_id not in lost:
                self._keep(posting, Decided(posting.receipt, posting.backing.reserved))
        if lost:
            await self.node.renew()  # it learns there whether it was swept
        return [posting for posting in postings if posting.account_id in lost]

    async def _decide(self, postings: Sequence[Posting]) -> dict[str, Ending]:
        epoch, limits = self.node.epoch, self.budgets.limits
        try:
            decided = await self.link.use(lambda connection: decide(connection, epoch, postings, limits))
        except ConstraintBroken as error:
            if len(postings) == 1:
                return {postings[0].request_id: error}
            endings: dict[str, Ending] = {}
            for posting in postings:
                endings |= await self._decide([posting])
            return endings
        for posting, one in zip(postings, decided, strict=True):
            self._keep(posting, one)
        return {posting.request_id: one.receipt for posting, one in zip(postings, decided, strict=True)}

    def _keep(self, posting: Posting, decided: Decided) -> None:
        """The database has decided about this charge, once: a repetition finds nothing to do."""
        if self._unwritten.pop(posting.request_id, None) is not None:
            self.purse.written(posting.backing, decided.receipt, decided.paid)
            if posting.backing.durable and decided.receipt.outcome == "voided":
                self.teller.release(posting.settlement.hold)


_Record = tuple[Settlement, Receipt, LogRow | None, int]


async def _nothing(connection: Connection) -> None:
    await connection.run("SELECT")


def _goes_beyond(posting: Posting) -> bool:
    """The charge takes more than was set aside for it: what other nodes have leased and do not use is asked back first, so that
    the house pays only what the account truly has not."""
    charge, backing = posting.settlement.charge, posting.backing
    if charge is None:
        return False
    return charge.amount_nano_usd > posting.settlement.hold.amount_nano_usd or not (
        backing.durable or backing.reserved
    )
