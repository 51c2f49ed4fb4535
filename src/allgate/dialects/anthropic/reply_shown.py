"""Parts of an answer → content blocks for a client of this dialect.

What the dialect has no block for is told as text: a refusal, a picture (a Markdown link where it has an address), a
spoken answer's transcript. Seals of parts without a slot ride on blocks of their own (`seal_slots`).
"""

from allgate.dialects.anthropic import citations, hosted, hosted_shown
from allgate.dialects.anthropic.blocks_encode import arguments_object, is_plain, sent_call_id
from allgate.dialects.anthropic.request_decode import extra_members
from allgate.dialects.anthropic.seal_slots import carrier, filler, is_native, slot_text
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.contract import Asked
from allgate.dialects.passes.custom_tools import wrap_input
from allgate.dialects.passes.lenient import object_of, text_of
from allgate.dialects.seals import SealBox, is_envelope
from allgate.operations.chat.parts import Hosted, Media, Opaque, Part, Refusal, Text, Thinking, ToolCall, Url
from allgate.wire.json import JsonObject


def shows_thinking(asked: Asked) -> bool:
    """False where the client declined it (`display: omitted`); the seals are sent all the same."""
    reasoning = asked.request.reasoning
    return reasoning is None or reasoning.show != "none"


def carries_seals(asked: Asked) -> bool:
    """Whether blocks that only carry another vendor's seal are told. A client that asked for thinking or declared tools
    sends them back; one that did neither reads the first block for the answer (`message.content[0].text`)."""
    return asked.request.reasoning is not None or bool(asked.request.tools)


def blocks_of(part: Part, asked: Asked) -> list[JsonObject]:
    """The blocks of one part, without the result of a provider-run call of this dialect (`hosted.placed`).

    A call whose arguments are no JSON is told with them as `_raw`.
    """
    if is_plain(part):
        return [{"type": "text", "text": part.text}] if part.text else []
    blocks = _blocks(part, asked.seals, shown=shows_thinking(asked))
    if carries_seals(asked):
        return blocks
    return [block for block in blocks if not is_envelope(text_of(block.get("data")))]


def _blocks(part: Part, box: SealBox, *, shown: bool) -> list[JsonObject]:
    match part:
        case Text():
            return [*_carriers(part, box, before=bool(part.text)), *_text(part, box)]
        case Thinking():
            return thinking_blocks(part, box, shown=shown)
        case ToolCall():
            return [*_carriers(part, box, before=True), call_block(part)]
        case Hosted() if hosted.is_own(part):
            use = hosted.own_use(part)
            return [] if use is None else [use]
        case Hosted():
            return hosted_shown.shown(part, box)
        case Refusal():
            return [{"type": "text", "text": part.text}] if part.text else []
        case Media():
            return [{"type": "text", "text": media_text(part)}]
        case Opaque():
            raw = object_of(part.raw)
            return [raw] if part.dialect == DIALECT and raw else []
        case _:
            return []  # a client's result is never part of an answer


def result_block(part: Hosted) -> JsonObject | None:
    """The second block of a provider-run call of this dialect; those of others are written together."""
    return hosted.own_result(part) if hosted.is_own(part) else None


def _carriers(part: Part, box: SealBox, *, before: bool) -> list[JsonObject]:
    return [dict(carrier(seal, box, before=before)) for seal in part.seals]


def _text(part: Text, box: SealBox) -> list[JsonObject]:
    if not part.text:
        return []
    members = extra_members(part.extra)
    return [
        {**members, "type": "text", "text": text, **({"citations": cited} if cited else {})}
        for text, cited in citations.cut(part, box)
    ]


def thinking_blocks(part: Thinking, box: SealBox, *, shown: bool) -> list[JsonObject]:
    """A thinking block, always signed; a redacted one where there is nothing but a seal to carry."""
    if not part.seals and not part.text:
        return []
    seal = part.seals[0] if part.seals else None
    further: list[JsonObject] = [dict(carrier(other, box, before=False)) for other in part.seals[1:]]
    if seal is not None and (seal.form == "redacted" if is_native(seal) else not part.text):
        return [*further, {"type": "redacted_thinking", "data": slot_text(seal, box)}]
    text = part.text if shown else ""
    return [
        *further,
        {"type": "thinking", "thinking": text, "signature": signature_of(part, box, shown=shown)},
    ]


def signature_of(part: Thinking, box: SealBox, *, shown: bool) -> str:
    """The signature of a thinking block; unsealed text that is not shown is kept in it."""
    if part.seals:
        return slot_text(part.seals[0], box)
    return filler(box, "" if shown else part.text)


def call_block(part: ToolCall) -> JsonObject:
    return {
        **extra_members(part.extra),
        "type": "tool_use",
        "id": sent_call_id(part.call_id),
        "name": part.name,
        "input": input_object(part),
    }


def input_object(part: ToolCall) -> JsonObject:
    """The arguments as an object, which is the only thing a client of this dialect can read."""
    text = wrap_input(part.input) if part.input_kind == "text" else part.input
    value = arguments_object(text)
    if isinstance(value, dict):
        return value
    return {"_raw": text} if value is None else {"value": value[0]}


def is_cut(part: Part) -> bool:
    """A call whose arguments broke off: there is no object to show."""
    return isinstance(part, ToolCall) and part.input_kind == "json" and arguments_object(part.input) is None


def media_text(part: Media) -> str:
    if part.kind == "audio" and part.transcript:
        return part.transcript
    if isinstance(part.source, Url):
        return f"![{part.kind}]({part.source.url})"
    return f"[{part.kind}]"
