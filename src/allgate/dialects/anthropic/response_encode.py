"""The canonical answer → a whole Messages reply."""

from functools import partial

from allgate.dialects.anthropic import hosted
from allgate.dialects.anthropic.blocks_encode import is_plain
from allgate.dialects.anthropic.finish import finish_members
from allgate.dialects.anthropic.reply_shown import blocks_of, is_cut, result_block
from allgate.dialects.anthropic.usage import encode_usage
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.contract import Asked
from allgate.dialects.passes.lenient import object_of
from allgate.operations.chat.notes import Note, converted, dropped
from allgate.operations.chat.parts import Extra, Inline, Media, Opaque, Part
from allgate.operations.chat.response import ChatResponse, Choice
from allgate.wire.json import JsonObject, encode

TIERS = ("standard", "priority", "batch")


def encode_response(response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
    """The reply's body, and what of the answer it has no place for."""
    choice = response.choices[0]
    content, notes = _content(choice, asked)
    members = own_members(response.extra) if response.extra else {}
    usage = encode_usage(response.usage)
    if "usage" in members:
        usage |= object_of(members.pop("usage"))
    if response.service_tier in TIERS:
        usage["service_tier"] = response.service_tier
    reply: JsonObject = {
        **members,
        "id": asked.response_id,
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": content,
        **finish_members(choice.finish, asked.request),
        "usage": usage,
    }
    if len(response.choices) > 1:
        notes = [dropped("choices", "anthropic has one answer"), *notes]
    return encode(reply), (*response.notes, *notes) if notes else response.notes


def own_members(extra: Extra) -> JsonObject:
    """What the dialect itself added to an answer: container, context management, counts without a word of ours."""
    return dict(extra.get(DIALECT, {}))


def _content(choice: Choice, asked: Asked) -> tuple[list[JsonObject], list[Note]]:
    """The blocks of the answer, which is nearly always one text, and a note for each part without one."""
    if len(choice.parts) == 1 and is_plain(part := choice.parts[0]):
        return [{"type": "text", "text": part.text}] if part.text else [], []
    parts, notes = _carried(choice)
    return hosted.placed(parts, partial(blocks_of, asked=asked), result_block), notes


def _carried(choice: Choice) -> tuple[tuple[Part, ...], list[Note]]:
    """The parts that have a form here, and a note for each that has none or another."""
    kept: list[Part] = []
    notes: list[Note] = []
    for part in choice.parts:
        if choice.finish.reason in ("length", "context_length") and is_cut(part):
            notes.append(dropped("content.tool_use", "its arguments broke off"))
            continue
        if isinstance(part, Media):
            kind = "told as text" if not isinstance(part.source, Inline) else "anthropic answers in text only"
            notes.append(converted(f"content.{part.kind}", kind))
        elif isinstance(part, Opaque) and part.dialect != DIALECT:
            notes.append(dropped(f"content.{part.dialect}", "not known to anthropic"))
        kept.append(part)
    return tuple(kept), notes
