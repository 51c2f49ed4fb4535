"""Parts of messages and tool results as `input_*` content. What the target cannot take is refused by its path."""

import base64
import binascii

from allgate.core.errors import wire_error
from allgate.dialects.openai_responses.compaction import IN_WORDS
from allgate.dialects.openai_responses.own import BEFORE, IN_MESSAGE, MESSAGE, NAME, VENDOR, own
from allgate.dialects.openai_responses.target import Target, refuse
from allgate.operations.chat.data_url import data_url
from allgate.operations.chat.parts import (
    CacheMark,
    FileRef,
    Inline,
    Media,
    Opaque,
    Part,
    Refusal,
    Text,
    Url,
)
from allgate.wire.json import JsonObject

_AUDIO_FORMATS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "mp4": "m4a"}
_PATHS = {"image": "input_image", "audio": "input_audio", "document": "input_file", "video": "video"}


def input_part(part: Part, target: Target) -> JsonObject | None:
    """One content part of a message or a result; None where it is dropped with a note.

    Raises: WireError: media that the target cannot take.
    """
    match part:
        case Text():
            if part.cache is None and not part.extra:
                return {"type": "input_text", "text": part.text}
            text = {**_kept(part), "type": "input_text", "text": part.text}
            return {**text, **_breakpoint(part.cache, target)}
        case Refusal():
            return {"type": "input_text", "text": part.text}
        case Media():
            return _media(part, target)
        case Opaque() if part.dialect == NAME and IN_MESSAGE in own(part.extra):
            return dict(part.raw)
        case _:
            target.drop(type(part).__name__.lower(), "has no place in a message of this dialect")
            return None


def _kept(part: Text | Media) -> JsonObject:
    return {key: value for key, value in own(part.extra).items() if key not in (MESSAGE, BEFORE, IN_WORDS)}


def _breakpoint(mark: CacheMark | None, target: Target) -> JsonObject:
    """A prompt-cache mark. Of another dialect's mark only the place counts: the vendors' lifetimes do not correspond."""
    if mark is None:
        return {}
    if target.caps.cache != "explicit":
        target.drop("cache_control")
        return {}
    ttl = {"ttl": mark.ttl} if mark.ttl and target.own else {}
    return {"prompt_cache_breakpoint": {"mode": "explicit", **ttl}}


def _media(part: Media, target: Target) -> JsonObject:
    for member in ("context", "citations", "clip"):
        if getattr(part, member) is not None:
            target.drop(f"{part.kind}.{member}")
    match part.kind:
        case "image":
            wire = _image(part, target)
        case "document":
            wire = _document(part, target)
        case "audio":
            wire = _audio(part, target)
        case "video":
            raise refuse("Video input", _PATHS["video"])
    return {**_kept(part), **wire, **_breakpoint(part.cache, target)}


def _image(part: Media, target: Target) -> JsonObject:
    wire: JsonObject = {"type": "input_image", "detail": _detail(part.detail)}
    match part.source:
        case Inline(mime=mime):
            if mime not in target.caps.image_mimes:
                raise refuse(f"Image input of type {mime}", _PATHS["image"])
            return {**wire, "image_url": data_url(part.source)}
        case Url(url=url):
            if not (target.caps.image_url and target.caps.image_mimes):
                raise refuse("Image input by URL", _PATHS["image"])
            return {**wire, "image_url": url}
        case FileRef():
            return {**wire, "file_id": _file_id(part.source, "image")}


def _detail(detail: str | None) -> str:
    return (
        "original" if detail == "ultra_high" else detail if detail in ("low", "high", "original") else "auto"
    )


def _document(part: Media, target: Target) -> JsonObject:
    wire: JsonObject = {"type": "input_file"}
    match part.source:
        case Inline(mime=mime):
            if mime.startswith("text/") and mime not in target.caps.document_mimes:
                return _told(part.title, part.source)
            if mime not in target.caps.document_mimes:
                raise refuse(f"Document input of type {mime}", _PATHS["document"])
            ending = mime.rpartition("/")[2].partition(";")[0]
            return {
                **wire,
                "filename": part.title or f"document.{ending}",
                "file_data": data_url(part.source),
            }
        case Url(url=url):
            if not target.caps.document_url:
                raise refuse("Document input by URL", _PATHS["document"])
            return {**wire, **({"filename": part.title} if part.title else {}), "file_url": url}
        case FileRef():
            return {**wire, "file_id": _file_id(part.source, "document")}


def _told(title: str | None, source: Inline) -> JsonObject:
    """A text file as text, under its name."""
    try:
        text = base64.b64decode(source.base64, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError) as error:
        raise wire_error("The data of a document is not valid base64", param=_PATHS["document"]) from error
    return {"type": "input_text", "text": f"[{title}]\n{text}" if title else text}


def _audio(part: Media, target: Target) -> JsonObject:
    if not isinstance(part.source, Inline) or part.source.mime not in target.caps.audio_mimes:
        raise refuse("This audio input", _PATHS["audio"])
    form = part.source.mime.partition("/")[2].partition(";")[0]
    sound = {"data": part.source.base64, "format": _AUDIO_FORMATS.get(form, form)}
    return {"type": "input_audio", "input_audio": sound}


def _file_id(source: FileRef, kind: str) -> str:
    if source.origin != VENDOR:
        raise refuse(f"A file of {source.origin}", f"{_PATHS[kind]}.file_id")
    return source.ref
