"""A stream of replies as bytes: server-sent events, or one JSON array.

`PayloadSplitter` tells the two apart by the first byte that is no white space and hands out one frame per reply: its
JSON, and the raw bytes that belong to it. The raw bytes of all frames and the rest of `close` are the stream, byte for
byte, so that a meter may hold frames back and let them go.

An array is not parsed but walked: brackets are counted outside strings, and a scan never begins anew, so that a picture
of 10 MB in small chunks costs its length once.
"""

import re

from allgate.core.errors import wire_error
from allgate.wire.sse import FRAME_BYTES_MAX, SseFrame, SseSplitter

SSE_CONTENT_TYPE = b"text/event-stream"
ARRAY_CONTENT_TYPE = b"application/json"
KEEP_ALIVE = b"\n"
"""A blank line: nothing between two events, white space between two members of an array."""

DONE = b"[DONE]"
"""Not Gemini's, but servers that imitate it say goodbye like this; Google's SDKs break on it."""

_SEPARATOR = b",\n"
_BLANK = b" \t\r\n"


class PayloadSplitter:
    """feed(bytes) → the frames that are complete; close() → the last one, if the stream forgot to end it, and the rest."""

    __slots__ = ("_array", "_lead", "_sse", "aligned")

    def __init__(self) -> None:
        self.aligned = False
        """True where these are events, and the next chunk begins one: who knows it by itself need not feed it."""
        self._sse: SseSplitter | None = None
        self._array: _ArraySplitter | None = None
        self._lead = b""

    @property
    def is_array(self) -> bool:
        return self._array is not None

    def feed(self, chunk: bytes) -> list[SseFrame]:
        """Raises: WireError: a frame longer than FRAME_BYTES_MAX."""
        if self._sse is not None:
            frames = self._sse.feed(chunk)
            self.aligned = self._sse.aligned
            return frames
        if self._array is not None:
            return self._array.feed(chunk)
        chunk = self._lead + chunk
        first = chunk.lstrip(_BLANK + b"\xef\xbb\xbf")[:1]
        if not first:
            self._lead = chunk
            return []
        self._lead = b""
        if first == b"[":
            self._array = _ArraySplitter()
        else:
            self._sse = SseSplitter()
        return self.feed(chunk)

    def close(self) -> tuple[list[SseFrame], bytes]:
        """What an unended last frame holds, and the bytes that belong to no frame."""
        if self._sse is not None:
            rest = self._sse.pending
            last = self._sse.close()
            return ([], rest) if last is None else ([last], b"")
        return [], self._array.close() if self._array is not None else self._lead


# One run of text without brackets and quotes, one bracket, or one quote; and the rest of a string.
_OUTSIDE = re.compile(rb'[^"{}\[\]]+|["{}\[\]]')
_INSIDE = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)


class _ArraySplitter:
    """The members of a JSON array, whatever their chunks."""

    __slots__ = ("_depth", "_in_string", "_pending", "_scanned", "_start")

    def __init__(self) -> None:
        self._pending = b""
        self._scanned = 0
        self._depth = 0
        self._in_string = False
        self._start = -1  # where the open member begins

    def feed(self, chunk: bytes) -> list[SseFrame]:
        pending = self._pending + chunk
        frames: list[SseFrame] = []
        position, done = self._scanned, 0
        while position < len(pending):
            if self._in_string:
                position = _end_of(_INSIDE, pending, position)
                if position == len(pending) or pending[position] != 34:  # half an escape, or more to come
                    break
                self._in_string = False
                position += 1
                continue
            end = _end_of(_OUTSIDE, pending, position)
            if self._complete(pending, position):
                frames.append(SseFrame(b"", pending[self._start : end], pending[done:end]))
                done, self._start = end, -1
            position = end
        self._pending = pending[done:]
        self._scanned = position - done
        if self._start >= 0:
            self._start -= done
        if len(self._pending) > FRAME_BYTES_MAX:
            raise wire_error(f"A member of the reply is longer than {FRAME_BYTES_MAX} bytes")
        return frames

    def close(self) -> bytes:
        rest, self._pending = self._pending, b""
        return rest

    def _complete(self, pending: bytes, position: int) -> bool:
        """Take the token at `position`; True if it ends a member of the array."""
        token = pending[position : position + 1]
        if token == b'"':
            self._in_string = True
        elif token == b"{" or token == b"[":
            self._depth += 1
            if self._depth == 2:
                self._start = position
        elif token == b"}" or token == b"]":
            self._depth -= 1
            return self._depth == 1
        return False


def _end_of(pattern: re.Pattern[bytes], text: bytes, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


class ArrayWriter:
    """Members of a JSON array, one by one."""

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def member(self, data: bytes) -> bytes:
        """The next member."""
        lead = _SEPARATOR if self._begun else b"["
        self._begun = True
        return lead + data

    def end(self) -> bytes:
        return b"]" if self._begun else b"[]"
