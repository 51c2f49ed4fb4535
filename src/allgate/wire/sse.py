"""Server-sent events: split a byte stream into frames, and write frames.

The splitter follows the WHATWG rules that providers really use: lines end in LF, CRLF or CR; an empty line ends a
frame; `data:` lines join with LF; one space after the colon is dropped; other fields than `event` and `data` and
comments are skipped; a byte-order mark before the first line is dropped. Unlike a browser it hands out a last frame
that the end of the stream leaves unterminated only through `close()`, because whether it counts is the decoder's
decision. Any slicing of the same bytes gives the same frames.

The common case (a chunk that is one frame of one line, and nothing is pending) is split without a line loop. A reader
that knows such a chunk by itself need not feed it while `aligned` says that a frame begins there.
"""

import re

import msgspec

from allgate.core.errors import wire_error

FRAME_BYTES_MAX = 16 * 1024 * 1024
"""One frame: a picture of 10 MB in base64 travels as one line (Gemini and OpenAI image streams do this)."""


class SseFrame(msgspec.Struct, frozen=True):
    """One event: its name (empty where the stream gives none), its joined data, and the bytes it was read from."""

    event: bytes
    data: bytes
    raw: bytes


# A frame ends at an empty line. After a CR the LF of a CRLF may still be on its way: it then leads the next frame as
# an empty line, which means nothing, and no frame has to wait for it.
_FRAME_END = re.compile(rb"\n\n|\r\n\r\n?|\r\r\n?|\n\r\n?")
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class SseSplitter:
    """feed(bytes) → frames so far; close() → the unterminated rest as a frame, or None."""

    __slots__ = ("_only_lf", "_pending", "_scanned", "_started", "aligned")

    def __init__(self) -> None:
        self._pending: bytes = b""
        self._scanned = 0
        self._only_lf = True  # no CR was seen: a stream has them at all its lines, or at none
        self._started = False
        self.aligned = False  # the stream has begun, and the next chunk begins a frame

    def feed(self, chunk: bytes) -> list[SseFrame]:
        """The frames that `chunk` completes. Raises: WireError: a frame longer than FRAME_BYTES_MAX."""
        if self.aligned:
            if data := plain_data(chunk):
                return [SseFrame(b"", data, chunk)]
            if (name_end := _plain_name_end(chunk)) > 0:
                return [SseFrame(chunk[7:name_end], chunk[name_end + 7 : -2], chunk)]
        pending = self._pending + chunk if self._pending else chunk
        if not self._started:
            if pending[:3] == _BOM:
                pending = pending[3:]
            elif _BOM.startswith(pending):
                self._pending = pending
                return []
            self._started = bool(pending)
        self._only_lf = self._only_lf and b"\r" not in chunk
        frames: list[SseFrame] = []
        position, scan = 0, self._scanned
        while True:
            if self._only_lf:
                end = pending.find(b"\n\n", scan) + 2
            else:
                match = _FRAME_END.search(pending, scan)
                end = match.end() if match else 0
            if end < 2:
                break
            raw = pending[position:end]
            data = plain_data(raw)
            frames.append(SseFrame(b"", data, raw) if data else _frame(raw))
            position = scan = end
        self._pending = pending[position:] if position else pending
        self._scanned = max(0, len(self._pending) - 3)
        self.aligned = self._started and not self._pending
        if len(self._pending) > FRAME_BYTES_MAX:
            raise wire_error(f"A frame of the event stream is longer than {FRAME_BYTES_MAX} bytes")
        return frames

    @property
    def pending(self) -> bytes:
        """What was fed and stands in no frame yet: with the raw bytes of all frames it is the stream."""
        return self._pending

    def close(self) -> SseFrame | None:
        """What is left at the end of the stream, as a frame; None if it holds no data."""
        rest, self._pending = self._pending, b""
        if not rest.strip():
            return None
        frame = _frame(rest)
        return frame if frame.data or frame.event else None


def plain_data(raw: bytes) -> bytes | None:
    """The data of one unnamed frame of a single line, LF or CRLF (Google): what nearly every chunk of nearly every
    provider is."""
    if raw[:6] != b"data: ":
        return None
    if raw[-2:] == b"\n\n":
        data = raw[6:-2]
    elif raw[-4:] == b"\r\n\r\n":
        data = raw[6:-4]
    else:
        return None
    return data if 10 not in data and 13 not in data else None  # a number, because that is one memchr


def _plain_name_end(raw: bytes) -> int:
    """Where the name ends in one named LF frame of a single data line (Anthropic, Responses); 0 for any other bytes."""
    if raw[:7] != b"event: ":
        return 0
    end = raw.find(b"\n")
    last = len(raw) - 2
    plain = raw[end : end + 7] == b"\ndata: " and raw.find(b"\n", end + 7) == last and raw[-1:] == b"\n"
    return end if plain and b"\r" not in raw else 0


def _frame(raw: bytes) -> SseFrame:
    if (name_end := _plain_name_end(raw)) > 0:
        return SseFrame(raw[7:name_end], raw[name_end + 7 : -2], raw)
    event, data = b"", None
    for line in _LINE_END.split(raw):
        name, colon, value = line.partition(b":")
        if colon and value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            data = value if data is None else data + b"\n" + value
        elif name == b"event":
            event = value
    return SseFrame(event, data or b"", raw)


def data_frame(data: bytes) -> bytes:
    """An unnamed frame; `data` must hold no line end (compact JSON does not)."""
    return b"data: " + data + b"\n\n"


def named_frame(event: bytes, data: bytes) -> bytes:
    """A frame with an event name."""
    return b"event: " + event + b"\ndata: " + data + b"\n\n"


def comment_frame(text: bytes) -> bytes:
    """A comment, ignored by conforming readers. Never on a Gemini stream: its SDKs break on it."""
    return b": " + text + b"\n\n"
