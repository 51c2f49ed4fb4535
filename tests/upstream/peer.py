"""Both ends of an exchange, by hand: a server that does what a test says, and a sink that remembers what it heard.

Servers are real sockets on this process's loop. `Peer` counts its connections, so that a test can say whether one was
used again. `outbound` opens a pool on a clock that the test moves, and checks at the end that nothing is left.
"""

import asyncio
import random
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

from allgate.core.errors import AttemptFailed
from allgate.upstream.deadlines import Sweep
from allgate.upstream.dial import Dialer
from allgate.upstream.message import Deadlines, Target, UpstreamRequest
from allgate.upstream.pool import Pool, PoolLimits
from allgate.wire.headers import Headers

POST = UpstreamRequest(path=b"/v1/chat/completions", headers=((b"x-test", b"yes"),), body=(b"{}",))
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class Call:
    """One accepted connection, as its handler sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self.reader = reader
        self.writer = writer
        self.number = number  # the first connection is 1

    async def request(self) -> tuple[bytes, bytes]:
        """Head and body of the next request. Raises: EOFError: the client has hung up."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return head, await self.reader.readexactly(length)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def send_sliced(self, slices: Iterator[bytes]) -> None:
        """Each slice in a turn of the loop of its own, so that the client reads it alone."""
        for piece in slices:
            self.writer.write(piece)
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    def hang_up(self) -> None:
        self.writer.close()

    def reset(self) -> None:
        """Hang up with a TCP reset."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def hung_up(self) -> bytes:
        """What still comes until the client hangs up."""
        try:
            return await self.reader.read(-1)
        except ConnectionError:
            return b""


Handler = Callable[[Call], Awaitable[None]]


class Peer:
    """A server; `async with Peer(handler)`. Every connection runs `handler` once, and is closed after it."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self._handler = handler
        self._tls = tls
        self._calls: set[asyncio.Task[None]] = set()
        self.requests: list[bytes] = []
        self.connections = 0
        self.all_gone = asyncio.Event()

    async def __aenter__(self) -> "Peer":
        self._server = await asyncio.start_server(
            self._called, "127.0.0.1", 0, ssl=self._tls, limit=64 * 1024 * 1024
        )
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._calls:
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def target(self, **fields: object) -> Target:
        return Target(
            **{"scheme": "https" if self._tls else "http", "host": "127.0.0.1", "port": self.port} | fields
        )

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._calls.add(asyncio.current_task())
        self.connections += 1
        self.all_gone.clear()
        try:
            await self._handler(Call(reader, writer, self.connections))
        except (EOFError, ConnectionError, asyncio.CancelledError):
            pass  # the client, or the test, has gone
        finally:
            writer.transport.abort()
            self._calls.discard(asyncio.current_task())
            if not self._calls:
                self.all_gone.set()


def answering(*replies: bytes, then_hang_up: bool = False) -> Handler:
    """Answer the requests of each connection with these replies, in turn; then, or on end of file, hang up."""

    async def handler(call: Call) -> None:
        for reply in replies:
            await call.request()
            call.send(reply)
        if then_hang_up:
            call.hang_up()
        await call.hung_up()

    return handler


def always(reply: bytes) -> Handler:
    """Answer every request of every connection with this reply."""

    async def handler(call: Call) -> None:
        while True:
            await call.request()
            call.send(reply)

    return handler


class Heard:
    """A sink: what it was told, in order. `ended` is done at the end, good or bad."""

    def __init__(self, on_body: Callable[[bytes], None] | None = None) -> None:
        self.told: list[str] = []
        self.status = 0
        self.headers: Headers = ()
        self.body = b""
        self.pieces: list[bytes] = []
        self.error: AttemptFailed | None = None
        self.ended = asyncio.get_running_loop().create_future()
        self.began = asyncio.Event()
        self._moved = asyncio.Event()
        self._on_body = on_body

    def on_head(self, status: int, headers: Headers) -> None:
        self.told.append("head")
        self.status, self.headers = status, headers
        self.began.set()

    def on_body(self, chunk: bytes) -> None:
        assert isinstance(chunk, bytes)
        self.told.append("body")
        self.body += chunk
        self.pieces.append(chunk)
        self._moved.set()
        if self._on_body is not None:
            self._on_body(chunk)

    def on_end(self) -> None:
        self.told.append("end")
        self.ended.set_result(None)

    def on_failure(self, error: AttemptFailed) -> None:
        self.told.append("failure")
        self.error = error
        self.ended.set_result(None)

    async def have_come(self, count: int) -> None:
        """So many pieces of the body."""
        while len(self.pieces) < count:
            self._moved.clear()
            await self._moved.wait()

    async def success(self) -> bytes:
        """The body of a reply that ended well."""
        await self.ended
        assert self.error is None, self.error
        assert self.told[0] == "head"
        return self.body

    async def failure(self) -> AttemptFailed:
        """The failure of one that did not."""
        await self.ended
        assert self.error is not None, f"expected a failure, got {self.status} {self.body[:80]!r}"
        return self.error


class HandClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


class Outbound:
    """A pool on a hand-moved clock."""

    def __init__(self, limits: PoolLimits | None, dialer: Dialer | None) -> None:
        self.clock = HandClock()
        self.sweep = Sweep(asyncio.get_running_loop(), self.clock)
        self.pool = Pool(limits=limits, dialer=dialer, sweep=self.sweep)

    def pass_time(self, seconds: float) -> None:
        """`seconds` later, what is due is asked."""
        self.clock.now_s += seconds
        self.sweep.sweep()

    async def post(
        self, target: Target, request: UpstreamRequest = POST, deadlines: Deadlines | None = None
    ) -> Heard:
        """Send, and hand out the sink once all is over."""
        heard = Heard()
        await self.pool.send(target, request, heard, deadlines or Deadlines())
        await heard.ended
        return heard

    def counts(self) -> tuple[int, int, int]:
        """Open, idle and waiting, of all origins."""
        rows = self.pool.snapshot()
        return sum(row.open for row in rows), sum(row.idle for row in rows), sum(row.waiting for row in rows)


@asynccontextmanager
async def outbound(limits: PoolLimits | None = None, dialer: Dialer | None = None) -> AsyncIterator[Outbound]:
    """An `Outbound`, closed at the end; fails if it leaves a socket, a place or a timer behind."""
    out = Outbound(limits, dialer)
    try:
        yield out
    finally:
        await out.pool.aclose()
    assert out.pool.snapshot() == ()
    assert not out.sweep.running
    assert out.sweep.watching == 0


def slicings(data: bytes, seed: int = 7) -> Iterator[tuple[str, list[bytes]]]:
    """Whole, byte by byte, and twice in random slices."""
    yield "whole", [data]
    yield "bytewise", [data[place : place + 1] for place in range(len(data))]
    for turn in range(2):
        dice = random.Random(seed + turn)
        cuts = sorted(dice.sample(range(1, len(data)), min(len(data) - 1, dice.randint(1, 12))))
        yield f"random {turn}", [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
