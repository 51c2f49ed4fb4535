"""One process per database: an OS lock on a file beside it (ruling 21).

SQLite before 3.51.3 can corrupt a write-ahead log that two connections checkpoint, so whoever writes holds this lock:
a server as long as it runs, a command for one change. The kernel lets go of it when its process dies, however it dies.
The file's text says who holds it and where that process takes commands, for the command that finds it taken.
"""

import fcntl
import os
from pathlib import Path

import msgspec

from allgate.core.value import Value

FILE_BYTES_MAX = 4_096
"""A pid and a path."""


class Holder(Value, frozen=True, kw_only=True):
    """Who holds the lock. `control`: the path of the socket where it takes commands; empty: it takes none."""

    pid: int = 0
    control: str = ""


class Locked(Exception):
    """Another process has the database open."""

    def __init__(self, database: Path, holder: Holder) -> None:
        super().__init__(f"{database} is in use by process {holder.pid or 'unknown'}")
        self.holder = holder


class DatabaseLock:
    """The held lock. `release` it, or let the process end."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, database: Path) -> None:
        """Take the lock. Raises: Locked: another process has it."""
        self._path = database.with_name(database.name + ".lock")
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(os.read(descriptor, FILE_BYTES_MAX))
            os.close(descriptor)
            raise Locked(database, holder) from None
        self._descriptor = descriptor
        self.tell("")

    def tell(self, control: str) -> None:
        """Say where this process takes commands."""
        text = msgspec.json.encode(Holder(pid=os.getpid(), control=control))
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text, 0)

    def release(self) -> None:
        """The file stays: removing it would let two processes lock two files of one name."""
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)


def _holder(text: bytes) -> Holder:
    try:
        return msgspec.json.decode(text, type=Holder)
    except msgspec.DecodeError:
        return Holder()
