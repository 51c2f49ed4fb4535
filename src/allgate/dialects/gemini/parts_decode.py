"""One part of a content, as the vocabulary has it. Requests and replies are made of the same parts.

A part holds exactly one kind of data beside its signature. What has no word here is kept whole as Opaque, so that a
Gemini provider still gets it. Arguments of a call become text in the order they were written in.
"""

from collections.abc import Callable

from allgate.dialects.gemini.hosted import ANSWERS, CALLS, answer_of, call_of
from allgate.dialects.gemini.media import BESIDE_MEDIA, media_of
from allgate.dialects.gemini.members import members_of
from allgate.dialects.gemini.results import result_of
from allgate.operations.chat.parts import Extra, Opaque, Part, Seal, Text, Thinking, ToolCall
from allgate.wire import json
from allgate.wire.json import Json, JsonObject, object_at, optional_text, text_at

Sealing = Callable[[str | None], tuple[Seal, ...]]
"""From a part's signature to its seals: a client's is judged, a provider's is taken as it is."""

NO_ARGUMENTS = "{}"

_MEDIA = frozenset({"inlineData", "fileData"})
_DATA = frozenset({"text", "functionCall", "functionResponse"}) | _MEDIA | CALLS | ANSWERS
_BESIDE = frozenset({"thought", "thoughtSignature"}) | BESIDE_MEDIA


def part_of(raw: Json, path: str, sealing: Sealing) -> Part:
    """The part; an unfinished Hosted for one half of a hosted call. Raises: WireError naming `path`."""
    part = members_of(raw, path)
    if len(part) == 1 and type(part.get("text")) is str:
        return Text(text=part["text"])  # nearly every part: nothing that is asked for below is there
    seals = sealing(optional_text(part, "thoughtSignature", f"{path}.thoughtSignature"))
    kinds = _DATA.intersection(part)
    thought = part.get("thought") is True
    rest = {key: value for key, value in part.items() if key not in _DATA and key not in _BESIDE}
    extra: Extra = {"gemini": rest} if rest else {}
    if "text" in kinds:
        text = text_at(part["text"], f"{path}.text") if part["text"] is not None else ""
        if thought:
            return Thinking(
                text=text, form="summary", segments=(text,) if text else (), seals=seals, extra=extra
            )
        return Text(text=text, seals=seals, extra=extra)
    if "functionCall" in kinds:
        return call_of_function(part["functionCall"], f"{path}.functionCall", seals, extra)
    if "functionResponse" in kinds:
        return result_of(part["functionResponse"], f"{path}.functionResponse", seals)
    if kinds & _MEDIA and not thought:
        return media_of(part, path, seals, rest)
    if kinds & CALLS:
        return call_of(part, path, seals)
    if kinds & ANSWERS:
        return answer_of(part, path, seals)
    if not kinds and not rest:
        return Text(text="", seals=seals)
    return Opaque(
        dialect="gemini", raw={key: part[key] for key in part if key != "thoughtSignature"}, seals=seals
    )


def call_of_function(raw: Json, path: str, seals: tuple[Seal, ...], extra: Extra) -> ToolCall:
    """The ToolCall of a functionCall. Its call_id is "" where none was given. Raises: WireError."""
    source = members_of(raw, path)
    arguments = source.get("args")
    text = NO_ARGUMENTS if arguments is None else json.encode_text(object_at(arguments, f"{path}.args"))
    return ToolCall(
        call_id=optional_text(source, "id", f"{path}.id") or "",
        name=text_at(source.get("name"), f"{path}.name"),
        input=text,
        seals=seals,
        extra=extra,
    )


def own_members(part: Part) -> JsonObject:
    """The members of a part that only Gemini has a word for."""
    return part.extra.get("gemini", {})
