"""Passed-through replies are metered and otherwise left alone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, WireError
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.contract import Head
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.operations.chat.caps import CAPS_DEFAULT
from dialects.openai_chat.exchange import DONE, chunk, completion

ROLE = chunk({"role": "assistant", "content": ""})
USAGE = chunk(usage={"prompt_tokens": 3, "completion_tokens": 2})


def metered(*pieces: bytes, asked_usage: bool = True, **narrowed):
    """(what passed, what was held until the end, the facts)."""
    head = Head(model="m", stream=True, stream_usage=asked_usage)
    meter = OPENAI_CHAT.meter(head, changed(CAPS_DEFAULT, **narrowed))
    passed = b"".join(map(meter.feed, pieces))
    return passed, meter.close(), meter.facts()


def test_an_ordinary_chunk_leaves_as_the_same_object():
    meter = OPENAI_CHAT.meter(Head(model="m", stream=True), CAPS_DEFAULT)
    assert meter.feed(ROLE) == ROLE
    for piece in (chunk({"content": "a"}), chunk({"content": "b"})):
        assert meter.feed(piece) is piece
    several = chunk({"content": "c"}) + chunk({}, "stop")
    assert meter.feed(several) == several


def test_what_waits_for_its_rest_is_not_mistaken_for_the_chunk():
    """One byte held from before and one held back now: as long as the chunk, and other bytes."""
    frame = chunk({"content": "a"})
    meter = OPENAI_CHAT.meter(Head(model="m", stream=True), CAPS_DEFAULT)
    assert meter.feed(frame[:1]) == b""
    assert meter.feed(frame[1:] + frame[:1]) == frame
    assert meter.feed(frame[1:]) == frame


def test_the_terminator_waits_for_the_close():
    passed, held, facts = metered(ROLE, chunk({"content": "hi"}), chunk({}, "stop"), USAGE, DONE)
    assert passed == ROLE + chunk({"content": "hi"}) + chunk({}, "stop") + USAGE
    assert held == DONE
    assert facts.finished
    assert facts.usage == Usage(input_tokens=3, output_tokens=2)
    assert facts.text == "hi"
    assert not facts.empty


def test_a_missing_terminator_is_added():
    assert metered(chunk({"content": "hi"}, "stop"))[1] == DONE


def test_usage_that_nobody_asked_for_is_withheld_and_counted():
    """Regression 88."""
    passed, held, facts = metered(chunk({"content": "hi"}, "stop"), USAGE, DONE, asked_usage=False)
    assert passed + held == chunk({"content": "hi"}, "stop") + DONE
    assert facts.usage == Usage(input_tokens=3, output_tokens=2)


@pytest.mark.parametrize(
    "delta",
    [
        {"content": "a"},
        {"reasoning_content": "a"},
        {"refusal": "a"},
        {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "a", "arguments": ""}}]},
        {"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "", "input": "a"}}]},
        {"function_call": {"name": "a"}},
        {"images": [{"type": "image_url", "image_url": {"url": "https://e.x"}}]},
        {"audio": {"data": "YQ=="}},
        {"reasoning_details": [{"type": "reasoning.text", "text": "a"}]},
    ],
)
def test_content_of_any_kind_starts_the_stream(delta):
    meter = OPENAI_CHAT.meter(Head(model="m", stream=True), CAPS_DEFAULT)
    meter.feed(ROLE)
    assert not meter.started
    meter.feed(chunk(delta))
    assert meter.started
    assert not meter.facts().empty
    assert meter.facts().text in ("a", "")


def test_every_text_is_counted_where_usage_is_missing():
    call = {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": '{"x":1}'}}]}
    facts = metered(
        chunk({"reasoning_content": "hm"}), chunk({"content": "Yes"}), chunk(call), chunk({}, "stop")
    )[2]
    assert facts.usage is None
    assert facts.text == 'hmYesf{"x":1}'


def test_an_answer_without_content_is_empty():
    assert metered(ROLE, chunk({}, "stop"), DONE)[2].empty


@pytest.mark.parametrize(
    "frame",
    [
        b'data: {"error":{"message":"busy","code":"server_is_overloaded"}}\n\n',
        b'event: error\ndata: {"message":"busy","type":"overloaded_error"}\n\n',
    ],
)
def test_an_error_in_band_is_withheld_with_all_that_follows(frame):
    """So that another candidate can be asked, or the client told in our own words."""
    meter = OPENAI_CHAT.meter(Head(model="m", stream=True), CAPS_DEFAULT)
    assert meter.feed(frame) == b""
    assert meter.feed(chunk({"content": "a"}, "stop")) == b""
    assert not meter.started
    assert meter.failure is not None
    assert meter.failure.kind is ErrorKind.OVERLOADED
    assert meter.facts().failure == meter.failure
    assert meter.close() == b""


@pytest.mark.parametrize("frame", [b"data: {nonsense}\n\n", b"data: 7\n\n"])
def test_a_frame_that_no_reader_can_read_is_a_failure(frame):
    passed, held, facts = metered(chunk({"content": "a"}), frame, chunk({}, "stop"), DONE)
    assert passed + held == chunk({"content": "a"})
    assert facts.failure is not None


@pytest.mark.parametrize("pieces", [[], [ROLE], [chunk({"content": "a"})], [chunk({"content": "a"}), DONE]])
def test_an_end_before_the_finish_has_no_terminator(pieces):
    _, held, facts = metered(*pieces)
    assert not facts.finished
    assert held == b""


def test_every_open_choice_must_finish():
    pieces = [chunk({"content": "a"}, "stop", index=0), chunk({"content": "b"}, index=1)]
    assert not metered(*pieces)[2].finished
    assert metered(*pieces, chunk({}, "length", index=1))[2].finished


def test_a_finish_is_optional_where_caps_say_so():
    assert metered(chunk({"content": "a"}), USAGE, finish_optional=True)[2].finished


@pytest.mark.parametrize(
    "frame",
    [
        b": ping\n\n",
        b'data: {"x":1}\n\n',
        chunk({"content": "x"}).replace(b'"x"', rb'"x\ud83d"'),
        chunk({"content": "x"}).replace(b'"x"', b'"x\xff"'),
        chunk({"content": [7], "tool_calls": {}}),
    ],
)
def test_what_is_odd_but_json_passes(frame):
    assert metered(frame, chunk({"content": "a"}, "stop"))[0].startswith(frame)


STREAM = (
    ROLE + b": ping\n\n" + chunk({"content": "hé"}) + chunk({}, "stop").replace(b"\n", b"\r\n") + USAGE + DONE
)


def lines_of(stream: bytes) -> list[bytes]:
    """A line end may move from one frame to the next where it is cut in half; the lines stay."""
    return [line for line in stream.splitlines() if line]


@given(st.lists(st.integers(0, len(STREAM)), max_size=12), st.booleans())
def test_any_slicing_passes_the_same_bytes(cuts, asked_usage):
    ends = sorted({0, len(STREAM), *cuts})
    passed, held, facts = metered(*(STREAM[a:b] for a, b in pairwise(ends)), asked_usage=asked_usage)
    whole = metered(STREAM, asked_usage=asked_usage)
    assert lines_of(passed + held) == lines_of(whole[0] + whole[1])
    assert facts == whole[2]


@given(
    st.lists(st.binary(max_size=40) | st.sampled_from([ROLE, USAGE, DONE, b"data: ", b"\n\n"]), max_size=8)
)
def test_no_bytes_break_the_meter(pieces):
    metered(*pieces)


def test_facts_of_a_whole_reply():
    facts = OPENAI_CHAT.read_facts(
        completion({"content": "hi"}, usage={"prompt_tokens": 1, "completion_tokens": 2})
    )
    assert (facts.usage, facts.finished, facts.empty, facts.text) == (
        Usage(input_tokens=1, output_tokens=2),
        True,
        False,
        "hi",
    )
    assert OPENAI_CHAT.read_facts(completion({"content": None})).empty


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"choices":[]}', b'{"error":{"message":"m"}}'])
def test_facts_of_no_completion_are_an_error(body):
    with pytest.raises(WireError):
        OPENAI_CHAT.read_facts(body)
