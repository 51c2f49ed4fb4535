import pytest

from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.anthropic.stream_blocks import BLOCKS_MAX
from allgate.operations.chat.events import Closed, Delta, Failed, Opened
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import Hosted, Opaque, Part, Text, Thinking, ToolCall
from allgate.operations.chat.request import OutputFormat
from allgate.operations.chat.tools import Custom
from dialects.anthropic.exchange import (
    FOREIGN,
    argued,
    block,
    ended,
    events_of,
    frame,
    message,
    native,
    sent,
    started,
    use,
)

EMPTY = {"type": "text", "text": ""}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}


def think(text: str) -> dict:
    return {"type": "thinking_delta", "thinking": text}


def sign(value: str) -> dict:
    return {"type": "signature_delta", "signature": value}


def delta(index: int, piece: dict) -> bytes:
    return frame("content_block_delta", index=index, delta=piece)


def parts(*blocks: bytes, context=None) -> tuple[Part, ...]:
    return fold(events_of([started(), *blocks, ended()], context)).choices[0].parts


def test_the_last_signature_wins():
    assert parts(block(0, THINKING, think("h"), sign("YQ=="), sign("c2ln"))) == (
        Thinking(text="h", seals=(native(),)),
    )


def test_thinking_without_text_is_hidden():
    assert parts(block(0, THINKING, sign("c2ln"))) == (Thinking(form="hidden", seals=(native(),)),)
    redacted = {"type": "redacted_thinking", "data": "ZA=="}
    assert parts(block(0, redacted)) == (Thinking(form="hidden", seals=(native("ZA==", "redacted"),)),)


def test_a_seal_comes_before_its_part_is_closed():
    events = events_of([started(), block(0, THINKING, think("h"), sign("c2ln")), ended()])
    kinds = [(type(event).__name__, getattr(event, "channel", "")) for event in events[1:5]]
    assert kinds == [("Opened", ""), ("Delta", "thinking"), ("Delta", "seal"), ("Closed", "")]


@pytest.mark.parametrize("pieces", [(), argued(""), argued("{}")])
def test_a_call_without_arguments_has_an_empty_object(pieces):
    events = events_of([started(), block(0, use("t", "f"), *pieces), ended("tool_use")])
    assert fold(events).choices[0].parts == (ToolCall(call_id="t", name="f", input="{}"),)
    assert any(isinstance(event, Delta) and event.channel == "input" for event in events)


def test_arguments_given_whole_in_the_start_are_told_as_one_piece():
    events = events_of([started(), block(0, use("t", "f", a=1)), ended("tool_use")])
    assert Delta(index=0, channel="input", text='{"a":1}') in events


def test_regression_1_parallel_calls_have_their_own_indexes():
    events = events_of([started(), block(0, use("a", "f")), block(1, use("b", "f")), ended("tool_use")])
    opened = [(event.index, event.part.call_id) for event in events if isinstance(event, Opened)]
    assert opened == [(0, "a"), (1, "b")]


def test_interleaved_blocks_are_told_one_after_the_other():
    raw = [
        frame("content_block_start", index=0, content_block=use("a", "f")),
        frame("content_block_start", index=1, content_block=use("b", "g")),
        delta(1, argued('{"b":1}')[0]), delta(0, argued('{"a":1}')[0]),
        frame("content_block_stop", index=1), frame("content_block_stop", index=0),
    ]  # fmt: skip
    assert parts(*raw) == (
        ToolCall(call_id="a", name="f", input='{"a":1}'),
        ToolCall(call_id="b", name="g", input='{"b":1}'),
    )


def test_a_custom_tool_s_input_is_unwrapped_while_it_streams():
    context = sent(changed(FOREIGN, tools=(Custom(name="p"),)))
    raw = [started(), block(0, use("t", "p"), *argued('{"inp', 'ut": "a\\', 'nb"}')), ended("tool_use")]
    events = events_of(raw, context)
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "a\nb"
    assert fold(events).choices[0].parts == (
        ToolCall(call_id="t", name="p", input="a\nb", input_kind="text"),
    )


def test_structured_output_through_a_tool_streams_as_text():
    output = OutputFormat(kind="json_schema", schema={"type": "object"})
    context = sent(changed(FOREIGN, output=output), json_schema="none")
    raw = [started(), block(0, use("t", "json_output"), *argued('{"a":', "1}")), ended("tool_use")]
    events = events_of(raw, context)
    assert [event.text for event in events if isinstance(event, Delta)] == ['{"a":', "1}"]
    answer = fold(events).choices[0]
    assert (answer.parts, answer.finish.reason) == ((Text(text='{"a":1}'),), "stop")


SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
FETCH = {"type": "server_tool_use", "id": "srvtoolu_2", "name": "web_fetch", "input": {"url": "u"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
    {"type": "web_search_result", "url": "u", "title": "t", "encrypted_content": "ZQ=="}]}  # fmt: skip
FETCHED = {
    "type": "web_fetch_tool_result",
    "tool_use_id": "srvtoolu_2",
    "content": {"error_code": "unavailable"},
}


def whole(*blocks) -> tuple[Part, ...]:
    return ANTHROPIC.decode_response(message(*blocks), sent()).choices[0].parts


@pytest.mark.parametrize(
    "order",
    [
        (SEARCH, FOUND, "text"),
        (SEARCH, FETCH, FOUND, FETCHED, "text"),
        (SEARCH, FETCH, FETCHED, FOUND, "text"),
        (SEARCH, "text"),
        (FOUND, "text"),
    ],
)
def test_a_hosted_call_is_one_part_however_its_blocks_stand(order):
    streamed = [
        block(place, changed_input(item), *argued('{"query":"q"}')) if item is SEARCH else block(place, item)
        for place, item in enumerate(order)
    ]
    given = [{**item, "input": {"query": "q"}} if item is SEARCH else item for item in order]
    assert parts(*streamed) == whole(*given)


def changed_input(item: dict) -> dict:
    return {**item, "input": {}}


def test_a_call_made_inside_a_code_execution_waits_for_it():
    raw = block(0, SEARCH) + block(1, FETCH) + block(2, FETCHED) + block(3, FOUND)
    search, fetch = parts(raw)
    assert isinstance(search, Hosted)
    assert isinstance(fetch, Hosted)
    assert (search.tool, fetch.tool, fetch.status) == ("web_search", "web_fetch", "failed")
    assert search.extra["anthropic"]["_enclosed"] == 1


def test_an_unknown_block_is_told_whole_with_what_its_deltas_brought():
    raw = block(
        0,
        {"type": "compaction", "content": "So "},
        {"type": "compaction_delta", "content": "far", "encrypted_content": "e"},
    )
    assert parts(raw) == (
        Opaque(
            dialect="anthropic", raw={"type": "compaction", "content": "So far", "encrypted_content": "e"}
        ),
    )


def test_a_text_that_stays_empty_is_no_part():
    assert parts(block(0, EMPTY), block(1, "a")) == (Text(text="a"),)


def test_a_text_in_the_start_is_told():
    assert parts(block(0, {"type": "text", "text": "a"}, {"type": "text_delta", "text": "b"})) == (
        Text(text="ab"),
    )


def test_regression_8_pieces_without_a_start_open_a_part():
    assert parts(delta(0, think("h")), delta(1, {"type": "text_delta", "text": "a"})) == (
        Thinking(text="h"),
        Text(text="a"),
    )


def test_regression_7_text_on_a_call_is_a_part_of_its_own():
    raw = [
        frame("content_block_start", index=0, content_block=use("t", "f")),
        delta(0, argued('{"a":1}')[0]), delta(0, {"type": "text_delta", "text": "\n"}),
        frame("content_block_stop", index=0),
    ]  # fmt: skip
    assert parts(*raw) == (ToolCall(call_id="t", name="f", input='{"a":1}'), Text(text="\n"))


def test_a_start_on_an_open_index_closes_what_was_open():
    raw = [
        frame("content_block_start", index=0, content_block=EMPTY),
        delta(0, {"type": "text_delta", "text": "a"}),
        block(0, "b"),
    ]
    assert parts(*raw) == (Text(text="a"), Text(text="b"))


def test_a_block_that_never_stops_is_closed_at_the_end():
    raw = [
        frame("content_block_start", index=0, content_block=EMPTY),
        delta(0, {"type": "text_delta", "text": "a"}),
    ]
    events = events_of([started(), *raw, ended()])
    assert Closed(index=0, part=Text(text="a")) in events


def test_a_runaway_answer_is_a_failure():
    raw = b"".join(frame("content_block_start", index=i, content_block=EMPTY) for i in range(BLOCKS_MAX + 1))
    assert isinstance(events_of([started() + raw])[-1], Failed)
