"""What a chat dialect offers: nine pure functions and two small state machines, the same for every format.

A dialect knows its format and nothing about who speaks it: Caps say what the other side can do. It never awaits, reads
a clock, draws dice or logs; ids and times come in through `Sent` and `Asked`. The only exception that a dialect raises
is `core.errors.WireError`.

Two ways lead through a dialect:
- pass-through (client and provider speak it both): `read_head` looks at what routing needs, `passthrough` edits the
  model by span, `meter` and `read_facts` watch the reply for usage and finish without touching its bytes;
- translation: decode_request → encode_request of the other dialect, and its reply back through decode/encode.
"""

from collections.abc import Iterable
from typing import Protocol

from allgate.core.errors import Failure
from allgate.core.usage import Usage
from allgate.core.value import Value
from allgate.dialects.seals import SealBox
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.events import Event
from allgate.operations.chat.notes import Note
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.response import ChatResponse
from allgate.wire.headers import Headers
from allgate.wire.message import WireReply, WireRequest


class Head(Value, frozen=True, kw_only=True):
    """What routing, limits and holds need of a request, read without building its turns.

    `fields` are the body's top-level member names. `features` names what the target must be able to do, in the words
    of `operations.chat.features`. `borrowed` are members of other vendors that only a deployment whose Caps name them
    in `vendor_fields` can be passed; translation understands them for all. `sealed` is true where the body holds an
    envelope of ours, which only translation can open; `rewritten` where no provider's reply is what the client is to
    get. `input_bytes` bounds the input tokens from above. `asked` is what the client set, without the conversation,
    where a rule of the model may act on it (`catalogue.asked`); a dialect leaves it out.
    """

    model: str
    stream: bool = False
    stream_usage: bool = False
    output_tokens_max: int | None = None
    n: int = 1
    fields: frozenset[str] = frozenset()
    features: frozenset[str] = frozenset()
    borrowed: frozenset[str] = frozenset()
    sealed: bool = False
    rewritten: bool = False
    input_bytes: int = 0
    asked: ChatRequest | None = None


class UpstreamCall(Value, frozen=True, kw_only=True):
    """A request for a provider: `path` (with query) is joined to its base URL; sign-in is added by the provider."""

    path: str
    body: bytes
    headers: Headers = ()
    notes: tuple[Note, ...] = ()


class Sent(Value, frozen=True, kw_only=True):
    """What a reply decoder may know of the request it answers."""

    request: ChatRequest
    caps: Caps


class Asked(Value, frozen=True, kw_only=True):
    """What a reply encoder needs: the client's request, the ids and times of our reply, the public model name."""

    request: ChatRequest
    response_id: str
    created_s: int
    model: str
    seals: SealBox


class Facts(Value, frozen=True, kw_only=True):
    """What money and health need of a reply. `finished`: its finish fact was seen (ruling: a stream without is cut).

    `empty`: neither text, call nor media in it. `text` is what would be counted if the provider reports no usage.
    """

    usage: Usage | None = None
    finished: bool = False
    empty: bool = True
    failure: Failure | None = None
    text: str = ""


class StreamDecoder(Protocol):
    """Provider bytes → events. Any slicing of the same bytes gives the same events."""

    def feed(self, chunk: bytes) -> Iterable[Event]: ...

    def close(self) -> Iterable[Event]:
        """The body ended cleanly: the last events, always ending in Ended or Failed."""
        ...


class StreamEncoder(Protocol):
    """Events → client bytes. Bytes of `Ended` are the terminator, which waits until the charge is durable."""

    def emit(self, event: Event) -> bytes: ...


class StreamMeter(Protocol):
    """Watches a passed-through stream: lets bytes through, holds back the terminator, collects the facts."""

    started: bool
    """True once a content event was seen: from here on no other candidate may be tried."""

    failure: Failure | None
    """Set once the provider said in band that it failed, or sent a frame that no reader can read. That frame and what
    follows is withheld: the gateway tells the client in its own words, or asks another candidate."""

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that may leave now (usually `chunk` itself). What must wait for the charge is held."""
        ...

    def close(self) -> bytes:
        """The body ended: the held bytes, to be sent after the charge (a missing terminator is added)."""
        ...

    def facts(self) -> Facts: ...


class ChatDialect(Protocol):
    """One format, both ways."""

    name: str

    # the client's side
    def for_request(self, request: WireRequest) -> "ChatDialect":
        """This dialect as the request wants to be answered: Gemini frames a stream as events or as a JSON array, by its
        query. The others have one way."""
        ...

    def read_head(self, request: WireRequest) -> Head: ...
    def decode_request(self, request: WireRequest, seals: SealBox) -> ChatRequest: ...
    def encode_response(self, response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]: ...
    def stream_encoder(self, asked: Asked) -> StreamEncoder: ...
    def encode_error(self, failure: Failure, request_id: str) -> WireReply: ...

    # the provider's side
    def encode_request(self, request: ChatRequest, model: str, caps: Caps) -> UpstreamCall: ...
    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse: ...
    def stream_decoder(self, sent: Sent) -> StreamDecoder: ...
    def decode_error(self, status: int, headers: Headers, body: bytes) -> Failure: ...

    # both sides at once
    def passthrough(self, request: WireRequest, head: Head, model: str, caps: Caps) -> UpstreamCall:
        """The client's bytes with only the model (and a usage switch) edited."""
        ...

    def meter(self, head: Head, caps: Caps) -> StreamMeter: ...

    def read_facts(self, body: bytes) -> Facts:
        """Usage and finish of a whole reply. Raises: WireError: not a reply of this dialect."""
        ...

    # what the gateway itself says in this dialect
    pauses: bool
    """Its providers pause a long turn, and its clients know how to go on with one (Anthropic's `pause_turn`)."""

    response_id_prefix: str
    """How ids of its answers begin ("chatcmpl-"); empty where the vendor's have no mark."""
    stream_content_type: bytes
    keep_alive: bytes
    """A frame that keeps clients waiting and means nothing (measured per dialect: clients.md §1.4)."""

    first_keep_alive: bytes
    """The same, before the first frame of an answer. On Responses it must be a comment: the vendor's helper raises on any
    event before `response.created`."""

    def encode_stream_error(self, failure: Failure, request_id: str) -> bytes:
        """An in-band error for a stream that was passed through."""
        ...
