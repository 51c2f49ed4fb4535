"""One TCP connection: HTTP/1.1 requests in, delivery steps out, one request at a time.

An `asyncio.Protocol` over llhttp, and nothing between us and the socket, because a stand-in for broken vendors must be
able to break every rule of HTTP. A peer that goes away cancels whatever the exchange is waiting for (a pause, a hold,
a full send buffer), and the ledger says so; that is how a gateway's cancellation is checked.
"""

import asyncio
import socket
import struct
from collections import deque
from typing import Protocol, cast
from urllib.parse import parse_qsl, unquote

import httptools

from allgate.core.value import changed
from allgate.simulator.delivery import End, Hold, Pause, Reply, Silence, Step, Whole, Write, steps
from allgate.simulator.exchange import Request
from allgate.simulator.ledger import Ledger
from allgate.simulator.scenes import How, Scene
from allgate.wire.headers import Headers, first

BODY_BYTES_MAX = 256 * 1024 * 1024
"""Of one request: four times what any vendor takes; a peer that sends more is cut off."""

PEEK_BYTES_MAX = 64 * 1024
"""How far into an unfinished body a scene is looked for."""

SEND_BUFFER_BYTES = 64 * 1024
"""Unsent bytes at which an answer waits for its reader: asyncio's own default, named because tests rely on it."""

_LINGER_ZERO = struct.pack("ii", 1, 0)  # close() sends RST


class DeskPort(Protocol):
    """What a connection needs from the simulator."""

    ledger: Ledger
    crashes: list[BaseException]

    def held(self, name: str) -> asyncio.Event: ...
    def connected(self) -> bool: ...
    def open(
        self, method: str, path: str, query: dict[str, str], headers: Headers, connection: int
    ) -> tuple[Request, Scene | None]: ...
    def hurry(self, request: Request, scripted: Scene | None, so_far: bytearray) -> Scene | None: ...
    def early(self, request: Request, scene: Scene) -> Reply: ...
    def admit(self, request: Request, scripted: Scene | None) -> tuple[Scene, Reply]: ...


class Connection(asyncio.Protocol):
    """See the module. `connections` is the set of live ones, kept by the server."""

    def __init__(self, desk: DeskPort, connections: "set[Connection]") -> None:
        self._desk = desk
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._number = 0
        self._requests: deque[tuple[Request, Scene | None]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._serving: int | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._deaf = False  # an early answer was given: what still comes in is thrown away
        self._reset_on_next = False
        self._url = b""
        self._head: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._request: Request | None = None
        self._scripted: Scene | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=SEND_BUFFER_BYTES)
        self._connections.add(self)
        if not self._desk.connected():
            self.end("reset")
        self._number = self._desk.ledger.connections

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if self._reset_on_next:
            self.end("reset")
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(b"426 Upgrade Required")
        except httptools.HttpParserError:
            self._refuse(b"400 Bad Request")

    def eof_received(self) -> None:
        self._transport.abort()  # nobody reads the rest

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's signature
        self._connections.discard(self)
        if self._task is not None and not self._task.done():
            if self._serving is not None:
                self._desk.ledger.note(self._serving, peer_closed=True, done=True)
            self._task.cancel()

    def end(self, how: How) -> None:
        """Close now; unsent bytes are dropped by "reset" and "drop"."""
        if how == "reset":
            sock: socket.socket = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        if how in ("reset", "drop"):
            self._transport.abort()
        else:
            self._transport.close()

    async def gone(self) -> None:
        """Wait until the exchange on this connection, if any, has ended."""
        if self._task is not None:
            await asyncio.wait([self._task])

    # llhttp's side

    def on_message_begin(self) -> None:
        self._url, self._head, self._body, self._request = b"", [], bytearray(), None

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        headers = tuple(self._head)
        path, _, query = self._url.decode("latin-1").partition("?")
        method = self._parser.get_method().decode("ascii")
        pairs = dict(parse_qsl(query, keep_blank_values=True))
        self._request, self._scripted = self._desk.open(method, unquote(path), pairs, headers, self._number)
        if (first(headers, b"expect") or b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._look_ahead()

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > BODY_BYTES_MAX:
            self.end("reset")
        elif len(self._body) <= PEEK_BYTES_MAX:
            self._look_ahead()

    def on_message_complete(self) -> None:
        if self._request is None or self._deaf:
            return
        self._requests.append((changed(self._request, body=bytes(self._body)), self._scripted))
        self._start_next()

    # one request

    def _look_ahead(self) -> None:
        """Act at once for a scene that does not wait for the body."""
        if self._request is None or self._deaf or self._task is not None:
            return
        scene = self._desk.hurry(self._request, self._scripted, self._body)
        if scene is None:
            return
        self._deaf = True
        if scene.reset == "reading":
            self._desk.ledger.note(self._request.serial, scene=scene.name, done=True)
            self.end("reset")
            return
        reply = self._desk.early(self._request, scene)
        self._transport.write(b"".join(step.data for step in steps(reply, scene) if isinstance(step, Write)))
        self._desk.ledger.note(self._request.serial, done=True)
        if self._transport.can_write_eof():  # TLS cannot
            self._transport.write_eof()

    def _start_next(self) -> None:
        if self._task is None and self._requests and not self._transport.is_closing():
            request, scripted = self._requests.popleft()
            self._task = asyncio.get_running_loop().create_task(self._serve(request, scripted))

    async def _serve(self, request: Request, scripted: Scene | None) -> None:
        self._serving = request.serial
        try:
            scene, reply = self._desk.admit(request, scripted)
            self._reset_on_next = scene.stale == "next"  # before the reply: the next request may be quick
            for step in steps(reply, scene):
                await self._take(step, request.serial)
        except Exception as error:
            self._desk.crashes.append(error)
            self._desk.ledger.note(request.serial, error=f"simulator crashed: {error!r}")
            self.end("reset")
        self._serving = None
        self._desk.ledger.note(request.serial, done=True)
        self._task = None
        if (first(request.headers, b"connection") or b"").lower() == b"close":
            self.end("close")
        self._start_next()

    async def _take(self, step: Step, serial: int) -> None:
        match step:
            case Write():
                await self._write(step.data)
                if step.frame:
                    self._desk.ledger.sent(serial)
                    await asyncio.sleep(
                        0
                    )  # one frame per turn of the loop, so that a peer that left is noticed
            case Pause():
                await asyncio.sleep(step.seconds)
            case Hold():
                self._desk.ledger.note(serial, holding=step.name)
                await self._desk.held(step.name).wait()
                self._desk.ledger.note(serial, holding=None)
            case Silence():
                self._desk.ledger.note(serial, holding="silence")
                await asyncio.get_running_loop().create_future()
            case Whole():
                await self._writable.wait()
                self._desk.ledger.note(serial, complete=True)
            case End():
                self._serving = None
                self.end(step.how)

    async def _write(self, data: bytes) -> None:
        await self._writable.wait()
        if self._transport.is_closing():
            await asyncio.get_running_loop().create_future()  # connection_lost, on its way, cancels this
        self._transport.write(data)

    def _refuse(self, status: bytes) -> None:
        self._desk.ledger.malformed += 1
        self._transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self.end("close")
