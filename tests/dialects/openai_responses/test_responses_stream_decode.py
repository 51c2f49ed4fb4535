"""A provider's event stream as events: in order, in any slicing, and from servers that leave half of it out."""

import json
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, WireError
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.openai_responses import OPENAI_RESPONSES
from allgate.operations.chat.events import Closed, Delta, Ended, Failed, Finished, Opened, Start
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import Hosted, Media, Opaque, Refusal, Text, Thinking, ToolCall
from allgate.operations.chat.request import Sampling
from dialects.openai_responses.exchange import (
    CREATED,
    FOREIGN,
    PLAIN,
    completed,
    decoded,
    events_of,
    folded,
    frame,
    function_call,
    message,
    note_paths,
    response,
    sent,
    told,
)

# SOURCE: written by hand after the event order of OpenAI's API reference and the recordings of November 2026.
GOLDEN = b"".join(
    [
        CREATED,
        frame("response.in_progress", response={"id": "resp_up"}),
        frame("response.output_item.added", output_index=0, item={"id": "rs_1", "type": "reasoning", "summary": []}),
        frame("response.reasoning_summary_part.added", output_index=0, summary_index=0, part={"type": "summary_text", "text": ""}),
        frame("response.reasoning_summary_text.delta", output_index=0, summary_index=0, item_id="rs_1", delta="First"),
        frame("response.reasoning_summary_text.delta", output_index=0, summary_index=1, item_id="rs_1", delta="Second"),
        frame("response.output_item.done", output_index=0, item={
            "id": "rs_1", "type": "reasoning", "encrypted_content": "gAAA",
            "summary": [{"type": "summary_text", "text": "First"}, {"type": "summary_text", "text": "Second"}]}),
        frame("response.output_item.added", output_index=1, item={"id": "msg_1", "type": "message", "content": [], "phase": "commentary"}),
        frame("response.content_part.added", output_index=1, content_index=0, part={"type": "output_text", "text": ""}),
        frame("response.output_text.delta", output_index=1, content_index=0, item_id="msg_1", delta="Grü", logprobs=[]),
        frame("response.output_text.delta", output_index=1, content_index=0, item_id="msg_1", delta="ße 😀", logprobs=[], obfuscation="x"),
        frame("response.output_text.done", output_index=1, content_index=0, text="Grüße 😀"),
        frame("response.content_part.done", output_index=1, content_index=0, part={
            "type": "output_text", "text": "Grüße 😀",
            "annotations": [{"type": "url_citation", "url": "https://e.x", "title": "E", "start_index": 0, "end_index": 5}]}),
        frame("response.output_item.done", output_index=1, item=message("Grüße 😀", phase="commentary")),
        frame("response.output_item.added", output_index=2, item=function_call("add", "", status="in_progress")),
        frame("response.function_call_arguments.delta", output_index=2, item_id="fc_call_1", delta='{"a":'),
        frame("response.function_call_arguments.delta", output_index=2, item_id="fc_call_1", delta="1}"),
        frame("response.function_call_arguments.done", output_index=2, arguments='{"a":1}'),
        frame("response.output_item.done", output_index=2, item=function_call("add", '{"a":1}')),
        completed(message("Grüße 😀"), function_call("add", '{"a":1}'), usage={
            "input_tokens": 9, "output_tokens": 5, "total_tokens": 14,
            "input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 2}}),
    ]
)  # fmt: skip


def text_delta(text: str, output_index: int = 0, content_index: int = 0) -> bytes:
    return frame(
        "response.output_text.delta",
        output_index=output_index,
        content_index=content_index,
        item_id="msg_1",
        delta=text,
    )


def failure_of(*pieces: bytes):
    last = events_of(pieces)[-1]
    assert isinstance(last, Failed)
    return last.failure


def test_the_whole_story():
    found = folded(GOLDEN)
    thinking, text, call = found.choices[0].parts
    assert (thinking.form, thinking.segments, thinking.id) == ("summary", ("First", "Second"), "rs_1")
    assert [(seal.origin, seal.scope, seal.value) for seal in thinking.seals] == [
        ("openai", "openai/org", "gAAA")
    ]
    assert (text.text, text.id, text.extra) == (
        "Grüße 😀",
        "msg_1",
        {"openai_responses": {"message": {"phase": "commentary"}}},
    )
    assert [(a.url, a.start, a.end) for a in text.annotations] == [("https://e.x", 0, 5)]
    assert call == ToolCall(call_id="call_1", name="add", input='{"a":1}', id="fc_call_1")
    assert found.choices[0].finish.reason == "tool_calls"
    assert (found.id, found.model, found.created_s) == ("resp_up", "up", 7)
    assert found.usage == Usage(input_tokens=9, output_tokens=5, cache_read_tokens=4, reasoning_tokens=2)


def test_events_keep_the_grammar():
    events = events_of([GOLDEN])
    kinds = [type(event) for event in events]
    assert kinds[0] is Start
    assert kinds[-2:] == [Finished, Ended]
    opened = [event.index for event in events if isinstance(event, Opened)]
    assert opened == [0, 1, 2] == [event.index for event in events if isinstance(event, Closed)]
    assert [event.channel for event in events if isinstance(event, Delta)] == [
        "summary", "summary", "seal", "text", "text", "annotation", "input", "input",
    ]  # fmt: skip


def test_any_slicing_gives_the_same_events():
    whole = events_of([GOLDEN])
    assert events_of([GOLDEN[i : i + 1] for i in range(len(GOLDEN))]) == whole
    for ending in (b"\r\n", b"\r"):
        assert fold(events_of([GOLDEN.replace(b"\n", ending)])) == fold(whole)
    dice = random.Random(1)
    for _ in range(30):
        cuts = sorted(dice.sample(range(len(GOLDEN)), 7))
        assert events_of([GOLDEN[a:b] for a, b in pairwise([0, *cuts, len(GOLDEN)])]) == whole


def test_chunks_of_one_frame_give_the_same_text():
    """The short way of text deltas: a chunk that is one frame."""
    pieces = [
        CREATED,
        text_delta("a"),
        text_delta("b"),
        text_delta("", 0),
        text_delta("c"),
        completed(message("abc")),
    ]
    assert events_of(pieces) == events_of([b"".join(pieces)])
    assert [e.text for e in events_of(pieces) if isinstance(e, Delta)] == ["a", "b", "c"]


def test_a_stream_that_ends_early_is_never_a_success():
    ends = [i + 2 for i in range(len(GOLDEN)) if GOLDEN[i : i + 2] == b"\n\n"][:-1]
    for end in ends:
        for cut in (end, end + 5):
            last = events_of([GOLDEN[:cut]])[-1]
            assert isinstance(last, Failed)
            assert last.failure.kind is ErrorKind.UPSTREAM


def test_no_done_marker_is_needed_and_one_is_ignored():
    """Regression 65: a stream without [DONE] was a 502."""
    assert folded(GOLDEN) == folded(GOLDEN, b"data: [DONE]\n\n")
    assert folded(GOLDEN[:-2]) == folded(GOLDEN), "an unterminated last frame counts"


def test_unknown_events_are_skipped():
    """Regression 67: `codex.rate_limits` as the first event cut the stream."""
    odd = (
        frame("codex.rate_limits", limits=[])
        + frame("response.brand_new", x=1)
        + b'event: keepalive\ndata: {"type":"keepalive"}\n\n'
    )
    assert events_of([odd, GOLDEN, odd]) == events_of([GOLDEN])


def test_deltas_without_an_announcement_open_their_part():
    """Regression 8."""
    (text,) = folded(CREATED, text_delta("hel"), text_delta("lo"), completed()).choices[0].parts
    assert (text.text, text.id) == ("hello", "msg_1")


def test_arguments_only_in_done_or_only_in_the_item_are_one_delta():
    """Regression 9: input was `{}`."""
    added = frame("response.output_item.added", output_index=0, item=function_call("add", ""))
    in_done = frame("response.function_call_arguments.done", output_index=0, arguments='{"a":1}')
    in_item = frame("response.output_item.done", output_index=0, item=function_call("add", '{"a":1}'))
    for pieces in (
        [added, in_done, in_item],
        [added, in_item],
        [in_item],
        [in_done, in_item],
        [added, in_done],
    ):
        events = events_of([CREATED, *pieces, completed()])
        assert [e.text for e in events if isinstance(e, Delta)] == ['{"a":1}']
        (call,) = fold(events).choices[0].parts
        assert (call.name, call.call_id, call.input) == ("add", "call_1", '{"a":1}')


def test_what_the_terminal_event_repeats_is_not_told_twice():
    """Regression 50: a streamed call was repeated, and executed twice."""
    parts = folded(GOLDEN).choices[0].parts
    assert [type(part) for part in parts] == [Thinking, Text, ToolCall]
    renumbered = completed(function_call("add", '{"a":1}', item_id="other"), message("x"))
    done = frame("response.output_item.done", output_index=4, item=function_call("add", '{"a":1}'))
    assert [type(part) for part in folded(CREATED, done, renumbered).choices[0].parts] == [ToolCall, Text]


def test_a_lone_terminal_event_is_the_whole_answer():
    done = completed(message("hi"), function_call()).replace(b"response.completed", b"response.done")
    for stream in (completed(message("hi"), function_call()), done):
        found = folded(stream)
        assert [type(part) for part in found.choices[0].parts] == [Text, ToolCall]
        assert found.choices[0].finish.reason == "tool_calls"


def test_calls_whose_pieces_interleave_are_kept_apart():
    """Regression 51: name and arguments of one call ended on different indexes."""
    pieces = [CREATED]
    for index, name in enumerate("ab"):
        pieces.append(
            frame(
                "response.output_item.added", output_index=index, item=function_call(name, "", f"call_{name}")
            )
        )
    for piece in ('{"x":', "1}"):
        for index, name in enumerate("ab"):
            pieces.append(
                frame(
                    "response.function_call_arguments.delta",
                    output_index=index,
                    item_id=f"fc_call_{name}",
                    delta=piece,
                )
            )
    for index, name in enumerate("ab"):
        pieces.append(
            frame(
                "response.output_item.done",
                output_index=index,
                item=function_call(name, '{"x":1}', f"call_{name}"),
            )
        )
    calls = folded(*pieces, completed()).choices[0].parts
    assert [(call.name, call.call_id, call.input) for call in calls] == [
        ("a", "call_a", '{"x":1}'), ("b", "call_b", '{"x":1}'),
    ]  # fmt: skip


def test_a_completed_answer_with_calls_finishes_with_tool_calls():
    """Regression 52."""
    assert folded(completed(function_call())).choices[0].finish.reason == "tool_calls"
    assert folded(completed(message("x"))).choices[0].finish.reason == "stop"
    refused = {**message(""), "content": [{"type": "refusal", "refusal": "no"}]}
    assert folded(completed(refused)).choices[0].finish.reason == "refusal"


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("max_output_tokens", "length"), ("content_filter", "content_filter"), ("new", "other")],
)
def test_an_incomplete_answer_says_why(reason, finish):
    """Regression 53: a cut call finished with `stop`."""
    body = response(
        function_call(arguments='{"a', status="incomplete"),
        status="incomplete",
        incomplete_details={"reason": reason},
    )
    found = folded(CREATED, frame("response.incomplete", response=body))
    assert (found.choices[0].finish.reason, found.choices[0].finish.native) == (finish, reason)
    assert found.choices[0].parts[0].input == '{"a'


