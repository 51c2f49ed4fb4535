"""Real exchanges with the vendor: what we decode is what Anthropic's own SDK reads from the same bytes.

Text, thinking, calls, finish and usage must be equal without exception.
"""

import json
import random
from itertools import pairwise
from pathlib import Path

import httpx2  # what the SDK itself is built on
import pytest
from anthropic._models import construct_type
from anthropic.lib.streaming._beta_messages import accumulate_event
from anthropic.types.beta import BetaMessage, BetaRawMessageStreamEvent

from allgate.core.value import changed
from allgate.dialects.anthropic import ANTHROPIC
from allgate.dialects.anthropic.finish import finish_members
from allgate.dialects.contract import Head
from allgate.operations.chat.events import Ended, Failed
from allgate.operations.chat.features import features_of
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.parts import Hosted, Text, Thinking, ToolCall
from allgate.operations.chat.response import ChatResponse
from allgate.wire.message import WireRequest
from dialects.anthropic.exchange import ADAPTIVE, BOX, BUDGET, REQUEST, asked, events_of, sent, told

SHARED = Path(__file__).resolve().parents[4] / "shared" / "recordings"
NO_HEADERS = httpx2.Headers()
EXCHANGES_MIN = 80
BYTE_BY_BYTE_MAX = (
    30_000  # bytes; the longest stream has a megabyte of search results, and is sliced at random
)
REFUSED_BY_THE_VENDOR = ("boolean-root-schema",)  # its own 400: a tool schema that is no object


def exchanges() -> list[dict]:
    index = SHARED / "index.json"
    if not index.is_file():
        return []
    return [row for row in json.loads(index.read_text())["files"] if row["endpoint"] == "messages"]


def loaded(row: dict) -> dict:
    found = json.loads((SHARED / row["file"]).read_text())
    if events := found["response"].get("events"):  # response-only fixtures have payloads without framing
        texts = [event if isinstance(event, str) else json.dumps(event) for event in events]
        found["response"]["sse"] = [f"event: {json.loads(t)['type']}\ndata: {t}\n\n" for t in texts]
    return found


def by_id(row: dict) -> str:
    return row["id"]


def stream_bytes(row: dict) -> bytes:
    """The first message of a stream: one source joined the two of a paused turn."""
    raw = "".join(loaded(row)["response"]["sse"])
    head, _, tail = raw.partition("event: message_stop")
    return (head + "event: message_stop" + tail.split("\n\n")[0] + "\n\n").encode() if tail else raw.encode()


ALL = exchanges()
ANSWERED = [row for row in ALL if row["status"] == 200]
WHOLE = [row for row in ANSWERED if not row["stream"]]
STREAMED = [row for row in ANSWERED if row["stream"]]
REFUSED = [row for row in ALL if row["status"] != 200]
ASKED = [row for row in ALL if isinstance((loaded(row).get("request") or {}).get("body"), dict)]


@pytest.mark.skipif(not ALL, reason="RECORDINGS ABSENT")
def test_enough_exchanges_ran():
    assert len(ALL) >= EXCHANGES_MIN
    assert (len(WHOLE) >= 39, len(STREAMED) >= 28, len(REFUSED) >= 10) == (True, True, True)


def ours(answer: ChatResponse) -> dict:
    choice, usage = answer.choices[0], answer.usage
    return {
        "text": [part.text for part in choice.parts if isinstance(part, Text)],
        "thinking": [
            (part.text, [seal.value for seal in part.seals])
            for part in choice.parts
            if isinstance(part, Thinking)
        ],
        "calls": [
            (part.call_id, part.name, json.loads(part.input))
            for part in choice.parts
            if isinstance(part, ToolCall)
        ],
        "hosted": sorted(
            (part.call_id, part.result is not None) for part in choice.parts if isinstance(part, Hosted)
        ),
        "finish": finish_members(choice.finish, REQUEST)["stop_reason"],
        "usage": usage and (usage.input_tokens, usage.output_tokens, usage.cache_read_tokens),
    }


