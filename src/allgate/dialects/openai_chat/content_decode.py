"""Content of a message: a string, or a list of parts of the kinds that clients send to chat.

OpenAI names text, image_url, input_audio, file and refusal; video_url and audio_url are habits of other vendors, and
`image_url` is a string with some clients. A part of an unknown kind is kept whole as Opaque.
"""

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.openai_chat.media import audio_mime, kind_of_mime, kind_of_source, source_of
from allgate.dialects.openai_chat.own import NAME, rest
from allgate.operations.chat.data_url import regular_base64
from allgate.operations.chat.parts import (
    CacheMark,
    FileRef,
    Inline,
    Media,
    MediaKind,
    Opaque,
    Part,
    Refusal,
    Text,
    Thinking,
)
from allgate.wire.json import Json, JsonObject, list_at, object_at, optional_object, optional_text, text_at

_CACHE_MEMBERS = frozenset({"cache_control", "prompt_cache_breakpoint"})
_TEXT_MEMBERS = _CACHE_MEMBERS | {"type", "text"}
_FILE_MIMES = {
    "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html",
    "json": "application/json", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp",
    "gif": "image/gif", "mp3": "audio/mpeg", "wav": "audio/wav", "mp4": "video/mp4",
}  # fmt: skip


def content_parts(content: Json, path: str) -> list[Part]:
    """The parts of a `content` member; none for null. Raises: WireError naming the path."""
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(text=content)]
    parts = list_at(content, path)
    return [_part(part, f"{path}[{place}]") for place, part in enumerate(parts)]


def cache_mark(source: JsonObject, path: str) -> CacheMark | None:
    """The prompt-cache breakpoint on a part, message or tool: Anthropic's word or OpenAI's."""
    for name in ("cache_control", "prompt_cache_breakpoint"):
        if mark := optional_object(source, name, f"{path}.{name}"):
            return CacheMark(ttl=optional_text(mark, "ttl", f"{path}.{name}.ttl"))
    return None


def image_part(
    source: JsonObject, path: str, *, member: str = "image_url", otherwise: MediaKind = "image"
) -> Media:
    """`{image_url: {url, detail}}` or `{image_url: "…"}`."""
    inner: Json = source.get(member)
    if isinstance(inner, str):
        inner = {"url": inner}
    found = object_at(inner, f"{path}.{member}")
    url = text_at(found.get("url"), f"{path}.{member}.url")
    if not url:
        raise wire_error(
            f"Invalid value for '{path}.{member}.url': it is empty", param=f"{path}.{member}.url"
        )
    place = source_of(url)
    return Media(
        kind=kind_of_source(place, otherwise) if otherwise == "image" else otherwise,
        source=place,
        detail=optional_text(found, "detail", f"{path}.{member}.detail"),
        extra=rest(found, {"url", "detail"}),
    )


def _part(value: Json, path: str) -> Part:
    if isinstance(value, str):  # a list of plain strings, as some frameworks write it
        return Text(text=value)
    source = object_at(value, path)
    kind = text_at(source.get("type", "text" if "text" in source else None), f"{path}.type")
    mark = None if _CACHE_MEMBERS.isdisjoint(source) else cache_mark(source, path)
    match kind:
        case "text" | "input_text" | "output_text":
            text = text_at(source.get("text"), f"{path}.text")
            return Text(text=text, cache=mark, extra=rest(source, _TEXT_MEMBERS))
        case "refusal":
            return Refusal(text=text_at(source.get("refusal"), f"{path}.refusal"), cache=mark)
        case "image_url":
            return _marked(image_part(source, path), mark)
        case "video_url":
            return _marked(image_part(source, path, member="video_url", otherwise="video"), mark)
        case "audio_url":
            return _marked(image_part(source, path, member="audio_url", otherwise="audio"), mark)
        case "input_audio":
            return _marked(_sound(source.get("input_audio"), path), mark)
        case "file":
            return _marked(_file(object_at(source.get("file"), f"{path}.file"), f"{path}.file"), mark)
        case "thinking" if isinstance(source.get("thinking"), str):
            return Thinking(text=source["thinking"], cache=mark)
        case _:
            return Opaque(dialect=NAME, raw=source, cache=mark)


def _marked(media: Media, mark: CacheMark | None) -> Media:
    return media if mark is None else changed(media, cache=mark)


def _sound(value: Json, path: str) -> Media:
    """`{data, format}`; Qwen puts a data URL or an address into `data`, Mistral writes the data alone."""
    source = {"data": value} if isinstance(value, str) else object_at(value, f"{path}.input_audio")
    data = text_at(source.get("data"), f"{path}.input_audio.data")
    if data[:5].lower() == "data:" or "://" in data[:10]:
        return Media(kind="audio", source=source_of(data))
    word = optional_text(source, "format", f"{path}.input_audio.format")
    return Media(kind="audio", source=Inline(mime=audio_mime(word), base64=regular_base64(data)))


def _file(source: JsonObject, path: str) -> Media:
    """`{file_id}` or `{file_data, filename}`; `file_data` is a data URL, and base64 or an address with some clients."""
    name = optional_text(source, "filename", f"{path}.filename")
    file_id = optional_text(source, "file_id", f"{path}.file_id")
    if file_id is not None:
        return Media(kind="document", source=FileRef(origin="openai", ref=file_id), title=name)
    data = text_at(source.get("file_data"), f"{path}.file_data")
    mime = _FILE_MIMES.get((name or "").rpartition(".")[2].lower())
    if data[:5].lower() == "data:" or "://" in data[:10]:
        place = source_of(data)
        return Media(kind=kind_of_source(place, "document"), source=place, title=name)
    place = Inline(mime=mime or "application/pdf", base64=regular_base64(data))
    return Media(kind=kind_of_mime(place.mime), source=place, title=name)
