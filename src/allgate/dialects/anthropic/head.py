"""What routing needs of a Messages body, without building its turns, and the pass-through edit of the same bytes.

One C call gives the top-level members as spans of bytes; only small ones are decoded. Messages are searched only where
they hold blocks (a search is 40 µs per 100 KB, a memchr for a bracket 2), and looked into only where the name of a media
block occurs in their bytes, and then for media alone.
"""

import msgspec

from allgate.core.errors import wire_error
from allgate.dialects.anthropic.auto_marks import auto_marked
from allgate.dialects.anthropic.request_encode import OUTPUT_TOKENS_DEFAULT, PATH
from allgate.dialects.anthropic.tools_decode import tool_features
from allgate.dialects.anthropic.versions import VERSION_OLD
from allgate.dialects.contract import Head, UpstreamCall
from allgate.dialects.passes.lenient import object_of, objects_of, text_of
from allgate.dialects.seals import ENVELOPE_PREFIX
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added
from allgate.wire import json
from allgate.wire.headers import Headers
from allgate.wire.json import Json, JsonObject, optional_bool, optional_int, text_at
from allgate.wire.message import WireRequest
from allgate.wire.span import set_member, set_scalar

IMAGE_TOKENS_MAX = 5_000
"""Of one picture, at the highest resolution that a current model takes (4,784 at 2,576 px); for the hold's upper bound."""

_SETTINGS = ("model", "stream", "max_tokens")
_SEALED = ENVELOPE_PREFIX.encode()
_NO_FEATURES: frozenset[str] = frozenset()

# What a client says to the provider beside the body; everything else is ours to set.
_FORWARDED = frozenset({b"anthropic-version", b"anthropic-beta", b"idempotency-key"})
_JSON = (b"content-type", b"application/json")

_spans = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_text = msgspec.json.Decoder(str).decode
_switch = msgspec.json.Decoder(bool).decode
_count = msgspec.json.Decoder(int).decode


def read_head(request: WireRequest) -> Head:
    """The head of a Messages body. Raises: WireError: no JSON object, no model, or a wrong type in what is read."""
    whole = request.body
    raw = _raw_members(whole)
    features, input_bytes, sealed = _NO_FEATURES, len(whole), False
    if "tools" in raw:
        features = tool_features(json.decode(raw["tools"], "tools"))
    if "mcp_servers" in raw and json.decode(raw["mcp_servers"], "mcp_servers"):
        features |= {"mcp"}
    messages = bytes(raw.get("messages", b""))
    if messages.find(b"[", 1) > 0:  # a list within: media and seals stand in blocks, never in a text
        sealed = _SEALED in messages
        if b'"image"' in messages or b'"document"' in messages:
            media = _media(messages)
            features |= {f"{kind}_input" for kind, _ in media}
            input_bytes += sum(IMAGE_TOKENS_MAX - size for kind, size in media if kind == "image")
    model, stream, limit = _settings(raw)
    return Head(
        model=model,
        stream=stream,
        stream_usage=True,
        output_tokens_max=limit,
        fields=frozenset(raw),
        features=features,
        sealed=sealed,
        input_bytes=input_bytes,
    )


def _settings(raw: dict[str, msgspec.Raw]) -> tuple[str, bool, int | None]:
    """Model, stream and bound. Where one is not of its ordinary type the readers count 5.0 as 5, or name what is wrong."""
    try:
        return (
            _text(raw["model"]),
            "stream" in raw and _switch(raw["stream"]),
            _count(raw["max_tokens"]) if "max_tokens" in raw else None,
        )
    except (KeyError, msgspec.DecodeError, ValueError):
        said = {name: json.decode(raw[name], name) for name in _SETTINGS if name in raw}
        model = text_at(said.get("model"), "model")
        return model, bool(optional_bool(said, "stream")), optional_int(said, "max_tokens")


def passthrough(request: WireRequest, head: Head, model: str, caps: Caps) -> UpstreamCall:
    """The client's bytes with the provider's model name, and an output bound where the client named none."""
    body, notes = request.body, ()
    if model != head.model:
        body = set_scalar(body, "model", json.encode(model))
    if head.output_tokens_max is None:
        body, notes = _bounded(body, caps)
    if caps.cache_policy != "client":
        body, marks = auto_marked(body, caps)
        notes = (*notes, *marks)
    path = PATH + "?beta=true" if request.query and b"beta=true" in request.query.split(b"&") else PATH
    return UpstreamCall(path=path, body=body, headers=_forwarded(request.headers, caps), notes=notes)


def _forwarded(headers: Headers, caps: Caps) -> Headers:
    """What the client says to the provider beside the body, and a version where it says none."""
    fields: list[tuple[bytes, bytes]] = []
    versioned = False
    for field in headers:
        if field[0] in _FORWARDED:
            fields.append(field)
            versioned = versioned or field[0] == b"anthropic-version"
    said = () if versioned else ((b"anthropic-version", (caps.api_version or VERSION_OLD).encode("latin-1")),)
    return (_JSON, *said, *fields)


def _bounded(body: bytes, caps: Caps) -> tuple[bytes, tuple[Note, ...]]:
    bound = caps.output_default or caps.output_max or OUTPUT_TOKENS_DEFAULT
    return set_member(body, "max_tokens", b"%d" % bound), (
        added("max_tokens", f"{bound}, because one is demanded"),
    )


def _raw_members(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _spans(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        members = json.decode_object(
            body
        )  # says what is wrong, or reads what msgspec would not (half an emoji)
        if not members:
            raise wire_error("model: Field required", param="model") from error
        return {name: msgspec.Raw(json.encode(value)) for name, value in members.items()}


def _media(messages: bytes) -> list[tuple[str, int]]:
    """(image or document, bytes of its base64) of each media block of the messages, also inside tool results."""
    found: list[tuple[str, int]] = []
    for message in objects_of(json.decode(messages, "messages")):
        _add_media(message.get("content"), found)
    return found


def _add_media(content: Json, found: list[tuple[str, int]]) -> None:
    for block in objects_of(content):
        match block.get("type"):
            case "image" | "document" as kind:
                found.append((kind, _inline_bytes(block)))
            case "tool_result":
                _add_media(block.get("content"), found)
            case _:
                pass


def _inline_bytes(block: JsonObject) -> int:
    return len(text_of(object_of(block.get("source")).get("data")))
