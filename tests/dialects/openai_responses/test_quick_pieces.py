"""Pieces of text that take the quick way tell the same as those that are read byte by byte, whatever comes between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.value import changed
from allgate.dialects.openai_responses.stream_frames import is_several
from allgate.operations.chat.events import Closed, Delta, Failed
from allgate.operations.chat.parts import Text
from allgate.operations.chat.request import Sampling
from dialects.openai_responses.exchange import (
    CREATED,
    FOREIGN,
    completed,
    events_of,
    frame,
    function_call,
    message,
    sent,
)

OUTPUTS, CONTENTS = st.integers(0, 1), st.integers(0, 1)
WORDS = st.sampled_from(["", "a", "b c", "\u00e9\U0001f600", "STOP", "ST"])
TEXT = "response.output_text"


def piece(output_index: int, content_index: int, delta: str, **members) -> bytes:
    place = {"item_id": f"msg_{output_index}", "output_index": output_index, "content_index": content_index}
    return frame(f"{TEXT}.delta", **place, delta=delta, **members)


PIECES = st.builds(piece, OUTPUTS, CONTENTS, WORDS)
OTHERS = st.one_of(
    st.builds(lambda output, delta: piece(output, 0, delta, logprobs=[{"token": "a"}]), OUTPUTS, WORDS),
    st.builds(lambda output, delta: frame("response.refusal.delta", output_index=output, delta=delta), OUTPUTS, WORDS),
    st.builds(
        lambda output, delta: frame("response.function_call_arguments.delta", output_index=output, delta=delta), OUTPUTS, WORDS
    ),
    st.builds(
        lambda output, text: frame(
            "response.content_part.done", output_index=output, content_index=0, part={"type": "output_text", "text": text}
        ),
        OUTPUTS,
        WORDS,
    ),
    st.builds(
        lambda output, text: frame("response.output_item.done", output_index=output, item=message(text, f"msg_{output}")),
        OUTPUTS,
        WORDS,
    ),
    st.builds(
        lambda output: frame("response.output_item.added", output_index=output, item=function_call(status="in_progress")),
        OUTPUTS,
    ),
    st.just(frame("response.in_progress", response={})),
    st.just(b": keep-alive\n\n"),
    st.just(completed(message("a", "msg_0"))),
)  # fmt: skip
STREAMS = st.lists(st.one_of(PIECES, PIECES, PIECES, OTHERS), max_size=12)
STOPPED = sent(changed(FOREIGN, sampling=Sampling(stop=("STOP",))))


@given(st.lists(st.sampled_from([b"a", b"\n"])).map(b"".join))
def test_a_chunk_of_several_frames_is_told_from_one(chunk):
    assert is_several(chunk) == (chunk.count(b"\n\n") > 1)


@given(STREAMS, st.sampled_from([sent(), STOPPED]))
def test_the_quick_way_tells_what_the_long_way_tells(frames, context):
    frames = [CREATED, *frames]
    octets = [bytes([octet]) for octet in b"".join(frames)]
    assert events_of(frames, context) == events_of(octets, context)


@pytest.mark.parametrize("last", [completed(message("a b")), b""], ids=["whole", "cut"])
def test_what_took_the_quick_way_is_in_the_part_that_is_told_whole(last):
    events = events_of([CREATED, piece(0, 0, "a"), piece(0, 0, " "), piece(0, 0, "b"), last])
    assert [event.text for event in events if isinstance(event, Delta)] == ["a", " ", "b"]
    if last:
        assert [event.part for event in events if isinstance(event, Closed)] == [Text(text="a b", id="msg_0")]
    else:
        assert isinstance(events[-1], Failed)


def test_a_piece_of_text_behind_a_refusal_in_its_place_belongs_to_the_refusal():
    refused = frame("response.refusal.delta", output_index=0, content_index=0, delta="no")
    deltas = events_of([CREATED, refused, piece(0, 0, "", logprobs=[{}]), piece(0, 0, "t")])
    assert [event.channel for event in deltas if isinstance(event, Delta)] == [
        "refusal",
        "logprobs",
        "refusal",
    ]
