import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, WireError
from allgate.core.usage import Usage
from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.contract import Head
from dialects.anthropic.exchange import BUDGET, argued, block, ended, frame, message, started, use

STOP = frame("message_stop")
TEXT_START = frame("content_block_start", index=0, content_block={"type": "text", "text": ""})
STREAM = (
    started()
    + frame("ping")
    + block(0, "Grüße ", "😀")
    + block(1, use("t", "f"), *argued('{"a":1}'))
    + ended("tool_use")
)


def metered(*chunks: bytes):
    """(the meter, what left before its close, what left at its close)."""
    meter = ANTHROPIC.meter(Head(model="m", stream=True), BUDGET)
    passed = b"".join(meter.feed(chunk) for chunk in chunks)
    return meter, passed, meter.close()


def piece(text: str) -> bytes:
    return frame("content_block_delta", index=0, delta={"type": "text_delta", "text": text})


def test_everything_passes_and_the_terminator_waits():
    meter, passed, ending = metered(STREAM)
    assert passed + ending == STREAM
    assert ending == STOP
    facts = meter.facts()
    assert (facts.finished, facts.empty, facts.failure) == (True, False, None)
    assert facts.usage == Usage(input_tokens=10, output_tokens=5)


def test_an_ordinary_chunk_is_returned_as_the_same_object():
    meter = ANTHROPIC.meter(Head(model="m"), BUDGET)
    meter.feed(started() + TEXT_START)
    chunk = piece("hello")
    assert meter.feed(chunk) is chunk
    two = piece("a") + piece("b")
    assert meter.feed(two) == two


def test_a_chunk_that_ends_as_far_into_a_frame_as_it_began_loses_nothing():
    """What leaves is then as long as the chunk, and yet other bytes."""
    _, passed, ending = metered(STREAM[:1], STREAM[1 : len(started()) + 1], STREAM[len(started()) + 1 :])
    assert passed + ending == STREAM


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_slicing_passes_the_same_bytes_and_tells_the_same(cuts):
    edges = [0, *sorted(cuts), len(STREAM)]
    meter, passed, ending = metered(*(STREAM[a:b] for a, b in pairwise(edges)))
    assert passed + ending == STREAM
    assert passed == STREAM.removesuffix(STOP)
    assert meter.facts() == metered(STREAM)[0].facts()


def test_a_chunk_that_looks_like_a_frame_may_be_the_rest_of_one():
    first = b'data: {"type":"ping"}\n'
    whole, sliced = metered(started() + first + piece("a")), metered(started(), first, piece("a"))
    assert whole[1:] == sliced[1:]
    assert whole[0].facts() == sliced[0].facts()
    assert sliced[0].failure is not None


def test_only_whole_frames_leave():
    """Whatever the gateway says after a cut begins on a line of its own."""
    meter, passed, ending = metered(started() + TEXT_START + piece("ab")[:-9])
    assert passed == started() + TEXT_START
    assert ending == b""
    assert not meter.facts().finished


def test_content_starts_with_the_first_piece_or_a_block_that_is_one():
    meter = ANTHROPIC.meter(Head(model="m"), BUDGET)
    meter.feed(started() + frame("ping") + TEXT_START)
    assert not meter.started
    meter.feed(piece("a"))
    assert meter.started
    assert metered(started(), frame("content_block_start", index=0, content_block=use("t", "f")))[0].started


def test_ruling_3_a_stop_reason_is_an_end_and_its_terminator_is_added():
    meter, passed, ending = metered(started(), TEXT_START, piece("a"), ended().removesuffix(STOP))
    assert meter.facts().finished
    assert ending == b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    assert b"message_stop" not in passed


def test_a_terminator_without_an_event_line_is_held_too():
    bare = STOP.partition(b"\n")[2]
    _, passed, ending = metered(started() + TEXT_START, piece("a"), bare)
    assert (passed.endswith(piece("a")), ending) == (True, bare)


def test_what_follows_the_terminator_waits_with_it():
    assert metered(STREAM + frame("ping"))[2] == STOP + frame("ping")


def test_an_error_in_band_is_a_failure_and_is_withheld():
    error = frame("error", error={"type": "overloaded_error", "message": "busy"})
    meter, passed, ending = metered(started(), error, piece("late"))
    assert (passed, ending) == (started(), b"")
    assert meter.failure is not None
    assert meter.failure.kind is ErrorKind.OVERLOADED
    assert meter.facts().failure == meter.failure
    assert not meter.facts().finished


@pytest.mark.parametrize("bad", [b"event: content_block_delta\ndata: {nonsense\n\n", b"data: oops\n\n"])
def test_a_frame_that_is_no_json_is_a_failure_and_is_withheld(bad):
    meter, passed, _ = metered(started(), TEXT_START, bad, piece("late"))
    assert meter.failure is not None
    assert passed == started() + TEXT_START


@pytest.mark.parametrize(
    "odd",
    [
        b'event: content_block_delta\ndata: {"index":0,"delta":{"type":"text_delta","text":"\\ud83d"}}\n\n',
        b'event: content_block_delta\ndata: {"index":"zero","delta":{"type":"text_delta","text":7}}\n\n',
        b": comment\n\n",
        b"data: [DONE]\n\n",
        b"event: novel\n\n",
    ],
)
def test_odd_frames_pass(odd):
    meter, passed, _ = metered(started(), odd, ended())
    assert odd in passed
    assert meter.failure is None


def test_a_cut_answer_tells_its_text_and_no_placeholder_count():
    meter, _, ending = metered(started(), TEXT_START, piece("ab"), piece("cd"))
    facts = meter.facts()
    assert (facts.finished, facts.text, ending) == (False, "abcd", b"")
    assert facts.usage == Usage(input_tokens=10)


def test_thinking_and_arguments_are_counted_too():
    thought = frame("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"})
    meter, *_ = metered(started(), thought)
    assert (meter.facts().text, meter.facts().empty, meter.started) == ("hm", False, True)
    call = frame("content_block_start", index=0, content_block=use("t", "get"))
    meter, *_ = metered(started(), call, frame("content_block_delta", index=0, delta=argued('{"a":1}')[0]))
    assert meter.facts().text == 'get{}{"a":1}'


def test_an_empty_answer_is_empty():
    assert metered(started() + TEXT_START + ended())[0].facts().empty


def test_the_facts_of_a_whole_reply():
    facts = ANTHROPIC.read_facts(message("ab", use("t", "f", a=1)))
    assert (facts.finished, facts.empty, facts.text) == (True, False, 'abf{"a":1}')
    assert facts.usage == Usage(input_tokens=10, output_tokens=5)
    assert ANTHROPIC.read_facts(message()).empty
    assert ANTHROPIC.read_facts(message({"type": "thinking", "thinking": "", "signature": "c2ln"})).empty
    assert not ANTHROPIC.read_facts(message({"type": "thinking", "thinking": "h", "signature": ""})).empty


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", json.dumps({"type": "error", "error": {}}).encode()])
def test_the_facts_of_no_reply_are_an_error(body):
    with pytest.raises(WireError):
        ANTHROPIC.read_facts(body)
