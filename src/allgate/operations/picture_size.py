"""How many pixels a picture has, by its header alone: nothing is unpacked.

A picture of a few kilobytes can say that it is 30,000 pixels wide, and whoever unpacks it pays. The four formats that every
vendor takes tell their size near the beginning; of others it is not asked.
Facts: PNG (W3C, IHDR), GIF89a (logical screen descriptor), JPEG (ITU T.81, SOFn), WebP (RFC 9649, VP8, VP8L, VP8X).
"""

from typing import Literal

HEADER_BYTES = 512 * 1024
"""As much of the beginning as is looked at: a JPEG's size stands behind its thumbnails and colour profiles, which cameras
keep below this."""

_SIZED = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame; the three are tables
_ALONE = frozenset((0x01, *range(0xD0, 0xDA)))  # markers without a segment behind them


def pixels(head: bytes) -> int | None:
    """Width times height of the picture that begins so; None where its beginning does not say.

    >>> pixels(b"GIF89a" + bytes((2, 0, 3, 0)))
    6
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return _area(head[16:20], head[20:24], "big")
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _area(head[6:8], head[8:10], "little")
    if head.startswith(b"\xff\xd8"):
        return _jpeg(head)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp(head[12:16], head[20:30])
    return None


def _area(width: bytes, height: bytes, order: Literal["big", "little"]) -> int | None:
    if not width or len(height) != len(width):
        return None
    return int.from_bytes(width, order) * int.from_bytes(height, order)


def _jpeg(head: bytes) -> int | None:
    """From segment to segment until the frame begins."""
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        kind = head[at + 1]
        if kind in _SIZED:
            return _area(head[at + 7 : at + 9], head[at + 5 : at + 7], "big")
        at += 1 if kind == 0xFF else 2 if kind in _ALONE else 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None


def _webp(kind: bytes, payload: bytes) -> int | None:
    if len(payload) < 10:
        return None
    match kind:
        case b"VP8X":
            return (1 + int.from_bytes(payload[4:7], "little")) * (
                1 + int.from_bytes(payload[7:10], "little")
            )
        case b"VP8L":
            bits = int.from_bytes(payload[1:5], "little")
            return ((bits & 0x3FFF) + 1) * ((bits >> 14 & 0x3FFF) + 1)
        case b"VP8 ":
            return (int.from_bytes(payload[6:8], "little") & 0x3FFF) * (
                int.from_bytes(payload[8:10], "little") & 0x3FFF
            )
        case _:
            return None
