"""What was spent before, for budgets: read again from the transfers, by account and key."""

from functools import partial

from allgate.billing.budgets import DAY_MS, Spent, month_of
from allgate.storage.connection import Connection
from allgate.storage.sql_text import statements

EVER = "req_"
"""Where the ids of requests begin."""


def read_spent(now_ms: int, connection: Connection) -> Spent:
    """A job for the writer, behind the charges that were decided so far. The total reads every transfer: 0.3 s a million."""
    spent_since = partial(_spent_since, connection)
    return Spent(
        total=spent_since(EVER),
        day=spent_since(id_of_time(now_ms - now_ms % DAY_MS)),
        month=spent_since(id_of_time(month_of(now_ms)[0])),
    )


def _spent_since(connection: Connection, from_id: str) -> dict[tuple[str, str], int]:
    """Ids of requests begin with the time of their admission (`core.ids`), so a window is a range of them."""
    rows = connection.execute(statements()["read_spent_by_key"], {"from_id": from_id}).fetchall()
    return {(account, key): int(amount) for account, key, amount in rows}


def id_of_time(at_ms: int) -> str:
    """The ids of requests admitted from then on are not below it."""
    return f"{EVER}{at_ms:012x}"
