"""One client connection: HTTP/1.1 in, requests to the application, replies out in the order in which they were asked.

llhttp (through httptools) tokenizes; what it leaves open is decided here (ruling 19): header bytes and count are bounded,
a head must arrive within 10 s and a body at 1 KB/s, bodies are counted as they come, malformed HTTP is answered in JSON,
duplicate header lines are accepted (real clients send two User-Agents), a lost connection tells the reply's side at once.

A body is collected whole before the application sees the request: routing needs its model, the hold its size. Pipelined
requests wait their turn, and the socket is not read meanwhile.

    head ──▶ body ──▶ accept(request, client) ──▶ client.reply / start…finish ──▶ next request, or close

Why not ASGI: a request would pay for a scope, a queue and a coroutine of the server's around ours, and every chunk for an
awaited `send`: about half of what the whole gateway takes (docs/decisions/0061).
"""

import asyncio
from collections import deque
from typing import Protocol, cast
from urllib.parse import unquote_to_bytes

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserInvalidURLError,
    HttpParserUpgrade,
    HttpRequestParser,
    parse_url,
)

from allgate.http.client import WRITE_BUFFER_BYTES_MAX, EdgeClient
from allgate.wire.json import encode
from allgate.wire.message import WireRequest

HEADER_BYTES_MAX = 64 * 1024
HEADER_COUNT_MAX = 200
HEAD_S_MAX = 10.0
BODY_GRACE_S = 10.0
BODY_BYTES_PER_S_MIN = 1024
KEEP_ALIVE_S = 75.0
"""Longer than the 60 s of common load balancers, so that they, not we, close first."""
PIPELINED_MAX = 32
"""Requests that may wait behind the one under way. No SDK pipelines, and browsers gave it up."""

_METHODS = {b"POST": "POST", b"GET": "GET", b"HEAD": "HEAD", b"DELETE": "DELETE", b"OPTIONS": "OPTIONS"}


class Application(Protocol):
    """What is served. Both are called synchronously, once a request's turn has come."""

    body_bytes_max: int

    def accept(self, request: WireRequest, client: EdgeClient, address: str) -> None: ...

    def too_large(self, request: WireRequest, client: EdgeClient) -> None:
        """The body is longer than `body_bytes_max`, and was not kept. The connection ends with the reply."""
        ...


class Server(Protocol):
    """What a connection needs of the server: `date_field` is a whole header line, `closing` ends keep-alive."""

    application: Application
    loop: asyncio.AbstractEventLoop
    date_field: bytes
    closing: bool

    def add(self, connection: "EdgeProtocol") -> None: ...
    def discard(self, connection: "EdgeProtocol") -> None: ...


