"""Which kinds of media a body's messages hold, told without reading the media themselves.

A body may carry 20 MB of base64. Messages are decoded into spans (0.3 ms per MB), contents that are strings are not
looked into, and of a large part only its first bytes are read: a data URL names its type there. Small parts are read
by the decoder itself, so that both always agree.
"""

import msgspec

from allgate.dialects.openai_chat.content_decode import content_parts
from allgate.dialects.openai_chat.media import kind_of_mime
from allgate.dialects.passes.lenient import objects_of
from allgate.operations.chat.parts import Media, MediaKind
from allgate.wire import json
from allgate.wire.json import Json

_SMALL_BYTES_MAX = 4_096  # a part with an address; what is larger holds its data
_HEAD_BYTES = 512  # of a large part: a detail or file name may stand before the data
_MIME_BYTES_MAX = 128

_NONE = msgspec.Raw(b"")


class _Message(msgspec.Struct):
    content: msgspec.Raw = _NONE
    images: msgspec.Raw = _NONE
    audio: msgspec.Raw = _NONE


class _Part(msgspec.Struct):
    type: str = ""
    image_url: msgspec.Raw = _NONE
    video_url: msgspec.Raw = _NONE
    audio_url: msgspec.Raw = _NONE
    input_audio: msgspec.Raw = _NONE
    file: msgspec.Raw = _NONE


_messages = msgspec.json.Decoder(list[_Message])
_parts = msgspec.json.Decoder(list[_Part])


def may_hold_media(body: bytes) -> bool:
    """False where no media can be in a body: a search at memory speed spares most requests the closer look.

    Every member that can hold media ends in one of these, unless its name is written with escapes, which no client does
    and which at worst sends media to a provider that then refuses them.
    """
    return (
        b'_url"' in body
        or b'"input_audio"' in body
        or b'"file"' in body
        or b'"images"' in body
        or b'"audio"' in body
    )


def media_kinds(messages: msgspec.Raw) -> set[MediaKind]:
    """The kinds of media in the `messages` member. Raises: WireError: a small part that is malformed."""
    try:
        decoded = _messages.decode(messages)
        lists = [bytes(raw) for message in decoded for raw in (message.content, message.images)]
        parts = [part for raw in lists if raw[:1] == b"[" for part in _parts.decode(raw)]
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _kinds_of_odd(json.decode(bytes(messages), "messages"))
    kinds: set[MediaKind] = {kind for part in parts if (kind := _kind(part)) is not None}
    if any(bytes(message.audio)[:1] == b"{" for message in decoded):
        kinds.add("audio")
    return kinds


def _kind(part: _Part) -> MediaKind | None:
    match part.type:
        case "image_url":
            return _kind_of(part, bytes(part.image_url))
        case "file":
            return _kind_of(part, bytes(part.file))
        case "video_url":
            return "video"
        case "audio_url" | "input_audio":
            return "audio"
        case _:
            return None


def _kind_of(part: _Part, raw: bytes) -> MediaKind | None:
    """By the type in the data URL, or as the decoder reads it."""
    place = raw.find(b"data:", 0, _HEAD_BYTES)
    if len(raw) > _SMALL_BYTES_MAX and place >= 0:
        mime = raw[place + 5 :][:_MIME_BYTES_MAX].partition(b",")[0].partition(b";")[0]
        return kind_of_mime(mime.decode("latin-1"))
    source: Json = {"type": part.type, part.type: json.decode(raw, part.type) if raw else None}
    (found,) = content_parts([source], "content")
    return found.kind if isinstance(found, Media) else None


def _kinds_of_odd(messages: Json) -> set[MediaKind]:
    """The same for messages that are not of the usual types: read as the decoder does."""
    found: set[MediaKind] = set()
    for place, message in enumerate(objects_of(messages)):
        parts = content_parts(message.get("content"), f"messages[{place}].content")
        found |= {part.kind for part in parts if isinstance(part, Media)}
        if objects_of(message.get("images")):
            found.add("image")
    return found
