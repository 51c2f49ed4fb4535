"""What the request path needs of the outside world, in its own words. `wiring` plugs the concrete classes in.

Ports are Protocols, so the floors above need not import this one's classes, and tests plug in the memory ledger or a
real socket, never a mock of the gateway itself.
"""

from asyncio import Future
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from allgate.billing.ledger import Hold, Receipt, Settlement
from allgate.billing.output_sizes import Expected
from allgate.billing.prices import Charge
from allgate.billing.pricing import Pricing
from allgate.core.errors import AttemptFailed, Failure
from allgate.core.money import NanoUsd
from allgate.core.usage import Usage
from allgate.core.value import Value
from allgate.dialects.seals import SealBox
from allgate.gateway.durable import Durable
from allgate.identity.caller import Caller
from allgate.operations.chat.request import ChatRequest
from allgate.routing.catalogue import Catalogue, Upstream
from allgate.wire.headers import Headers
from allgate.wire.message import WireReply, WireRequest


class LogRow(Value, frozen=True, kw_only=True):
    """One line of the request log. Durations in milliseconds; never holds content or keys.

    `outcome`: ok | refused | failed | cut | client_gone. `notes` as in `x-allgate-notes`.
    """

    request_id: str
    started_ms: int
    account_id: str
    key_id: str
    dialect: str
    operation: str
    model: str
    upstream: str
    upstream_model: str
    upstream_dialect: str
    passthrough: bool
    stream: bool
    status: int
    outcome: str
    attempts: int
    duration_ms: int
    first_byte_ms: int | None
    usage: Usage
    charged_nano_usd: int
    hold_nano_usd: int
    price_id: str
    error: str
    notes: str
    user_agent: str


class Unanswered(NamedTuple):
    """An attempt that was sent and never answered: free for the client, a cost of the house. `amount_nano_usd` is an estimate."""

    request_id: str
    attempt: int
    at_ms: int
    key_id: str
    upstream: str
    price_id: str
    amount_nano_usd: NanoUsd


class Funds(NamedTuple):
    """`available_nano_usd`: the balance less what is set aside for requests, here and on other nodes."""

    balance_nano_usd: NanoUsd
    available_nano_usd: NanoUsd


class Ledger(Protocol):
    """Holds and settlements. All amounts in nano-USD."""

    async def hold(self, hold: Hold) -> None:
        """Set the amount aside. Raises: Refused(BILLING): less is available; Refused(CONFLICT): the id was used
        before; Refused(OVERLOADED): the store is gone."""
        ...

    def settle(self, settlement: Settlement, line: LogRow | None = None) -> Durable:
        """Decide the end of a hold, now and without waiting; it is done when the decision is durable.
        Idempotent by request id. `line` is the request's, and kept with its charge; that of a void is not."""
        ...

    async def funds(self, account_id: str) -> Funds:
        """What an account has. Raises: KeyError: no such account; Refused(OVERLOADED): the store is gone."""
        ...


class Proof(Value, frozen=True, kw_only=True):
    """What a finished request used and was charged: its line of the log, its receipt (None: nothing was posted), and the
    charge recomputed from both, line by line (None: its price sheet is gone). `valid_from`: since when the sheet was in force.
    `corrected_nano_usd`: what was given back later."""

    row: LogRow
    receipt: Receipt | None
    charge: Charge | None
    valid_from: str = ""
    corrected_nano_usd: NanoUsd = NanoUsd(0)


class Books(Protocol):
    """What was kept, for those who want to read it. Slower than the ledger, and never in the way of a request."""

    async def granted_nano_usd(self, account_id: str) -> NanoUsd:
        """All that was ever added to the account."""
        ...

    async def spent_nano_usd(
        self, account_id: str, windows_ms: Sequence[tuple[int, int]]
    ) -> tuple[NanoUsd, ...]:
        """What requests admitted in each window (from, before) have cost."""
        ...

    async def proof(self, account_id: str, request_id: str) -> Proof | None:
        """None: the account has no such request, or it is older than the log."""
        ...


class StoredResponse(Value, frozen=True, kw_only=True):
    """An answer of the Responses dialect that is kept for its account.

    `input` is the JSON array of what its request added to the conversation, `answer` its response object; both are
    empty where `lost` says why they were not kept. `parent` is the id of the response that it continues, `root` of the
    first of its conversation. `items` are the ids of its output items.
    """

    account_id: str
    id: str
    parent: str | None
    root: str
    model: str
    created_ms: int
    input: str = ""
    answer: str = ""
    lost: str = ""
    items: tuple[str, ...] = ()


