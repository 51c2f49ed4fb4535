"""Delivery: the fault table as steps, without a socket."""

import pytest

from allgate.simulator.delivery import End, Hold, Pause, Reply, Silence, Step, Whole, Write, steps
from allgate.simulator.scenes import scene_of

STREAM = Reply(
    status=200,
    headers=((b"content-type", b"text/event-stream"),),
    frames=(b'data: {"a":1}\n\n', b'data: {"b":2}\n\n', b"data: [DONE]\n\n"),
    stream=True,
    failure=b"data: failed\n\n",
    idle=b": keep-alive\n\n",
)
UNARY = Reply(status=429, headers=((b"retry-after", b"1"),), frames=(b'{"a":1}',))


def played(reply: Reply, line: str) -> list[Step]:
    return list(steps(reply, scene_of(line)))


def sent(reply: Reply, line: str) -> bytes:
    return b"".join(step.data for step in played(reply, line) if isinstance(step, Write))


def frames(reply: Reply, line: str) -> int:
    return sum(isinstance(step, Write) and step.frame for step in played(reply, line))


def test_an_honest_stream_is_a_head_a_chunk_per_frame_and_the_last_chunk():
    assert sent(STREAM, "echo") == (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        b'f\r\ndata: {"a":1}\n\n\r\nf\r\ndata: {"b":2}\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n'
    )
    assert played(STREAM, "echo")[-1] == Whole()


def test_an_honest_answer_says_its_length():
    assert (
        sent(UNARY, "echo")
        == b'HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 7\r\n\r\n{"a":1}'
    )


@pytest.mark.parametrize("at", range(4))
def test_a_cut_lets_exactly_so_many_frames_out_and_nothing_is_whole(at: int):
    assert frames(STREAM, f"cut={at}") == at
    assert played(STREAM, f"cut={at}")[-1] == End()
    assert Whole() not in played(STREAM, f"cut={at}")


def test_a_cut_can_be_a_reset_or_a_well_formed_end_or_inside_a_frame():
    assert played(STREAM, "cut=1 how=reset")[-1] == End(how="reset")
    assert sent(STREAM, "cut=1 how=end").endswith(b"\n\n\r\n0\r\n\r\n")
    assert Whole() not in played(STREAM, "cut=1 how=end")
    assert sent(STREAM, "cut=1 inside=true").endswith(b"7\r\ndata: {\r\n")
    assert sent(UNARY, "cut=0 inside=true").endswith(b'\r\n\r\n{"a')


def test_silence_and_holds_stand_where_they_are_told_to():
    assert played(STREAM, "silence=1")[-1] == Silence()
    assert frames(STREAM, "silence=1") == 1
    assert played(STREAM, "hold=x")[0] == Hold(name="x")
    assert isinstance(played(STREAM, "hold=x hold_at=0")[0], Write)
    assert played(STREAM, "hold=x hold_at=0")[1] == Hold(name="x")
    assert played(STREAM, "hold=x hold_at=3")[-3] == Hold(name="x")
    assert played(STREAM, "mute") == [Silence()]


def test_pauses_are_before_the_head_and_between_frames():
    assert [step for step in played(STREAM, "first_ms=5 delay_ms=2") if isinstance(step, Pause)] == [
        Pause(seconds=0.005),
        Pause(seconds=0.002),
        Pause(seconds=0.002),
    ]


@pytest.mark.parametrize(
    ("bad", "spoiled"),
    [
        ("json", b'data: {"b"=2}\n\n'),
        ("truncated", b"data: {" + b'"\n\n'),
        ("no_blank_line", b'data: {"b":2}\n'),
        ("utf8", b'data: {"\xff\xfeb"\xff\xfe:2}\n\n'),
    ],
)
def test_one_frame_can_be_broken(bad: str, spoiled: bytes):
    assert spoiled in sent(STREAM, f"bad={bad}")
    assert b'{"a":1}' in sent(STREAM, f"bad={bad}")


def test_the_vendors_error_takes_the_place_of_a_frame_and_ends_the_body_well():
    assert sent(STREAM, "error_at=1").endswith(b"data: failed\n\n\r\n0\r\n\r\n")
    assert frames(STREAM, "error_at=1") == 2


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("interim=2", b"HTTP/1.1 103 Early Hints\r\n"),
        ("trailers=2", b"0\r\nx-sim-trailer-0: x\r\nx-sim-trailer-1: x\r\n\r\n"),
        ("header_bytes=70000", b"x" * 70000),
        ("header_count=300", b"x-sim-filler-299: x\r\n"),
        ("extension_bytes=9", b";x=xxxxxxxxx\r\n"),
        ("two_lengths", b"content-length: 5\r\n"),
        ("length=50", b"content-length: 94\r\n"),
        ("length=-10", b"content-length: 34\r\n"),
        ("close=true", b"connection: close\r\n"),
        ("http10", b"HTTP/1.0 200 OK\r\n"),
        ("garbage", b"0\r\n\r\nHTTP/1.1 999 garbage after the message\r\n"),
        ("comments", b": keep-alive\n\n"),
        ("interim=1 interim_status=101", b"HTTP/1.1 101 Switching Protocols\r\n"),
        ("malformed", b"HTTP/1.1 two hundred\r\n"),
        ("malformed=header", b"no colon in this line\r\n"),
        ("malformed=chunk_size", b"\r\n\r\nzzf\r\n"),
        ("malformed=chunk_end", b"\r\n\r\nf\n\n"),
    ],
)
def test_http_is_written_wrong_on_demand(line: str, expected: bytes):
    assert expected in sent(STREAM, line)


@pytest.mark.parametrize(
    ("line", "closes"),
    [
        ("echo", False),
        ("close", True),
        ("stale", True),
        ("http10", True),
        ("length=50", True),
        ("stale_next", False),
    ],
)
def test_the_connection_ends_where_the_scene_says(line: str, closes: bool):
    assert (played(STREAM, line)[-1] == End()) is closes


def test_slices_are_http_chunks_of_so_many_bytes():
    body = sent(STREAM, "slice=4").partition(b"\r\n\r\n")[2]
    assert body.startswith(b"4\r\ndata\r\n4\r\n: {")


def test_a_reset_after_reading_answers_nothing():
    assert played(STREAM, "reset_after") == [End(how="reset")]
