"""Parts of a turn → chat content parts, as far as the target's Caps take them."""

import base64
import binascii
from collections.abc import Sequence

from allgate.core.errors import unsupported
from allgate.dialects.openai_chat.media import audio_format, kind_of_mime, url_of
from allgate.dialects.openai_chat.own import NAME, VENDOR, own
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.data_url import data_url
from allgate.operations.chat.notes import Note, dropped
from allgate.operations.chat.parts import CacheMark, FileRef, Inline, Media, Opaque, Part, Refusal, Text, Url
from allgate.wire.json import Json, JsonObject

_DETAILS = ("low", "high", "auto", "original")
_FILENAME = "file.pdf"  # OpenAI wants a name beside every file's bytes


def encode_content(parts: Sequence[Part], path: str, caps: Caps, notes: list[Note]) -> Json:
    """One string where that says everything, else a list of parts; `""` for none."""
    if len(parts) == 1 and type(part := parts[0]) is Text and part.cache is None and not part.extra:
        return part.text
    wire = [found for part in parts if (found := encode_part(part, path, caps, notes)) is not None]
    if not wire:
        return ""
    if len(wire) == 1 and wire[0].keys() == {"type", "text"}:
        return wire[0]["text"]
    return wire


def encode_text(parts: Sequence[Part], path: str, caps: Caps, notes: list[Note], *, separator: str) -> Json:
    """Like `encode_content`, with several plain texts joined into one string: many servers take nothing else."""
    texts = [part.text for part in parts if type(part) is Text and part.cache is None and not part.extra]
    if len(texts) == len(parts):
        return separator.join(texts)
    wire = [found for part in parts if (found := encode_part(part, path, caps, notes)) is not None]
    if all(part.keys() == {"type", "text"} for part in wire):
        return separator.join(part["text"] for part in wire)
    return wire


def encode_part(part: Part, path: str, caps: Caps, notes: list[Note]) -> JsonObject | None:
    """One content part; None for what chat has no place for, which is noted.

    Raises: WireError: media that this deployment does not take.
    """
    match part:
        case Text():
            return {
                **own(part.extra),
                "type": "text",
                "text": part.text,
                **_mark(part.cache, path, caps, notes),
            }
        case Refusal():
            return {"type": "refusal", "refusal": part.text}
        case Media():
            wire = _media(part, path, caps, notes)
            return {**wire, **_mark(part.cache, path, caps, notes)}
        case Opaque(dialect="openai_chat", raw=raw):
            return raw
        case _:
            notes.append(dropped(path, f"{type(part).__name__.lower()} has no place in {NAME}"))
            return None


def _mark(mark: CacheMark | None, path: str, caps: Caps, notes: list[Note]) -> JsonObject:
    """A prompt-cache breakpoint. The vendors' times to live do not correspond, so only the place is said."""
    if mark is None:
        return {}
    if "cache_control" in caps.vendor_fields:
        return {"cache_control": {"type": "ephemeral"} | ({"ttl": mark.ttl} if mark.ttl else {})}
    if caps.cache == "explicit":
        return {"prompt_cache_breakpoint": {"mode": "explicit"}}
    notes.append(dropped(f"{path}.cache_control", "no cache breakpoints here"))
    return {}


def _media(part: Media, path: str, caps: Caps, notes: list[Note]) -> JsonObject:
    if isinstance(part.source, FileRef):
        return _file_ref(part.source, path)
    match part.kind:
        case "image":
            return _image(part, path, caps, notes)
        case "video":
            return _video(part, path, caps, notes)
        case "audio":
            return _audio(part, path, caps)
        case "document":
            return _document(part, path, caps)


def _image(part: Media, path: str, caps: Caps, notes: list[Note]) -> JsonObject:
    _check_mime(part, path, caps.image_mimes, "image")
    if isinstance(part.source, Url) and not caps.image_url:
        raise unsupported("This model takes no pictures by URL: send them as base64", param=path)
    inner: JsonObject = {**own(part.extra), "url": url_of(part.source)}
    if part.detail in _DETAILS:
        inner["detail"] = part.detail
    elif part.detail is not None:
        notes.append(dropped(f"{path}.detail", f"{part.detail} is no detail in {NAME}"))
    return {"type": "image_url", "image_url": inner}


def _video(part: Media, path: str, caps: Caps, notes: list[Note]) -> JsonObject:
    _check_mime(part, path, caps.video_mimes, "video")
    if isinstance(part.source, Url) and not caps.video_url:
        raise unsupported("This model takes no films by URL", param=path)
    if part.clip is not None:
        notes.append(dropped(f"{path}.clip", f"{NAME} has no sections of films"))
    return {"type": "video_url", "video_url": {**own(part.extra), "url": url_of(part.source)}}


def _audio(part: Media, path: str, caps: Caps) -> JsonObject:
    _check_mime(part, path, caps.audio_mimes, "audio")
    if not isinstance(part.source, Inline):
        raise unsupported("This model takes no sound by URL: send it as base64", param=path)
    return {
        "type": "input_audio",
        "input_audio": {"data": part.source.base64, "format": audio_format(part.source.mime)},
    }


def _document(part: Media, path: str, caps: Caps) -> JsonObject:
    """A PDF as a file; a text as text under its name, because chat files are PDFs."""
    if (
        isinstance(part.source, Inline)
        and _is_text(part.source.mime)
        and not _taken(part.source.mime, caps.document_mimes)
    ):
        return {"type": "text", "text": _titled(part.title, part.source)}
    _check_mime(part, path, caps.document_mimes, "document")
    if isinstance(part.source, Url) and not caps.document_url:
        raise unsupported("This model takes no documents by URL: send them as base64", param=path)
    return {"type": "file", "file": {"filename": part.title or _FILENAME, "file_data": url_of(part.source)}}


def _file_ref(source: FileRef, path: str) -> JsonObject:
    if source.origin != VENDOR:
        raise unsupported(f"A file stored at {source.origin} cannot be read by this model", param=path)
    return {"type": "file", "file": {"file_id": source.ref}}


def _check_mime(part: Media, path: str, mimes: tuple[str, ...], kind: str) -> None:
    mime = part.source.mime
    if not mimes:
        raise unsupported(f"This model takes no {kind} input", param=path)
    if mime is not None and not _taken(mime, mimes):
        raise unsupported(f"This model takes no {mime}: it takes {', '.join(mimes)}", param=path)


def _taken(mime: str, mimes: tuple[str, ...]) -> bool:
    plain = mime.partition(";")[0].strip().lower()
    return any(plain == known or known == "*/*" for known in mimes)


def _is_text(mime: str) -> bool:
    return kind_of_mime(mime) == "document" and mime.startswith(("text/", "application/json"))


def _titled(title: str | None, source: Inline) -> str:
    try:
        text = base64.b64decode(source.base64).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        text = data_url(source)
    return f"[{title}]\n{text}" if title else text
