import pytest

from allgate.operations.media_types import is_video_site, sniffed


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (b"%PDF-1.4", "application/pdf"),
        (b"<html>", None),
        (b"", None),
        (b"RIFF\x00\x00\x00\x00AVI ", "video/avi"),
        (b"RIFF\x00\x00\x00\x00ACON", None),
        (b"BM6\x00", "image/bmp"),
        (b"II*\x00", "image/tiff"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
    ],
)
def test_the_first_bytes_say_what_a_file_is(head: bytes, mime: str | None) -> None:
    assert sniffed(head) == mime


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://www.youtube.com/watch?v=9hE5-98ZeCg", True),
        ("https://youtu.be/9hE5-98ZeCg", True),
        ("https://youtube.com.example.com/a.mp4", False),
        ("https://cdn.example.com/youtu.be", False),
        ("http://[", False),
    ],
)
def test_a_video_site_is_known_by_its_host(url: str, answer: bool) -> None:
    assert is_video_site(url) == answer
