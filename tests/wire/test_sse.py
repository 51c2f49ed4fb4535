import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.wire import sse
from allgate.wire.sse import SseSplitter, comment_frame, data_frame, named_frame

STREAM = (
    b"\xef\xbb\xbfevent: a\r\ndata: 1\r\n\r\ndata: 2\n\ndata: 3\rdata: 4\r\r: comment\n\n"
    b"id: 5\nretry: 10\ndata:6\n\n\n\ndata\n\ndata:  7 \n\nevent: only\n\ndata: last"
)
FRAMES = [
    (b"a", b"1"),
    (b"", b"2"),
    (b"", b"3\n4"),
    (b"", b""),
    (b"", b"6"),
    (b"", b""),
    (b"", b" 7 "),
    (b"only", b""),
]


def split(stream: bytes, cuts: list[int]) -> tuple[list[tuple[bytes, bytes]], tuple[bytes, bytes] | None]:
    splitter = SseSplitter()
    frames: list[tuple[bytes, bytes]] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        frames += [
            (frame.event, frame.data) for frame in splitter.feed(stream[start:end]) if frame.raw.strip()
        ]
    rest = splitter.close()
    return frames, (rest.event, rest.data) if rest else None


def test_a_stream_read_whole() -> None:
    assert split(STREAM, []) == (FRAMES, (b"", b"last"))


def test_a_stream_read_byte_by_byte() -> None:
    assert split(STREAM, list(range(1, len(STREAM)))) == (FRAMES, (b"", b"last"))


@given(st.lists(st.integers(0, len(STREAM)), max_size=9).map(sorted))
def test_any_slicing_gives_the_same_frames(cuts: list[int]) -> None:
    assert split(STREAM, cuts) == (FRAMES, (b"", b"last"))


@given(
    st.lists(st.sampled_from([b"data: x", b"event: y", b": z", b"", b"\xf0\x9f"]), max_size=8),
    st.sampled_from([b"\n", b"\r", b"\r\n"]),
    st.data(),
)
def test_every_line_end_and_slicing_agree(lines: list[bytes], end: bytes, data: st.DataObject) -> None:
    stream = end.join(lines) + end + end
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=5).map(sorted))
    unix = b"\n".join(lines) + b"\n\n"
    assert split(stream, cuts) == split(unix, [])


def test_the_raw_bytes_of_all_frames_are_the_stream() -> None:
    splitter = SseSplitter()
    stream = b"data: 1\n\nevent: b\ndata: 2\r\n\r\n: c\n\n"
    raw = b"".join(frame.raw for cut in (stream[:11], stream[11:]) for frame in splitter.feed(cut))
    assert raw == stream


def test_the_second_half_of_a_crlf_belongs_to_no_frame() -> None:
    splitter = SseSplitter()
    raw = b"".join(frame.raw for cut in (b"data: 1\r\n\r", b"\n") for frame in splitter.feed(cut))
    assert (raw, splitter.pending) == (b"data: 1\r\n\r", b"\n")
    assert splitter.close() is None


@pytest.mark.parametrize(
    "tail", [b"\n\n", b"\n\ndata: b\n\n", b"\ndata: b\n\n", b"\r\n\r\n", b"\nid: 1\n\n", b"\n: c\n\n"]
)
def test_a_named_frame_is_read_the_same_alone_and_among_others(tail: bytes) -> None:
    """A chunk that is one named frame takes a way of its own."""
    chunk = b"event: name\ndata: a" + tail
    alone, among = SseSplitter(), SseSplitter()
    alone.feed(b": begin\n\n")
    frames = alone.feed(chunk)
    assert frames == among.feed(b": begin\n\n" + chunk)[1:]
    assert (frames[0].event, frames[0].data[:1]) == (b"name", b"a")


@pytest.mark.parametrize(
    "tail", [b"\r\n\r\n", b"\r\n\r\ndata: b\r\n\r\n", b"\r\ndata: b\r\n\r\n", b"\n\r\n\r\n"]
)
def test_an_unnamed_frame_with_crlf_is_read_the_same_alone_and_among_others(tail: bytes) -> None:
    """Google's frames take the short way too."""
    chunk = b"data: a" + tail
    alone, among = SseSplitter(), SseSplitter()
    alone.feed(b": begin\r\n\r\n")
    assert alone.feed(chunk) == among.feed(b": begin\r\n\r\n" + chunk)[1:]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12).map(sorted))
def test_a_stream_is_aligned_where_a_frame_begins(cuts: list[int]) -> None:
    splitter = SseSplitter()
    assert not splitter.aligned
    for start, end in zip([0, *cuts], [*cuts, len(STREAM)], strict=True):
        splitter.feed(STREAM[start:end])
        assert splitter.aligned == (end > 3 and not splitter.pending)  # behind the byte-order mark


def test_written_frames_are_read_back() -> None:
    stream = data_frame(b"{}") + named_frame(b"ping", b'{"type":"ping"}') + comment_frame(b"keep-alive")
    frames, rest = split(stream, [])
    assert frames == [(b"", b"{}"), (b"ping", b'{"type":"ping"}'), (b"", b"")]
    assert rest is None


def test_an_endless_frame_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "FRAME_BYTES_MAX", 100)
    splitter = SseSplitter()
    assert splitter.feed(b"data: " + b"x" * 90) == []
    with pytest.raises(WireError):
        splitter.feed(b"x" * 5)
