"""Whatever the bytes: the codec answers, or raises WireError, and nothing else."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.contract import Head
from allgate.operations.chat.events import Ended, Failed, Start
from allgate.wire.message import WireRequest
from dialects.anthropic.exchange import (
    ADAPTIVE,
    BOX,
    BUDGET,
    argued,
    asked,
    block,
    ended,
    events_of,
    frame,
    message,
    sent,
    started,
    use,
)

WORDS = st.sampled_from(
    [
        "type", "text", "thinking", "signature", "tool_use", "tool_result", "id", "name", "input", "content", "role",
        "user", "assistant", "system", "messages", "model", "tools", "tool_use_id", "image", "source", "base64", "data",
        "media_type", "cache_control", "budget_tokens", "enabled", "adaptive", "output_config", "effort", "high",
        "index", "delta", "content_block", "usage", "input_tokens", "server_tool_use", "web_search_tool_result",
        "stop_reason", "end_turn", "max_tokens", "citations", "redacted_thinking", "is_error", "format", "json_schema",
    ]
)  # fmt: skip
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), WORDS,
              st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=5,
)  # fmt: skip
BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "thinking", "redacted_thinking", "tool_use", "tool_result", "image", "document",
                              "server_tool_use", "web_search_tool_result", "mcp_tool_use", "mcp_tool_result", "novel"])},
    optional=dict.fromkeys(("text", "thinking", "signature", "data", "id", "tool_use_id", "name", "input", "content", "source", "citations", "cache_control", "is_error", "title"), JSON),
)  # fmt: skip
FIELDS = (
    "model", "messages", "system", "tools", "tool_choice", "max_tokens", "temperature", "stop_sequences", "stream",
    "thinking", "output_config", "metadata", "service_tier", "cache_control", "mcp_servers", "output_format",
)  # fmt: skip
BODY = st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON))
GIVEN = st.fixed_dictionaries(
    {
        "model": st.just("m"),
        "messages": st.lists(
            st.fixed_dictionaries(
                {"role": st.sampled_from(["user", "assistant", "system"]),
                 "content": st.one_of(st.text(max_size=3), st.lists(BLOCK, max_size=4))}
            ),
            min_size=1, max_size=5,
        ),
    },
    optional=dict.fromkeys(("system", "tools", "tool_choice", "max_tokens", "thinking", "output_config"), JSON),
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.one_of(BODY, GIVEN))
def test_a_request_is_read_and_written_or_refused(body):
    request = WireRequest(method="POST", path="/v1/messages", body=json.dumps(body).encode())
    try:
        head = ANTHROPIC.read_head(request)
        ANTHROPIC.passthrough(request, head, "up", BUDGET)
    except WireError:
        pass
    try:
        decoded = ANTHROPIC.decode_request(request, BOX)
        for caps in (BUDGET, ADAPTIVE):
            json.loads(ANTHROPIC.encode_request(decoded, "up", caps).body)
    except WireError:
        return


@settings(max_examples=60, deadline=None)
@given(GIVEN)
def test_what_we_write_we_can_read_and_write_again(body):
    request = WireRequest(method="POST", path="/v1/messages", body=json.dumps(body).encode())
    try:
        call = ANTHROPIC.encode_request(ANTHROPIC.decode_request(request, BOX), "up", BUDGET)
    except WireError:
        return
    again = ANTHROPIC.decode_request(WireRequest(method="POST", path="/v1/messages", body=call.body), BOX)
    assert ANTHROPIC.encode_request(again, "up", BUDGET).body == call.body


@given(st.binary(max_size=60))
def test_bytes_are_read_or_refused(raw):
    for read in (
        lambda: ANTHROPIC.read_head(WireRequest(method="POST", path="", body=raw)),
        lambda: ANTHROPIC.decode_request(WireRequest(method="POST", path="", body=raw), BOX),
        lambda: ANTHROPIC.decode_response(raw, sent()),
        lambda: ANTHROPIC.read_facts(raw),
    ):
        try:
            read()
        except WireError:
            continue
    assert ANTHROPIC.decode_error(500, (), raw).message
    assert isinstance(events_of([raw])[-1], Failed | Ended)


@settings(max_examples=80, deadline=None)
@given(st.lists(BLOCK, max_size=5), JSON, JSON)
def test_a_reply_is_read_and_written_or_refused(blocks, usage, reason):
    raw = message(*blocks, usage=usage, stop_reason=reason)
    ANTHROPIC.read_facts(raw)
    try:
        answer = ANTHROPIC.decode_response(raw, sent())
    except WireError:
        return
    json.loads(ANTHROPIC.encode_response(answer, asked())[0])


STREAM = started() + block(0, "ab", "c") + block(1, use("t", "f"), *argued('{"a"', ":1}")) + ended("tool_use")
KINDS = st.sampled_from(
    [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "ping",
        "error",
        "x",
    ]
)
FRAME = st.builds(
    lambda kind, members: frame(kind, **members),
    KINDS,
    st.dictionaries(
        st.sampled_from(["index", "delta", "content_block", "message", "usage", "error"]),
        st.one_of(JSON, BLOCK),
        max_size=4,
    ),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.one_of(FRAME, st.binary(max_size=20)), max_size=8))
def test_any_frames_give_events_that_keep_the_grammar(frames):
    events = events_of([started(), *frames])
    assert isinstance(events[0], Start)
    assert sum(isinstance(event, Start) for event in events) == 1
    assert sum(isinstance(event, Ended | Failed) for event in events) == 1
    assert isinstance(events[-1], Ended | Failed)
    encoder = ANTHROPIC.stream_encoder(asked())
    for event in events:
        encoder.emit(event)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, len(STREAM) - 1), st.binary(min_size=1, max_size=6))
def test_a_damaged_stream_never_breaks_the_decoder_or_the_meter(place, damage):
    raw = STREAM[:place] + damage + STREAM[place:]
    assert isinstance(events_of([raw])[-1], Ended | Failed)
    meter = ANTHROPIC.meter(Head(model="m"), BUDGET)
    passed = meter.feed(raw) + meter.close()
    assert len(passed) <= len(raw) + len(frame("message_stop"))
    meter.facts()
