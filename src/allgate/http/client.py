"""The client's side of a reply: writes straight to the socket, in one piece where it can.

uvicorn's own `send` is a coroutine that is awaited for every chunk; a relayed chunk comes from the other socket's
callback, where nothing can be awaited. So replies are written here, synchronously, and uvicorn's cycle is told what it
must know (started, complete), so that keep-alive, pipelining and shutdown stay its work.

Backpressure: the transport calls pause_writing above `WRITE_BUFFER_BYTES_MAX`; from then on `write` answers False until
`on_drained` is called.
"""

from asyncio import Transport
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any, Protocol

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from allgate.wire.headers import Headers
from allgate.wire.message import WireReply

WRITE_BUFFER_BYTES_MAX = 256 * 1024
"""Unsent bytes of one stream (ruling on concurrency): at 1,024 slow streams a quarter of a gigabyte."""


class Connection(Protocol):
    """What is needed of uvicorn's protocol object."""

    transport: Transport
    cycle: RequestResponseCycle
    flow: FlowControl
    scope: Any
    server_state: ServerState


class EdgeClient:
    """Implements `gateway.ports.Client` on a connection of uvicorn's. One per request."""

    __slots__ = ("_chunked", "_cycle", "_protocol", "_silent", "gone", "on_drained", "on_gone", "started")

    def __init__(self, protocol: Connection) -> None:
        self._protocol = protocol
        self._cycle = protocol.cycle
        self._silent = protocol.scope["method"] == "HEAD"
        self._chunked = protocol.scope["http_version"] == "1.1"
        self.gone = False
        self.started = False
        self.on_gone: Callable[[], None] | None = None
        self.on_drained: Callable[[], None] | None = None

    def reply(self, reply: WireReply) -> None:
        """A whole reply in one write."""
        if self.gone or self._cycle.response_started:
            return
        self._cycle.response_started = True
        length = b"content-length: %d\r\n\r\n" % len(reply.body)
        body = b"" if self._silent else reply.body
        self._write(b"".join((self._head(reply.status, reply.headers), length, body)))
        self._complete()

    def start(self, status: int, headers: Headers) -> None:
        if self.gone or self.started:
            return
        self.started = self._cycle.response_started = True
        if not self._chunked:
            self._cycle.keep_alive = False  # HTTP/1.0 has no chunks: the end of the connection ends the body
        framing = b"transfer-encoding: chunked\r\n\r\n" if self._chunked else b"\r\n"
        self._write(self._head(status, headers) + framing)

    def write(self, chunk: bytes) -> bool:
        if self.gone:
            return True  # nobody reads: never pause the provider for it
        if chunk and not self._silent:
            self._write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if self._chunked else chunk)
        return not self._protocol.flow.write_paused

    def finish(self, tail: bytes) -> None:
        if self.gone or self._cycle.response_complete:
            return
        if self._chunked:
            self._write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(tail), tail) if tail else b"0\r\n\r\n")
        elif tail:
            self._write(tail)
        self._complete()

    def abort(self) -> None:
        if not self.gone:
            self._protocol.transport.abort()

    def lost(self) -> None:
        """The connection is gone (called by the protocol)."""
        if not self.gone:
            self.gone = True
            if self.on_gone is not None and not self._cycle.response_complete:
                self.on_gone()
            self._let_go()

    def drained(self) -> None:
        """The socket took what was written (called by the protocol)."""
        if self.on_drained is not None:
            self.on_drained()

    def _head(self, status: int, headers: Headers) -> bytes:
        lines = [_status_line(status)]
        for name, value in (*self._protocol.server_state.default_headers, *headers):
            if b"\r" in value or b"\n" in value:
                raise ValueError(f"a line end in the value of header {name.decode('latin-1')}")
            lines += (name, b": ", value, b"\r\n")
        if not self._cycle.keep_alive:
            lines.append(b"connection: close\r\n")
        return b"".join(lines)

    def _write(self, piece: bytes) -> None:
        self._protocol.transport.write(piece)

    def _complete(self) -> None:
        cycle = self._cycle
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            self._protocol.transport.close()
        cycle.on_response()
        self._let_go()

    def _let_go(self) -> None:
        """Nothing follows: drop what points back here. A ring of objects would wait for the collector, and with all that a
        request made hanging on it, 33 containers each, that was a fifth of a request's CPU."""
        self.on_gone = self.on_drained = None
        self._cycle.scope.pop("extensions", None)


@cache
def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii")
