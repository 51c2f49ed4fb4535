"""This process among the nodes: its epoch, the renewal of its leases, and the sweep of nodes that died.

An epoch is one life of one node: a row of `nodes`. While the row is there, whatever was leased to the epoch is its own; renewing
moves the row's expiry, and whoever finds an expired row may sweep it: the leases and durable holds go back to their accounts,
and the row goes. So the row is the fence: a node that was paused past its expiry and not swept goes on as if nothing had
happened, and one that was swept can commit nothing that rests on its old leases, because they are not there.

    now ──renewed──▶ +ttl/3 ──renewed──▶ … paused … expiry ──▶ swept by another: joins anew, old holds have lost their ground
                                                       └─────▶ not swept: renews

A node admits nobody after its expiry by its own clock (`may_admit`), counted from before it asked, so that it stops before
anybody may sweep it. One that was away itself waits for one ttl before it sweeps others: after an outage of the database
all look dead, and each gets its chance to renew first.
"""

import asyncio
import logging
from asyncio import Task
from collections.abc import Awaitable
from time import monotonic
from typing import Protocol

from allgate.storage.connection import ConstraintBroken, DatabaseGone, DatabaseRefused
from allgate.storage.postgres import statements as sql
from allgate.storage.postgres.lease import Purse
from allgate.storage.postgres.link import Connection, Link

LEASE_S = 10.0
"""How long a node is believed in. Money of one that died comes back after this long and a little; renewed three times within."""

LOOK_S = 0.25
"""Between two looks at what others have recalled: they wait for it at most a second (ruling 11)."""

IDLE_S = 60.0
"""A lease that nobody used for this long goes back."""

_log = logging.getLogger("allgate.ledger")


class Returns(Protocol):
    """Who gives money back."""

    async def give_back(self, account: str) -> None:
        """What nobody needs now, because another node asks for it."""
        ...

    async def give_back_unused(self) -> None:
        """Leases that nobody has used since this was last called."""
        ...


class Node:
    """See the module's text. `epoch`: its present life. `gone`: the database does not answer."""

    def __init__(self, link: Link, purse: Purse, name: str, *, lease_s: float = LEASE_S) -> None:
        self.epoch = 0
        self.gone = False
        self._link = link
        self._purse = purse
        self._name = name
        self._lease_s = lease_s
        self._admits_until = 0.0
        self._sweeps_from = 0.0
        self._joining = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._task: Task[None] | None = None

    @property
    def may_admit(self) -> bool:
        """Whether nobody can have taken this node for dead, and the database answers."""
        return not self.gone and monotonic() < self._admits_until

    async def start(self, returns: Returns) -> None:
        """Raises: DatabaseGone."""
        await self._link.use(lambda connection: connection.run(sql.OPEN_HOUSE))
        await self._join()
        self._task = asyncio.create_task(self._live(returns), name="ledger-node")

    async def stop(self) -> None:
        """Give everything back. If the database is gone, somebody sweeps it."""
        await self.rest()
        try:
            await self._sweep(self.epoch, expired=False)
        except (DatabaseGone, DatabaseRefused) as error:
            _log.warning("leases could not be given back; they expire", extra={"error": str(error)})

    async def rest(self) -> None:
        """Renew no more. What is under way ends first: a statement that is cut off costs its connection."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def swept(self, epoch: int) -> None:
        """Somebody found this epoch without its leases: live on in a new one. Harmless when repeated."""
        async with self._joining:
            if epoch == self.epoch:
                _log.warning("this node was taken for dead: its leases are gone", extra={"epoch": epoch})
                self.epoch = 0  # nobody's: while a new one is asked for, nothing can be leased
                self._purse.lose()
                await self._join()

    def lose(self, error: DatabaseGone) -> None:
        """The database did not answer: nobody is admitted until it does."""
        if not self.gone:
            self.gone = True
            _log.error("the database is gone: nobody new is admitted", extra={"reason": str(error)})

    async def _join(self) -> None:
        asked = monotonic()
        (self.epoch,) = await self._link.use(self._joined)
        self._believed_since(asked)

    async def _joined(self, connection: Connection) -> list[int]:
        return await connection.rows(int, sql.JOIN, self._name, round(self._lease_s * 1000))

    def _believed_since(self, asked: float) -> None:
        """Renewed, at a moment of the database that was not before `asked`."""
        if self.gone or asked > self._admits_until:
            self._sweeps_from = asked + self._lease_s
        self._admits_until = asked + self._lease_s
        self.gone = False

    async def _live(self, returns: Returns) -> None:
        """Look, renew and sweep until `rest`."""
        renewed = idle = monotonic()
        while not await self._stopped(min(LOOK_S, self._lease_s / 10)):
            try:
                if monotonic() - renewed >= self._lease_s / 3 or self.gone:
                    renewed = monotonic()
                    await self.renew()
                    await self._sweep_others()
                await self._answer(returns)
                if monotonic() - idle >= IDLE_S:
                    idle = monotonic()
                    await returns.give_back_unused()
            except DatabaseGone as error:
                self.lose(error)
            except (ConstraintBroken, DatabaseRefused):
                _log.exception("the ledger's housekeeping failed; it goes on")

    async def _stopped(self, wait_s: float) -> bool:
        try:
            async with asyncio.timeout(wait_s):
                await self._stopping.wait()
        except TimeoutError:
            return False
        return True

    async def renew(self) -> None:
        """Say that this node lives, or learn that it was swept. Raises: DatabaseGone."""
        epoch, asked = self.epoch, monotonic()
        ttl_ms = round(self._lease_s * 1000)
        if await self._link.use(lambda connection: connection.rows(int, sql.RENEW, epoch, ttl_ms)):
            self._believed_since(asked)
        else:
            await self.swept(epoch)

    async def _answer(self, returns: Returns) -> None:
        epoch = self.epoch
        for account in await self._link.use(lambda connection: connection.rows(str, sql.RECALLED, epoch)):
            await returns.give_back(account)

    async def _sweep_others(self) -> None:
        if monotonic() < self._sweeps_from:
            return
        for epoch in await self._link.use(lambda connection: connection.rows(int, sql.EXPIRED, self.epoch)):
            await self._sweep(epoch, expired=True)

    async def _sweep(self, epoch: int, *, expired: bool) -> None:
        def swept(connection: Connection) -> Awaitable[list[tuple[int, int]]]:
            return connection.rows(_pair, sql.SWEEP, epoch, expired)

        for nodes, amount in await self._link.use(swept):
            if nodes and expired:
                _log.warning("swept a dead node", extra={"epoch": epoch, "returned_nano_usd": amount})


def _pair(first: int, second: int) -> tuple[int, int]:
    return first, second
