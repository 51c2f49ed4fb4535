"""Frames of the event stream: `event: <type>`, and JSON with the same type and a sequence number without gaps.

The frames of deltas are put together from prepared bytes: only the number and the text are new in each.
"""

import msgspec

from allgate.wire import json
from allgate.wire.json import JsonObject

KEEP_ALIVE = b'event: keepalive\ndata: {"type":"keepalive"}\n\n'
"""Resets Codex's idle timer, which a comment does not; ignored by the SDKs (measured)."""


_encode = msgspec.json.Encoder().encode


class FrameWriter:
    """Numbers the frames of one stream from 0."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def frame(self, event: str, members: JsonObject) -> bytes:
        """Any frame."""
        number = self.number
        self.number = number + 1
        data = json.encode({"type": event, "sequence_number": number, **members})
        return b"event: %b\ndata: %b\n\n" % (event.encode(), data)


class DeltaFrame:
    """The frames of one event type for one item: `of(text)` is the next one. `length`: characters so far."""

    __slots__ = ("_after", "_before", "_frames", "_place", "length")

    def __init__(
        self, frames: FrameWriter, event: str, place: JsonObject, tail: JsonObject | None = None
    ) -> None:
        """`place`: the members that say which part it is; `tail`: those behind the delta."""
        self.length = 0
        self._frames = frames
        self._before = b'event: %b\ndata: {"type":"%b","sequence_number":' % (event.encode(), event.encode())
        self._place = b"," + json.encode(place)[1:-1] + b',"delta":'
        self._after = (b"," + json.encode(tail)[1:] if tail else b"}") + b"\n\n"

    def of(self, text: str) -> bytes:
        """A frame with this piece; nothing for an empty one."""
        if not text:
            return b""
        self.length += len(text)
        frames = self._frames
        number = frames.number
        frames.number = number + 1
        try:
            piece = _encode(text)
        except (UnicodeEncodeError, ValueError):  # half a surrogate pair
            piece = json.encode(text)
        return b"%b%d%b%b%b" % (self._before, number, self._place, piece, self._after)
