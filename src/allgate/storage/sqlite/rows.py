"""Many rows in few statements, for the two writers whose rows come in groups.

`VALUES (…), (…), …` has a text of its own for each number of rows, made once and kept by SQLite's cache of statements
(`schema.STATEMENTS_KEPT` has room for all). One statement instead of one per row hands the interpreter's lock over less
often per group: a thread beside a busy loop waits for it each time.

A row of the request log takes 3 KB in a prepared statement, so not every number of rows has one: a group goes in full
statements, one that is a multiple of ROWS_STEP, and one with the rest. With a statement for every number up to 64, memory
grew by 9 MB over the first 300,000 requests, as one group after another had a size not seen before.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import TypeAlias

Row: TypeAlias = Sequence[object]

ROWS_PER_STATEMENT = 64
"""Of up to 31 parameters each: within SQLite's 32,766. 128 rows at once are hardly faster, and twice as many texts."""

ROWS_STEP = 8
"""15 statements for a table, which hold 316 rows in all; each of the 64 would hold 2,080."""

NOTHING = -(2**63)
"""Stands for None where it is bound. No count is negative, and no text is a number."""


class RowsStatement:
    """Statements for any number of rows. `text` makes one for a number from 1 to ROWS_PER_STATEMENT."""

    __slots__ = ("_text", "_texts")

    def __init__(self, text: Callable[[int], str]) -> None:
        self._text = text
        self._texts: dict[int, str] = {}

    def run(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        """Run it over all rows. Raises: sqlite3.Error."""
        start = 0
        while start < len(rows):
            end = start + _rows_at_once(len(rows) - start)
            part = rows[start:end]
            connection.execute(self._text_for(len(part)), tuple(chain.from_iterable(part)))
            start = end

    def _text_for(self, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            text = self._texts[count] = self._text(count)
        return text


def _rows_at_once(count: int) -> int:
    """How many of so many rows the next statement takes."""
    if count < ROWS_STEP:
        return count
    return min(count - count % ROWS_STEP, ROWS_PER_STATEMENT)


def places(columns: Sequence[str], count: int, nullable: Collection[str] = ()) -> str:
    """`(?, ?), (?, ?)`: the places of `count` rows. A column that is `nullable` takes NOTHING for None: `sqlite3` looks for
    an adapter for every None (and every bool) that it binds, which takes 0.3 µs (0.5); an int takes 0.03, NULLIF 0.1."""
    one = ", ".join(f"NULLIF(?, {NOTHING})" if column in nullable else "?" for column in columns)
    return ", ".join([f"({one})"] * count)