@pytest.mark.parametrize(
    "last",
    [
        frame(
            "response.failed",
            response={"id": "resp_up", "error": {"code": "rate_limit_exceeded", "message": "slow"}},
        ),
        frame(
            "response.failed",
            response={"id": "resp_up", "error": None},
            error={"code": "rate_limit_exceeded", "message": "slow"},
        ),
        frame("error", code="rate_limit_exceeded", message="slow", param=None),
        frame("error", error={"code": "rate_limit_exceeded", "message": "slow"}),
        frame(
            "response.done",
            response={"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow"}},
        ),
    ],
)
def test_a_failure_is_found_wherever_the_server_puts_it(last):
    """Regression 66: the error stood beside a response whose error was null."""
    failure = failure_of(CREATED, text_delta("x"), last)
    assert (failure.kind, failure.message, failure.upstream) == (ErrorKind.RATE_LIMIT, "slow", True)


def test_a_failed_first_frame_still_starts():
    events = events_of([frame("error", message="boom", code="server_error")])
    assert [type(event) for event in events] == [Start, Failed]


def test_text_that_only_the_last_frames_bring_is_added():
    part = {"type": "output_text", "text": "hello world", "logprobs": [{"token": "h"}]}
    done = frame("response.content_part.done", output_index=0, content_index=0, part=part)
    events = events_of([CREATED, text_delta("hello"), done, completed()])
    assert [e.text for e in events if isinstance(e, Delta) and e.channel == "text"] == ["hello", " world"]
    (text,) = fold(events).choices[0].parts
    assert (text.text, text.logprobs) == ("hello world", [{"token": "h"}])


