"""What attempts that nobody answered may have cost, booked between two accounts of the house.

One transfer for each: `unanswered:REQUEST:ATTEMPT`, from `house:unanswered` to `house:providers`. It is an estimate, so
it touches neither a client's account nor `house:revenue`, and no answer waits for it: transfers are written behind,
together, once in FLUSH_S.
"""

from asyncio import AbstractEventLoop
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

from allgate.billing.book import PROVIDERS, UNANSWERED
from allgate.gateway.ports import Unanswered
from allgate.storage.connection import Commits, Connection
from allgate.storage.sql_text import statements
from allgate.storage.transfers import TRANSFER_COLUMNS, move_balances
from allgate.storage.write_behind import WriteBehind

FLUSH_S = 1.0
"""Between two transactions: a provider that is down leaves thousands of attempts without an answer in a second."""

WAITING_MAX = 10_000
"""Costs that wait for the database, 4 MB. Beyond it they are counted as lost: they are estimates, and no one's money."""

HouseCosts: TypeAlias = WriteBehind[Unanswered]


def house_costs(writer: Commits, loop: AbstractEventLoop) -> HouseCosts:
    """Those that wait for this writer."""
    return WriteBehind(
        lambda costs, done: writer.commit(partial(write_unanswered, costs), done),
        loop,
        flush_s=FLUSH_S,
        queue_rows_max=WAITING_MAX,
    )


def write_unanswered(costs: Sequence[Unanswered], connection: Connection) -> None:
    """Book them. One that was booked before stays as it is."""
    moved = 0
    for cost in costs:
        row = (
            f"unanswered:{cost.request_id}:{cost.attempt}", "unanswered", UNANSWERED, PROVIDERS, cost.amount_nano_usd,
            cost.at_ms, cost.key_id, cost.price_id, f"no answer from {cost.upstream}; estimated",
        )  # fmt: skip
        if connection.execute(
            statements()["write_transfer"], dict(zip(TRANSFER_COLUMNS, row, strict=True))
        ).rowcount:
            moved += cost.amount_nano_usd
    if moved:
        move_balances(connection, {UNANSWERED: -moved, PROVIDERS: moved})
