"""Are these bytes what they are called, and within what a model takes? Asked of media in a request before anybody is sent it.

| what is wrong                                                  | what becomes of it                              |
|----------------------------------------------------------------|-------------------------------------------------|
| a picture of another type than it says, which the model takes  | sent as what it is (Claude refuses a mismatch)  |
| a picture, film or sound whose bytes show something else       | 400                                             |
| a picture or PDF whose bytes show nothing that we know         | 400                                             |
| a type that the model does not take                            | 400 that lists those it does                    |
| more bytes, pixels or media than the model takes               | 400 that says how many it takes                 |

Films and sound whose bytes show nothing are believed: raw streams have no signature. So are texts and office files. Only
the beginning is looked at; nothing is unpacked.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.core.value import changed
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.parts import Inline, Media, MediaKind, Part, ToolResult
from allgate.operations.chat.request import ChatRequest
from allgate.operations.media_types import HEAD_BYTES, sniffed
from allgate.operations.picture_size import HEADER_BYTES, pixels

PDF = "application/pdf"
ANY_TYPE = "*/*"
"""Stands in a row of Caps for whatever there is."""

_JUDGED = ("image/", "audio/", "video/", PDF)
"""Of other types (texts, office files) a dialect knows what to make."""

PDF_MARK_BYTES = 1_024
"""Within which readers look for `%PDF-`: some files have a line of mail before it."""

_SAME = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
}


def media_of(request: ChatRequest) -> list[Media]:
    """All media of a request, also those in tool results, in order."""
    return [one for turn in request.turns for part in turn.parts for one in media_in(part)]


def media_in(part: Part) -> tuple[Media, ...]:
    """The media of a part: itself, or those of a tool's result."""
    if isinstance(part, Media):
        return (part,)
    if isinstance(part, ToolResult):
        return tuple(inner for inner in part.parts if isinstance(inner, Media))
    return ()


def check_count(media: Iterable[Media], caps: Caps) -> None:
    """Raises: WireError: more pictures, films, sounds and documents than the model takes at once."""
    count = sum(1 for _ in media)
    if count > caps.media_max:
        raise bad_media(
            f"This model takes at most {caps.media_max} media in a request, this one has {count}."
        )


def checked(media: Media, caps: Caps) -> Media:
    """`media` under its true type. Raises: WireError: by the table above.

    The base64 must be known to be good (`base64_steps`).
    """
    source = media.source
    if not isinstance(source, Inline):
        return media
    held = len(source.base64) // 4 * 3
    if held > caps.media_bytes_max:
        raise bad_media(
            f"One {media.kind} of this request holds {held} bytes; this model takes at most {caps.media_bytes_max}."
        )
    said = source.mime.partition(";")[0].strip().lower()
    mime = _true_type(media.kind, said, source)
    taken = taken_types(media.kind, caps)
    if taken and mime.startswith(_JUDGED) and not {mime, _SAME.get(mime), ANY_TYPE}.intersection(taken):
        raise bad_media(f"This model takes no {mime}; send {', '.join(taken)}.")
    if media.kind == "image":
        _check_pixels(source, caps)
    return media if mime == said else changed(media, source=changed(source, mime=mime))


def _true_type(kind: MediaKind, said: str, source: Inline) -> str:
    """The type by the first bytes, or the one that was said where they may be silent."""
    shown = sniffed(_beginning(source, HEAD_BYTES))
    if kind == "image":
        if shown is None or not shown.startswith("image/"):
            raise bad_media(f"An image of this request says {said} and is {shown or 'of no known type'}.")
        return shown
    if said == PDF and b"%PDF-" not in _beginning(source, PDF_MARK_BYTES):
        raise bad_media(f"A document of this request says {said} and is {shown or 'of no known type'}.")
    if kind in ("audio", "video") and shown is not None and not shown.startswith(("audio/", "video/")):
        raise bad_media(f"One {kind} of this request says {said} and is {shown}.")
    return said


def taken_types(kind: MediaKind, caps: Caps) -> tuple[str, ...]:
    """The MIME types of this kind that a deployment takes."""
    match kind:
        case "image":
            return caps.image_mimes
        case "document":
            return caps.document_mimes
        case "audio":
            return caps.audio_mimes
        case "video":
            return caps.video_mimes


def _check_pixels(source: Inline, caps: Caps) -> None:
    area = pixels(_beginning(source, HEADER_BYTES))
    if area is not None and area > caps.image_pixels_max:
        raise bad_media(
            f"An image of this request has {area} pixels; this model takes at most {caps.image_pixels_max}."
        )


def _beginning(source: Inline, size: int) -> bytes:
    """The first `size` bytes or so."""
    try:
        return b64decode(source.base64[: size // 3 * 4 + 4])
    except (binascii.Error, ValueError):  # not cut at a whole quartet: the text was not regular
        return b""


def bad_media(message: str) -> WireError:
    """The 400 for media that no candidate should be sent."""
    return WireError(Failure(kind=ErrorKind.BAD_REQUEST, message=message, code="invalid_media"))
