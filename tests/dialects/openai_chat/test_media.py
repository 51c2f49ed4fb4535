"""Pictures, sound, films and files: what a URL or a word says."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.openai_chat.media import (
    AudioJoin,
    audio_format,
    audio_mime,
    is_video_address,
    kind_of_mime,
    source_of,
)
from allgate.operations.chat.parts import FileRef, Inline, Url


@pytest.mark.parametrize(
    ("url", "film"),
    [
        ("https://e.x/a.mp4", True),
        ("https://e.x/a.MP4?sig=1#t", True),
        ("https://youtu.be/x", True),
        ("https://www.youtube.com/watch?v=x", True),
        ("https://e.x/mp4", False),
        ("https://e.x/a.png?name=b.mp4", False),
        ("https://notyoutube.com/x", False),
    ],
)
def test_a_film_is_told_by_ending_or_host(url, film):
    assert is_video_address(url) is film


def test_where_a_url_points():
    assert source_of("data:image/png;base64,iVBO") == Inline(mime="image/png", base64="iVBO")
    assert source_of("https://e.x/a") == Url(url="https://e.x/a")
    assert source_of("gs://b/o") == FileRef(origin="gemini", ref="gs://b/o")
    stored = "https://generativelanguage.googleapis.com/v1beta/files/x"
    assert source_of(stored) == FileRef(origin="gemini", ref=stored)


def test_formats_of_sound():
    assert [audio_mime(word) for word in ("wav", "mp3", "pcm16", "flac", None)] == [
        "audio/wav", "audio/mpeg", "audio/pcm", "audio/flac", "audio/wav",
    ]  # fmt: skip
    assert [audio_format(mime) for mime in ("audio/mpeg", "audio/x-wav", "audio/ogg; codecs=opus")] == [
        "mp3", "wav", "ogg",
    ]  # fmt: skip


def test_the_kind_of_a_mime_type():
    kinds = [
        kind_of_mime(mime)
        for mime in ("image/png", "AUDIO/wav", "video/mp4", "application/pdf", "text/plain")
    ]
    assert kinds == ["image", "audio", "video", "document", "document"]


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_pieces_padded_each_on_their_own_join_to_one_base64(pieces):
    join = AudioJoin()
    text = "".join(join.feed(base64.b64encode(piece).decode()) for piece in pieces) + join.close()
    assert text == base64.b64encode(b"".join(pieces)).decode()


def test_a_piece_that_is_no_base64_costs_only_itself():
    join = AudioJoin()
    assert join.feed("a") + join.feed("YWJj") + join.close() == "YWJj"
