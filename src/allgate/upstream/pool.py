"""The outbound pool: who gets which connection, how many there may be, and who waits.

The common case is synchronous: an idle connection to the target is there, `try_send` writes the request to it, and no
task switches. Otherwise `send` waits for its turn, or dials.

Rules kept here:
- reuse is last in, first out: under falling load the oldest connections fall idle and are closed;
- whoever waits is served in order and before newcomers, because nothing is ever free while somebody waits for it: a
  released connection goes to the oldest waiter of its origin, a freed place to the origins in turn; an idle connection
  gives way when all places are taken;
- a place is taken before dialing and given back when the connection is retired, so the counts never run behind;
- the limit on waiting makes an overload an answer (503) instead of a growing queue.
"""

import asyncio

from allgate.core.errors import AttemptFailed
from allgate.core.value import Value
from allgate.gateway.ports import ReplySink
from allgate.upstream.connection import Connection
from allgate.upstream.deadlines import Sweep
from allgate.upstream.dial import Dialer
from allgate.upstream.exchange import Exchange
from allgate.upstream.failures import Cause, not_sent, unknown
from allgate.upstream.message import DEADLINES, Deadlines, Target, UpstreamRequest, fields_for, request_head
from allgate.upstream.origin import Origin, OriginSnapshot

CONNECTIONS_PER_ORIGIN_MAX = 2_048  # twice the streams that one process is measured with
CONNECTIONS_MAX = 8_192  # to all origins; a socket with its buffers takes about 20 KB
WAITING_PER_ORIGIN_MAX = 1_024  # more would wait longer than their callers do


class PoolLimits(Value, frozen=True, kw_only=True):
    """How many connections, and how many requests that wait for one."""

    connections_per_origin_max: int = CONNECTIONS_PER_ORIGIN_MAX
    connections_max: int = CONNECTIONS_MAX
    waiting_per_origin_max: int = WAITING_PER_ORIGIN_MAX


