"""A provider's stream → events. Frames are chunks, errors, or `[DONE]`; comments and event names mean nothing here."""

from collections.abc import Iterable

from allgate.core.errors import ErrorKind, WireError
from allgate.core.value import changed
from allgate.dialects.contract import Sent
from allgate.dialects.openai_chat.chunks import Chunk, read_chunk
from allgate.dialects.openai_chat.errors import error_in_frame
from allgate.dialects.openai_chat.pieces import SURPRISES_MAX, read_ordinary
from allgate.dialects.openai_chat.reply import Reply, truncated
from allgate.operations.chat.events import Event
from allgate.wire.sse import SseFrame, SseSplitter

DONE = b"[DONE]"


class ChatStreamDecoder:
    """feed(bytes) → events; close() → the last ones. A broken stream ends in Failed, never in an exception.

    A text goes on for many frames, so a frame behind one of text is expected to be another.
    """

    __slots__ = ("_finish_optional", "_reply", "_splitter", "_surprises")

    def __init__(self, sent: Sent) -> None:
        self._splitter = SseSplitter()
        self._reply = Reply(sent)
        self._surprises = 0
        self._finish_optional = sent.caps.finish_optional

    def feed(self, chunk: bytes) -> Iterable[Event]:
        """The events that these bytes complete."""
        first, piece = self._reply.first, None
        voice = None if first is None else first.voice
        expected = voice is not None and self._surprises < SURPRISES_MAX
        if self._splitter.aligned and not self._reply.over:
            piece = read_ordinary(chunk, after_text=expected)
        if voice is not None and isinstance(piece, str):
            voice("text", piece)
        else:
            self._surprises += expected
            self._take(chunk, piece)
        events = self._reply.events[:]
        self._reply.events.clear()  # its answers hold this list
        return events

    def _take(self, chunk: bytes, piece: Chunk | str | None) -> None:
        """What is not one more piece of text; `piece` is the chunk where it needs no splitter."""
        try:
            if isinstance(piece, Chunk):
                self._reply.take(piece)
                return
            for frame in self._splitter.feed(chunk):
                if frame.data and not self._reply.over:
                    self._frame(frame)
        except WireError as error:
            self._reply.fail(changed(error.failure, kind=ErrorKind.UPSTREAM, upstream=True))

    def close(self) -> Iterable[Event]:
        """The body ended cleanly."""
        rest = self._splitter.close()
        if rest is not None and rest.data and not self._reply.over:
            try:
                self._frame(rest)
            except WireError:
                self._reply.fail(truncated("in the middle of a chunk"))
        self._reply.end(finish_optional=self._finish_optional)
        return self._reply.events

    def _frame(self, frame: SseFrame) -> None:
        if frame.data == DONE:
            self._reply.end(finish_optional=self._finish_optional)
            return
        chunk = read_chunk(frame.data)
        if chunk.error is not None or not chunk.choices:
            failure = error_in_frame(frame.data, frame.event)
            if failure is not None:
                self._reply.fail(failure)
                return
        self._reply.take(chunk)
