"""Pixels by the header alone, in each format, and nothing invented where a header is cut or lies."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.operations.picture_size import pixels


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", width, height, 8, 2, 0, 0, 0)


def jpeg(width: int, height: int, *, before: bytes = b"", frame: int = 0xC0) -> bytes:
    return b"\xff\xd8" + before + struct.pack(">BBHBHHB", 0xFF, frame, 11, 8, height, width, 3)


def segment(kind: int, size: int) -> bytes:
    return struct.pack(">BBH", 0xFF, kind, size + 2) + bytes(size)


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height)


def webp(kind: bytes, payload: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + kind + struct.pack("<I", len(payload)) + payload


def extended(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return webp(b"VP8X", bytes(4) + sides)


def lossless(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14) + bytes(8))


def lossy(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height))


@pytest.mark.parametrize("made", [png, jpeg, gif, extended, lossless, lossy])
def test_each_format_tells_its_size(made) -> None:
    assert pixels(made(1200, 801)) == 1200 * 801


@pytest.mark.parametrize("frame", [0xC1, 0xC2, 0xC9])
def test_a_jpeg_is_read_over_its_thumbnails_and_profiles(frame: int) -> None:
    before = segment(0xE1, 60_000) + segment(0xE2, 60_000) + segment(0xC4, 40) + b"\xff\xd0" + b"\xff"
    assert pixels(jpeg(30_000, 20_000, before=before, frame=frame)) == 600_000_000


@pytest.mark.parametrize("made", [png, jpeg, gif, extended, lossless, lossy])
def test_half_a_header_says_nothing(made) -> None:
    whole = made(1200, 801)
    for cut in range(10):
        assert pixels(whole[:cut]) is None
    assert pixels(whole[: len(whole) // 2]) is None


def test_other_formats_are_not_asked() -> None:
    assert pixels(b"BM" + bytes(100)) is None
    assert pixels(b"RIFF\x00\x00\x00\x00WEBPEXIF" + bytes(40)) is None
    assert pixels(b"") is None


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"GIF89a", b"RIFF0000WEBP"]), st.binary(max_size=200)
)
def test_whatever_follows_a_signature_is_read_without_a_fault(signature: bytes, rest: bytes) -> None:
    area = pixels(signature + rest)
    assert area is None or area >= 0
