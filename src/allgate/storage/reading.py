"""Reading for somebody who waits for an answer: behind what was written before, and not for ever.

The writer's queue may stand still while a database is away (a PostgreSQL that restarts, a disk that hangs). Whoever
asks then is told so, in an error that invites him to come again, and not after his own patience has ended.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from typing import TypeVar

from allgate.core.errors import ErrorKind, Failure, Refused
from allgate.storage.config_store import read_number
from allgate.storage.connection import Connection, DatabaseGone, DatabaseRefused, Jobs, WriterBusy

Read = TypeVar("Read")

READ_S_MAX = 10.0
"""A report over ten million charges takes 3 s; clients give up after 30."""

UNREADABLE = (sqlite3.Error, DatabaseGone, DatabaseRefused, WriterBusy, TimeoutError)

_log = logging.getLogger("allgate.storage")


async def read_behind(writer: Jobs, reader: Jobs, read: Callable[[Connection], Read]) -> Read:
    """What `read` finds when all that the writer was given before is there. Raises: Refused(OVERLOADED)."""
    try:
        async with asyncio.timeout(READ_S_MAX):
            await asyncio.wrap_future(writer.submit(read_number))
            return await asyncio.wrap_future(reader.submit(read))
    except UNREADABLE as error:
        raise unreadable(error) from error


def unreadable(error: Exception) -> Refused:
    """What a client is told when the database is away."""
    _log.error("the database cannot be read", extra={"error": repr(error)})
    return Refused(
        Failure(
            kind=ErrorKind.OVERLOADED,
            message="What is kept cannot be read at the moment. Please try again.",
            code="database_unreachable",
            retry_after_s=1.0,
        )
    )
