import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.dialects.gemini import framing
from allgate.dialects.gemini.framing import ArrayWriter, PayloadSplitter

REPLIES = [
    {"text": 'a "quoted" ] } \\ text\n'},
    {"nested": [[1, {"deep": "[{\\\\"}], "]"]},
    {},
    {"emoji": "😀"},
]
ARRAY = (
    "[" + ",\r\n".join(json.dumps(reply, indent=1, ensure_ascii=False) for reply in REPLIES) + "\n]\n"
).encode()
EVENTS = b"".join(b"data: " + json.dumps(reply).encode() + b"\r\n\r\n" for reply in REPLIES)


def split(stream: bytes, cuts: list[int]) -> tuple[list, bytes]:
    """The replies, and all raw bytes joined."""
    splitter = PayloadSplitter()
    places = [0, *cuts, len(stream)]
    frames = [frame for a, b in itertools.pairwise(places) for frame in splitter.feed(stream[a:b])]
    last, rest = splitter.close()
    raw = b"".join(frame.raw for frame in [*frames, *last]) + rest
    return [json.loads(frame.data) for frame in [*frames, *last] if frame.data], raw


@pytest.mark.parametrize("stream", [ARRAY, EVENTS, b"\n\n" + ARRAY, b"\xef\xbb\xbf" + EVENTS])
def test_both_framings_give_the_same_replies_whole_and_byte_by_byte(stream):
    assert split(stream, [])[0] == REPLIES
    assert split(stream, list(range(1, len(stream))))[0] == REPLIES


@settings(deadline=None)
@given(st.lists(st.integers(0, len(ARRAY)), max_size=9).map(sorted))
def test_an_array_is_its_raw_bytes_however_it_is_cut(cuts):
    assert split(ARRAY, cuts) == (REPLIES, ARRAY)


@settings(deadline=None)
@given(st.lists(st.integers(0, len(EVENTS)), max_size=9).map(sorted))
def test_events_are_their_raw_bytes_however_they_are_cut(cuts):
    assert split(EVENTS, cuts) == (REPLIES, EVENTS)


@settings(deadline=None)
@given(st.binary(max_size=80), st.integers(0, 80))
def test_any_bytes_are_split_without_an_error(stream, cut):
    splitter = PayloadSplitter()
    splitter.feed(stream[:cut])
    splitter.feed(stream[cut:])
    splitter.close()


def test_a_cut_array_keeps_its_rest():
    assert split(ARRAY[:-20], [40])[1] == ARRAY[:-20]


def test_an_endless_member_is_refused(monkeypatch):
    monkeypatch.setattr(framing, "FRAME_BYTES_MAX", 100)
    splitter = PayloadSplitter()
    splitter.feed(b'[{"a": "' + b"x" * 80)
    with pytest.raises(WireError):
        splitter.feed(b"x" * 20)


def test_what_the_writer_writes_is_an_array():
    for count in range(3):
        writer = ArrayWriter()
        written = b"".join(writer.member(b"{}") for _ in range(count)) + writer.end()
        assert json.loads(written) == [{}] * count
