"""How long answers were before this process began: read from the newest lines of the request log."""

from allgate.billing.output_sizes import OutputSizes
from allgate.storage.connection import Connection
from allgate.storage.sql_text import statements

LINES_MAX = 50_000
"""Lines that are looked at: a tenth of a second. A model of which they hold too few answers is held for at its worst."""


def read_output_sizes(connection: Connection) -> OutputSizes:
    """A job for a reader."""
    rows = connection.execute(statements()["read_output_sizes"], {"rows_max": LINES_MAX}).fetchall()
    sizes = OutputSizes()
    for model, outcome, tokens in reversed(rows):
        if outcome == "ok" and tokens is not None:
            sizes.observe(model, tokens)
    return sizes
