"""Kept responses (`gateway.ports.ResponseStore`): written by the writer's queue, read beside it.

A response may be continued as soon as its last bytes have left. In a process that has its database to itself, a reading
hands over what waits, waits until it is written, and then runs on a connection that is not the writer's: so responses are
written many together, and no answer waits for them. Nodes that share a database cannot ask each other what waits: there,
`put` gives a future, and the answer's last bytes wait for it.

Old responses are deleted in small steps, like old rows of the request log; a conversation that goes on keeps all of its
responses.
"""

import asyncio
import logging
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from allgate.gateway.ports import StoredResponse
from allgate.storage.connection import Connection, Jobs, WriterBusy
from allgate.storage.reading import UNREADABLE, read_behind, unreadable
from allgate.storage.sql_text import statements

HOUR_MS = 3_600_000

FLUSH_S = 0.25
"""How long responses wait for each other, as rows of the request log do: a transaction for each costs 300 µs of CPU."""

WAITING_BYTES_MAX = 8 * 1024 * 1024
"""Handed over at once beyond it: eight of the longest, and 10 ms of the writer."""

SWEEP_S = 600.0
"""Between two looks for old responses: a sixth of an hour, in which hours are counted."""

ROWS_PER_STEP = 200
"""Of up to a megabyte each: SQLite frees their pages in about 5 ms, which is what a charge may have to wait."""

_log = logging.getLogger("allgate.responses")
Read = TypeVar("Read")


