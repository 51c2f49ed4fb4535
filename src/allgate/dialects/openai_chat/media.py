"""Pictures, sound, films and files in chat's words, both ways.

`image_url` is also how clients send films (a data URL of a video type, a link that ends in .mp4, a YouTube link), and
`file` is how they send pictures and sound; the kind follows the MIME type where there is one.
"""

import base64
import binascii

from allgate.operations.chat.data_url import data_url, inline_of
from allgate.operations.chat.parts import FileRef, Inline, MediaKind, Source, Url

_VIDEO_ENDINGS = (".mp4", ".mov", ".webm", ".mpeg", ".mpg", ".avi", ".mkv", ".3gp", ".flv", ".wmv")
_VIDEO_HOSTS = ("youtube.com", "youtu.be")

_AUDIO_MIMES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "pcm16": "audio/pcm",
    "aac": "audio/aac",
    "m4a": "audio/mp4",
}
_AUDIO_FORMATS = {
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3",
    "audio/pcm": "pcm16", "audio/mp4": "m4a", "audio/x-m4a": "m4a",
}  # fmt: skip


def audio_mime(word: str | None) -> str:
    """The MIME type of an audio `format` word ("wav", "mp3", …)."""
    return _AUDIO_MIMES.get(word or "wav", f"audio/{word}")


def audio_format(mime: str) -> str:
    """The `format` word of a MIME type."""
    plain = mime.partition(";")[0].strip().lower()
    return _AUDIO_FORMATS.get(plain, plain.partition("/")[2] or plain)


def source_of(url: str) -> Source:
    """Where a URL points: bytes in the URL itself, a public address, or a file at a provider.

    Raises: WireError: a data URL that is none.
    """
    head = url[:5].lower()
    if head == "data:":
        return inline_of(url)
    if head == "gs://" or "generativelanguage.googleapis.com/" in url[:64]:
        return FileRef(origin="gemini", ref=url)
    return Url(url=url)


def kind_of_mime(mime: str) -> MediaKind:
    """image, audio or video by the type's first half; everything else is a document."""
    match mime.partition("/")[0].strip().lower():
        case "image":
            return "image"
        case "audio":
            return "audio"
        case "video":
            return "video"
        case _:
            return "document"


def kind_of_source(source: Source, otherwise: MediaKind) -> MediaKind:
    """What a source holds, as far as its type or address tells."""
    if isinstance(source, Url):
        return "video" if is_video_address(source.url) else otherwise
    return kind_of_mime(source.mime) if source.mime else otherwise


def is_video_address(url: str) -> bool:
    """A link to a film: by its ending (before any query) or its host."""
    address = url.partition("?")[0].partition("#")[0].lower()
    host = address.partition("://")[2].partition("/")[0].partition(":")[0]
    return address.endswith(_VIDEO_ENDINGS) or any(host == h or host.endswith("." + h) for h in _VIDEO_HOSTS)


def url_of(source: Source) -> str:
    """The URL that chat puts into `image_url`, `video_url` or an answer's `images`."""
    match source:
        case Inline():
            return data_url(source)
        case Url():
            return source.url
        case FileRef():
            return source.ref


class AudioJoin:
    """Joins base64 pieces that are each padded on their own into one regular base64 text, as they arrive."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: str) -> str:
        """The text that is certain so far; a piece that is no base64 gives nothing."""
        if not self._rest and len(piece) % 4 == 0 and not piece.endswith("="):
            return piece
        try:
            raw = self._rest + base64.b64decode(piece)
        except (binascii.Error, ValueError):
            return ""
        whole = len(raw) - len(raw) % 3
        self._rest = raw[whole:]
        return base64.b64encode(raw[:whole]).decode("ascii")

    def close(self) -> str:
        rest, self._rest = self._rest, b""
        return base64.b64encode(rest).decode("ascii")