class ResponseStore(Protocol):
    """Kept responses. Who was just answered finds his; after some hours they are gone."""

    enabled: bool
    bytes_max: int
    """Of one response, its own input and its answer together."""

    def put(self, response: StoredResponse) -> "Future[None] | None":
        """Keep it. Never fails: one that cannot be written is counted and logged. With a future, it is found only after
        that is done, and the answer's end should wait for it."""
        ...

    async def get(self, account_id: str, response_id: str) -> StoredResponse | None:
        """None: the account has no such response. Raises: Refused(OVERLOADED): the store is gone. So do all below."""
        ...

    async def conversation(
        self, account_id: str, response_id: str, responses_max: int
    ) -> tuple[StoredResponse, ...]:
        """The response with all that it continues, oldest first. Where one is gone, those behind it; at most so many."""
        ...

    async def with_item(self, account_id: str, item_id: str) -> StoredResponse | None:
        """The response in whose output an item stands."""
        ...

    async def delete(self, account_id: str, response_id: str) -> bool:
        """False: the account has no such response."""
        ...


class Directory(Protocol):
    """The configuration as the request path sees it: always in memory, swapped atomically when rows change."""

    @property
    def catalogue(self) -> Catalogue: ...

    def caller(self, key_hash: str) -> Caller | None:
        """The caller behind a key's hash; None: no such key, or disabled."""
        ...

    def price(self, price_id: str) -> Pricing | None: ...

    def group_price(self, group: str, model: str, pricing: Pricing) -> Pricing:
        """The same prices at the group's ratio for this model."""
        ...

    def expected_output(self, group: str, model: str) -> Expected | None:
        """What to hold for each answer of this model; None: the group holds the worst case."""
        ...


class Recorder(Protocol):
    """Request log and metrics. Never fails a request and never waits."""

    def record(self, row: LogRow, *, kept: bool = False) -> None:
        """`kept`: the ledger keeps this line, with its charge."""
        ...

    def refused(self, dialect: str, operation: str, failure: Failure) -> None:
        """A request that was never admitted: counted, not logged as a row (anyone can send a million of them)."""
        ...

    def unanswered(self, cost: Unanswered) -> None:
        """An attempt whose end nobody will know: counted, and booked as the house's."""
        ...


class ReplySink(Protocol):
    """Gets a provider's reply, synchronously, from the socket's own callbacks. After on_end or on_failure: nothing."""

    def on_head(self, status: int, headers: Headers) -> None: ...
    def on_body(self, chunk: bytes) -> None: ...
    def on_end(self) -> None: ...
    def on_failure(self, error: AttemptFailed) -> None: ...


class Connection(Protocol):
    """An upstream exchange under way."""

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def close(self) -> None:
        """Abort now: the socket is closed and no callback follows. Harmless after the end."""
        ...


class Transport(Protocol):
    """The outbound pool."""

    def try_send(
        self, upstream: Upstream, path: str, headers: Headers, body: bytes, sink: ReplySink
    ) -> Connection | None:
        """Send a POST on a connection that is open and idle, now; None: there is none."""
        ...

    async def send(
        self,
        upstream: Upstream,
        path: str,
        headers: Headers,
        body: bytes,
        sink: ReplySink,
        *,
        fresh: bool,
    ) -> Connection:
        """Send a POST; `fresh` forbids a kept connection. Raises: AttemptFailed(NOT_SENT): no byte left. Later failures
        go to the sink."""
        ...

    def written(self, upstream: Upstream, path: str, headers: Headers, body_bytes: int) -> tuple[str, bytes]:
        """The URL, and the head as it would leave with a body of that length."""
        ...


class Decoder(Protocol):
    """Reads long requests elsewhere, so that the loop goes on."""

    async def decode(self, dialect: str, wire: WireRequest, seals: SealBox) -> ChatRequest:
        """What the dialect's own `decode_request` gives. Raises: WireError."""
        ...


class Fetcher(Protocol):
    """The guarded door for URLs that clients name."""

    async def fetch(self, url: str) -> tuple[bytes, str]:
        """What is there, and the content type its server says ("" if none). Raises: Refused(BAD_REQUEST)."""
        ...


class Client(Protocol):
    """The client's side of a reply, as the edge offers it. All writes are synchronous; nothing is queued without bound.

    Either `reply` once, or `start`, any number of `write`, and `finish` or `abort`. After the client has gone every call
    is harmless.
    """

    @property
    def gone(self) -> bool: ...

    @property
    def started(self) -> bool:
        """The head of a streamed reply has left."""
        ...

    @property
    def on_gone(self) -> Callable[[], None] | None:
        """Called once when the client's connection is lost before the reply is complete."""
        ...

    @on_gone.setter
    def on_gone(self, call: Callable[[], None] | None, /) -> None: ...

    @property
    def on_drained(self) -> Callable[[], None] | None:
        """Called when a slow client has taken what was written."""
        ...

    @on_drained.setter
    def on_drained(self, call: Callable[[], None] | None, /) -> None: ...

    def reply(self, reply: WireReply) -> None:
        """A whole reply."""
        ...

    def start(self, status: int, headers: Headers) -> None:
        """The head of a streamed reply."""
        ...

    def write(self, chunk: bytes) -> bool:
        """A piece. False: the client is slow, pause the source until `on_drained`."""
        ...

    def finish(self, tail: bytes) -> None:
        """The last piece (may be empty), and the reply is complete."""
        ...

    def abort(self) -> None:
        """Cut the connection: the reply cannot be completed."""
        ...
