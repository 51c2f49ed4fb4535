"""One socket: the loop's protocol, under one exchange after another.

Bytes go from `data_received` through the reader into the sink within one call, without a queue, a future or a task.

Rules kept here:
- the sink hears exactly one of on_end and on_failure, unless the caller closed first: then nothing more;
- a connection is kept only if the reply ended cleanly with nothing behind it and the request was sent whole; a byte,
  an end of file or the idle limit closes one that is kept;
- a reply that begins before the request is sent whole stops the sending; `EARLY_BODY_BYTES_MAX` of it are read;
- long bodies leave in slices while the socket takes them; short ones leave with the head in one write;
- a body may end with the connection if the target says so, and over TLS only after the peer's close_notify. uvloop
  reports a close_notify as end of file and a missing one as a lost connection; asyncio's own loop reports both as end
  of file, so there such bodies count as cut.
"""

from asyncio import BaseTransport, Protocol, Transport
from collections.abc import Iterator
from typing import Protocol as Port
from typing import cast

from allgate.core.errors import AttemptFailed
from allgate.gateway.ports import ReplySink
from allgate.upstream.deadlines import Sweep
from allgate.upstream.exchange import Exchange, Step
from allgate.upstream.failures import Cause, unknown
from allgate.upstream.message import Deadlines, Target
from allgate.upstream.reply import ReplyBroken, ReplyReader
from allgate.wire.headers import Headers

IDLE_KEEP_S = 4.0  # servers that say nothing close after 5 s (Node) or more; a second less loses no race
IDLE_KEEP_MARGIN_S = 1.0  # a server that says N seconds is left alone after N - 1
IDLE_KEEP_S_MAX = 60.0  # whatever it says: middle boxes forget sooner than anyone admits
AGE_S_MAX = 600.0  # then a new one, so that a changed DNS record takes effect under constant load
EARLY_BODY_BYTES_MAX = 1024 * 1024  # of an error page that came before the request was sent whole
ONE_WRITE_BYTES_MAX = 64 * 1024  # joined with the head: copying this much costs 3 µs, a second packet more
SLICE_BYTES = 64 * 1024  # of a long body; TLS encrypts one in 30 µs

_READING = Step.READING


class Owner(Port):
    """The pool, as a connection sees it."""

    def opened(self, connection: "Connection") -> None:
        """It has a socket."""
        ...

    def released(self, connection: "Connection") -> None:
        """It is idle and clean."""
        ...

    def retired(self, connection: "Connection") -> None:
        """It will carry no other exchange. Told once, also of one that was never opened."""
        ...

    def closed(self, connection: "Connection") -> None:
        """Its socket is closed. Told once, after `retired`."""
        ...


