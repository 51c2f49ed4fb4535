"""Rows in groups of every size arrive in their order, with few statements."""

import sqlite3
from contextlib import closing

from allgate.storage.sqlite.rows import ROWS_PER_STATEMENT, RowsStatement, places

STATEMENTS_MAX = 15
"""Of 1 to 7 rows, and of 8, 16, … 64: each costs memory for as long as the process lives."""


def test_groups_of_every_size_arrive_whole_and_in_order_with_few_statements():
    made: list[int] = []

    def text(count: int) -> str:
        made.append(count)
        return f"INSERT INTO numbers (number, note) VALUES {places(('number', 'note'), count)}"

    statement = RowsStatement(text)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, note TEXT)")
        for size in range(3 * ROWS_PER_STATEMENT + 1):
            statement.run(connection, [(number, f"of {size}") for number in range(size)])
            rows = connection.execute("SELECT number, note FROM numbers ORDER BY rowid").fetchall()
            assert rows == [(number, f"of {size}") for number in range(size)]
            connection.execute("DELETE FROM numbers")
    assert len(made) == len(set(made)) <= STATEMENTS_MAX
    assert max(made) == ROWS_PER_STATEMENT
