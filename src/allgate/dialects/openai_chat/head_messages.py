"""What routing needs of a body's messages, told without building turns or reading media.

A body may carry 20 MB of base64. Messages are decoded into spans (0.2 ms per MB; one search for one word costs twice
that), contents that are strings are not looked into, not even for seals, which stand in no text, and of a large part only its first bytes are read: a data URL names its
type there. Small parts are read by the decoder itself, so that both always agree.
"""

import msgspec

from allgate.dialects.openai_chat.content_decode import content_parts
from allgate.dialects.openai_chat.media import kind_of_mime
from allgate.dialects.passes.lenient import objects_of
from allgate.dialects.seals import ENVELOPE_PREFIX
from allgate.operations.chat.parts import Media, MediaKind
from allgate.wire import json
from allgate.wire.json import Json

_SMALL_BYTES_MAX = 4_096  # a part with an address; what is larger holds its data
_HEAD_BYTES = 512  # of a large part: a detail or file name may stand before the data
_MIME_BYTES_MAX = 128

_NONE = msgspec.Raw(b"")
_ARRAY, _OBJECT = b"[{"
_PICTURE = "image_url"
_THOUGHTS = frozenset({"reasoning_content", "reasoning_details"})
SEALED = ENVELOPE_PREFIX.encode()


class Seen(msgspec.Struct):
    """The kinds of media in the messages; the members that only some vendors know: of earlier answers, and `image_url`
    where a film or document stands in a picture's place; and whether an envelope of ours is anywhere but in a text."""

    kinds: set[MediaKind] = set()
    thoughts: set[str] = set()
    sealed: bool = False


NOTHING_SEEN = Seen()


class _Part(msgspec.Struct):
    type: str = ""
    image_url: msgspec.Raw = _NONE
    video_url: msgspec.Raw = _NONE
    audio_url: msgspec.Raw = _NONE
    input_audio: msgspec.Raw = _NONE
    file: msgspec.Raw = _NONE


_messages = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_parts = msgspec.json.Decoder(list[_Part])


def look_at(messages: msgspec.Raw) -> Seen:
    """What is in the `messages` member. Raises: WireError: a small part that is malformed."""
    seen = Seen()
    try:
        for message in _messages.decode(messages):
            for name, raw in message.items():
                if name != "role" and (name != "content" or memoryview(raw)[0] == _ARRAY):
                    _look_into(name, raw, seen)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _look_at_odd(messages)
    return seen


def _look_into(name: str, raw: msgspec.Raw, seen: Seen) -> None:
    """A member of a message beside its role and its text."""
    first = memoryview(raw)[0]
    if first == _ARRAY and name in ("content", "images"):
        for part in _parts.decode(raw):
            if (kind := _kind(part)) is not None:
                seen.kinds.add(kind)
                if kind != "image" and part.type == _PICTURE:
                    seen.thoughts.add(_PICTURE)
    elif first == _OBJECT and name == "audio":
        seen.kinds.add("audio")
    elif name in _THOUGHTS:
        seen.thoughts.add(name)
    seen.sealed = seen.sealed or SEALED in bytes(raw)


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


def _look_at_odd(messages: msgspec.Raw) -> Seen:
    """The same for messages that are not of the usual types: read as the decoder does."""
    seen = Seen(sealed=SEALED in bytes(messages))
    for place, message in enumerate(objects_of(json.decode(bytes(messages), "messages"))):
        parts = content_parts(message.get("content"), f"messages[{place}].content")
        seen.kinds.update(part.kind for part in parts if isinstance(part, Media))
        if objects_of(message.get("images")):
            seen.kinds.add("image")
        seen.thoughts.update(_THOUGHTS & message.keys())
    return seen