class Pool:
    """All outbound connections of a process, on one loop. Made inside the loop; `aclose` ends it."""

    def __init__(
        self, *, limits: PoolLimits | None = None, dialer: Dialer | None = None, sweep: Sweep | None = None
    ) -> None:
        self._limits = limits or PoolLimits()
        self._dialer = dialer or Dialer()
        self._sweep = sweep or Sweep(asyncio.get_running_loop())
        self._origins: dict[Target, Origin] = {}
        self._queue: dict[Origin, None] = {}  # origins with waiters; whoever was served last is at the end
        self._serving = False
        self._open = 0
        self._sockets: set[Connection] = set()
        self._closed: asyncio.Future[None] | None = None

    def try_send(
        self, target: Target, request: UpstreamRequest, sink: ReplySink, deadlines: Deadlines = DEADLINES
    ) -> Exchange | None:
        """Send on an idle connection, now; None: there is none. Raises: ValueError: see `request_head`."""
        origin = self._origins.get(target)
        if origin is None or not origin.idle:
            return None
        body_bytes = sum(map(len, request.body))
        head = request_head(request, origin.first_fields, body_bytes)
        now_s = self._sweep.now()
        connection = origin.take_idle(now_s)
        if connection is None:
            return None
        return connection.start(head, request.body, body_bytes, sink, deadlines, now_s)

    async def send(
        self,
        target: Target,
        request: UpstreamRequest,
        sink: ReplySink,
        deadlines: Deadlines = DEADLINES,
        *,
        fresh: bool = False,
    ) -> Exchange:
        """Send on an idle connection, or on a new one. What goes wrong afterwards goes to the sink.

        `fresh` closes the origin's idle connections first: one of them was stale, so the others are not worth a try.
        Raises: AttemptFailed(NOT_SENT): no byte left. ValueError: see `request_head`.
        """
        if fresh and (origin := self._origins.get(target)) is not None:
            for idle in tuple(origin.idle):
                idle.retire()
        exchange = self.try_send(target, request, sink, deadlines)
        if exchange is not None:
            return exchange
        started_s = self._sweep.now()
        body_bytes = sum(map(len, request.body))
        head = request_head(request, fields_for(target), body_bytes)
        connection = await self._acquire(target, deadlines.connect_s)
        return connection.start(head, request.body, body_bytes, sink, deadlines, started_s)

    def snapshot(self) -> tuple[OriginSnapshot, ...]:
        """The counts per origin, as they are now."""
        return tuple(origin.snapshot() for origin in self._origins.values())

    async def aclose(self) -> None:
        """Refuse what comes, fail what is under way, close every socket, and wait until they are closed."""
        if self._closed is None:
            self._closed = asyncio.get_running_loop().create_future()
            for origin in tuple(self._queue):
                self._turn_away(origin)
            for connection in tuple(self._sockets):
                connection.fail(unknown(Cause.POOL_CLOSED, "The gateway is shutting down"))
            await self._dialer.aclose()
            self._note_if_closed()
        await self._closed

    # ---- a connection for a request ---------------------------------------------------------------------------------

    async def _acquire(self, target: Target, connect_s: float) -> Connection:
        """An open, idle connection that is nobody else's."""
        dialing = False
        try:
            async with asyncio.timeout(connect_s):
                while True:
                    connection = await self._turn(target)
                    if not connection.opened:
                        dialing = True
                        await self._dial(connection)
                        return connection
                    if connection.usable(self._sweep.now()):
                        return connection
        except TimeoutError:
            raise _too_late(target, connect_s, dialing=dialing) from None

    async def _turn(self, target: Target) -> Connection:
        """A connection: an idle one, or one to be dialed, for which a place is taken."""
        if self._closed is not None:
            raise _shutting_down()
        origin = self._origins.get(target)
        if origin is None:
            origin = self._origins[target] = Origin(target, self)
        connection = origin.take_idle(self._sweep.now()) or self._take_place(origin)
        return connection or await self._wait(origin)

    async def _wait(self, origin: Origin) -> Connection:
        waiting = len(origin.waiters)
        if waiting >= self._limits.waiting_per_origin_max:
            raise not_sent(
                Cause.POOL_FULL, f"{waiting} requests already wait for a connection to {origin.target.origin}"
            )
        waiter: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        origin.waiters.append(waiter)
        self._queue[origin] = None
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._put_back(waiter.result())
            elif waiter in origin.waiters:
                origin.waiters.remove(waiter)
            raise
        finally:
            self._tidy(origin)

    async def _dial(self, connection: Connection) -> None:
        try:
            await self._dialer.dial(connection.target, connection)
        except BaseException:
            connection.retire()
            raise
        if self._closed is not None:
            raise _shutting_down()

    def _put_back(self, connection: Connection) -> None:
        """Whoever it was meant for has gone."""
        if connection.opened and connection.usable(self._sweep.now()):
            connection.release()
        else:
            connection.retire()

    # ---- places: Origin.Places --------------------------------------------------------------------------------------

    def freed(self, origin: Origin) -> None:
        self._open -= 1
        self._tidy(origin)
        if self._queue:
            self._serve_waiters()

    def idling(self) -> None:
        if self._queue:
            self._serve_waiters()

    def opened(self, connection: Connection) -> None:
        self._sockets.add(connection)
        if self._closed is not None:
            connection.retire()

    def closed(self, connection: Connection) -> None:
        self._sockets.discard(connection)
        self._note_if_closed()

    def _take_place(self, origin: Origin) -> Connection | None:
        """A connection yet to be dialed; None: there are enough."""
        if origin.open >= self._limits.connections_per_origin_max or (self._full() and not self._evict()):
            return None
        origin.open += 1
        self._open += 1
        return Connection(origin.target, origin, self._sweep)

    def _full(self) -> bool:
        return self._open >= self._limits.connections_max

    def _evict(self) -> bool:
        """Close the connection that has been idle longest, of all origins."""
        oldest = [next(iter(origin.idle)) for origin in self._origins.values() if origin.idle]
        if oldest:
            serving, self._serving = self._serving, True  # its place is for whoever asked
            min(oldest, key=lambda connection: connection.due_s).retire()
            self._serving = serving
        return bool(oldest)

    def _serve_waiters(self) -> None:
        """One place to each origin that has waiters and room, in turn, until nothing fits."""
        if self._serving or self._closed is not None:
            return
        self._serving = True
        try:
            while any(self._serve_one(origin) for origin in tuple(self._queue)):
                pass
        finally:
            self._serving = False

    def _serve_one(self, origin: Origin) -> bool:
        connection = self._take_place(origin) if origin.waiters else None
        if connection is None:
            return False
        if not origin.hand_over(connection):
            connection.retire()
            return False
        del self._queue[origin]
        if origin.waiters:
            self._queue[origin] = None
        return True

    def _tidy(self, origin: Origin) -> None:
        """Forget what is not needed: an origin out of the queue, or out of the pool."""
        if not origin.waiters:
            self._queue.pop(origin, None)
            if not origin.open:
                self._origins.pop(origin.target, None)

    # ---- the end ----------------------------------------------------------------------------------------------------

    def _turn_away(self, origin: Origin) -> None:
        for waiter in origin.waiters:
            if not waiter.done():
                waiter.set_exception(_shutting_down())
        origin.waiters.clear()

    def _note_if_closed(self) -> None:
        if self._closed is not None and not self._sockets and not self._closed.done():
            self._closed.set_result(None)


def _shutting_down() -> AttemptFailed:
    return not_sent(Cause.POOL_CLOSED, "The gateway is shutting down")


def _too_late(target: Target, connect_s: float, *, dialing: bool) -> AttemptFailed:
    what = "No connection to {} was established" if dialing else "No connection to {} became free"
    return not_sent(
        Cause.CONNECT_DEADLINE, f"{what.format(target.origin)} within {connect_s:g} s (connect deadline)"
    )
