"""functionResponse ↔ ToolResult.

Gemini's results are JSON objects, everyone else's are text and pictures. The object is kept whole in `structured`
(a peer lost its members); for others it reads as text: the only string under `output`, `result` or `content`, an
`error`, else the object as JSON. On the way out an object stays an object, and anything else goes under `result` or
`error`.
"""

from typing import cast

from allgate.core.errors import WireError
from allgate.dialects.gemini.media import media_of, media_part
from allgate.dialects.gemini.members import many_at, members_of
from allgate.operations.chat.parts import Inline, Media, Seal, Text, ToolResult
from allgate.wire import json
from allgate.wire.json import Json, JsonObject, object_at, optional_text

_PLAIN_KEYS = ("output", "result", "content")
_KNOWN = frozenset({"id", "name", "response", "parts"})
_INSIDE_MIMES = frozenset({"image/png", "image/jpeg", "image/webp", "application/pdf", "text/plain"})
"""What functionResponse.parts takes (Gemini 3, multimodal function responses)."""


def result_of(raw: Json, path: str, seals: tuple[Seal, ...]) -> ToolResult:
    """The ToolResult of a functionResponse. Its call_id is "" where the client sent none. Raises: WireError."""
    source = members_of(raw, path)
    given = source.get("response")
    response = {} if given is None else object_at(given, f"{path}.response")
    parts: list[Text | Media] = [Text(text=_text(response))] if response else []
    for place, inner in enumerate(many_at(source.get("parts") or [], f"{path}.parts")):
        where = f"{path}.parts[{place}]"
        member = members_of(inner, where)
        if "inlineData" in member or "fileData" in member:
            parts.append(media_of(member, where, (), {}))
    rest = {key: value for key, value in source.items() if key not in _KNOWN}
    return ToolResult(
        call_id=optional_text(source, "id", f"{path}.id") or "",
        name=optional_text(source, "name", f"{path}.name"),
        parts=tuple(parts),
        is_error=set(response) == {"error"},
        structured=response,
        seals=seals,
        extra={"gemini": rest} if rest else {},
    )


def _text(response: JsonObject) -> str:
    if len(response) == 1:
        key, value = next(iter(response.items()))
        if isinstance(value, str) and (key in _PLAIN_KEYS or key == "error"):
            return value
    return json.encode_text(response)


def response_part(
    result: ToolResult, name: str, *, with_id: bool, with_media: bool
) -> tuple[JsonObject, tuple[Media, ...]]:
    """The functionResponse of a result, and the media that it cannot hold."""
    inside: list[JsonObject] = []
    outside: list[Media] = []
    for part in result.parts:
        if isinstance(part, Media):
            fits = isinstance(part.source, Inline) and part.source.mime in _INSIDE_MIMES
            if with_media and fits:
                inside.append(media_part(part))
            else:
                outside.append(part)
    body: JsonObject = {"id": result.call_id} if with_id else {}
    body |= {"name": name, "response": _response(result)}
    if inside:
        body["parts"] = inside
    return {"functionResponse": {**result.extra.get("gemini", {}), **body}}, tuple(outside)


def _response(result: ToolResult) -> JsonObject:
    if isinstance(result.structured, dict):
        return cast(JsonObject, result.structured)
    text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
    if result.is_error:
        return {"error": text}
    if text.lstrip()[:1] == "{":
        try:
            return json.decode_object(text, "tool result")
        except WireError:
            pass
    return {"result": text}
