"""The ordinary chunk of a stream, decoded with its types: text, thoughts, finish and usage, and nothing else.

Any other member makes the typed decode fail, and the chunk is then read member by member (`answer_decode`). So a chunk
of text costs one pass in C, and no rare member can be overlooked.
"""

import msgspec

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


class PlainChunk(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    candidates: list[PlainCandidate] = []
    usage_metadata: msgspec.Raw = NO_USAGE
    model_version: str | None = None
    response_id: str | None = None
    create_time: str | None = None


NOTHING = PlainChunk()

decode_plain = msgspec.json.Decoder(PlainChunk).decode
"""Raises: msgspec.DecodeError: not JSON, or not plain."""
