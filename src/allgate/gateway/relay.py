"""From a provider's bytes to the client's bytes, as a pure transducer: no socket, no clock, no await.

Three relays with one shape. `feed` returns what may leave now; `close` returns what must wait until the charge is
durable (a terminator, or a whole unary answer); `facts` tells money and health what passed. What `feed` returns always
ends at a frame boundary, so a keep-alive may follow it.

    PassedStream      same dialect: bytes untouched, a meter beside them
    TranslatedStream  decoder → events → encoder
    WholeReply        unary: collects the body, then reads or translates it in one piece
"""

from collections.abc import Iterable
from io import StringIO
from typing import Protocol, assert_never

from allgate.core.errors import ErrorKind, Failure, WireError, wire_error
from allgate.core.usage import Usage, merged
from allgate.dialects.contract import (
    Asked,
    ChatDialect,
    Facts,
    Sent,
    StreamDecoder,
    StreamEncoder,
    StreamMeter,
)
from allgate.dialects.passes.promised_json import Decoding
from allgate.operations.chat.events import (
    Closed,
    Delta,
    Ended,
    Event,
    Failed,
    Finished,
    Opened,
    Start,
    Tick,
    UsageSeen,
)
from allgate.operations.chat.notes import Note
from allgate.operations.chat.parts import Hosted, Media, Refusal, Text, Thinking, ToolCall
from allgate.operations.chat.response import ChatResponse

REPLY_BYTES_MAX = 64 * 1024 * 1024
"""A unary reply held in memory: several base64 pictures of 10 MB (Gemini, gpt-image) still fit."""

TEXT_CHARACTERS_MAX = 4_000_000
"""Text kept for an estimate when no usage comes: more than any model's output limit (128k tokens) by a factor of 8."""


class Relay(Protocol):
    """See the module's essay."""

    @property
    def started(self) -> bool:
        """Content has passed: from here on no other candidate may be tried."""
        ...

    @property
    def failure(self) -> Failure | None:
        """The provider failed in band; what it says from here on is not read."""
        ...

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the answer had to leave out, once it is whole; a stream's headers have left by then."""
        ...

    def feed(self, chunk: bytes) -> bytes: ...
    def close(self) -> bytes: ...
    def facts(self) -> Facts: ...
    def fail(self, failure: Failure) -> bytes:
        """The bytes that tell the client, in band, that the answer broke off."""
        ...


class PassedStream:
    """Same dialect on both sides."""

    __slots__ = ("_dialect", "_meter", "_request_id", "close", "facts", "feed")
    notes = ()

    def __init__(self, dialect: ChatDialect, meter: StreamMeter, request_id: str) -> None:
        self._dialect, self._meter, self._request_id = dialect, meter, request_id
        self.feed = meter.feed  # no frame of ours in between: this is called for every chunk
        self.close = meter.close
        self.facts = meter.facts

    @property
    def started(self) -> bool:
        return self._meter.started

    @property
    def failure(self) -> Failure | None:
        return self._meter.failure

    def fail(self, failure: Failure) -> bytes:
        return self._dialect.encode_stream_error(failure, self._request_id)


class TranslatedStream:
    """Another dialect behind: every frame becomes events, every event frames of the client's dialect.

    With a thousand streams, what one of them touches comes from memory: hence slots, and text that is copied, so that
    each piece makes room for the next one.
    """

    __slots__ = (
        "_decoder", "_empty", "_encoder", "_finished", "_tail", "_text", "_text_characters", "_usage", "failure", "started",
    )  # fmt: skip
    notes = ()

    def __init__(self, decoder: StreamDecoder, encoder: StreamEncoder) -> None:
        self._decoder, self._encoder = decoder, encoder
        self.started = False
        self._usage: Usage | None = None
        self._finished = False
        self.failure: Failure | None = None
        self._empty = True
        self._text = StringIO()
        self._text_characters = 0
        self._tail = b""

    def feed(self, chunk: bytes) -> bytes:
        return self._encoded(self._decoder.feed(chunk))

    def close(self) -> bytes:
        return self._encoded(self._decoder.close()) + self._tail

    def facts(self) -> Facts:
        return Facts(
            usage=self._usage,
            finished=self._finished,
            empty=self._empty,
            failure=self.failure,
            text=self._text.getvalue(),
        )

    def fail(self, failure: Failure) -> bytes:
        return self._encoder.emit(Failed(failure=failure))

    def _encoded(self, events: Iterable[Event]) -> bytes:
        """What the client is told of these. Deltas are noted here, without a call: a stream is made of them."""
        told: list[bytes] = []
        for event in events:
            if type(event) is Delta:
                self.started = True
                text = event.text
                if text and event.channel != "data":
                    self._empty = False
                    self._text_characters += len(text)
                    if self._text_characters <= TEXT_CHARACTERS_MAX:
                        self._text.write(text)
            elif not self._noted(event):
                continue
            told.append(self._encoder.emit(event))
        return b"".join(told)

    def _noted(self, event: Event) -> bool:
        """Take from an event what money and health need; false if the client is not told of it now."""
        match event:
            case Ended():
                self._finished = True
                if event.usage is not None:
                    self._usage = merged(self._usage, event.usage)
                self._tail += self._encoder.emit(event)
                return False
            case Failed():
                self.failure = event.failure  # `fail` tells the client, once it is known whether it may
                return False
            case UsageSeen():
                self._usage = merged(self._usage, event.usage)
            case Start():
                if event.usage is not None:
                    self._usage = merged(self._usage, event.usage)
            case Closed():
                self.started = True
                self._empty = self._empty and not _substantial(event)
            case Delta() | Opened() | Finished() | Tick():
                pass
            case _:
                assert_never(event)
        return True