class Connection(Protocol):
    """start() an exchange whenever it is idle and `usable`."""

    __slots__ = (
        "_ended", "_exchange", "_opened_s", "_owner", "_reader", "_retired", "_served", "_sweep",
        "_transport", "_unsent", "_write_paused", "due_s", "opened", "target",
    )  # fmt: skip

    def __init__(self, target: Target, owner: Owner, sweep: Sweep) -> None:
        self.target = target
        self._owner = owner
        self._sweep = sweep
        self._reader = ReplyReader()
        self._exchange: Exchange | None = None
        self._unsent: Iterator[memoryview] | None = None
        self._served = 0
        self._ended = self._retired = self._write_paused = False
        self.opened = False
        self._opened_s = self.due_s = 0.0

    def start(
        self,
        head: bytes,
        body: tuple[bytes, ...],
        body_bytes: int,
        sink: ReplySink,
        deadlines: Deadlines,
        started_s: float,
    ) -> Exchange:
        """Write the request; everything else happens in callbacks."""
        now_s = self._sweep.now()
        exchange = self._exchange = Exchange(self, sink, deadlines, started_s, now_s)
        self._reader.begin(self, sink.on_body, until_close_ok=self.target.close_delimited_ok)
        self.due_s = now_s  # the next sweep asks for the real one; most exchanges are over by then
        if body_bytes <= ONE_WRITE_BYTES_MAX:
            self._transport.write(b"".join((head, *body)) if body_bytes else head)
        else:
            exchange.step = Step.SENDING
            self._unsent = _slices(body)
            self._transport.write(head)
            self._send_more(exchange)
        return exchange

    def usable(self, now_s: float) -> bool:
        """Idle for less than its limit, and nobody has closed it."""
        return now_s < self.due_s and not self._retired and not self._transport.is_closing()

    def retire(self) -> None:
        """Close the socket now; carry no other exchange."""
        if not self._retired:
            self._retired = True
            self._owner.retired(self)
            if self.opened:
                self._transport.abort()

    def release(self) -> None:
        """Whoever it was handed to does not want it."""
        self._owner.released(self)

    def fail(self, error: AttemptFailed) -> None:
        """End the exchange under way with this failure, and the connection."""
        exchange = self._let_go()
        self.retire()
        if exchange is not None:
            exchange.sink.on_failure(error)

    # ---- what the exchange asks for ---------------------------------------------------------------------------------

    def pause_reading(self) -> None:
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._exchange is not None:
            self._exchange.heard_s = self.due_s = self._sweep.now()
        self._transport.resume_reading()

    def hang_up(self) -> None:
        """The caller wants no more."""
        self._let_go()
        self.retire()

    # ---- what the reader and the sweep tell -------------------------------------------------------------------------

    def head_arrived(self, status: int, headers: Headers) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        exchange.step = _READING
        if self._unsent is not None:
            self._unsent = None
            self._reader.keep = False
            self._reader.limit_body(EARLY_BODY_BYTES_MAX)
        exchange.sink.on_head(status, headers)

    def overdue(self, now_s: float) -> None:
        exchange = self._exchange
        if exchange is None:
            self.retire()
            return
        due_s = exchange.due_s()
        if due_s <= now_s:
            self.fail(exchange.deadline_passed(now_s, self.target.origin))
        else:  # the step may change to one with a nearer deadline, but to none nearer than this
            self.due_s = min(due_s, now_s + exchange.deadlines.idle_s)

    # ---- what the loop calls ----------------------------------------------------------------------------------------

    def connection_made(self, transport: BaseTransport) -> None:
        self._transport = cast(Transport, transport)
        self.opened = True
        self._opened_s = self._sweep.now()
        self.due_s = self._opened_s + IDLE_KEEP_S
        self._sweep.watch(self)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self.retire()
            return
        exchange.heard_s = self._sweep.now()
        try:
            complete = self._reader.feed(data)
        except ReplyBroken as broken:
            if self._exchange is exchange:
                self.fail(
                    unknown(Cause.REPLY_BROKEN, f"The reply of {self.target.origin} is refused: {broken}")
                )
        except Exception:
            self.fail(unknown(Cause.SINK, "The gateway failed to take in the reply"))
            raise
        else:
            if complete and self._exchange is exchange:
                self._complete(exchange)

    def eof_received(self) -> None:
        """Do not wait until the rest of a request is flushed, as a transport does by itself."""
        self._ended = True
        self._transport.abort()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._exchange is not None:
            self._send_more(self._exchange)

    def connection_lost(self, exc: Exception | None) -> None:
        self._sweep.forget(self)
        exchange = self._exchange
        if exchange is not None and self._reader.ends_with_connection and self._ended_in_order():
            self._reader.keep = False
            self._complete(exchange)
        elif exchange is not None:
            self.fail(self._why_lost(exc))
        self.retire()
        self._reader.end()
        self._owner.closed(self)

    # ---- ends -------------------------------------------------------------------------------------------------------

    def _complete(self, exchange: Exchange) -> None:
        self._exchange = exchange.line = None
        self._served += 1
        keep_s = self._keep_s(exchange.heard_s)
        if keep_s > 0:
            if exchange.paused:
                self._transport.resume_reading()
            self.due_s = exchange.heard_s + keep_s
            self._owner.released(self)
        else:
            self.retire()
        exchange.sink.on_end()

    def _keep_s(self, now_s: float) -> float:
        """How long the idle connection may be kept; 0: not at all."""
        reader = self._reader
        if not reader.keep or now_s - self._opened_s > AGE_S_MAX or self._transport.get_write_buffer_size():
            return 0.0
        said_s = reader.keep_alive_s
        return IDLE_KEEP_S if said_s is None else min(said_s - IDLE_KEEP_MARGIN_S, IDLE_KEEP_S_MAX)

    def _let_go(self) -> Exchange | None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.line = None
            self._reader.deafen()
        return exchange

    def _ended_in_order(self) -> bool:
        """The peer said that this is the end. A reset, and on TLS a bare end of file, come without eof_received."""
        tells = self.target.scheme == "http" or type(self._transport).__module__.startswith("uvloop")
        return self._ended and tells

    def _why_lost(self, error: Exception | None) -> AttemptFailed:
        origin, detail = self.target.origin, f": {error}" if error else ""
        if self._reader.heard:
            return unknown(Cause.REPLY_CUT, f"{origin} ended the connection inside its reply{detail}")
        if self._served:
            return unknown(Cause.STALE, f"{origin} closed a kept connection before it answered{detail}")
        return unknown(Cause.NO_REPLY, f"{origin} closed the connection before it answered{detail}")

    def _send_more(self, exchange: Exchange) -> None:
        """Write slices while the socket takes them. Each step forward moves the deadline."""
        while self._unsent is not None and not self._write_paused and not self._transport.is_closing():
            piece = next(self._unsent, None)
            if piece is None:
                self._unsent = None
                exchange.step = Step.WAITING
            else:
                self._transport.write(piece)
        exchange.sent_s = self._sweep.now()


def _slices(body: tuple[bytes, ...]) -> Iterator[memoryview]:
    for part in body:
        whole = memoryview(part)
        for start in range(0, len(whole), SLICE_BYTES):
            yield whole[start : start + SLICE_BYTES]
