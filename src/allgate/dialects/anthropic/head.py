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

_READ = ("model", "stream", "max_tokens", "tools", "mcp_servers")
_SEALED = ENVELOPE_PREFIX.encode()
_NO_FEATURES: frozenset[str] = frozenset()

# What a client says to the provider beside the body; everything else is ours to set.
_FORWARDED = frozenset({b"anthropic-version", b"anthropic-beta", b"idempotency-key"})
_JSON = (b"content-type", b"application/json")

_spans = msgspec.json.Decoder(dict[str, msgspec.Raw])


def read_head(request: WireRequest) -> Head:
    """The head of a Messages body. Raises: WireError: no JSON object, no model, or a wrong type in what is read."""
    raw = _raw_members(request.body)
    body: JsonObject = {}
    for name in _READ:
        if name in raw:
            body[name] = json.decode(raw[name], name)
    features, input_bytes, sealed = _NO_FEATURES, len(request.body), False
    if "tools" in body:
        features = tool_features(body["tools"])
    if body.get("mcp_servers"):
        features |= {"mcp"}
    messages = bytes(raw.get("messages", b""))
    if messages.find(b"[", 1) > 0:  # a list within: media and seals stand in blocks, never in a text
        sealed = _SEALED in messages
        if b'"image"' in messages or b'"document"' in messages:
            media = _media(messages)
            features |= {f"{kind}_input" for kind, _ in media}
            input_bytes += sum(IMAGE_TOKENS_MAX - size for kind, size in media if kind == "image")
    return Head(
        model=text_at(body.get("model"), "model"),
        stream="stream" in body and bool(optional_bool(body, "stream")),
        stream_usage=True,
        output_tokens_max=optional_int(body, "max_tokens"),
        fields=frozenset(raw),
        features=features,
        sealed=sealed,
        input_bytes=input_bytes,
    )


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
        return _spans.decode(body)
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
