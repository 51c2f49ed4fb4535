"""Fetches money for requests that no lease covers: one line of waiting requests per account.

The first in a line asks the database, in one conditional update, for a slice of what is available (which then serves those
behind it too), or, if a slice would be smaller than what it needs, for a durable hold of its own. What is left in this node's
lease goes back in the same step, so near zero all of the account's money is in one place. If that is not enough, the other
nodes that have leases are asked to give back what they do not need, and the database is asked once more. Whoever is still
too dear then is refused.

    line ──▶ claim ──slice──▶ everybody in line who fits
               │ ╲──hold───▶ the first in line
             nothing ──▶ recall ──answered, or a second has passed──▶ claim ──nothing──▶ refused

Money that was claimed for a client who has left meanwhile is given back. A claim whose answer was lost may leave more with
this node than it knows of: that goes back with the next claim, when the lease is idle, or when the node ends.
"""

import asyncio
import logging
from asyncio import Future, Task
from collections import deque
from time import monotonic
from typing import NamedTuple, TypeAlias

import asyncpg

from allgate.billing.ledger import Hold, Settlement, used_before
from allgate.core.errors import ErrorKind, Failure, Refused, refused
from allgate.core.money import usd_text
from allgate.storage.connection import ConstraintBroken, DatabaseGone, DatabaseRefused
from allgate.storage.postgres import statements as sql
from allgate.storage.postgres.lease import Purse
from allgate.storage.postgres.link import RETRY_S, Connection, Link
from allgate.storage.postgres.node import Node

RECALL_S_MAX = 1.0
"""How long a request waits for other nodes to give back what they do not need (ruling 11)."""

ANSWER_LOOK_S = 0.02
"""Between two looks whether they have. They look every quarter of a second themselves."""

THIN_S = 1.0
"""How long an account takes no new slice after its lease was recalled: others need the money, hold by hold."""

SWEPT_MAX = 2
"""Times that a claim may find this node swept. Twice in one request's wait is no accident."""

_log = logging.getLogger("allgate.ledger")


class Claimed(NamedTuple):
    """What a claim came to. `slice_nano_usd`: what a slice was; `others`: other nodes have leases of this account."""

    outcome: str
    slice_nano_usd: int
    available_nano_usd: int
    others: bool


NO_ACCOUNT = Claimed("nothing", 0, -1, others=False)
"""Not even a hold of nothing can be had."""

Line: TypeAlias = deque[tuple[Hold, "Future[None]"]]


