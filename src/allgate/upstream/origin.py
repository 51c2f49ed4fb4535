"""The connections to one target, and the requests that wait for one."""

import asyncio
from collections import deque
from typing import Protocol

from allgate.core.value import Value
from allgate.upstream.connection import Connection
from allgate.upstream.message import Target, fields_for


class OriginSnapshot(Value, frozen=True, kw_only=True):
    """Counts for metrics; open = idle + in_use, and those being dialed count as in use."""

    origin: str
    open: int
    idle: int
    in_use: int
    waiting: int


class Places(Protocol):
    """The pool, as an origin sees it."""

    def freed(self, origin: "Origin") -> None:
        """A connection to it was retired."""
        ...

    def idling(self) -> None:
        """A connection fell idle; another origin may need its place."""
        ...

    def opened(self, connection: Connection) -> None:
        """It has a socket now."""
        ...

    def closed(self, connection: Connection) -> None:
        """The socket of a retired connection is closed."""
        ...


class Origin:
    """The connections to one target: in use, idle (the one used last at the end), and wanted.

    Connections tell it what becomes of them (`connection.Owner`).
    """

    __slots__ = ("first_fields", "idle", "open", "places", "target", "waiters")

    def __init__(self, target: Target, places: Places) -> None:
        self.target = target
        self.places = places
        self.first_fields = fields_for(target)
        self.idle: dict[Connection, None] = {}
        self.open = 0
        self.waiters: deque[asyncio.Future[Connection]] = deque()

    def take_idle(self, now_s: float) -> Connection | None:
        """The idle connection that was used last; those past their limit are closed on the way."""
        while self.idle:
            connection, _ = self.idle.popitem()
            if connection.usable(now_s):
                return connection
            connection.retire()
        return None

    def hand_over(self, connection: Connection) -> bool:
        """Give it to whoever has waited longest; False: nobody waits."""
        while self.waiters:
            waiter = self.waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    def released(self, connection: Connection) -> None:
        if not self.waiters or not self.hand_over(connection):
            self.idle[connection] = None
            self.places.idling()

    def retired(self, connection: Connection) -> None:
        self.idle.pop(connection, None)
        self.open -= 1
        self.places.freed(self)

    def opened(self, connection: Connection) -> None:
        self.places.opened(connection)

    def closed(self, connection: Connection) -> None:
        self.places.closed(connection)

    def snapshot(self) -> OriginSnapshot:
        idle = len(self.idle)
        return OriginSnapshot(
            origin=self.target.origin,
            open=self.open,
            idle=idle,
            in_use=self.open - idle,
            waiting=len(self.waiters),
        )
