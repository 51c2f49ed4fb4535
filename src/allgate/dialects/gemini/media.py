"""inlineData and fileData ↔ Media.

The MIME type says the kind; where a file has none, its address does. Base64 may come url-safe or unpadded, as
proto-JSON allows; inside it is always padded standard base64. A public http(s) address is a Url; `gs://` and the Files
API are files that only Google can read. `videoMetadata` and `mediaResolution` are kept as written for the way back.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from allgate.dialects.gemini.members import members_of, optional_members
from allgate.operations.chat.parts import Clip, FileRef, Inline, Media, MediaKind, Seal, Source, Url
from allgate.operations.media_types import is_video_site
from allgate.wire.json import Json, JsonObject, optional_number, optional_text, text_at

_OWN_HOSTS = frozenset({"generativelanguage.googleapis.com", "storage.googleapis.com"})
_KIND_BY_ENDING: dict[str, MediaKind] = {
    "mp4": "video", "mov": "video", "webm": "video", "mpeg": "video", "avi": "video", "mp3": "audio", "wav": "audio",
    "flac": "audio", "ogg": "audio", "pdf": "document", "txt": "document",
}  # fmt: skip

_DETAIL_BY_LEVEL = {
    "MEDIA_RESOLUTION_LOW": "low", "MEDIA_RESOLUTION_MEDIUM": "auto", "MEDIA_RESOLUTION_HIGH": "high",
    "MEDIA_RESOLUTION_ULTRA_HIGH": "original",
}  # fmt: skip
_LEVEL_BY_DETAIL = {detail: level for level, detail in _DETAIL_BY_LEVEL.items() if detail != "auto"}

BESIDE_MEDIA = frozenset({"videoMetadata", "mediaResolution", "displayName"})
"""Members that `media_of` reads and keeps in `extra`, and `media_part` writes back."""


def media_of(part: JsonObject, path: str, seals: tuple[Seal, ...], rest: JsonObject) -> Media:
    """The Media of a part with inlineData or fileData. `rest` are members nobody knows. Raises: WireError."""
    if "inlineData" in part:
        where = f"{path}.inlineData"
        blob = members_of(part["inlineData"], where)
        mime = text_at(blob.get("mimeType"), f"{where}.mimeType")
        source: Source = Inline(mime=mime, base64=standard_base64(text_at(blob.get("data"), f"{where}.data")))
    else:
        where = f"{path}.fileData"
        blob = members_of(part["fileData"], where)
        mime = optional_text(blob, "mimeType", f"{where}.mimeType") or ""
        source = _file(text_at(blob.get("fileUri"), f"{where}.fileUri"), mime or None)
    video = optional_members(part, "videoMetadata", f"{path}.videoMetadata")
    title = optional_text(blob, "displayName", f"{where}.displayName")
    kept = {key: part[key] for key in ("videoMetadata", "mediaResolution") if part.get(key) is not None}
    kept |= {"displayName": title} if title else {}
    return Media(
        kind=kind_of(mime, "" if isinstance(source, Inline) else text_at(blob.get("fileUri"), where)),
        source=source,
        title=title,
        detail=_detail(part.get("mediaResolution")),
        clip=_clip(video, path) if video else None,
        seals=seals,
        extra={"gemini": {**rest, **kept}} if rest or kept else {},
    )


def standard_base64(text: str) -> str:
    """Padded standard base64 of what may be url-safe or unpadded."""
    if "-" in text or "_" in text:
        text = text.replace("-", "+").replace("_", "/")
    return text + "=" * (-len(text) % 4)


def _file(uri: str, mime: str | None) -> Source:
    if uri.partition(":")[0].lower() in ("http", "https") and _host(uri) not in _OWN_HOSTS:
        return Url(url=uri, mime=mime)
    return FileRef(origin="gemini", ref=uri, mime=mime)


def kind_of(mime: str, uri: str) -> MediaKind:
    """What a file is, by its MIME type, or by its address where it has none."""
    family = mime.partition("/")[0]
    if family == "image" or family == "audio" or family == "video":
        return family
    if mime:
        return "document"
    if is_video_site(uri):
        return "video"
    return _KIND_BY_ENDING.get(uri.partition("?")[0].rpartition(".")[2].lower(), "image")


def _host(uri: str) -> str | None:
    try:
        return urlsplit(uri).hostname
    except ValueError:  # `http://[`
        return None


def _detail(resolution: Json) -> str | None:
    """From `MEDIA_RESOLUTION_HIGH` or `{level: …}`."""
    if isinstance(resolution, dict):
        resolution = members_of(resolution, "mediaResolution").get("level")
    return _DETAIL_BY_LEVEL.get(resolution) if isinstance(resolution, str) else None


def _clip(video: JsonObject, path: str) -> Clip:
    where = f"{path}.videoMetadata"
    return Clip(
        start=optional_text(video, "startOffset", f"{where}.startOffset"),
        end=optional_text(video, "endOffset", f"{where}.endOffset"),
        fps=optional_number(video, "fps", f"{where}.fps"),
    )


def media_part(media: Media, *, resolution: bool = False) -> JsonObject:
    """The part that holds this media. `resolution`: the target takes one per part."""
    own = media.extra.get("gemini", {})
    named = {"displayName": own["displayName"]} if "displayName" in own else {}
    part: JsonObject
    match media.source:
        case Inline(mime=mime, base64=data):
            part = {"inlineData": {"mimeType": mime, "data": data, **named}}
        case Url(url=uri, mime=mime) | FileRef(ref=uri, mime=mime):
            part = {"fileData": {**({"mimeType": mime} if mime else {}), "fileUri": uri, **named}}
    part |= {key: value for key, value in own.items() if key != "displayName"}
    if media.clip is not None and "videoMetadata" not in part:
        clip = {"startOffset": media.clip.start, "endOffset": media.clip.end, "fps": media.clip.fps}
        part["videoMetadata"] = {key: value for key, value in clip.items() if value is not None}
    if resolution and media.detail in _LEVEL_BY_DETAIL and "mediaResolution" not in part:
        part["mediaResolution"] = {"level": _LEVEL_BY_DETAIL[media.detail]}
    return part


def matches(mime: str, accepted: Iterable[str]) -> bool:
    """Whether a target that takes these types takes `mime`, its parameters left aside (`audio/L16;rate=24000`)."""
    return mime.partition(";")[0].strip().lower() in accepted
