"""The ordinary reply, and the ordinary chunk of a stream, decoded with their types: text, thoughts, finish and usage, and
nothing else.

Any other member makes the typed decode fail, and the reply is then read member by member (`answer_decode`). So a chunk
of text costs one pass in C, and no rare member can be overlooked. The usage of a chunk is left as it is written, because of
a thousand snapshots only a few are ever read; that of a whole reply always is.
"""

import msgspec

from allgate.dialects.gemini.usage import PlainUsage

NO_USAGE = msgspec.Raw(b"")
"""In the place of usageMetadata where a chunk has none; `usage.Snapshots` reads the others."""


class PlainPart(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """A text or a thought."""

    text: str = ""
    thought: bool = False
    thought_signature: str | None = None


class PlainContent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    parts: list[PlainPart] = []
    role: str | None = None


class PlainCandidate(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    content: PlainContent | None = None
    finish_reason: str | None = None
    index: int = 0


class _Whole(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    candidates: list[PlainCandidate] = []
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None


class PlainChunk(_Whole, gc=False):
    usage_metadata: msgspec.Raw = NO_USAGE


class PlainReply(_Whole, gc=False):
    usage_metadata: PlainUsage | None = None


decode_plain = msgspec.json.Decoder(PlainChunk).decode
"""Raises: msgspec.DecodeError: not JSON, or not plain."""


_decode_reply = msgspec.json.Decoder(PlainReply).decode


def plain_reply(body: bytes) -> PlainReply | None:
    """A whole reply that has candidates; None where it is not plain."""
    try:
        reply = _decode_reply(body)
    except (msgspec.DecodeError, ValueError):
        return None
    return reply if reply.candidates else None
