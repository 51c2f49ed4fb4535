"""Pieces of an answer in chat's words, the same for a whole reply and for a stream."""

from allgate.dialects.contract import Asked
from allgate.dialects.openai_chat.annotations import annotation_wire
from allgate.dialects.openai_chat.details import sealed_detail
from allgate.dialects.openai_chat.media import url_of
from allgate.dialects.openai_chat.own import LEGACY_FUNCTIONS, own
from allgate.dialects.seals import SealBox
from allgate.operations.chat.parts import Media, Seal, Text, Thinking, ToolCall
from allgate.wire.json import JsonObject

THOUGHTS_SEPARATOR = "\n\n"
"""Between thinking parts, and between the paragraphs of a summary: chat has one string for all of them."""


def shows_thinking(asked: Asked) -> bool:
    """False where the client asked not to see reasoning."""
    return asked.request.reasoning is None or asked.request.reasoning.show != "none"


def speaks_legacy(asked: Asked) -> bool:
    """True where the client declared `functions`: its first call comes back as `function_call`."""
    extra = asked.request.extra
    return bool(extra and own(extra).get(LEGACY_FUNCTIONS))


def call_wire(call: ToolCall, box: SealBox) -> JsonObject:
    """A whole tool call."""
    if call.input_kind == "text":
        wire: JsonObject = {"id": call.call_id, "type": "custom"}
        wire["custom"] = {"name": call.name, "input": call.input}
    else:
        wire = {"id": call.call_id, "type": "function"}
        wire["function"] = {"name": call.name, "arguments": call.input or "{}"}
    return wire | google_content(call.seals, box)


def google_content(seals: tuple[Seal, ...], box: SealBox) -> JsonObject:
    """The seal of a call or picture, where Google's compatibility layer puts its signatures."""
    if not seals:
        return {}
    return {"extra_content": {"google": {"thought_signature": box.wrap(seals[0])}}}


def details_wire(part: Thinking | Text, index: int, box: SealBox, *, shown: bool) -> list[JsonObject]:
    """The entries that carry a part's seals; those of a text say that they belong to what follows the thinking."""
    text = part.text if isinstance(part, Thinking) and shown else ""
    summary = isinstance(part, Thinking) and part.form == "summary"
    return [
        sealed_detail(
            seal,
            text if place == 0 else "",
            index + place,
            box,
            summary=summary,
            next_part=isinstance(part, Text),
        )
        for place, seal in enumerate(part.seals)
    ]


def annotations_wire(text: Text, offset: int) -> list[JsonObject]:
    """The citations of a text that begins `offset` code points into the message."""
    found = (annotation_wire(annotation, offset, len(text.text)) for annotation in text.annotations)
    return [wire for wire in found if wire is not None]


def image_wire(media: Media, box: SealBox, index: int) -> JsonObject:
    """A picture or film as an entry of `images`."""
    url = {"url": url_of(media.source)}
    return {"type": "image_url", "image_url": url, "index": index, **google_content(media.seals, box)}
