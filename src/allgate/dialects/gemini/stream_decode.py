"""A provider's stream → events.

Nearly every chunk is one more piece of the text or thought that the chunk before was a piece of. Such a piece becomes an
event here, and the answer (`answer_decode`) hears of it when anything else comes: it has a dozen objects, and where
a thousand streams take turns each of them must be fetched from memory anew.
"""

import msgspec

from allgate.dialects.contract import Sent, StreamDecoder
from allgate.dialects.gemini.answer_decode import AnswerDecoder
from allgate.dialects.gemini.chunk import PlainChunk, decode_plain
from allgate.dialects.gemini.framing import DONE, PayloadSplitter
from allgate.dialects.gemini.usage import DIGITS
from allgate.dialects.passes.stop_matcher import StoppedStream, matched_stops
from allgate.operations.chat.events import Delta, Event
from allgate.wire.sse import SseFrame, plain_data


def stream_decoder(sent: Sent) -> StreamDecoder:
    """The decoder of a reply, behind which the answer ends at a stop sequence that the provider was not sent."""
    sampling, decoder = sent.request.sampling, GeminiStreamDecoder(sent)
    stops = matched_stops(sampling, sent.caps) if sampling.stop else ()
    return StoppedStream(decoder, stops) if stops else decoder


class GeminiStreamDecoder:
    """feed(bytes) → events; close() → the last ones. Any slicing of the same bytes gives the same events."""

    __slots__ = ("_answer", "_events", "_frames", "_last", "_pieces", "_usage", "_usage_shape")

    def __init__(self, sent: Sent) -> None:
        self._frames = PayloadSplitter()
        self._events: list[Event] = []
        self._answer = AnswerDecoder(sent, self._events)
        self._last: Delta | None = None
        """The piece that the newest chunk ended with, where its part is open and the next chunk begins a frame."""
        self._usage_shape: bytes | None = None  # of the chunk that ended with it
        self._pieces: list[str] = []  # that followed it, of which the answer has not heard
        self._usage = b""  # of the newest of them

    def feed(self, chunk: bytes) -> list[Event]:
        """Raises: WireError: a frame that is no JSON object."""
        last = self._last
        if last is not None and (data := plain_data(chunk)):
            try:
                said = decode_plain(data)
            except (msgspec.DecodeError, ValueError):
                return self._feed(chunk)
            if text := _piece(said, last):
                usage = bytes(said.usage_metadata)
                if usage.translate(None, DIGITS) == self._usage_shape:
                    self._pieces.append(text)
                    self._usage = usage
                    return [Delta(index=last.index, channel=last.channel, text=text, choice=last.choice)]
        return self._feed(chunk)

    def _feed(self, chunk: bytes) -> list[Event]:
        """Any bytes."""
        self._catch_up()
        self._take(self._frames.feed(chunk))
        events = self._events[:]
        self._events.clear()
        if events and self._frames.aligned and type(last := events[-1]) is Delta and last.channel in _SPOKEN:
            self._last, self._usage_shape = last, self._answer.usage_shape
        return events

    def close(self) -> list[Event]:
        """The body ended. A last frame without its empty line counts if it is whole."""
        self._catch_up()
        frames, _ = self._frames.close()
        self._take(frames)
        self._answer.finish()
        return self._events

    def _catch_up(self) -> None:
        """Tell the answer of the pieces that it has not heard of."""
        if self._last is not None and self._pieces:
            self._answer.went_on(self._last.choice, "".join(self._pieces), self._usage)
            self._pieces.clear()
        self._last = None

    def _take(self, frames: list[SseFrame]) -> None:
        for frame in frames:
            if frame.data and frame.data != DONE:
                self._answer.take(frame.data)


_SPOKEN = ("text", "summary")


def _piece(chunk: PlainChunk, last: Delta) -> str:
    """The text of a chunk that says nothing but how the part of `last` goes on; empty for any other."""
    if len(chunk.candidates) != 1:
        return ""
    candidate = chunk.candidates[0]
    content = candidate.content
    if (
        content is None
        or len(content.parts) != 1
        or candidate.index != last.choice
        or candidate.finish_reason is not None
    ):
        return ""
    part = content.parts[0]
    goes_on = part.thought is (last.channel == "summary") and part.thought_signature is None
    return part.text if goes_on else ""