def of_sdk(message: BetaMessage) -> dict:
    """The SDK's message in the form of `ours`."""
    raw = message.to_dict()
    blocks = raw["content"]
    calls = [(b["id"], b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"]
    results = {b["tool_use_id"] for b in blocks if b["type"].endswith("_tool_result")}
    uses = {b["id"] for b in blocks if b["type"] in ("server_tool_use", "mcp_tool_use")}
    reason = raw["stop_reason"]
    if reason == "end_turn" and calls:
        reason = "tool_use"  # a call that waits for its answer, whatever the word
    usage = raw["usage"]
    parts = [
        usage.get(key) or 0
        for key in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    ]
    return {
        "text": [b["text"] for b in blocks if b["type"] == "text" and b["text"]],
        "thinking": [
            (b.get("thinking", ""), [b.get("signature") or b.get("data")])
            for b in blocks
            if b["type"] in ("thinking", "redacted_thinking")
        ],
        "calls": calls,
        "hosted": sorted((call_id, call_id in results) for call_id in uses | results),
        "finish": reason,
        "usage": (sum(parts), usage["output_tokens"], usage.get("cache_read_input_tokens")),
    }


def sdk_reads(raw: bytes) -> BetaMessage:
    """The SDK's own accumulator over the frames of a stream."""
    snapshot, buffers = None, {}
    payloads = [json.loads(line[5:]) for line in raw.decode().splitlines() if line.startswith("data:")]
    for payload in payloads:
        if payload["type"] != "ping":
            event = construct_type(type_=BetaRawMessageStreamEvent, value=payload)
            snapshot = accumulate_event(
                event=event, current_snapshot=snapshot, json_bufs=buffers, request_headers=NO_HEADERS
            )
    assert snapshot is not None
    return snapshot


@pytest.mark.parametrize("row", WHOLE, ids=by_id)
def test_a_recorded_reply_reads_as_the_sdk_reads_it(row):
    body = loaded(row)["response"]["body"]
    answer = ANTHROPIC.decode_response(json.dumps(body).encode(), sent())
    assert ours(answer) == of_sdk(construct_type(type_=BetaMessage, value=body))


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_reads_as_the_sdk_reads_it(row):
    raw = stream_bytes(row)
    assert ours(fold(events_of([raw]))) == of_sdk(sdk_reads(raw))


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_in_slices_gives_the_same_events(row):
    raw = stream_bytes(row)
    whole = events_of([raw])
    if len(raw) <= BYTE_BY_BYTE_MAX:
        assert events_of([raw[place : place + 1] for place in range(len(raw))]) == whole
    assert events_of(frame + b"\n\n" for frame in raw.split(b"\n\n")[:-1]) == whole
    dice = random.Random(row["id"])
    cuts = sorted({0, len(raw), *(dice.randrange(len(raw)) for _ in range(20))})
    assert events_of(raw[start:end] for start, end in pairwise(cuts)) == whole


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_cut_at_any_frame_is_never_a_success(row):
    frames = stream_bytes(row).split(b"\n\n")[:-1]
    finish = next(place for place, frame in enumerate(frames) if frame.startswith(b"event: message_delta"))
    for place in range(0, finish + 1, max(1, finish // 40)):
        events = events_of(frame + b"\n\n" for frame in frames[:place])
        assert isinstance(events[-1], Failed)
    assert isinstance(events_of(frame + b"\n\n" for frame in frames[: finish + 1])[-1], Ended)


def answer_of(row: dict) -> ChatResponse:
    if row["stream"]:
        return fold(events_of([stream_bytes(row)]))
    return ANTHROPIC.decode_response(json.dumps(loaded(row)["response"]["body"]).encode(), sent())


@pytest.mark.parametrize("row", ANSWERED, ids=by_id)
def test_what_we_write_of_a_recorded_answer_reads_the_same(row):
    """Decode, encode for a client of the vendor, read with the SDK: nothing is lost, whole or streamed."""
    answer = answer_of(row)
    body, notes = ANTHROPIC.encode_response(answer, asked())
    assert notes == ()
    expected = ours(answer)
    assert of_sdk(construct_type(type_=BetaMessage, value=json.loads(body))) == expected
    assert of_sdk(sdk_reads(told(unfold(answer)))) == expected


@pytest.mark.parametrize("row", ANSWERED, ids=by_id)
def test_a_recorded_answer_is_the_same_after_a_second_reading(row):
    answer = answer_of(row)
    body, _ = ANTHROPIC.encode_response(answer, asked())
    again = ANTHROPIC.decode_response(body, sent())
    assert [_spaceless(part) for part in again.choices[0].parts] == [
        _spaceless(part) for part in answer.choices[0].parts
    ]
    assert again.choices[0].finish == answer.choices[0].finish
    assert again.usage == answer.usage
    assert again.extra == answer.extra


def _spaceless(part):
    """A stream has its arguments as the model wrote them, a whole answer as an object."""
    return (
        changed(part, input=json.dumps(json.loads(part.input or "{}")))
        if isinstance(part, ToolCall | Hosted)
        else part
    )


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_passes_through_unchanged_and_is_metered(row):
    raw = stream_bytes(row)
    meter = ANTHROPIC.meter(Head(model="m", stream=True), BUDGET)
    passed = b"".join(meter.feed(frame + b"\n\n") for frame in raw.split(b"\n\n")[:-1])
    assert b"message_stop" not in passed
    assert passed + meter.close() == raw
    facts, ending = meter.facts(), events_of([raw])[-1]
    assert isinstance(ending, Ended)
    assert facts.finished
    assert facts.usage == ending.usage
    spoken = "".join(part.text for part in answer_of(row).choices[0].parts if isinstance(part, Text))
    assert len(facts.text) >= len(spoken)


@pytest.mark.parametrize("row", WHOLE, ids=by_id)
def test_the_facts_of_a_recorded_reply_are_those_of_the_decoded_one(row):
    body = json.dumps(loaded(row)["response"]["body"]).encode()
    facts, answer = ANTHROPIC.read_facts(body), ANTHROPIC.decode_response(body, sent())
    assert (facts.finished, facts.usage) == (True, answer.usage)
    assert facts.empty == (not answer.choices[0].parts)


@pytest.mark.parametrize("row", REFUSED, ids=by_id)
def test_a_recorded_error_keeps_its_status_and_message(row):
    response = loaded(row)["response"]
    headers = tuple((name.encode(), value.encode()) for name, value in response["headers"].items())
    failure = ANTHROPIC.decode_error(row["status"], headers, json.dumps(response["body"]).encode())
    assert (failure.upstream, failure.status) == (True, row["status"])
    assert failure.message == response["body"]["error"]["message"]
    reply = ANTHROPIC.encode_error(failure, "req_ours")
    assert reply.status == row["status"]
    assert json.loads(reply.body)["error"] == response["body"]["error"]


def wire(row: dict) -> WireRequest:
    request = loaded(row)["request"]
    body = {
        "model": "vertex",
        **request["body"],
    }  # Vertex names the model in its path, and a version of its own
    body.pop("anthropic_version", None)
    headers = tuple((name.lower().encode(), value.encode()) for name, value in request["headers"].items())
    return WireRequest(method="POST", path="/v1/messages", headers=headers, body=json.dumps(body).encode())


READ = [row for row in ASKED if not any(word in row["id"] for word in REFUSED_BY_THE_VENDOR)]


@pytest.mark.parametrize("row", READ, ids=by_id)
def test_a_recorded_request_is_read_and_written_without_loss(row):
    request = ANTHROPIC.decode_request(wire(row), BOX)
    body = json.loads(wire(row).body)
    caps = changed(
        BUDGET if body.get("thinking", {}).get("type") == "enabled" else ADAPTIVE,
        forced_tools_with_thinking=True,
    )
    call = ANTHROPIC.encode_request(request, body["model"], caps)
    assert request.notes == ()
    assert call.notes == ()
    assert ANTHROPIC.read_head(wire(row)).features == features_of(request)
    again = ANTHROPIC.decode_request(changed(wire(row), body=call.body), BOX)
    assert again == request
    assert json.loads(call.body).keys() == {
        key for key, value in body.items() if value is not None and value is not False and value != []
    }