def _substantial(event: Closed) -> bool:
    match event.part:
        case Text() | Refusal() | Thinking():
            return bool(event.part.text)
        case ToolCall() | Media() | Hosted():
            return True
        case _:
            return False


class WholeReply:
    """A unary reply. `started` stays False: nothing leaves before the end, so another candidate stays legal."""

    __slots__ = ("_bytes", "_chunks", "_dialect", "_facts", "_translation", "notes")
    started = False
    failure = None

    def __init__(self, dialect: ChatDialect, translation: "Translation | None") -> None:
        self._dialect, self._translation = dialect, translation
        self._chunks: list[bytes] = []
        self._bytes = 0
        self._facts = Facts()
        self.notes: tuple[Note, ...] = ()

    def feed(self, chunk: bytes) -> bytes:
        self._bytes += len(chunk)
        if self._bytes > REPLY_BYTES_MAX:
            raise wire_error(f"The reply is longer than {REPLY_BYTES_MAX} bytes")
        self._chunks.append(chunk)
        return b""

    def close(self) -> bytes:
        """The body for the client. Raises: WireError: the provider's body is not a reply of its dialect."""
        body = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks = []
        if self._translation is None:
            self._facts = self._dialect.read_facts(body)
            return body
        response = self._translation.decoding.decode_response(body, self._translation.sent)
        self._facts = facts_of(response)
        encoded, notes = self._dialect.encode_response(response, self._translation.asked)
        self.notes = (*response.notes, *notes)
        return encoded

    def facts(self) -> Facts:
        return self._facts

    def fail(self, failure: Failure) -> bytes:
        raise WireError(failure)  # a unary reply has no band to fail in


class Translation:
    """What a translated reply needs: how the provider's is read, what was sent, and what was asked."""

    __slots__ = ("asked", "decoding", "sent")

    def __init__(self, decoding: Decoding, sent: Sent, asked: Asked) -> None:
        self.decoding, self.sent, self.asked = decoding, sent, asked


def facts_of(response: ChatResponse) -> Facts:
    """What money needs of a decoded unary answer."""
    texts: list[str] = []
    empty = True
    for choice in response.choices:
        for part in choice.parts:
            match part:
                case Text() | Thinking() | Refusal():
                    texts.append(part.text)
                    empty = empty and not part.text
                case ToolCall():
                    texts.append(part.input)
                    empty = False
                case Media() | Hosted():
                    empty = False
                case _:
                    pass
    return Facts(usage=response.usage, finished=bool(response.choices), empty=empty, text="".join(texts))


def truncated() -> Failure:
    """The failure of a reply whose finish fact was never seen."""
    return Failure(
        kind=ErrorKind.UPSTREAM,
        message="The provider's answer broke off before it was complete. Please try again.",
        code="upstream_truncated",
        upstream=True,
    )


def unreadable(failure: Failure) -> Failure:
    """What a codec found wrong in a provider's reply is the provider's fault, never a 400 of the client's.

    What the provider itself said (`upstream`) stays as it is.
    """
    if failure.upstream:
        return failure
    return Failure(
        kind=ErrorKind.UPSTREAM,
        message=f"The provider's answer could not be read. {failure.message}",
        code="upstream_malformed",
        upstream=True,
    )
