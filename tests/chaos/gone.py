"""Ways in which a database goes, and comes back: what a gateway is configured with, and who takes it away."""

import os
import signal
import sqlite3
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from cli.program import DEADLINE_S
from postgres import Postgres

SETTINGS = "[ledger]\ncommit_wait_s = 0.5"


class Way(NamedTuple):
    """`settings` of the gateway, as TOML. `gone`: a context in which the database does not answer."""

    settings: str
    gone: Callable[[], AbstractContextManager[object]]


def sqlite_is_locked(folder: Path, _: Postgres) -> Way:
    """Somebody else writes, and does not come to an end: a careless backup."""
    return Way(SETTINGS, lambda: _locked(folder / "allgate.db"))


def postgres_is_paused(_: Path, server: Postgres) -> Way:
    """It keeps its connections and says nothing, as behind a cable that was pulled."""
    return Way(_of(server), lambda: _paused(server))


def postgres_is_stopped(_: Path, server: Postgres) -> Way:
    """Every connection is cut, and none is taken."""
    return Way(_of(server), lambda: _stopped(server))


def _of(server: Postgres) -> str:
    return f'{SETTINGS}\n[database]\nurl = "{server.database()}"\n[secrets]\nmaster_key = "{"ab" * 32}"'


@contextmanager
def _locked(database: Path) -> Generator[None]:
    with closing(sqlite3.connect(database, isolation_level=None, timeout=DEADLINE_S)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def _paused(server: Postgres) -> Generator[None]:
    processes = _family(server)
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


@contextmanager
def _stopped(server: Postgres) -> Generator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def _family(server: Postgres) -> list[int]:
    """The server's first process, before those that it made: whoever is asked for a connection does not answer then."""
    first = int((server._folder / "cluster" / "postmaster.pid").read_text().split()[0])
    children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
    return [first, *map(int, children)]