def test_raw_reasoning_and_hidden_reasoning():
    raw = frame("response.reasoning_text.delta", output_index=0, content_index=0, item_id="x", delta="hm")
    done = frame("response.output_item.done", output_index=0, item={
        "id": "x", "type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]})  # fmt: skip
    for pieces in ([raw, done], [done], [raw]):
        (thinking,) = folded(CREATED, *pieces, completed()).choices[0].parts
        assert (thinking.form, thinking.text, thinking.id) == ("raw", "hm", "x")
    hidden = completed({"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gA"})
    (thinking,) = folded(hidden).choices[0].parts
    assert (thinking.form, thinking.text, thinking.seals[0].value) == ("hidden", "", "gA")


def test_hosted_calls_pictures_and_unknown_items():
    search = {"id": "ws_1", "type": "web_search_call", "status": "completed",
              "action": {"type": "search", "queries": ["q"], "sources": [{"type": "url", "url": "https://e.x"}]}}  # fmt: skip
    code = {"id": "ci_1", "type": "code_interpreter_call", "status": "completed", "code": "print(1)", "container_id": "c",
            "outputs": [{"type": "logs", "logs": "1\n"}]}  # fmt: skip
    picture = {"id": "ig_1", "type": "image_generation_call", "status": "completed", "result": "iVBO", "output_format": "webp",
               "revised_prompt": "a cat"}  # fmt: skip
    other = {"id": "mcpl_1", "type": "mcp_list_tools", "tools": []}
    pieces = [CREATED]
    for index, item in enumerate((search, code)):
        pieces.append(
            frame(
                "response.output_item.added",
                output_index=index,
                item={**item, "status": "in_progress", "outputs": None, "code": ""},
            )
        )
    pieces.append(frame("response.code_interpreter_call_code.delta", output_index=1, delta="print(1)"))
    for index, item in enumerate((search, code, picture, other)):
        pieces.append(frame("response.output_item.done", output_index=index, item=item))
    found_search, found_code, found_picture, found_other = folded(*pieces, completed()).choices[0].parts
    assert (found_search.tool, found_search.queries, found_search.result.hits[0].url) == (
        "web_search",
        ("q",),
        "https://e.x",
    )
    assert (found_code.input, found_code.result.stdout) == ("print(1)", "1\n")
    assert (found_picture.source.mime, found_picture.source.base64) == ("image/webp", "iVBO")
    assert isinstance(found_other, Opaque)
    assert isinstance(found_search, Hosted)
    assert isinstance(found_picture, Media)
    whole = OPENAI_RESPONSES.decode_response(
        json.dumps(response(search, code, picture, other)).encode(), sent()
    )
    assert whole.choices[0].parts == (found_search, found_code, found_picture, found_other)


def test_refusals_stream():
    pieces = [
        frame("response.refusal.delta", output_index=0, content_index=0, item_id="msg_1", delta=text)
        for text in ("I ", "can't")
    ]
    refused = {**message(""), "content": [{"type": "refusal", "refusal": "I can't"}]}
    found = folded(CREATED, *pieces, completed(refused))
    assert found.choices[0].parts == (Refusal(text="I can't", id="msg_1"),)
    assert found.choices[0].finish.reason == "refusal"


def test_a_custom_tool_that_was_offered_as_a_function_streams_its_text():
    request = decoded(tools=[{"type": "custom", "name": "exec"}])
    pieces = [frame("response.output_item.added", output_index=0, item=function_call("exec", ""))]
    arguments = json.dumps({"input": 'say "hi"\n'})
    pieces += [frame("response.function_call_arguments.delta", output_index=0, delta=c) for c in arguments]
    pieces.append(frame("response.output_item.done", output_index=0, item=function_call("exec", arguments)))
    events = events_of([CREATED, *pieces, completed()], sent(request, PLAIN))
    assert "".join(e.text for e in events if isinstance(e, Delta)) == 'say "hi"\n'
    (call,) = fold(events).choices[0].parts
    assert (call.input, call.input_kind) == ('say "hi"\n', "text")


def test_half_an_emoji_becomes_a_replacement_character():
    broken = text_delta("x").replace(b'"x"', b'"\\ud83d"')
    assert folded(CREATED, broken, completed()).choices[0].parts[0].text == "\ufffd"


def test_odd_types_are_read_without_complaint():
    odd = frame(
        "response.output_text.delta", output_index="0", content_index=None, delta="a", logprobs={}, item_id=5
    )
    assert folded(CREATED, odd, completed()).choices[0].parts[0].text == "a"


def test_what_is_no_json_is_a_wire_error():
    decoder = OPENAI_RESPONSES.stream_decoder(sent())
    with pytest.raises(WireError):
        decoder.feed(b"event: x\ndata: <html>\n\n")


_WORDS = st.sampled_from(
    ["response.created", "response.output_item.added", "response.output_item.done", "response.output_text.delta",
     "response.content_part.added", "response.content_part.done", "response.function_call_arguments.delta",
     "response.function_call_arguments.done", "response.reasoning_text.delta", "response.reasoning_summary_text.delta",
     "response.completed", "response.failed", "error", "response.output_text.annotation.added", "response.refusal.delta"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["type", "id", "call_id", "name", "arguments", "content", "summary", "text", "output", "error",
                         "status", "encrypted_content", "usage", "result", "action"]),
        inner | st.sampled_from(["message", "reasoning", "function_call", "custom_tool_call", "output_text", "refusal",
                                 "web_search_call", "image_generation_call", "code_interpreter_call", "mcp_call"]),
        max_size=5),
    max_leaves=8,
)  # fmt: skip
_FRAMES = st.lists(
    st.tuples(
        _WORDS,
        st.dictionaries(
            st.sampled_from(["item", "part", "delta", "output_index", "content_index", "response", "error", "arguments",
                             "logprobs", "annotation", "summary_index", "item_id"]),
            _VALUES,
            max_size=6),
    ),
    max_size=8,
)  # fmt: skip


@given(_FRAMES, st.binary(max_size=12))
def test_no_stream_raises_anything_but_a_wire_error_and_the_grammar_holds(frames, tail):
    decoder = OPENAI_RESPONSES.stream_decoder(sent())
    events = []
    try:
        for kind, members in frames:
            events += decoder.feed(frame(kind, **members))
        events += decoder.feed(tail)
        events += decoder.close()
    except WireError:
        return
    assert isinstance(events[0], Start)
    assert isinstance(events[-1], (Ended, Failed))
    open_index, next_index = None, 0
    for event in events:
        if isinstance(event, Opened):
            assert open_index is None
            assert event.index == next_index
            open_index, next_index = event.index, next_index + 1
        elif isinstance(event, Delta):
            assert event.index == open_index
        elif isinstance(event, Closed):
            assert event.index == open_index
            open_index = None


def test_stop_sequences_are_matched_by_us_because_this_dialect_has_none():
    request = changed(FOREIGN, sampling=Sampling(stop=("END",)))
    pieces = [CREATED, text_delta("one E"), text_delta("ND two"), completed(message("one END two"))]
    streamed = fold(events_of(pieces, sent(request)))
    whole = OPENAI_RESPONSES.decode_response(
        json.dumps(response(message("one END two"))).encode(), sent(request)
    )
    for found in (streamed, whole):
        assert found.choices[0].parts[0].text == "one "
        assert found.choices[0].finish.stop_sequence == "END"
    assert "stop" in note_paths(request)


@pytest.mark.parametrize("named", [True, False])
def test_an_item_that_ends_as_another_kind_than_it_began_is_one_part_of_one_kind(named: bool) -> None:
    search = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"query": "q"}}
    begun = function_call("add" if named else "", "", status="in_progress")
    events = events_of(
        [
            CREATED,
            frame("response.output_item.added", output_index=0, item=begun),
            frame("response.function_call_arguments.delta", output_index=0, delta="{}"),
            frame("response.output_item.done", output_index=0, item=search),
            completed(search),
        ]
    )
    opened, closed = ([event for event in events if isinstance(event, kind)] for kind in (Opened, Closed))
    assert [type(event.part) for event in opened] == [ToolCall if named else Hosted]
    assert [type(event.part) for event in closed] == [type(event.part) for event in opened]
    assert told(events).endswith(b"\n\n")


def test_the_type_counts_more_than_the_name_of_a_frame_in_any_slicing() -> None:
    place = {"output_index": 0, "content_index": 0}
    contradictory = frame("response.output_text.delta", **place, delta="b").replace(
        b'"type": "response.o', b'"type": "o'
    )
    stream = CREATED + frame("response.output_text.delta", **place, delta="a") + contradictory
    whole = events_of([stream])
    assert [event.text for event in whole if isinstance(event, Delta)] == ["a"]
    assert events_of([*(part + b"\n\n" for part in stream.split(b"\n\n")[:-1])]) == whole
