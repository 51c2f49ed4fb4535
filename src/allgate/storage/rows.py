"""Many rows in one statement, for the two writers whose rows come in groups.

`VALUES (…), (…), …` has a text of its own for each number of rows. Up to ROWS_PER_STATEMENT each is made once and kept by
SQLite's cache of statements (`schema.STATEMENTS_KEPT` has room for all); a longer group goes in several statements.
One statement instead of one per row hands the interpreter's lock over twice per group: a thread beside a busy loop waits
for it each time.
"""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import TypeAlias

Row: TypeAlias = Sequence[object]

ROWS_PER_STATEMENT = 64
"""Of up to 31 parameters each: within SQLite's 32,766. 128 rows at once are hardly faster, and twice as many texts."""

NOTHING = -(2**63)
"""Stands for None where it is bound. No count is negative, and no text is a number."""


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


def places(columns: Sequence[str], count: int, nullable: Collection[str] = ()) -> str:
    """`(?, ?), (?, ?)`: the places of `count` rows. A column that is `nullable` takes NOTHING for None: `sqlite3` looks for
    an adapter for every None (and every bool) that it binds, which takes 0.3 µs (0.5); an int takes 0.03, NULLIF 0.1."""
    one = ", ".join(f"NULLIF(?, {NOTHING})" if column in nullable else "?" for column in columns)
    return ", ".join([f"({one})"] * count)
