"""What media are by their bytes: put right, refused with what may be sent instead, or believed."""

import struct
from base64 import b64encode

import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.media_check import check_count, checked, media_of
from allgate.operations.chat.parts import FileRef, Inline, Media, Text, ToolResult, Url
from allgate.operations.chat.request import ChatRequest, Turn

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 2, 3)
MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(20)
CAPS = Caps(
    image_mimes=("image/png", "image/jpeg"),
    audio_mimes=("audio/wav", "audio/mpeg"),
    video_mimes=("video/mp4", "video/mpeg"),
)


def media(kind: str, mime: str, content: bytes) -> Media:
    return Media(kind=kind, source=Inline(mime=mime, base64=b64encode(content).decode()))


@pytest.mark.parametrize(
    ("kind", "mime", "content"),
    [
        ("image", "image/png", PNG),
        ("document", "application/pdf", b"%PDF-1.7"),
        ("document", "application/pdf", b"From: me\r\n\r\n%PDF-1.4"),
        ("document", "text/markdown", b"# hi"),
        ("document", "application/vnd.ms-excel", b"\xd0\xcf\x11\xe0"),
        ("audio", "audio/mp3", b"ID3\x03"),
        ("audio", "audio/wav", b"no signature"),
        ("audio", "audio/mpeg", MP4),  # sound in a film's container
        ("video", "video/mp4", MP4),
        ("video", "video/mpeg", bytes(30)),
    ],
)
def test_what_is_as_it_says_stays_the_same_object(kind: str, mime: str, content: bytes) -> None:
    one = media(kind, mime, content)
    assert checked(one, CAPS) is one


@pytest.mark.parametrize("said", ["image/jpeg", "image/jpg", "IMAGE/GIF", "application/octet-stream", ""])
def test_a_picture_is_sent_as_what_it_is(said: str) -> None:
    one = media("image", said, PNG)
    assert checked(one, CAPS) == changed(one, source=changed(one.source, mime="image/png"))


@pytest.mark.parametrize(
    ("kind", "mime", "content", "why"),
    [
        ("image", "image/gif", b"GIF89a" + bytes(8), r"takes no image/gif; send image/png, image/jpeg\."),
        ("image", "image/png", b"GIF89a" + bytes(8), "takes no image/gif"),
        ("image", "image/png", b"<html>", "says image/png and is of no known type"),
        ("image", "image/png", b"", "says image/png and is of no known type"),
        ("image", "image/png", MP4, "says image/png and is video/mp4"),
        ("document", "application/pdf", PNG, "says application/pdf and is image/png"),
        ("document", "application/pdf", b"PK\x03\x04", "is of no known type"),
        ("audio", "audio/wav", PNG, "One audio of this request says audio/wav and is image/png"),
        ("audio", "audio/flac", b"fLaC", "takes no audio/flac"),
        (
            "video",
            "video/mp4",
            b"%PDF-1.4",
            "One video of this request says video/mp4 and is application/pdf",
        ),
        ("video", "video/webm", b"\x1aE\xdf\xa3", "takes no video/webm"),
    ],
)
def test_what_is_something_else_is_refused(kind: str, mime: str, content: bytes, why: str) -> None:
    with pytest.raises(WireError, match=why) as refused:
        checked(media(kind, mime, content), CAPS)
    assert (refused.value.failure.status, refused.value.failure.code) == (400, "invalid_media")


def test_a_picture_of_too_many_pixels_is_refused_by_its_header() -> None:
    bomb = PNG[:16] + struct.pack(">II", 10_000, 10_000)
    with pytest.raises(WireError, match="has 100000000 pixels; this model takes at most 64000000"):
        checked(media("image", "image/png", bomb), CAPS)
    assert checked(media("image", "image/png", bomb), changed(CAPS, image_pixels_max=100_000_000))


def test_too_many_bytes_are_refused() -> None:
    with pytest.raises(WireError, match="holds 300 bytes; this model takes at most 299"):
        checked(media("image", "image/png", PNG + bytes(300 - len(PNG))), changed(CAPS, media_bytes_max=299))


def test_too_many_media_are_refused() -> None:
    with pytest.raises(WireError, match="at most 2 media in a request, this one has 3"):
        check_count([media("image", "image/png", PNG)] * 3, changed(CAPS, media_max=2))
    check_count([media("image", "image/png", PNG)] * 2, changed(CAPS, media_max=2))


@pytest.mark.parametrize("source", [Url(url="https://example.com/a"), FileRef(origin="openai", ref="file-1")])
def test_what_is_elsewhere_is_not_looked_at(source: Url | FileRef) -> None:
    one = Media(kind="image", source=source)
    assert checked(one, CAPS) is one


def test_a_kind_that_the_model_does_not_take_is_left_to_its_dialect() -> None:
    one = media("audio", "audio/flac", b"fLaC")
    assert checked(one, changed(CAPS, audio_mimes=())) is one


def test_a_model_that_takes_anything_is_sent_anything_that_is_what_it_says() -> None:
    anything = changed(CAPS, audio_mimes=("*/*",), image_mimes=("*/*",))
    assert checked(media("audio", "audio/flac", b"fLaC"), anything)
    with pytest.raises(WireError, match="no known type"):
        checked(media("image", "image/png", b"<html>"), anything)


def test_media_are_found_in_tool_results_too() -> None:
    one, two = media("image", "image/png", PNG), media("image", "image/png", MP4)
    turn = Turn(
        role="user", parts=(Text(text="x"), one, ToolResult(call_id="c", parts=(Text(text="y"), two)))
    )
    assert media_of(ChatRequest(dialect="gemini", model="m", turns=(turn,))) == [one, two]
