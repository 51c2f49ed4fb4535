"""Frames and the life of a stream; what is inside blocks is in test_stream_blocks."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind
from allgate.core.usage import Usage
from allgate.dialects.anthropic import ANTHROPIC
from allgate.operations.chat.events import (
    Closed,
    Delta,
    Ended,
    Failed,
    Finished,
    Opened,
    Start,
    Tick,
    UsageSeen,
)
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import Text
from allgate.operations.chat.response import Finish
from dialects.anthropic.exchange import argued, block, ended, events_of, frame, message, sent, started, use

THINKING = {"type": "thinking", "thinking": "", "signature": ""}
CITED = {"type": "citations_delta", "citation": {"type": "web_search_result_location", "url": "u", "title": "t",
         "cited_text": "x", "encrypted_index": "aWR4"}}  # fmt: skip
STREAM = (
    started(input_tokens=10, cache_read_input_tokens=4, output_tokens=1)
    + frame("ping")
    + block(0, THINKING, {"type": "thinking_delta", "thinking": "h"}, {"type": "thinking_delta", "thinking": "m"},
            {"type": "signature_delta", "signature": "c2ln"})
    + block(1, "Grüße ", "😀", CITED)
    + block(2, use("toolu_1", "f"), *argued("", '{"a":', " 1}"))
    + ended("tool_use", {"output_tokens": 9})
)  # fmt: skip
WHOLE = message(
    {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
    {"type": "text", "text": "Grüße 😀", "citations": [CITED["citation"]]},
    use("toolu_1", "f", a=1),
    reason="tool_use",
    usage={"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 9},
)


def test_the_events_of_a_small_stream():
    events = events_of([started() + block(0, "a", "b") + ended()])
    assert events == [
        Start(id="msg_up", model="up", usage=Usage(input_tokens=10, output_tokens=1)),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="a"),
        Delta(index=0, channel="text", text="b"),
        Closed(index=0, part=Text(text="ab")),
        UsageSeen(usage=Usage(input_tokens=10, output_tokens=5)),
        Finished(finish=Finish(reason="stop", native="end_turn")),
        Ended(usage=Usage(input_tokens=10, output_tokens=5)),
    ]


def test_a_folded_stream_is_the_whole_answer():
    streamed, whole = fold(events_of([STREAM])), ANTHROPIC.decode_response(WHOLE, sent())
    call = streamed.choices[0].parts[2]
    assert json.loads(call.input) == {"a": 1}
    assert streamed.choices[0].parts[:2] == whole.choices[0].parts[:2]
    assert streamed.choices[0].finish == whole.choices[0].finish
    assert streamed.usage == whole.usage


def test_a_stream_read_byte_by_byte_gives_the_same_events():
    assert events_of([STREAM[i : i + 1] for i in range(len(STREAM))]) == events_of([STREAM])


@given(st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_slicing_gives_the_same_events(cuts):
    edges = [0, *sorted(cuts), len(STREAM)]
    assert events_of(STREAM[a:b] for a, b in pairwise(edges)) == events_of([STREAM])


def test_a_chunk_that_looks_like_a_frame_may_be_the_rest_of_one():
    """Two data lines are one frame, also where the second begins a chunk of its own."""
    first, second = (
        b'data: {"type":"ping"}\n',
        frame("content_block_delta", index=0, delta={"type": "text_delta", "text": "a"}),
    )
    assert events_of([started(), first, second]) == events_of([started() + first + second])


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_every_line_end_gives_the_same_events(end):
    assert events_of([STREAM.replace(b"\n", end)]) == events_of([STREAM])


def test_frames_without_event_lines_are_read():
    bare = b"".join(line + b"\n\n" for line in STREAM.split(b"\n") if line.startswith(b"data: "))
    assert events_of([bare]) == events_of([STREAM])


def test_a_cut_at_any_frame_is_a_failure_until_the_stop_reason():
    """Regression 10: a truncated answer is never a success; clients would keep half a tool call."""
    frames = STREAM.split(b"\n\n")[:-1]
    for place in range(len(frames)):
        events = events_of([b"".join(raw + b"\n\n" for raw in frames[:place])])
        complete = place == len(frames) - 1  # all but message_stop
        assert isinstance(events[-1], Ended if complete else Failed)
        assert complete or not any(isinstance(event, Finished) for event in events)


def test_a_cut_inside_a_frame_is_a_failure():
    for place in range(0, len(STREAM) - len(ended("tool_use")) - 3, 11):  # every frame is longer than that
        assert isinstance(events_of([STREAM[:place]])[-1], Failed)


def test_regression_11_an_error_event_is_that_error():
    error = frame("error", error={"type": "overloaded_error", "message": "Overloaded"}, request_id="req_1")
    events = events_of([started() + block(0, "a") + error + ended()])
    assert isinstance(events[-1], Failed)
    failure = events[-1].failure
    assert (failure.kind, failure.message, failure.request_id) == (
        ErrorKind.OVERLOADED,
        "Overloaded",
        "req_1",
    )
    assert not any(isinstance(event, Ended) for event in events)


@pytest.mark.parametrize(
    "raw", [b'data: {"error": {"message": "boom"}}\n\n', b'event: error\ndata: {"error": "boom"}\n\n']
)
def test_errors_of_other_shapes_are_errors(raw):
    events = events_of([started() + raw])
    assert isinstance(events[-1], Failed)
    assert events[-1].failure.message == "boom"


def test_a_frame_that_is_no_json_is_a_failure_of_the_provider():
    events = events_of([started(), b"event: content_block_delta\ndata: {nonsense\n\n", ended()])
    assert [type(event) for event in events] == [Start, Failed]
    assert events[-1].failure.kind is ErrorKind.UPSTREAM


def test_regression_5_a_second_message_start_counts_for_its_usage_only():
    events = events_of([started() + started(input_tokens=20) + block(0, "a") + ended()])
    assert sum(isinstance(event, Start) for event in events) == 1
    assert events[-1].usage == Usage(input_tokens=20, output_tokens=5)


def test_regression_42_usage_is_replaced_and_never_added():
    usage = {"input_tokens": 10, "cache_creation_input_tokens": 3, "output_tokens": 7}
    events = events_of(
        [started(input_tokens=10, cache_creation_input_tokens=3, output_tokens=2) + ended(usage=usage)]
    )
    assert events[-1].usage == Usage(input_tokens=13, output_tokens=7, cache_write_tokens=3)


def test_regression_43_a_split_in_the_delta_replaces_a_prompt_sized_start():
    start = started(input_tokens=8834, cache_read_input_tokens=0, output_tokens=1)
    events = events_of(
        [start + ended(usage={"input_tokens": 18, "cache_read_input_tokens": 8831, "output_tokens": 2})]
    )
    assert events[-1].usage.input_tokens == 8849
    assert events[-1].usage.cache_read_tokens == 8831


def test_regression_44_a_delta_without_input_keeps_that_of_the_start():
    events = events_of([started(input_tokens=12, output_tokens=1) + ended(usage={"output_tokens": 3})])
    assert events[-1].usage == Usage(input_tokens=12, output_tokens=3)


def test_members_of_the_end_are_kept():
    tail = frame(
        "message_delta", delta={"stop_reason": "refusal", "stop_details": {"category": "cyber", "explanation": "no"},
                                "container": {"id": "c"}},
        usage={"output_tokens": 1, "iterations": [1]}, context_management={"applied_edits": []},
    )  # fmt: skip
    events = events_of([started() + tail + frame("message_stop")])
    assert events[-2].finish == Finish(reason="refusal", native="refusal", category="cyber", detail="no")
    assert events[-1].extra == {
        "anthropic": {
            "container": {"id": "c"}, "context_management": {"applied_edits": []}, "usage": {"iterations": [1]},
        }
    }  # fmt: skip


def test_pings_keep_alive_and_unknown_events_mean_nothing():
    events = events_of([frame("ping") + started() + frame("ping") + frame("novel", x=1) + ended()])
    assert [type(event) for event in events] == [Start, Tick, UsageSeen, Finished, Ended]


def test_a_second_end_and_what_follows_is_ignored():
    once = events_of([STREAM])
    assert events_of([STREAM + ended() + block(3, "more") + b"data: [DONE]\n\n"]) == once


def test_message_stop_alone_is_an_end():
    events = events_of([started() + block(0, "a") + frame("message_stop")])
    assert [type(event) for event in events[-2:]] == [Finished, Ended]
    assert events[-2].finish.reason == "stop"


def test_without_a_message_start_the_answer_begins_all_the_same():
    events = events_of([block(0, "a") + ended()])
    assert isinstance(events[0], Start)
    assert fold(events).choices[0].parts == (Text(text="a"),)


def test_half_an_emoji_becomes_a_replacement_character():
    raw = b'event: content_block_delta\ndata: {"index":0,"delta":{"type":"text_delta","text":"a\\ud83d"}}\n\n'
    text_start = frame("content_block_start", index=0, content_block={"type": "text", "text": ""})
    assert fold(events_of([started(), text_start, raw, ended()])).choices[0].parts == (Text(text="a\ufffd"),)


def test_an_empty_body_is_a_failure():
    assert [type(event) for event in events_of([])] == [Failed]