class EdgeProtocol(asyncio.Protocol):
    """See the module's essay."""

    __slots__ = (
        "_address", "_body", "_body_bytes", "_client", "_deaf", "_fields", "_head_bytes", "_in_body", "_parser",
        "_served", "_since_s", "_url", "_waiting", "server", "transport", "write_paused",
    )  # fmt: skip

    def __init__(self, server: Server) -> None:
        self.server = server
        self.write_paused = False
        self._parser = HttpRequestParser(self)
        self._client: EdgeClient | None = None  # of the request under way
        self._waiting: deque[tuple[WireRequest, EdgeClient]] = deque()
        self._url = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._head_bytes = self._body_bytes = 0
        self._in_body = self._served = False
        self._deaf = False  # nothing that still comes is looked at
        self._since_s = 0.0  # when the head, the body or the silence began

    # ---- what the loop calls ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        peer = cast(tuple[str, int] | None, transport.get_extra_info("peername"))
        self._address = peer[0] if peer else ""
        self._since_s = self.server.loop.time()
        self.server.add(self)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        if not self._in_body:
            if not self._head_bytes:
                self._since_s = self.server.loop.time()
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self._take_no_more()  # the request was handed over; what follows it would be another protocol's
        except HttpParserCallbackError as error:
            raise (error.__context__ or error) from None
        except HttpParserError:
            self._refuse(400, "Invalid HTTP request received. Send well-formed HTTP/1.1.")
        else:
            if self._head_bytes > HEADER_BYTES_MAX and not self._in_body:
                self._refuse_head()

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._client is not None:
            self._client.drained()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - whatever the reason, nobody reads
        self.server.discard(self)
        self._deaf = True
        self._waiting.clear()
        client, self._client = self._client, None
        if client is not None:
            client.lost()
        del self._parser  # it points back here: a ring would wait for the collector

    # ---- what httptools calls ---------------------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        fields = self._fields
        if len(fields) > HEADER_COUNT_MAX or (
            self._head_bytes > HEADER_BYTES_MAX
            and len(self._url) + sum(len(name) + len(value) + 4 for name, value in fields) > HEADER_BYTES_MAX
        ):
            self._refuse_head()
            return
        self._in_body = True
        self._since_s = self.server.loop.time()
        by_name = dict(fields)
        length = by_name.get(b"content-length")
        if length is not None and int(length) > self.server.application.body_bytes_max:
            self._refuse_body()
        elif b"expect" in by_name and by_name[b"expect"].lower() == b"100-continue":
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if not self._deaf:
            self._body_bytes += len(body)
            self._body.append(body)
            if self._body_bytes > self.server.application.body_bytes_max:
                self._refuse_body()

    def on_message_complete(self) -> None:
        if not self._deaf:
            body = self._body
            self._arrived(body[0] if len(body) == 1 else b"".join(body))

    # ---- requests, one after the other ------------------------------------------------------------------------------

    def _arrived(self, body: bytes) -> None:
        """A request is complete: its turn is now, or after those before it."""
        request = self._request(body)
        if request is None:
            self._refuse(400, "The request target is not a path. Send well-formed HTTP/1.1.")
            return
        parser = self._parser
        client = EdgeClient(
            self, request.method == "HEAD", parser.get_http_version() == "1.1", parser.should_keep_alive()
        )
        if self._client is None:
            self._client = client
            self.server.application.accept(request, client, self._address)
        elif len(self._waiting) < PIPELINED_MAX:
            self._waiting.append((request, client))
            self.transport.pause_reading()
        else:
            self.transport.abort()

    def _request(self, body: bytes) -> WireRequest | None:
        """What has been read, as a value, and room for the next; None: the target is no path."""
        method, url, fields = self._parser.get_method(), self._url, self._fields
        self._url, self._fields, self._body = b"", [], []
        self._head_bytes = self._body_bytes = 0
        self._in_body = False
        path, _, query = url.partition(b"?")
        if path[:1] != b"/":
            parts = _absolute(url)
            if parts is None:
                return None
            path, query = parts
        if b"%" in path:
            path = unquote_to_bytes(path)
        return WireRequest(
            method=_METHODS.get(method) or method.decode("latin-1"),
            path=path.decode("utf-8", "replace"),
            query=query,
            headers=tuple(fields),
            body=body,
        )

    def replied(self, *, keep_alive: bool) -> None:
        """The reply is written (said by its client): the next request, or the end of the connection."""
        self._client = None
        self._served = True
        if not keep_alive or self._deaf or self.server.closing:
            self._deaf = True
            self.transport.close()
            return
        self._since_s = self.server.loop.time()
        if self._waiting:
            request, self._client = self._waiting.popleft()
            if not self._waiting:
                self.transport.resume_reading()
            self.server.loop.call_soon(self.server.application.accept, request, self._client, self._address)

    # ---- limits -----------------------------------------------------------------------------------------------------

    def check_pace(self, now_s: float) -> None:
        """Close what comes too slowly or not at all. Called once a second: cheaper than a timer for each."""
        waited_s = now_s - self._since_s
        if self._in_body:
            late_s = waited_s - BODY_GRACE_S
            if late_s > 0 and self._body_bytes < late_s * BODY_BYTES_PER_S_MIN:
                self.transport.abort()
        elif self._client is None and not self._deaf:
            if self._head_bytes and waited_s > HEAD_S_MAX:
                self._refuse(408, f"The request head did not arrive within {HEAD_S_MAX:.0f} s")
            elif waited_s > (KEEP_ALIVE_S if self._served else HEAD_S_MAX):
                self.transport.close()

    def close_if_idle(self) -> None:
        """The server stops: nothing new is taken, what is under way goes on."""
        if self._client is None and not self._in_body:
            self._deaf = True
            self.transport.close()

    def _take_no_more(self) -> None:
        """The request under way is the connection's last."""
        self._deaf = True
        if self._client is None:
            self.transport.close()

    def _refuse_head(self) -> None:
        self._refuse(
            431, f"Request headers are limited to {HEADER_COUNT_MAX} fields and {HEADER_BYTES_MAX} bytes"
        )

    def _refuse_body(self) -> None:
        """Too long, by its length or as it comes: the application says so in the words of the route."""
        request = self._request(b"")
        if self._client is None and request is not None:
            self._client = EdgeClient(self, request.method == "HEAD", True, False)
            self.server.application.too_large(request, self._client)
        self._take_no_more()

    def _refuse(self, status: int, message: str) -> None:
        """Answer malformed HTTP in OpenAI's shape (no route is known) and close; behind a request under way, only close."""
        if self._deaf:
            return
        if self._client is None:
            error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
            body = encode({"error": error})
            head = b"HTTP/1.1 %d \r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
            self.transport.write(head % (status, len(body)) + body)
        self._take_no_more()


def _absolute(url: bytes) -> tuple[bytes, bytes] | None:
    """Path and query of `http://host/path?query`, which a client may send too; None: neither form."""
    try:
        parts = parse_url(url)
    except HttpParserInvalidURLError:
        return None
    return (parts.path or b"/", parts.query or b"") if parts.host else None
