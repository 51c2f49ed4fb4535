import pytest

from allgate.operations.media_types import sniffed


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
        (b"RIFF\x00\x00\x00\x00AVI ", None),
    ],
)
def test_the_first_bytes_say_what_a_file_is(head: bytes, mime: str | None) -> None:
    assert sniffed(head) == mime
