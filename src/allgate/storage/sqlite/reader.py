"""Reading beside the writer of SQLite: each job on a connection of its own that cannot write, in one of a few threads."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from allgate.storage.connection import Connection
from allgate.storage.sqlite.schema import open_reading

Result = TypeVar("Result")

THREADS_MAX = 4
"""Reports at once. A fifth waits: they share the disk and the interpreter with every request."""


class Reader:
    """A `storage.connection.Jobs` whose jobs see one moment of the database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="sqlite-reader")

    def submit(self, run: Callable[[Connection], Result]) -> "Future[Result]":
        """The future has the result, or sqlite3.Error, or what the job raised."""
        return self._threads.submit(self._opened, run)

    def close(self) -> None:
        self._threads.shutdown()

    def _opened(self, run: Callable[[Connection], Result]) -> Result:
        with closing(open_reading(self._path)) as connection:
            connection.execute("BEGIN")  # ended by closing
            return run(connection)
