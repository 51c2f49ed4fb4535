"""Messages → turns, in the client's own order; `normal_form` regroups them afterwards."""

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.openai_chat.annotations import annotation_of
from allgate.dialects.openai_chat.content_decode import cache_mark, content_parts, image_part
from allgate.dialects.openai_chat.details import client_seal, is_ours, text_of_details
from allgate.dialects.openai_chat.own import rest
from allgate.dialects.passes.lenient import object_of, objects_of, text_of
from allgate.dialects.seals import SealBox
from allgate.operations.chat.parts import (
    CacheMark,
    FileRef,
    Media,
    Opaque,
    Part,
    Refusal,
    Seal,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from allgate.operations.chat.request import Role, Turn
from allgate.wire import json
from allgate.wire.json import (
    Json,
    JsonObject,
    object_at,
    optional_bool,
    optional_list,
    optional_object,
    optional_text,
    text_at,
)

_ROLE_AND_CONTENT = frozenset({"role", "content"})
_SAID_AND_CALLED = _ROLE_AND_CONTENT | {"tool_calls"}
_COMMON = frozenset({"role", "content", "name", "cache_control", "prompt_cache_breakpoint"})
_ASSISTANT = _COMMON | {
    "refusal", "tool_calls", "function_call", "audio", "annotations", "images", "reasoning_content", "reasoning",
    "reasoning_details", "thinking", "thinking_blocks", "function",
}  # fmt: skip
_ANSWERED = _ROLE_AND_CONTENT | {"tool_call_id", "name"}
_TOOL = _COMMON | {"tool_call_id", "is_error"}


def decode_message(value: Json, path: str, box: SealBox) -> Turn:
    """One message. Raises: WireError naming the path."""
    source = object_at(value, path)
    match source.get("role"):
        case "system" | "developer" | "user" as role:
            return _plain(source, role, path)
        case "assistant" if source.keys() <= _SAID_AND_CALLED:
            parts = content_parts(source.get("content"), f"{path}.content")
            return Turn(role="assistant", parts=(*parts, *_calls(source, path, box)))
        case "assistant":
            return _assistant(source, path, box)
        case "tool" | "function" as role:
            return _result(source, role, path)
        case word:
            word = text_at(word, f"{path}.role")
            raise wire_error(
                f"Invalid value for '{path}.role': '{word}'. Supported values are: 'system', 'assistant', 'user', "
                "'function', 'tool', and 'developer'.",
                param=f"{path}.role",
                code="invalid_value",
            )


def _plain(source: JsonObject, role: Role, path: str) -> Turn:
    parts = content_parts(source.get("content"), f"{path}.content")
    if source.keys() <= _ROLE_AND_CONTENT:
        return Turn(role=role, parts=tuple(parts))
    parts = _marked(parts, cache_mark(source, path))
    return Turn(role=role, parts=tuple(parts), name=_name(source, path), extra=rest(source, _COMMON))


def _assistant(source: JsonObject, path: str, box: SealBox) -> Turn:
    """Thinking stands before text, and text before calls: chat has no other order to say it in."""
    details = objects_of(source.get("reasoning_details"))
    thinking, text_seals = _thinking(source, details, box)
    content = content_parts(source.get("content"), f"{path}.content")
    _cite(content, objects_of(source.get("annotations")))
    if text_seals:
        _seal_text(content, text_seals)
    if refusal := optional_text(source, "refusal", f"{path}.refusal"):
        content.append(Refusal(text=refusal))
    for place, image in enumerate(optional_list(source, "images", f"{path}.images") or ()):
        content.append(_picture(object_at(image, f"{path}.images[{place}]"), f"{path}.images[{place}]", box))
    if audio := optional_object(source, "audio", f"{path}.audio"):
        spoken = text_at(audio.get("id"), f"{path}.audio.id")
        content.append(Media(kind="audio", source=FileRef(origin="openai", ref=spoken)))
    calls = _calls(source, path, box)
    if legacy := optional_object(source, "function_call", f"{path}.function_call"):
        name = text_at(legacy.get("name"), f"{path}.function_call.name")
        calls.append(ToolCall(call_id="", name=name, input=_arguments(legacy.get("arguments"), path)))
    parts = _marked([*thinking, *content], cache_mark(source, path))
    foreign = {**source, "reasoning_details": [entry for entry in details if not is_ours(entry)] or None}
    return Turn(
        role="assistant",
        parts=(*parts, *calls),
        name=_name(source, path),
        extra=rest(
            foreign,
            _ASSISTANT if foreign["reasoning_details"] is None else _ASSISTANT - {"reasoning_details"},
        ),
    )


def _result(source: JsonObject, role: str, path: str) -> Turn:
    """A tool's answer; the legacy `function` role names the function instead of the call."""
    call_id = (
        "" if role == "function" else optional_text(source, "tool_call_id", f"{path}.tool_call_id") or ""
    )
    parts = content_parts(source.get("content"), f"{path}.content")
    result = ToolResult(
        call_id=call_id,
        name=_name(source, path),
        parts=tuple(part if isinstance(part, (Text, Media, Opaque)) else _as_text(part) for part in parts),
        is_error=bool(optional_bool(source, "is_error", f"{path}.is_error")),
        cache=None if source.keys() <= _ANSWERED else cache_mark(source, path),
    )
    return Turn(role="tool", parts=(result,), extra=rest(source, _TOOL))


def _as_text(part: Part) -> Text:
    return Text(text=part.text if isinstance(part, (Refusal, Thinking)) else "")


def _thinking(
    source: JsonObject, details: list[JsonObject], box: SealBox
) -> tuple[list[Part], tuple[Seal, ...]]:
    """The reasoning of a message in any of its spellings, and the seals that belong to the text behind it."""
    parts: list[Part] = []
    text_seals: list[Seal] = []
    for entry in details:
        seal, belongs_to_text = client_seal(entry, box)
        if seal and belongs_to_text:
            text_seals.append(seal)
        elif seal:
            parts.append(_sealed_thought(text_of_details([entry]), entry, seal))
    for block in objects_of(source.get("thinking_blocks")):  # Anthropic's blocks, as LiteLLM carries them
        entry = {**block, "format": "anthropic-claude-v1"}
        seal, _ = client_seal(entry, box)
        text = text_of(block.get("thinking"))
        if seal or text:
            parts.append(Thinking(text=text, form="raw" if text else "hidden", seals=(seal,) if seal else ()))
    if not any(isinstance(part, Thinking) and part.text for part in parts):
        spoken = next(
            (
                text
                for key in ("reasoning_content", "reasoning", "thinking")
                if (text := text_of(source.get(key)))
            ),
            text_of_details(details),
        )
        if spoken:
            parts.insert(0, Thinking(text=spoken))
    return parts, tuple(text_seals)


def _sealed_thought(text: str, entry: JsonObject, seal: Seal) -> Thinking:
    if not text:
        return Thinking(form="hidden", seals=(seal,))
    if entry.get("type") == "reasoning.summary":
        return Thinking(text=text, form="summary", segments=(text,), seals=(seal,))
    return Thinking(text=text, seals=(seal,))


def _seal_text(parts: list[Part], seals: tuple[Seal, ...]) -> None:
    """Give the seals to the first text; to an empty one where there is none."""
    place = next((place for place, part in enumerate(parts) if isinstance(part, Text)), None)
    if place is None:
        parts.insert(0, Text(text="", seals=seals))
    else:
        parts[place] = changed(parts[place], seals=seals)


def _cite(parts: list[Part], annotations: list[JsonObject]) -> None:
    place = next((place for place, part in enumerate(parts) if isinstance(part, Text)), None)
    if place is not None and annotations:
        parts[place] = changed(parts[place], annotations=tuple(map(annotation_of, annotations)))


def _picture(source: JsonObject, path: str, box: SealBox) -> Media:
    media = image_part(source, path)
    seal = _google_seal(source, box)
    return changed(media, seals=(seal,)) if seal else media


def _calls(source: JsonObject, path: str, box: SealBox) -> list[ToolCall]:
    return [
        _call(call, f"{path}.tool_calls[{place}]", box)
        for place, call in enumerate(optional_list(source, "tool_calls", f"{path}.tool_calls") or ())
    ]


def _call(value: Json, path: str, box: SealBox) -> ToolCall:
    source = object_at(value, path)
    seal = _google_seal(source, box) if "extra_content" in source else None
    custom = optional_object(source, "custom", f"{path}.custom") if "custom" in source else None
    call_id = optional_text(source, "id", f"{path}.id") or ""
    if custom is not None:
        return ToolCall(
            call_id=call_id,
            name=text_at(custom.get("name"), f"{path}.custom.name"),
            input=optional_text(custom, "input", f"{path}.custom.input") or "",
            input_kind="text",
            seals=(seal,) if seal else (),
        )
    function = object_at(source.get("function"), f"{path}.function")
    return ToolCall(
        call_id=call_id,
        name=text_at(function.get("name"), f"{path}.function.name"),
        input=_arguments(function.get("arguments"), f"{path}.function"),
        seals=(seal,) if seal else (),
    )


def _arguments(value: Json, path: str) -> str:
    """Text as it is; an object, as some clients keep it, as JSON text."""
    if value is None:
        return ""
    return json.encode_text(value) if isinstance(value, dict) else text_at(value, f"{path}.arguments")


def _google_seal(source: JsonObject, box: SealBox) -> Seal | None:
    """The seal beside a call or picture: `extra_content.google.thought_signature` (Google's own convention)."""
    google = object_of(object_of(source.get("extra_content")).get("google"))
    seal, _ = client_seal({"signature": google.get("thought_signature"), "format": "google-gemini-v1"}, box)
    if seal and seal.origin == "gemini" and seal.form == "signature":
        return changed(seal, form="thought")
    return seal


def _marked(parts: list[Part], mark: CacheMark | None) -> list[Part]:
    """A mark on a message counts for its last part."""
    if mark is not None and parts:
        parts[-1] = changed(parts[-1], cache=mark)
    return parts


def _name(source: JsonObject, path: str) -> str | None:
    return optional_text(source, "name", f"{path}.name")
