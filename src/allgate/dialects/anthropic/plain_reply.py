"""A plain Messages reply, read by type: one text, why it ended, and the counts that the vendor always sends.

What these types do not know (a second block, a citation, a container, a count that is null) goes the long way of
`response_decode` and of `meter.read_any_facts`; for what they know both ways read the same.
"""

from typing import Annotated, Literal

import msgspec

from allgate.core.usage import Usage, special_tier
from allgate.dialects.anthropic.finish import finish_of
from allgate.dialects.anthropic.meter import read_any_facts
from allgate.dialects.anthropic.response_decode import decode_any_response
from allgate.dialects.anthropic.usage import inclusive_usage
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.contract import Facts, Sent
from allgate.operations.chat.parts import Text
from allgate.operations.chat.response import ChatResponse, Choice

_Count = Annotated[int, msgspec.Meta(ge=0)]
_ENDED = finish_of("end_turn", {}, called=False)


class _Block(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    type: Literal["text"]
    text: str


class _Writes(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    ephemeral_5m_input_tokens: _Count
    ephemeral_1h_input_tokens: _Count


class _Thought(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    thinking_tokens: _Count


class _Counts(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    input_tokens: _Count
    output_tokens: _Count
    cache_read_input_tokens: _Count | None = None
    cache_creation_input_tokens: _Count | None = None
    cache_creation: _Writes | None = None
    output_tokens_details: _Thought | None = None
    service_tier: str | None = None
    inference_geo: str | None = None


class _Reply(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: str
    model: str
    content: tuple[_Block]
    stop_reason: str
    usage: _Counts
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"
    stop_sequence: str | None = None
    stop_details: None = None
    container: None = None
    context_management: None = None


_read = msgspec.json.Decoder(_Reply).decode


def decode_response(body: bytes, sent: Sent) -> ChatResponse:
    """The answer. Raises: WireError: no Messages reply, or an error in the place of one."""
    try:
        reply = _read(body)
    except (msgspec.DecodeError, ValueError):
        return decode_any_response(body, sent)
    text, counts = reply.content[0].text, reply.usage
    if not text:
        return decode_any_response(body, sent)
    finish = _ENDED
    if reply.stop_reason != "end_turn" or reply.stop_sequence is not None:
        finish = finish_of(reply.stop_reason, {"stop_sequence": reply.stop_sequence}, called=False)
    geo = counts.inference_geo
    return ChatResponse(
        id=reply.id,
        model=reply.model,
        choices=(Choice(index=0, parts=(Text(text=text),), finish=finish),),
        usage=_usage(counts),
        service_tier=counts.service_tier or None,
        extra={} if geo is None else {DIALECT: {"usage": {"inference_geo": geo}}},
    )


def read_facts(body: bytes) -> Facts:
    """The facts of a whole reply. Raises: WireError: no Messages reply, or an error in the place of one."""
    try:
        reply = _read(body)
    except (msgspec.DecodeError, ValueError):
        return read_any_facts(body)
    text = reply.content[0].text
    return Facts(usage=_usage(reply.usage), finished=True, empty=not text, text=text)


def _usage(counts: _Counts) -> Usage:
    split, thought, tier = counts.cache_creation, counts.output_tokens_details, counts.service_tier
    return inclusive_usage(
        counts.input_tokens,
        counts.output_tokens,
        read=counts.cache_read_input_tokens,
        written=counts.cache_creation_input_tokens,
        split=None if split is None else (split.ephemeral_5m_input_tokens, split.ephemeral_1h_input_tokens),
        thought=None if thought is None else thought.thinking_tokens,
        tier=None if tier is None else special_tier(tier),
    )
