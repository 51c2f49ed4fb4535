"""What stands inside a message or a tool result that a client sends: a string, or a list of typed parts.

Both spellings of a part's type are taken in any role (`input_text` from an assistant, `output_text` from a user): the
clients mix them, and the meaning is the same.
"""

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.openai_responses.annotations import decode_annotations
from allgate.dialects.openai_responses.own import IN_MESSAGE, MESSAGE, NAME, VENDOR, rest
from allgate.operations.chat.data_url import inline_of, regular_base64
from allgate.operations.chat.parts import (
    CacheMark,
    FileRef,
    Inline,
    Media,
    MediaKind,
    Opaque,
    Refusal,
    Source,
    Text,
    Url,
)
from allgate.wire.json import (
    Json,
    JsonObject,
    list_at,
    object_at,
    optional_list,
    optional_object,
    optional_text,
    text_at,
)

_TEXTS = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
_TEXT = frozenset({"type", "text", "annotations", "logprobs", "prompt_cache_breakpoint"})
_REFUSAL = frozenset({"type", "refusal"})
_IMAGE = frozenset({"type", "image_url", "file_id", "detail", "prompt_cache_breakpoint"})
_FILE = frozenset({"type", "file_data", "file_id", "file_url", "filename", "prompt_cache_breakpoint"})
_AUDIO = frozenset({"type", "input_audio"})

_AUDIO_MIMES = {"mp3": "audio/mpeg", "mpga": "audio/mpeg", "m4a": "audio/mp4"}
_MIMES_BY_ENDING = {
    "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "json": "application/json",
    "html": "text/html", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "wav": "audio/wav", "mp3": "audio/mpeg", "mp4": "video/mp4",
}  # fmt: skip
_DOCUMENT_MIME = "application/pdf"

ContentPart = Text | Media | Refusal | Opaque


def decode_content(value: Json, path: str) -> tuple[ContentPart, ...]:
    """The parts of a `content` or `output` member. Raises: WireError naming `path`."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (Text(text=value),)
    parts: list[ContentPart] = []
    for index, part in enumerate(list_at(value, path)):
        at = f"{path}[{index}]"
        parts.append(_part(part if dict is type(part) else object_at(part, at), at))
    return tuple(parts)


def _part(part: JsonObject, path: str) -> ContentPart:
    kind = part.get("type")
    if kind in _TEXTS:
        text = part.get("text")
        # nearly every part has these two members and no other
        return Text(text=text) if len(part) == 2 and type(text) is str else decode_text(part, path)
    match kind:
        case "refusal":
            return Refusal(
                text=text_at(part.get("refusal", ""), f"{path}.refusal"), extra=rest(part, _REFUSAL)
            )
        case "input_image" | "image_url" | "computer_screenshot":
            return _image(part, path)
        case "input_file":
            return _file(part, path)
        case "input_audio":
            return _audio(part, path)
        case None:
            raise wire_error(f"Missing required parameter: '{path}.type'", param=f"{path}.type")
        case _:
            return Opaque(dialect=NAME, raw=part, extra={NAME: {IN_MESSAGE: True}})


def decode_text(part: JsonObject, path: str) -> Text:
    """A text part. Raises: WireError naming the path."""
    return Text(
        text=text_at(part.get("text", ""), f"{path}.text"),
        annotations=decode_annotations(part["annotations"]) if part.get("annotations") else (),
        logprobs=optional_list(part, "logprobs", f"{path}.logprobs") or None,
        cache=_cache(part, path),
        extra=rest(part, _TEXT),
    )


def _image(part: JsonObject, path: str) -> Media:
    address: Json = part.get("image_url")
    detail = optional_text(part, "detail", f"{path}.detail")
    if isinstance(address, dict):  # the Chat spelling
        nested = object_at(address, f"{path}.image_url")
        address = nested.get("url")
        detail = detail or optional_text(nested, "detail", f"{path}.image_url.detail")
    source: Source
    if address is not None:
        source = _located(text_at(address, f"{path}.image_url"), None, f"{path}.image_url")
    else:
        source = _file_ref(part, path, "image_url")
    return Media(
        kind="image", source=source, detail=detail, cache=_cache(part, path), extra=rest(part, _IMAGE)
    )


def _file(part: JsonObject, path: str) -> Media:
    title = optional_text(part, "filename", f"{path}.filename")
    data = optional_text(part, "file_data", f"{path}.file_data")
    address = optional_text(part, "file_url", f"{path}.file_url")
    mime = _MIMES_BY_ENDING.get((title or "").rpartition(".")[2].lower())
    source: Source
    if data is not None:
        if data[:5].lower() == "data:":
            source = _located(data, mime, f"{path}.file_data")
        else:
            source = Inline(mime=mime or _DOCUMENT_MIME, base64=regular_base64(data))
    elif address is not None:
        source = _located(address, mime, f"{path}.file_url")
    else:
        source = _file_ref(part, path, "file_data")
    kind = _kind(source.mime)
    return Media(kind=kind, source=source, title=title, cache=_cache(part, path), extra=rest(part, _FILE))


def _audio(part: JsonObject, path: str) -> Media:
    sound = optional_object(part, "input_audio", f"{path}.input_audio") or {}
    form = optional_text(sound, "format", f"{path}.input_audio.format") or "wav"
    data = text_at(sound.get("data"), f"{path}.input_audio.data")
    source = Inline(mime=_AUDIO_MIMES.get(form, f"audio/{form}"), base64=regular_base64(data))
    return Media(kind="audio", source=source, extra=rest(part, _AUDIO))


def _located(address: str, mime: str | None, path: str) -> Source:
    """A data URL's bytes, or a plain address."""
    if address[:5].lower() != "data:":
        return Url(url=address, mime=mime)
    if "," not in address:
        raise wire_error(
            f"Invalid '{path}': expected a data URL of the form data:<type>;base64,<data>", param=path
        )
    return inline_of(address, mime)


def _file_ref(part: JsonObject, path: str, missing: str) -> FileRef:
    file_id = optional_text(part, "file_id", f"{path}.file_id")
    if not file_id:
        raise wire_error(f"Missing required parameter: '{path}.{missing}'", param=f"{path}.{missing}")
    return FileRef(origin=VENDOR, ref=file_id)


def _kind(mime: str | None) -> MediaKind:
    match (mime or "").partition("/")[0]:
        case "image":
            return "image"
        case "audio":
            return "audio"
        case "video":
            return "video"
        case _:
            return "document"


def _cache(part: JsonObject, path: str) -> CacheMark | None:
    mark = optional_object(part, "prompt_cache_breakpoint", f"{path}.prompt_cache_breakpoint")
    if mark is None:
        return None
    return CacheMark(ttl=optional_text(mark, "ttl", f"{path}.prompt_cache_breakpoint.ttl"))


def with_message(parts: tuple[ContentPart, ...], members: JsonObject) -> tuple[ContentPart, ...]:
    """`parts` as the content of one message item: the first one carries the item's members."""
    if not parts or not members:
        return parts
    first = parts[0]
    extra = {**first.extra, NAME: {**first.extra.get(NAME, {}), MESSAGE: members}}
    return (changed(first, extra=extra), *parts[1:])
