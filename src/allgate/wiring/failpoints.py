"""Named places at which a process can be made to die, so that a test can look at what is left (`tests/chaos`).

`ALLGATE_FAILPOINT=enqueued@7` kills the process (SIGKILL, no last words) at the seventh passage of that place. `arm` puts
a wrapper around one function; without the variable nothing is wrapped and no line of the request path knows of it, so
what is off costs nothing.

    after_hold        the money is set aside, nothing was sent
    after_send        the request is on its way to the upstream
    after_first_byte  a piece of the answer has been relayed
    before_enqueue    the answer has ended, its charge is not decided
    enqueued          the charge is decided and waits for the disk
    written           charges stand in the open transaction
    committed         charges are durable, nobody was told
    before_last_byte  the charge is durable, and one answer is about to be completed

While the database is gone (`OUTAGE_FAILPOINTS`):

    outbox_written    charges are in the outbox, nobody was told
    outbox_drained    they are in the database too, and the outbox still holds them
    outbox_taken      the same, and nobody needs them any more; the file is about to be emptied
"""

import os
import signal
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

from allgate.admin.rows import ConfigError
from allgate.gateway.exchange import Exchange
from allgate.storage.outbox import Outbox
from allgate.storage.sqlite import ledger
from allgate.storage.sqlite.ledger import SqliteLedger
from allgate.upstream.transport import PooledTransport
from allgate.wiring.failpoint import Failpoint

VARIABLE = "ALLGATE_FAILPOINT"


FAILPOINTS = {
    "after_hold": Failpoint(SqliteLedger, "hold", after=True),
    "after_send": Failpoint(PooledTransport, "send", after=True),
    "after_first_byte": Failpoint(Exchange, "on_body", after=True),
    "before_enqueue": Failpoint(SqliteLedger, "settle", after=False),
    "enqueued": Failpoint(SqliteLedger, "settle", after=True),
    "written": Failpoint(ledger, "write_postings", after=True),
    "committed": Failpoint(SqliteLedger, "group_ended", after=False),
    "before_last_byte": Failpoint(Exchange, "_deliver", after=False),
}

OUTAGE_FAILPOINTS = {
    "outbox_written": Failpoint(Outbox, "append", after=True),
    "outbox_drained": Failpoint(Outbox, "taken", after=False),
    "outbox_taken": Failpoint(Outbox, "clear", after=False),
}


def arm(environment: Mapping[str, str]) -> None:
    """Wrap what the variable names; without it, do nothing. Raises: ConfigError: there is no such place."""
    wish = environment.get(VARIABLE)
    if wish is None:
        return
    name, _, count = wish.partition("@")
    points = FAILPOINTS | OUTAGE_FAILPOINTS
    if name.startswith("postgres_"):
        from allgate.wiring.postgres_failpoints import POSTGRES_FAILPOINTS

        points = POSTGRES_FAILPOINTS
    if name not in points or not count.isdigit():
        raise ConfigError("", VARIABLE, f"must be NAME@COUNT with one of {', '.join(points)}: {wish!r}")
    point = points[name]
    function = getattr(point.owner, point.function)
    setattr(point.owner, point.function, _deadly(function, int(count), after=point.after))


def _deadly(function: Callable[..., Any], count: int, *, after: bool) -> Callable[..., Any]:
    left = count

    def pass_by() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    @wraps(function)
    def called(*arguments: Any, **named: Any) -> Any:
        if not after:
            pass_by()
        result = function(*arguments, **named)
        if after:
            pass_by()
        return result

    @wraps(function)
    async def awaited(*arguments: Any, **named: Any) -> Any:
        if not after:
            pass_by()
        result = await function(*arguments, **named)
        if after:
            pass_by()
        return result

    return awaited if iscoroutinefunction(function) else called
