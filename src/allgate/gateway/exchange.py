"""One attempt at one candidate: the object that owns the upstream socket and decides how the attempt ended.

It gets the provider's reply straight from the socket's callbacks and hands the client's bytes straight to the edge: no
queue, no task switch. The task that handles the request only waits for `ended`. Whatever happens first (a clean end, a
failure, the client leaving, the server stopping) is decided in one synchronous call that concludes the reservation and
enqueues the charge; everything after it is idempotent.

    WAITING ──2xx head──▶ RELAYING ──end──▶ SETTLING ──durable──▶ OVER
       │ ╲                    │ failure / cut / gone                ▲
       │  other status        └─────────────────────────────────────┤
       └──▶ REFUSED (collects the error body) ──────────────────────┘

Bytes are held back until the relay has seen content, so that a failure before it can still become a real HTTP error or
another candidate's answer. After `commit_after_s` the headers leave without content (clients and proxies give up on a
silent socket); a fallback stays legal until content has left.
"""

from asyncio import AbstractEventLoop, Future, Task
from enum import Enum
from functools import partial
from typing import Literal

from allgate.core.errors import AttemptFailed, ErrorKind, Failure, Phase, WireError
from allgate.core.value import changed
from allgate.dialects.contract import ChatDialect, UpstreamCall
from allgate.dialects.passes.pauses import Paused
from allgate.gateway.admitted import Admitted
from allgate.gateway.durable import Durable
from allgate.gateway.ports import Client, Connection
from allgate.gateway.relay import Relay, truncated, unreadable
from allgate.gateway.reply import reply_headers, stream_headers
from allgate.gateway.settle import NOT_SETTLED, Outcome
from allgate.routing.plan import Candidate
from allgate.wire.headers import Headers
from allgate.wire.message import WireReply

ERROR_BODY_BYTES_MAX = 1024 * 1024
"""An error page longer than this is not read: the status alone says enough."""

Leaving = Literal["cancel", "drain", "none"]
"""What a client that leaves means (ruling: settlement values). cancel: the upstream is closed, what was relayed is charged;
drain: an answer that has begun is read on, to be charged by what is reported; none: as cancel, and nothing is charged."""

DRAIN_TICKS = 30
"""Seconds that an answer is read on for nobody, by policy: longer than most answers take, shorter than a proxy's patience."""


class State(Enum):
    WAITING = 1
    RELAYING = 2
    REFUSED = 3
    SETTLING = 4
    OVER = 5


# A global is found in half the time of an enum's member, and a chunk asks twice.
_RELAYING, _REFUSED = State.RELAYING, State.REFUSED
_ENDING = (State.SETTLING, State.OVER)


