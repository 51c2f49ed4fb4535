"""A provider's stream → events."""

from allgate.dialects.contract import Sent
from allgate.dialects.gemini.answer_decode import AnswerDecoder
from allgate.dialects.gemini.framing import DONE, PayloadSplitter
from allgate.operations.chat.events import Event


class GeminiStreamDecoder:
    """feed(bytes) → events; close() → the last ones. Any slicing of the same bytes gives the same events."""

    __slots__ = ("_answer", "_frames")

    def __init__(self, sent: Sent) -> None:
        self._frames = PayloadSplitter()
        self._answer = AnswerDecoder(sent)

    def feed(self, chunk: bytes) -> list[Event]:
        """Raises: WireError: a frame that is no JSON object."""
        for frame in self._frames.feed(chunk):
            if frame.data and frame.data != DONE:
                self._answer.take(frame.data)
        return self._answer.drain()

    def close(self) -> list[Event]:
        """The body ended. A last frame without its empty line counts if it is whole."""
        frames, _ = self._frames.close()
        for frame in frames:
            if frame.data and frame.data != DONE:
                self._answer.take(frame.data)
        self._answer.finish()
        return self._answer.drain()
