"""uvicorn's HTTP/1.1 protocol with our limits and without its gaps.

What uvicorn leaves open and this closes: header bytes and count are bounded; a head must arrive within 10 s and a body
at 1 KB/s (a sweep once a second looks at all connections, which is cheaper than a timer for each); a lost connection
tells the exchange at once (uvicorn swallows `send` after the client has gone); malformed HTTP is answered in JSON.
Duplicate header lines are accepted: real clients send two User-Agents.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from allgate.http.client import WRITE_BUFFER_BYTES_MAX, EdgeClient
from allgate.wire.json import encode

HEADER_BYTES_MAX = 64 * 1024
HEADER_COUNT_MAX = 200
HEAD_S_MAX = 10.0
BODY_GRACE_S = 10.0
BODY_BYTES_PER_S_MIN = 1024
KEEP_ALIVE_S = 75
"""Longer than the 60 s of common load balancers, so that they, not we, close first."""
SWEEP_S = 1.0


class EdgeProtocol(HttpToolsProtocol):
    """One client connection. `client` is the reply side of the request under way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.edge_client: EdgeClient | None = None
        self._head_bytes = 0
        self._head_since: float | None = None
        self._body_since: float | None = None
        self._body_bytes = 0
        self._refused = False

    # --- connection ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # pyright: ignore[reportArgumentType] -- uvicorn narrows to Transport
        self.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)
        self._head_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for cycle, _ in self.pipeline:
            cycle.disconnected = True
        self._head_since = self._body_since = None
        if self.edge_client is not None:
            self.edge_client.lost()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.edge_client is not None:
            self.edge_client.drained()

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)

    # --- parser callbacks ---

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._head_since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        super().on_url(url)
        self._check_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_bytes += len(name) + len(value) + 4
        super().on_header(name, value)
        self._check_head()

    def on_headers_complete(self) -> None:
        self._head_since = None
        if self._refused:
            return
        self._body_since, self._body_bytes = self.loop.time(), 0
        super().on_headers_complete()
        client = EdgeClient(self)
        if self.edge_client is None or not self.pipeline:
            self.edge_client = client
        self.scope["extensions"] = {"allgate.client": client}  # pyright: ignore[reportGeneralTypeIssues] -- ours

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._body_since = None
        if not self._refused:
            super().on_message_complete()

    # --- limits ---

    def _check_head(self) -> None:
        if self._head_bytes > HEADER_BYTES_MAX or len(self.headers) > HEADER_COUNT_MAX:
            self._refuse(
                431, f"Request headers are limited to {HEADER_COUNT_MAX} fields and {HEADER_BYTES_MAX} bytes"
            )

    def check_pace(self, now: float) -> None:
        """Close a connection whose head or body comes too slowly. Called once a second."""
        if self._head_since is not None and now - self._head_since > HEAD_S_MAX:
            if self._head_bytes:
                self._refuse(408, f"The request head did not arrive within {HEAD_S_MAX:.0f} s")
            else:
                self.transport.close()
        elif self._body_since is not None:
            waited = now - self._body_since - BODY_GRACE_S
            if waited > 0 and self._body_bytes < waited * BODY_BYTES_PER_S_MIN:
                self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, f"{msg} Send well-formed HTTP/1.1.")

    def _refuse(self, status: int, message: str) -> None:
        """Answer malformed HTTP in OpenAI's shape (no route is known yet) and close."""
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        body = encode({"error": error})
        head = b"HTTP/1.1 %d \r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"
        self.transport.write(head % (status, len(body)) + body)
        self.transport.close()


async def sweep(connections: Iterable[object]) -> None:
    """Look at the pace of every connection once a second, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(SWEEP_S)
        now = loop.time()
        for connection in tuple(connections):
            if isinstance(connection, EdgeProtocol):
                connection.check_pace(now)
