"""The client's side of a reply: writes straight to the socket, in one piece where it can.

A relayed chunk comes from the other socket's callback, where nothing can be awaited; so everything here is synchronous.

Backpressure: the transport calls pause_writing above `WRITE_BUFFER_BYTES_MAX`; from then on `write` answers False until
`on_drained` is called.
"""

from asyncio import Task, Transport
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Protocol

from allgate.wire.headers import Headers
from allgate.wire.message import WireReply

WRITE_BUFFER_BYTES_MAX = 256 * 1024
"""Unsent bytes of one stream (ruling on concurrency): at 1,024 slow streams a quarter of a gigabyte."""


class Dated(Protocol):
    """The server: `date_field` is a whole header line."""

    date_field: bytes
    closing: bool


class Connection(Protocol):
    """What is needed of the connection."""

    transport: Transport
    write_paused: bool

    @property
    def server(self) -> Dated: ...

    def replied(self, *, keep_alive: bool) -> None: ...


class EdgeClient:
    """Implements `gateway.ports.Client`. One per request. `task` keeps alive whoever serves it."""

    __slots__ = (
        "_chunked", "_complete", "_connection", "_keep_alive", "_silent", "gone", "on_drained", "on_gone", "started", "task",
    )  # fmt: skip

    def __init__(self, connection: Connection, silent: bool, chunked: bool, keep_alive: bool) -> None:
        self._connection = connection
        self._silent = silent  # HEAD
        self._chunked = chunked  # HTTP/1.1; in 1.0 the end of the connection ends a stream
        self._keep_alive = keep_alive
        self._complete = False
        self.gone = False
        self.started = False
        self.on_gone: Callable[[], None] | None = None
        self.on_drained: Callable[[], None] | None = None
        self.task: Task[None] | None = None

    def reply(self, reply: WireReply) -> None:
        """A whole reply in one write."""
        if self.gone or self.started or self._complete:
            return
        body = reply.body
        # a 304 may not say 0: it would be the length of what the client has
        framing = b"content-length: %d\r\n\r\n" % len(body) if reply.status != 304 else b"\r\n"
        head = self._head(reply.status, reply.headers, framing)
        self._connection.transport.write(head if self._silent else head + body)
        self._end()

    def start(self, status: int, headers: Headers) -> None:
        if self.gone or self.started:
            return
        self.started = True
        self._keep_alive = self._keep_alive and self._chunked
        framing = b"transfer-encoding: chunked\r\n\r\n" if self._chunked else b"\r\n"
        self._connection.transport.write(self._head(status, headers, framing))

    def write(self, chunk: bytes) -> bool:
        if self.gone:
            return True  # nobody reads: never pause the provider for it
        connection = self._connection
        if chunk and not self._silent:
            connection.transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._chunked else chunk)
        return not connection.write_paused

    def finish(self, tail: bytes) -> None:
        if self.gone or self._complete:
            return
        if self._chunked:
            last = b"%x\r\n%b\r\n0\r\n\r\n" % (len(tail), tail) if tail else b"0\r\n\r\n"
            self._connection.transport.write(last)
        elif tail:
            self._connection.transport.write(tail)
        self._end()

    def abort(self) -> None:
        if not self.gone and not self._complete:
            self._connection.transport.abort()

    def lost(self) -> None:
        """The connection is gone (said by the connection)."""
        if not self.gone and not self._complete:
            self.gone = True
            if self.on_gone is not None:
                self.on_gone()
            self.on_gone = self.on_drained = None

    def drained(self) -> None:
        """The socket took what was written (said by the connection)."""
        if self.on_drained is not None:
            self.on_drained()

    def _head(self, status: int, headers: Headers, framing: bytes) -> bytes:
        """The head up to and with its empty line. Raises: ValueError: a line end in a value."""
        server = self._connection.server
        lines = [_status_line(status), server.date_field, *map(b": ".join, headers)]
        if not self._keep_alive or server.closing:
            lines.append(b"connection: close")
        lines.append(framing)
        head = b"\r\n".join(lines)
        line_ends = len(lines) - 1 + framing.count(b"\n")
        if head.count(b"\n") != line_ends or head.count(b"\r") != line_ends:
            raise ValueError("a line end in the name or value of a header field")
        return head

    def _end(self) -> None:
        """Nothing follows. What points back here is dropped: a ring of objects would wait for the collector, and with all
        that a request made hanging on it, 33 containers each, that was a fifth of a request's CPU."""
        self._complete = True
        self.on_gone = self.on_drained = None
        self._connection.replied(keep_alive=self._keep_alive)


@cache
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}".encode("ascii")
