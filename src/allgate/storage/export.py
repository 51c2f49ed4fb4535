"""The ledger as rows for somebody else: every transfer, or every line of the request log, of a range of time.

Read page by page behind the last key, each page a short job of a reader: an export of a year holds neither memory nor a
transaction, and nobody waits for it. What it reads is never changed (a charge is final, a line is written once), so the
pages fit together although each sees its own moment; rows that come in meanwhile may be in or not.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from allgate.core.money import usd_text
from allgate.storage.connection import Connection, Jobs
from allgate.storage.sql_text import statements

PAGE_ROWS = 2_000
"""Of up to 1 KB each: 2 MB in memory, and 10 ms of a reader's thread."""

NANO_USD = "_nano_usd"


class Export(NamedTuple):
    """A statement, and the columns of its key. The other parameters are named alike in all."""

    statement: str
    key: tuple[str, ...]


EXPORTS = {
    "transfers": Export("export_transfers", ("id", "kind")),
    "requests": Export("export_requests", ("request_id",)),
}
_AFTER = ("after_id", "after_kind")

SWITCHES = ("passthrough", "stream", "estimated")
"""SQLite knows no truth, only 1 and 0."""


def exported(jobs: Jobs, what: str, from_ms: int, before_ms: int) -> Iterator[dict[str, object]]:
    """Every row of the time, in the order of the ids. Beside each amount in nano-USD stands the same in USD, as text.

    `what` is a key of EXPORTS. Raises: what the database fails with.
    """
    export = EXPORTS[what]
    after = ("",) * len(export.key)
    while True:
        named: dict[str, object] = {"from_ms": from_ms, "before_ms": before_ms, "rows_max": PAGE_ROWS}
        named |= zip(_AFTER, after, strict=False)
        page = jobs.submit(partial(_page, export.statement, named)).result()
        yield from map(_shown, page)
        if len(page) < PAGE_ROWS:
            return
        after = tuple(str(page[-1][column]) for column in export.key)


def _page(statement: str, named: dict[str, object], connection: Connection) -> list[dict[str, object]]:
    rows = connection.execute(statements()[statement], named)
    names = [str(column[0]) for column in rows.description]
    return [dict(zip(names, row, strict=True)) for row in rows]


def _shown(row: dict[str, object]) -> dict[str, object]:
    shown: dict[str, object] = {}
    for name, value in row.items():
        shown[name] = bool(value) if name in SWITCHES else value
        if name.endswith(NANO_USD) and isinstance(value, int):
            shown[name.removesuffix(NANO_USD) + "_usd"] = usd_text(value)
    return shown