class Exchange:
    """See the module's essay. Implements `ports.ReplySink`."""

    __slots__ = (
        "_admitted", "_candidate", "_client", "_connection", "_drain_until", "_error_body", "_error_bytes", "_error_headers",
        "_held_back", "_provider_dialect", "_relay", "_status", "_stream", "connecting", "continuation", "ended", "idle_ticks", "leaving", "state",
        "ticks",
    )  # fmt: skip

    def __init__(
        self,
        loop: AbstractEventLoop,
        admitted: Admitted,
        candidate: Candidate,
        provider_dialect: ChatDialect,
        relay: Relay,
        client: Client,
    ) -> None:
        self._admitted = admitted
        self._candidate = candidate
        self._provider_dialect = provider_dialect
        self._relay = relay
        self._client = client
        self._stream = admitted.head.stream
        self._connection: Connection | None = None
        self._held_back: list[bytes] = []
        self._status = 0
        self._error_headers: Headers = ()
        self._error_body: list[bytes] = []
        self._error_bytes = 0
        self.state = State.WAITING
        self.leaving: Leaving = "cancel"
        self._drain_until = 0  # the tick; 0: the client is there
        self.ticks = 0
        self.idle_ticks = 0
        self.connecting: Task[object] | None = None
        self.continuation: UpstreamCall | None = None  # the provider paused: this goes on
        self.ended: Future[AttemptFailed | None] = loop.create_future()

    # --- the provider's side (ports.ReplySink) ---

    def on_head(self, status: int, headers: Headers) -> None:
        self._status = status
        if 200 <= status < 300:
            self.state = _RELAYING
        else:
            self.state = _REFUSED
            self._error_headers = headers

    def on_body(self, chunk: bytes) -> None:
        if self.state is _RELAYING:
            try:
                out = self._relay.feed(chunk)
            except WireError as error:
                self._break_off(unreadable(error.failure))
                return
            if out:
                self._pass_on(out)
            if self._relay.failure is not None:
                self._break_off(unreadable(self._relay.failure))
        elif self.state is _REFUSED and self._error_bytes < ERROR_BODY_BYTES_MAX:
            self._error_bytes += len(chunk)
            self._error_body.append(chunk)

    def on_end(self) -> None:
        if self.state is _REFUSED:
            self._fail(self._refusal(), Phase.REFUSED)
        elif self.state is _RELAYING:
            self._complete()

    def on_failure(self, error: AttemptFailed) -> None:
        if self.state in _ENDING:
            return
        if self.state is _REFUSED:
            self._fail(self._refusal(), Phase.REFUSED)
        elif self._relay.started:
            self._break_off(error.failure)
        else:
            if error.phase is Phase.UNKNOWN and not error.stale:  # a stale line took nothing in
                self._admitted.unanswered(self._candidate)
            self._over(error)

    # --- the client's side ---

    def client_gone(self) -> None:
        """The client has left, or its task was cancelled: the upstream is closed now, what was relayed is charged. Or, by
        policy: the answer is read to its end, for a while, if it had begun; or nothing is charged."""
        if self.state in _ENDING:
            return
        if self.leaving == "drain" and not self._drain_until and self._relay.started:
            self._drain_until = self.ticks + DRAIN_TICKS
            self.client_drained()
            return
        self._count_unanswered()
        self._close_upstream()
        delivered = self._relay.started and self.leaving != "none"
        outcome = Outcome(
            kind="client_gone", facts=self._relay.facts(), delivered=delivered, failure=_CLIENT_GONE
        )
        self._admitted.conclude(outcome, self._candidate)
        self._over(None)

    def client_drained(self) -> None:
        """A slow client has taken what was written."""
        if self._connection is not None and self.state is _RELAYING:
            self._connection.resume_reading()

    # --- the gateway's side ---

    def connected(self, connection: Connection) -> None:
        """The request is on its way. If the exchange is already over, the connection is closed at once."""
        self._connection = connection
        self.connecting = None
        if self.state is State.OVER:
            connection.close()

    def cancel(self, failure: Failure) -> None:
        """The server stops: the client is told, what was relayed is charged."""
        if self.state not in _ENDING:
            self._count_unanswered()
            self._break_off(failure)

    def tick(self, commit_after_ticks: int, keep_alive_ticks: int) -> None:
        """Once a second: headers leave after a while without content; a silent stream gets a keep-alive."""
        self.ticks += 1
        self.idle_ticks += 1
        if self._drain_until:
            if self.ticks >= self._drain_until:
                self.client_gone()
            return
        if not self._stream or self.state not in (State.WAITING, _RELAYING):
            return
        if not self._client.started:
            if self.ticks >= commit_after_ticks:
                self._start_client()
        elif self.idle_ticks >= keep_alive_ticks:
            self.idle_ticks = 0
            dialect = self._admitted.dialect
            begun = self._admitted.first_byte_s is not None
            self._client.write(dialect.keep_alive if begun else dialect.first_keep_alive)

    def continued(self, loop: AbstractEventLoop) -> "Exchange":
        """The exchange that goes on where the provider paused: the same relay, and what was held back with it."""
        admitted, candidate, dialect = self._admitted, self._candidate, self._provider_dialect
        exchange = Exchange(loop, admitted, candidate, dialect, self._relay, self._client)
        exchange._held_back = self._held_back
        return exchange

    # --- how it ends ---

    def _pass_on(self, out: bytes) -> None:
        if self._held_back or not self._client.started:
            if not self._relay.started:
                self._held_back.append(out)
                return
            out = b"".join((*self._held_back, out))
            self._held_back = []
            self._admitted.content_left()
            if not self._client.started:
                self._start_client()
        self.idle_ticks = 0
        if not self._client.write(out) and self._connection is not None:
            self._connection.pause_reading()

    def _complete(self) -> None:
        """The provider's body ended cleanly: settle, then let the terminator (or the whole answer) go."""
        try:
            tail = self._relay.close()
        except Paused as paused:
            self.continuation, held_back = paused.call, self._held_back
            self._over(None)
            self._held_back = held_back
            return
        except WireError as error:
            self._break_off(unreadable(error.failure))
            return
        facts = self._relay.facts()
        if facts.failure is not None or not facts.finished:
            self._break_off(unreadable(facts.failure or truncated()))
            return
        self.state = State.SETTLING
        outcome = Outcome(kind="ok", facts=facts, delivered=True)
        if self._drain_until:
            outcome = changed(outcome, kind="client_gone", failure=_CLIENT_GONE)
        durable = self._admitted.conclude(outcome, self._candidate)
        durable.add_done_callback(partial(self._settled, tail))

    def _settled(self, tail: bytes, durable: Durable) -> None:
        """The charge is durable, or will never be: an answer that nobody paid for does not leave whole."""
        if durable.exception() is None:
            self._deliver(tail)
            return
        dialect, request_id = self._admitted.dialect, self._admitted.call.request_id
        if self._client.started:
            self._client.finish(dialect.encode_stream_error(NOT_SETTLED, request_id))
        else:
            self._client.reply(dialect.encode_error(NOT_SETTLED, request_id))
        self._over(None)

    def _deliver(self, tail: bytes) -> None:
        if self._stream:
            if not self._client.started:
                self._start_client()
            self._client.finish(b"".join((*self._held_back, tail)) if self._held_back else tail)
        else:
            headers = reply_headers(self._admitted, self._candidate, self._relay.notes)
            self._client.reply(WireReply(status=200, headers=headers, body=tail))
        self._over(None)

    def _break_off(self, failure: Failure) -> None:
        """The answer cannot be completed. Before content: the next candidate may try. After: told in band, charged."""
        self._close_upstream()
        if not self._relay.started:
            self._over(AttemptFailed(failure, Phase.UNKNOWN))
            return
        outcome = Outcome(kind="cut", facts=self._relay.facts(), delivered=True, failure=failure)
        self.state = State.SETTLING
        durable = self._admitted.conclude(outcome, self._candidate)
        tail = self._relay.fail(failure)
        durable.add_done_callback(lambda _: self._deliver_failure(tail))

    def _deliver_failure(self, tail: bytes) -> None:
        if not self._client.started:
            self._start_client()
        self._client.finish(b"".join((*self._held_back, tail)))
        self._over(None)

    def _count_unanswered(self) -> None:
        """Broken off by us: what was sent by then, and not refused, may be billed."""
        if self._connection is not None and not self._relay.started and self.state is not _REFUSED:
            self._admitted.unanswered(self._candidate)

    def _start_client(self) -> None:
        self._client.start(200, stream_headers(self._admitted, self._candidate))

    def _refusal(self) -> Failure:
        """The provider's error reply as a failure."""
        body = b"".join(self._error_body)
        return self._provider_dialect.decode_error(self._status, self._error_headers, body)

    def _fail(self, failure: Failure, phase: Phase) -> None:
        if self._relay.started:  # a paused turn that was refused when it went on
            self._break_off(failure)
            return
        self._close_upstream()
        self._over(AttemptFailed(failure, phase))

    def _over(self, failed: AttemptFailed | None) -> None:
        self.state = State.OVER
        self._held_back = []
        self._connection = None  # it holds us as its sink: a ring would outlive the request
        if not self.ended.done():
            self.ended.set_result(failed)

    def _close_upstream(self) -> None:
        if self._connection is not None:
            self._connection.close()
        elif self.connecting is not None:
            self.connecting.cancel()  # still waiting for a connection: `attempt` catches this


_CLIENT_GONE = Failure(kind=ErrorKind.CANCELLED, message="The client closed the connection.")
