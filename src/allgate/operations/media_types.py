"""What a file is by its first bytes, whatever it is called: providers reject a PNG that says it is a JPEG.

Only kinds that a chat model may take. The table is (offset, bytes, MIME type); containers that share a signature (RIFF, ISO
media) are told apart by a second look.
"""

from urllib.parse import urlsplit

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (8, b"WAVE", "audio/wav"),
    (8, b"AVI ", "video/avi"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\xff\xf3", "audio/mpeg"),
    (0, b"\xff\xf1", "audio/aac"),
    (0, b"\xff\xf9", "audio/aac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"FORM", "audio/aiff"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"FLV\x01", "video/x-flv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
)
_ISO_BRANDS: dict[bytes, str] = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"msf1": "image/heif",
    b"avif": "image/avif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
HEAD_BYTES = 16
"""More than any signature above needs."""

_VIDEO_SITES = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "youtu.be"})


def sniffed(head: bytes) -> str | None:
    """The MIME type that the first HEAD_BYTES of a file show; None where they show none that we know.

    >>> sniffed(b"%PDF-1.7")
    'application/pdf'
    """
    for offset, signature, mime in _SIGNATURES:
        if head.startswith(signature, offset):
            return mime
    if head[4:8] == b"ftyp":
        return _ISO_BRANDS.get(head[8:12], "video/mp4")
    return None


def is_video_site(url: str) -> bool:
    """An address under which there is a film to watch and no file to fetch: Gemini goes there itself.

    >>> is_video_site("https://youtu.be/9hE5-98ZeCg")
    True
    """
    try:
        return urlsplit(url).hostname in _VIDEO_SITES
    except ValueError:  # `http://[`
        return False
