"""Many rows in one statement, for the two writers whose rows come in groups.

`VALUES (…), (…), …` has a text of its own for each number of rows. Up to ROWS_PER_STATEMENT each is made once and kept by
SQLite's cache of statements (`schema.STATEMENTS_KEPT` has room for all); a longer group goes in several statements.
One statement instead of one per row hands the interpreter's lock over twice per group: a thread beside a busy loop waits
for it each time.
"""

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TypeAlias

Row: TypeAlias = Sequence[object]

ROWS_PER_STATEMENT = 64
"""Of up to 31 parameters each: within SQLite's 32,766. 128 rows at once are hardly faster, and twice as many texts."""


class RowsStatement:
    """A statement for any number of rows. `text` makes it for a number from 1 to ROWS_PER_STATEMENT."""

    __slots__ = ("_text", "_texts")

    def __init__(self, text: Callable[[int], str]) -> None:
        self._text = text
        self._texts: dict[int, str] = {}

    def run(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        """Run it over all rows. Raises: sqlite3.Error."""
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            part = rows[start : start + ROWS_PER_STATEMENT]
            connection.execute(self._text_for(len(part)), tuple(chain.from_iterable(part)))

    def _text_for(self, count: int) -> str:
        text = self._texts.get(count)
        if text is None:
            text = self._texts[count] = self._text(count)
        return text


def places(columns: Sequence[str], count: int) -> str:
    """`(?, ?), (?, ?)`: the places of `count` rows."""
    return ", ".join([f"({', '.join('?' * len(columns))})"] * count)
