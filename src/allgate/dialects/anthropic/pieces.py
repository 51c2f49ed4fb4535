"""The frames that a stream consists of, content_block_delta, as typed values: 0.4 µs each instead of 1.2 as plain objects.

Nearly every chunk is exactly one of them. After bytes that ended in an empty line nothing is pending, so the splitter
need not see such a chunk: `lone_delta` reads it.
"""

from typing import ClassVar

import msgspec

from allgate.dialects.passes.lenient import text_of, text_or_none
from allgate.wire.json import Json, JsonObject


class Piece(msgspec.Struct, gc=False):
    """The `delta` of a content_block_delta."""

    type: str = ""
    text: str | None = None
    partial_json: str | None = None
    thinking: str | None = None
    signature: str | None = None
    citation: Json = None

    KNOWN: ClassVar[frozenset[str]] = frozenset(
        {"text_delta", "input_json_delta", "thinking_delta", "signature_delta", "citations_delta"}
    )


class BlockDelta(msgspec.Struct, gc=False):
    """A content_block_delta."""

    index: int = 0
    delta: Piece = msgspec.field(default_factory=Piece)


decode_delta = msgspec.json.Decoder(BlockDelta).decode

DELTA = b"content_block_delta"
_HEAD = b"event: content_block_delta\ndata: "
HEAD_BYTES = len(_HEAD)
_LINES = 3  # of the event, of the data, and the empty one


def lone_delta(chunk: bytes) -> BlockDelta | None:
    """The delta in bytes that are one frame of it, as the vendor writes it; None for all others, and for an odd one."""
    if chunk[:HEAD_BYTES] != _HEAD or chunk[-2:] != b"\n\n" or chunk.count(b"\n") != _LINES:
        return None
    try:
        return decode_delta(chunk[HEAD_BYTES:])
    except (msgspec.DecodeError, ValueError):
        return None


def odd_piece(raw: JsonObject) -> Piece:
    """A delta that the typed reader did not take: half an emoji, or a member of another type."""
    return Piece(
        type=text_of(raw.get("type")),
        text=text_or_none(raw.get("text")),
        partial_json=text_or_none(raw.get("partial_json")),
        thinking=text_or_none(raw.get("thinking")),
        signature=text_or_none(raw.get("signature")),
        citation=raw.get("citation"),
    )