class Teller:
    """See the module's text. `node` is the one for which money is fetched into `purse`."""

    def __init__(self, link: Link, purse: Purse, node: Node) -> None:
        self._link = link
        self._purse = purse
        self._node = node
        self._released: list[Hold] = []
        self._closed = False
        self._releasing: Task[None] | None = None
        self._lines: dict[str, Line] = {}
        self._tasks: dict[str, Task[None]] = {}
        self._thin_until: dict[str, float] = {}

    async def fetch(self, hold: Hold) -> None:
        """Stand in line until the amount is set aside. Raises: Refused(BILLING | CONFLICT | OVERLOADED)."""
        account = hold.account_id
        waiting: Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(account, deque()).append((hold, waiting))
        if account not in self._tasks:
            self._start(account)
        try:
            await waiting
        except asyncio.CancelledError:
            if not waiting.cancelled() and waiting.exception() is None:
                self.undo(hold)  # granted in the same turn in which its client left
            raise

    def replenish(self, account: str) -> None:
        """Fetch the next slice before somebody has to wait for it."""
        if account not in self._tasks and self._may_lease(account):
            self._start(account, slice_wanted=True)

    def release(self, hold: Hold) -> None:
        """A durable hold ends without a charge. It waits for nobody; if this node dies first, it is swept."""
        self._released.append(hold)
        if self._releasing is None:
            self._releasing = asyncio.create_task(self._release_all(), name="teller-release")

    async def released(self) -> bool:
        """Until what was released before has come back, a second at most. False: nothing was."""
        if self._releasing is None:
            return False
        await asyncio.wait((self._releasing,), timeout=RECALL_S_MAX)
        return True

    async def give_back(self, account: str) -> None:
        """Another node needs the money: keep what is held, and lease no more of it for a while."""
        self._thin_until[account] = monotonic() + THIN_S
        if account not in self._tasks:  # a claim that is under way gives back, too
            self._start(account, returning=True)
            await asyncio.wait((self._tasks[account],))

    async def give_back_unused(self) -> None:
        """Leases that nobody has used for a while."""
        now = monotonic()
        self._thin_until = {name: until for name, until in self._thin_until.items() if until > now}
        for account in self._purse.unused():
            if account not in self._tasks and self._purse.close(account):
                await self._link.use(lambda one, of=account: one.run(sql.CLOSE, of, self._node.epoch))

    async def close(self) -> None:
        """Refuse whoever still waits. What is not released yet goes with the node."""
        self._closed = True
        if tasks := {*self._tasks.values(), *((self._releasing,) if self._releasing else ())}:
            await asyncio.wait(tasks)

    def _start(self, account: str, *, slice_wanted: bool = False, returning: bool = False) -> None:
        """One task for an account at a time: two claims at once would not know of each other's slices."""
        serving = self._serve(account, slice_wanted=slice_wanted, returning=returning)
        self._tasks[account] = asyncio.create_task(serving, name=f"teller-{account}")

    async def _serve(self, account: str, *, slice_wanted: bool, returning: bool) -> None:
        line = self._lines.setdefault(account, deque())
        try:
            if returning:
                await self._claim(account, None)
            if slice_wanted and self._may_lease(account):
                await self._claim(account, None, slice_wanted=True)
            while line and not self._closed:
                await self._serve_first(account, line)
        except DatabaseGone as error:
            self._node.lose(error)
            for hold, _ in tuple(line)[:1]:
                self.release(hold)  # whether it was set aside is not known
        except (ConstraintBroken, DatabaseRefused) as error:
            _log.error("no money could be fetched", extra={"account": account, "error": str(error)})
        finally:  # after an error, or when we close, nobody may wait for ever
            del self._lines[account], self._tasks[account]
            for _, waiting in line:
                _tell(waiting, gone())

    async def _serve_first(self, account: str, line: Line) -> None:
        """Serve the first in line, or refuse all who are too dear."""
        hold, waiting = line[0]
        if waiting.done():
            line.popleft()
        elif self._purse.take(hold):
            line.popleft()
            waiting.set_result(None)
        else:
            claimed = await self._claim(account, hold)
            if claimed is not None and claimed.outcome == "nothing" and claimed.others:
                await self.recall(account)
                claimed = await self._claim(account, hold)
            self._conclude(line, claimed)

    def _conclude(self, line: Line, claimed: Claimed | None) -> None:
        """After a slice the line is looked at again. None: the id was used before."""
        hold, waiting = line[0]
        if claimed is None:
            line.popleft()
            _tell(waiting, used_before(hold.request_id))
        elif claimed.outcome == "hold":
            line.popleft()
            self._purse.take_durably(hold)
            if waiting.done():
                self.undo(hold)
            else:
                waiting.set_result(None)
        elif claimed.outcome == "nothing":
            _refuse_dearer(line, claimed.available_nano_usd)

    async def _claim(self, account: str, hold: Hold | None, *, slice_wanted: bool = False) -> Claimed | None:
        """One claim, as long as this node is not taken for dead meanwhile. None: the hold's id was used before."""
        for _ in range(SWEPT_MAX):
            kept = self._purse.kept(account) if slice_wanted else self._purse.let_go(account)
            amount = hold.amount_nano_usd if hold is not None else 0 if slice_wanted else None
            epoch, request_id = self._node.epoch, hold.request_id if hold is not None else None
            values = (account, epoch, kept, amount, request_id, self._may_lease(account))

            async def claim(
                connection: Connection, values: tuple[object, ...] = values
            ) -> list[Claimed] | str:
                try:
                    return await connection.rows(Claimed, sql.CLAIM, *values)
                except asyncpg.UniqueViolationError:
                    return "used"
                except asyncpg.ForeignKeyViolationError:
                    return "swept"

            answer = await self._link.use(claim)
            if answer == "used":
                return None
            if answer == "swept" or epoch != self._node.epoch:
                await self._node.swept(epoch)
                continue
            assert not isinstance(answer, str)
            claimed = answer[0] if answer else NO_ACCOUNT
            if claimed.outcome == "slice":
                self._purse.grant(account, claimed.slice_nano_usd)
            return claimed
        raise DatabaseRefused(f"this node was swept {SWEPT_MAX} times while it fetched money")

    def undo(self, hold: Hold) -> None:
        """Its client has left."""
        _, backing = self._purse.end(Settlement(hold=hold, charge=None, reason="client_gone"))
        if backing is not None:
            self.release(hold)

    async def _release_all(self) -> None:
        """In groups, until nothing is left to release; what fails is tried again."""
        try:
            while self._released and not self._closed:
                group = tuple(self._released)
                accounts, ids = sorted({one.account_id for one in group}), [one.request_id for one in group]
                try:
                    await self._link.use(lambda one, of=accounts, ids=ids: one.run(sql.RELEASE, of, ids))
                    del self._released[: len(group)]
                except DatabaseGone as error:
                    self._node.lose(error)
                    await asyncio.sleep(RETRY_S)
        finally:
            self._releasing = None

    def _may_lease(self, account: str) -> bool:
        return monotonic() >= self._thin_until.get(account, 0.0)

    async def recall(self, account: str) -> None:
        """Ask the others, and wait for their answers, a second at most: one that is paused does not answer."""
        epoch = self._node.epoch
        self._thin_until[account] = monotonic() + THIN_S
        await self._link.use(lambda connection: connection.run(sql.RECALL, account, epoch))
        until = monotonic() + RECALL_S_MAX
        while monotonic() < until:
            await asyncio.sleep(ANSWER_LOOK_S)
            (waiting,) = await self._link.use(
                lambda connection: connection.rows(bool, sql.UNANSWERED, account, epoch)
            )
            if not waiting:
                return


def _refuse_dearer(line: Line, available: int) -> None:
    """Nothing more is to be had: whoever needs more than there is need not ask himself."""
    for hold, waiting in tuple(line):
        if hold.amount_nano_usd > available:
            _tell(waiting, too_little(hold, available))
            line.remove((hold, waiting))


def _tell(waiting: "Future[None]", error: Refused) -> None:
    if not waiting.done():
        waiting.set_exception(error)


def too_little(hold: Hold, available: int) -> Refused:
    """The balance does not cover the hold."""
    return refused(
        ErrorKind.BILLING,
        f"This request may cost up to ${usd_text(hold.amount_nano_usd)}, and ${usd_text(max(0, available))} of the balance is "
        "available. Add credit, or ask for fewer output tokens.",
        code="insufficient_quota",
    )


def gone() -> Refused:
    """Nobody is admitted while the database cannot be reached."""
    return Refused(
        Failure(
            kind=ErrorKind.OVERLOADED,
            message="The gateway cannot reach its database at the moment. Please try again.",
            code="ledger",
            retry_after_s=1.0,
        )
    )