class StoredResponses:
    """`hours` 0: nothing is kept. `shared`: other nodes have the same database."""

    def __init__(
        self, writer: Jobs, reader: Jobs, *, hours: int, bytes_max: int, shared: bool = False
    ) -> None:
        self._writer = writer
        self._reader = reader
        self._hours = hours
        self._shared = shared
        self._waiting: list[StoredResponse] = []
        self._waiting_bytes = 0
        self._flushing: TimerHandle | None = None
        self.enabled = hours > 0
        self.bytes_max = bytes_max
        self._sweeping: TimerHandle | None = None
        self._unwritten = 0
        self._unwritten_in_thread = 0  # counted by the writer's thread only

    @property
    def unwritten_total(self) -> int:
        """Responses that should have been kept and could not be written."""
        return self._unwritten + self._unwritten_in_thread

    def put(self, response: StoredResponse) -> "asyncio.Future[None] | None":
        self._waiting.append(response)
        if self._shared:
            written = self.flush()
            return None if written is None else asyncio.wrap_future(written)
        self._waiting_bytes += len(response.input) + len(response.answer)
        if self._waiting_bytes > WAITING_BYTES_MAX:
            self.flush()
        elif self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(FLUSH_S, self.flush)
        return None

    def flush(self) -> "Future[None] | None":
        """Hand over what waits; the future is done when it was written, or could not be. None: there was nothing."""
        if self._flushing is not None:
            self._flushing.cancel()
        waiting, self._waiting, self._waiting_bytes, self._flushing = self._waiting, [], 0, None
        if not waiting:
            return None
        settled: Future[None] = Future()
        try:
            writing = self._writer.submit(partial(_write, waiting))
        except WriterBusy as error:
            self._unwritten += len(waiting)
            _log.warning("responses could not be kept", extra={"count": len(waiting), "error": repr(error)})
            return None
        writing.add_done_callback(partial(self._written, len(waiting), settled))
        return settled

    def _written(self, count: int, settled: "Future[None]", writing: "Future[None]") -> None:
        """In the writer's thread."""
        if (error := writing.exception()) is not None:
            self._unwritten_in_thread += count
            _log.warning("responses could not be kept", extra={"count": count, "error": repr(error)})
        settled.set_result(None)

    async def get(self, account_id: str, response_id: str) -> StoredResponse | None:
        return await self._read(partial(_one, "read_response", {"account": account_id, "id": response_id}))

    async def conversation(
        self, account_id: str, response_id: str, responses_max: int
    ) -> tuple[StoredResponse, ...]:
        return await self._read(partial(_conversation, account_id, response_id, responses_max))

    async def with_item(self, account_id: str, item_id: str) -> StoredResponse | None:
        named = {"account": account_id, "item": item_id}
        return await self._read(partial(_one, "read_response_of_item", named))

    async def delete(self, account_id: str, response_id: str) -> bool:
        self.flush()
        try:
            deleting = self._writer.submit(partial(_delete, [(account_id, response_id)]))
            return await asyncio.wrap_future(deleting) > 0
        except UNREADABLE as error:
            raise unreadable(error) from error

    def start(self, loop: AbstractEventLoop, now_ms: Callable[[], int]) -> None:
        """Look for old responses now, and again and again until `stop`."""
        self.expire(now_ms())
        self._sweeping = loop.call_later(SWEEP_S, self.start, loop, now_ms)

    def stop(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        self.flush()

    def expire(self, now_ms: int) -> None:
        """Begin to delete what is too old; it ends by itself. Harmless while an earlier one is at work."""
        try:
            expired = self._writer.submit(partial(_expire, now_ms - self._hours * HOUR_MS))
        except WriterBusy:
            return  # the next one goes on
        expired.add_done_callback(partial(self._expired, now_ms))

    def _expired(self, now_ms: int, expired: "Future[int]") -> None:
        if (error := expired.exception()) is not None:
            _log.warning("old responses could not be deleted", extra={"error": repr(error)})
        elif expired.result() == ROWS_PER_STEP:
            self.expire(now_ms)

    async def _read(self, read: Callable[[Connection], Read]) -> Read:
        self.flush()
        return await read_behind(self._writer, self._reader, read)


def _write(responses: list[StoredResponse], connection: Connection) -> None:
    for response in responses:
        _write_one(response, connection)


def _write_one(response: StoredResponse, connection: Connection) -> None:
    named = {"account": response.account_id, "id": response.id}
    connection.execute(statements()["delete_response_items"], named)
    row = {
        **named,
        "parent": response.parent,
        "root": response.root,
        "model": response.model,
        "created_ms": response.created_ms,
        "input": response.input or None,
        "answer": response.answer or None,
        "lost": response.lost,
    }
    connection.execute(statements()["write_response"], row)
    items = [
        {"account": response.account_id, "item": item, "response": response.id} for item in response.items
    ]
    connection.executemany(statements()["write_response_item"], items)


def _one(statement: str, parameters: dict[str, str], connection: Connection) -> StoredResponse | None:
    columns = connection.execute(statements()[statement], parameters).fetchone()
    return None if columns is None else _response(columns)


def _conversation(
    account: str, response_id: str, responses_max: int, connection: Connection
) -> tuple[StoredResponse, ...]:
    found: list[StoredResponse] = []
    wanted: str | None = response_id
    while wanted is not None and len(found) < responses_max:
        response = _one("read_response", {"account": account, "id": wanted}, connection)
        if response is None:
            break
        found.append(response)
        wanted = response.parent
    return tuple(reversed(found))


def _response(
    columns: tuple[str, str, str | None, str, str, int, str | None, str | None, str],
) -> StoredResponse:
    account, response_id, parent, root, model, created_ms, said, answer, lost = columns
    return StoredResponse(
        account_id=account,
        id=response_id,
        parent=parent,
        root=root,
        model=model,
        created_ms=created_ms,
        input=said or "",
        answer=answer or "",
        lost=lost,
    )


def _expire(before_ms: int, connection: Connection) -> int:
    parameters = {"before_ms": before_ms, "rows_max": ROWS_PER_STEP}
    return _delete(
        connection.execute(statements()["read_expired_responses"], parameters).fetchall(), connection
    )


def _delete(rows: list[tuple[str, str]], connection: Connection) -> int:
    named = [{"account": account, "id": response_id} for account, response_id in rows]
    connection.executemany(statements()["delete_response_items"], named)
    return connection.executemany(statements()["delete_response"], named).rowcount
