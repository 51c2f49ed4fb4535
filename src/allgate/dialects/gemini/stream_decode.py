"""A provider's stream → events."""

from allgate.dialects.contract import Sent, StreamDecoder
from allgate.dialects.gemini.answer_decode import AnswerDecoder
from allgate.dialects.gemini.framing import DONE, PayloadSplitter
from allgate.dialects.passes.stop_matcher import StoppedStream, matched_stops
from allgate.operations.chat.events import Event
from allgate.wire.sse import SseFrame, plain_data


def stream_decoder(sent: Sent) -> StreamDecoder:
    """The decoder of a reply, behind which the answer ends at a stop sequence that the provider was not sent."""
    sampling, decoder = sent.request.sampling, GeminiStreamDecoder(sent)
    stops = matched_stops(sampling, sent.caps) if sampling.stop else ()
    return StoppedStream(decoder, stops) if stops else decoder


class GeminiStreamDecoder:
    """feed(bytes) → events; close() → the last ones. Any slicing of the same bytes gives the same events."""

    __slots__ = ("_answer", "_events", "_frames")

    def __init__(self, sent: Sent) -> None:
        self._frames = PayloadSplitter()
        self._events: list[Event] = []
        self._answer = AnswerDecoder(sent, self._events)

    def feed(self, chunk: bytes) -> list[Event]:
        """Raises: WireError: a frame that is no JSON object."""
        if self._frames.aligned and (data := plain_data(chunk)) and data != DONE:
            self._answer.take(data)  # one frame and nothing else, as nearly every chunk is
        else:
            self._take(self._frames.feed(chunk))
        events = self._events[:]
        self._events.clear()
        return events

    def close(self) -> list[Event]:
        """The body ended. A last frame without its empty line counts if it is whole."""
        frames, _ = self._frames.close()
        self._take(frames)
        self._answer.finish()
        return self._events

    def _take(self, frames: list[SseFrame]) -> None:
        for frame in frames:
            if frame.data and frame.data != DONE:
                self._answer.take(frame.data)
