"""A provider's stream → events.

Usage is reported twice and is cumulative (`usage.updated`). The answer is complete when message_stop or a stop_reason
was seen; an `error` event, or an end before that, is Failed. What comes behind the end is ignored.

A chunk that is one more piece of the open text, which is nearly every chunk, takes the quick way at the top of `feed`.
"""

from collections.abc import Iterable

import msgspec

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.core.value import changed
from allgate.dialects.anthropic.errors import failure_in_stream
from allgate.dialects.anthropic.finish import finish_of
from allgate.dialects.anthropic.pieces import (
    DELTA,
    HEAD_BYTES,
    BlockDelta,
    Piece,
    decode_delta,
    lone_delta,
    odd_piece,
)
from allgate.dialects.anthropic.reply_blocks import ReplyReader
from allgate.dialects.anthropic.response_decode import reply_extra
from allgate.dialects.anthropic.stream_blocks import OpenBlocks
from allgate.dialects.anthropic.usage import decode_usage, updated
from allgate.dialects.contract import Sent
from allgate.dialects.passes.lenient import count_of, object_of, text_of, text_or_none
from allgate.operations.chat.events import Ended, Event, Failed, Finished, Start, Tick, UsageSeen
from allgate.operations.chat.fold import joined
from allgate.operations.chat.parts import Extra
from allgate.wire.json import JsonObject, decode_lenient
from allgate.wire.sse import SseFrame, SseSplitter


class AnthropicStreamDecoder:
    """feed(bytes) → events; close() → the last ones."""

    __slots__ = (
        "_blocks", "_events", "_extra", "_finished", "_over", "_reader", "_splitter", "_started", "_usage",
    )  # fmt: skip

    def __init__(self, sent: Sent) -> None:
        self._splitter = SseSplitter()
        self._events: list[Event] = []
        self._reader = ReplyReader(sent)
        self._blocks = OpenBlocks(self._events, self._reader)
        self._usage: JsonObject = {}
        self._extra: Extra = {}
        self._started = False
        self._finished = False
        self._over = False

    def feed(self, chunk: bytes) -> Iterable[Event]:
        """The events that these bytes complete. A broken stream ends in Failed, never in an exception."""
        delta = lone_delta(chunk) if self._splitter.aligned and not self._over else None
        if delta is None:
            self._split(chunk)
        elif delta.index == self._blocks.text_key and (text := delta.delta.text):
            self._blocks.append_text(delta.index, text)
        else:
            self._read(DELTA, chunk[HEAD_BYTES:-2], delta)
        events, self._events[:] = self._events[:], ()  # the sequencer holds this list
        return events

    def close(self) -> Iterable[Event]:
        """The body ended cleanly."""
        rest = self._splitter.close()
        if rest is not None and not self._finished:
            self._frame(rest)
        if not self._over:
            self._end() if self._finished else self._fail(
                _upstream("The stream ended before the answer was complete")
            )
        events, self._events[:] = self._events[:], ()
        return events

    def _split(self, chunk: bytes) -> None:
        """Any bytes, of any number of frames."""
        try:
            frames = self._splitter.feed(chunk)
        except WireError as error:
            self._fail(error.failure)
            return
        for frame in frames:
            self._frame(frame)

    def _frame(self, frame: SseFrame) -> None:
        if frame.data and not self._over:
            self._read(frame.event, frame.data)

    def _read(self, event: bytes, data: bytes, delta: BlockDelta | None = None) -> None:
        """A frame; `delta` where it was decoded already."""
        try:
            if event == DELTA:
                self._delta(data, delta)
            elif data != b"[DONE]":
                self._rare(event, object_of(decode_lenient(data, "stream")))
        except WireError as error:
            self._fail(changed(error.failure, kind=ErrorKind.UPSTREAM, upstream=True))

    def _delta(self, data: bytes, delta: BlockDelta | None) -> None:
        try:
            frame = delta or decode_delta(data)
        except (msgspec.DecodeError, ValueError):  # half an emoji, or a member of another type
            self._odd_delta(object_of(decode_lenient(data, "stream")))
            return
        text = frame.delta.text
        if text and frame.index == self._blocks.text_key:
            self._blocks.append_text(frame.index, text)
        elif frame.delta.type in Piece.KNOWN:
            self._begin()
            self._blocks.piece(frame.index, frame.delta)
        else:
            self._odd_delta(object_of(decode_lenient(data, "stream")))

    def _odd_delta(self, frame: JsonObject) -> None:
        """A delta read without a schema."""
        self._begin()
        raw = object_of(frame.get("delta"))
        piece = odd_piece(raw)
        self._blocks.piece(_index(frame), piece, None if piece.type in Piece.KNOWN else raw)

    def _rare(self, event: bytes, frame: JsonObject) -> None:
        """Every frame that is not a named delta."""
        match text_of(frame.get("type")) or event.decode("latin-1"):
            case "content_block_start":
                self._begin()
                self._blocks.start(_index(frame), object_of(frame.get("content_block")))
            case "content_block_stop":
                self._blocks.stop(_index(frame))
            case "content_block_delta":
                self._odd_delta(frame)
            case "message_start":
                self._start(object_of(frame.get("message")))
            case "message_delta":
                self._message_delta(frame)
            case "message_stop":
                self._finish({})
                self._end()
            case "ping":
                if self._started:
                    self._events.append(Tick())
            case "error":
                self._fail(failure_in_stream(frame))
            case _:
                if "error" in frame:
                    self._fail(failure_in_stream(frame))

    def _begin(self) -> None:
        """Some servers leave message_start out."""
        if not self._started:
            self._start({})

    def _start(self, message: JsonObject) -> None:
        """The first message_start begins the answer; where it is repeated only its usage counts."""
        usage = object_of(message.get("usage"))
        self._usage = updated(self._usage, usage)
        if self._started:
            return
        self._started = True
        self._events.append(
            Start(
                id=text_of(message.get("id")),
                model=text_of(message.get("model")),
                usage=decode_usage(usage) if usage else None,
                service_tier=text_or_none(usage.get("service_tier")),
                extra=reply_extra(message, {}),
            )
        )

    def _message_delta(self, frame: JsonObject) -> None:
        self._begin()
        delta = object_of(frame.get("delta"))
        if usage := object_of(frame.get("usage")):
            self._usage = updated(self._usage, usage)
            self._events.append(UsageSeen(usage=decode_usage(self._usage)))
        self._extra = joined(self._extra, reply_extra({**frame, **delta}, {}))
        if delta.get("stop_reason") is not None:
            self._finish(delta)

    def _finish(self, delta: JsonObject) -> None:
        if self._finished:
            return
        self._begin()
        self._finished = True
        self._blocks.finish()
        finish = finish_of(text_of(delta.get("stop_reason")), delta, called=self._reader.called)
        self._events.append(Finished(finish=finish))

    def _end(self) -> None:
        self._over = True
        usage = decode_usage(self._usage) if self._usage else None
        self._events.append(Ended(usage=usage, extra=joined(self._extra, reply_extra({}, self._usage))))

    def _fail(self, failure: Failure) -> None:
        if not self._over:
            self._over = True
            self._events.append(Failed(failure=failure))


def _index(frame: JsonObject) -> int:
    return count_of(frame.get("index")) or 0


def _upstream(message: str) -> Failure:
    return Failure(kind=ErrorKind.UPSTREAM, message=message, upstream=True)
