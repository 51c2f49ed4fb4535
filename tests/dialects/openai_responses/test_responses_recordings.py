"""Real replies of seven vendors: what we decode is what OpenAI's own SDK reads from the same bytes, and what we write of
it is read by the SDK as the same again. Text, calls, finish and usage are equal without exception.
"""

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest
from openai._models import construct_type
from openai.types.responses import Response, ResponseStreamEvent

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.openai_responses import OPENAI_RESPONSES
from allgate.dialects.seals import is_envelope
from allgate.operations.chat.events import Ended, Failed
from allgate.operations.chat.features import features_of
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.parts import Media, Refusal, Text, Thinking, ToolCall
from allgate.operations.chat.response import ChatResponse
from allgate.wire.message import WireRequest
from dialects.openai_responses.exchange import (
    BOX,
    FOREIGN,
    REQUEST,
    VENDOR,
    asked,
    call,
    events_of,
    sent,
    told,
)
from dialects.openai_responses.same_body import differences

SHARED = Path(__file__).resolve().parents[4] / "shared" / "recordings"


def rows() -> list[dict]:
    index = SHARED / "index.json"
    if not index.is_file():
        return []
    return [row for row in json.loads(index.read_text())["files"] if row["endpoint"] == "responses"]


def exchange(row: dict) -> dict:
    return json.loads((SHARED / row["file"]).read_text())


def stream_of(reply: dict) -> bytes | None:
    if "sse" in reply:
        return "".join(reply["sse"]).encode()
    if "events" in reply:
        return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in reply["events"])
    return None


ALL = rows()
ANSWERED = [row for row in ALL if row["status"] == 200]
REFUSED = [row for row in ALL if row["status"] != 200]
FAILS_IN_BAND = "ro-openai-responses-openai-error"
BACKGROUND = "background-mode"
SHORTENED = "openai-shell-container"  # its source cut the deltas, so that they differ from the text that is told whole
needs_recordings = pytest.mark.skipif(not ALL, reason=f"RECORDINGS ABSENT: {SHARED}")

# Which server wants its reasoning text back, and which item ids are its own.
REPLAYING = changed(VENDOR, reasoning_replay="all")


def sdk_response(reply: dict) -> Response:
    """What the SDK makes of the reply: of a stream, the items that were done (a terminal event seals reasoning anew)."""
    stream = stream_of(reply)
    if stream is None:
        return construct_type(type_=Response, value=reply["body"])
    done, last = {}, None
    for block in stream.decode().replace("\r\n", "\n").split("\n\n"):
        data = "".join(line[5:].strip() for line in block.split("\n") if line.startswith("data:"))
        if not data or data == "[DONE]":
            continue
        event = construct_type(type_=ResponseStreamEvent, value=json.loads(data))
        if event.type == "response.output_item.done":
            done[event.output_index] = event.item
        if event.type in ("response.completed", "response.incomplete"):
            last = event.response
    rest = {index: item for index, item in enumerate(last.output) if index not in done}
    last.output = [item for _, item in sorted((done | rest).items())]
    return last


def said_by_sdk(response: Response) -> dict:
    """Text, calls, pictures, finish and usage as the SDK has them."""
    contents = [part for item in response.output if item.type == "message" for part in item.content]
    calls = [item for item in response.output if item.type in ("function_call", "custom_tool_call")]
    reasoning = [item for item in response.output if item.type == "reasoning"]
    usage = response.usage
    return {
        "text": [part.text for part in contents if part.type == "output_text"],
        "refusals": [part.refusal for part in contents if part.type == "refusal"],
        "citations": [len(part.annotations or []) for part in contents if part.type == "output_text"],
        "calls": [(c.name, c.call_id, c.arguments if c.type == "function_call" else c.input) for c in calls],
        "summaries": [[part.text for part in item.summary or []] for item in reasoning if item.summary],
        "words": ["".join(part.text for part in item.content) for item in reasoning if item.content],
        "seals": [
            item.encrypted_content
            for item in reasoning
            if item.encrypted_content and not is_envelope(item.encrypted_content)  # our mark seals nothing
        ],
        "pictures": [item.result for item in response.output if item.type == "image_generation_call"],
        "end": (response.status, response.incomplete_details and response.incomplete_details.reason),
        "tokens": usage and (usage.input_tokens, usage.output_tokens, usage.total_tokens),
        "details": usage
        and (usage.input_tokens_details.cached_tokens, usage.output_tokens_details.reasoning_tokens),
    }


def said_by_us(found: ChatResponse) -> dict:
    (choice,) = found.choices
    parts, usage = choice.parts, found.usage
    calls = [part for part in parts if isinstance(part, ToolCall) and part.builtin is None]
    thoughts = [part for part in parts if isinstance(part, Thinking)]
    ends = {"length": ("incomplete", "max_output_tokens"), "content_filter": ("incomplete", "content_filter")}
    ends |= {"other": (choice.finish.native, None)}
    return {
        "text": [part.text for part in parts if isinstance(part, Text)],
        "refusals": [part.text for part in parts if isinstance(part, Refusal)],
        "citations": [len(part.annotations) for part in parts if isinstance(part, Text)],
        "calls": [(part.name, part.call_id, part.input) for part in calls],
        "summaries": [list(part.segments) for part in thoughts if part.form == "summary"],
        "words": [part.text for part in thoughts if part.form == "raw"],
        "seals": [part.seals[0].value for part in thoughts if part.seals],
        "pictures": [part.source.base64 for part in parts if isinstance(part, Media)],
        "end": ends.get(choice.finish.reason, ("completed", None)),
        "tokens": usage and (usage.input_tokens, usage.output_tokens, usage.total_tokens),
        "details": usage and (usage.cache_read_tokens, usage.reasoning_tokens),
    }


def decoded_reply(reply: dict) -> ChatResponse:
    stream = stream_of(reply)
    if stream is not None:
        return fold(events_of([stream]))
    return OPENAI_RESPONSES.decode_response(json.dumps(reply["body"]).encode(), sent())


@needs_recordings
def test_every_answer_is_what_the_sdk_reads():
    unary = streams = 0
    for row in ANSWERED:
        if FAILS_IN_BAND in row["file"] or SHORTENED in row["file"]:
            continue
        reply = exchange(row)["response"]
        assert said_by_us(decoded_reply(reply)) == said_by_sdk(sdk_response(reply)), row["file"]
        streams += stream_of(reply) is not None
        unary += stream_of(reply) is None
    assert (unary, streams) == (57, 37)


@needs_recordings
def test_every_answer_that_we_write_is_what_the_sdk_reads():
    """Same dialect on both sides, whole and streamed: nothing of text, calls, seals, pictures or citations is lost."""
    ran = 0
    for row in ANSWERED:
        reply = exchange(row)["response"]
        if any(word in row["file"] for word in (FAILS_IN_BAND, BACKGROUND, SHORTENED)):
            continue
        found = decoded_reply(reply)
        body, notes = OPENAI_RESPONSES.encode_response(found, asked())
        assert not notes
        wanted = said_by_sdk(sdk_response(reply))
        streamed = {"sse": [told(unfold(found)).decode()]}
        for written in ({"body": json.loads(body)}, streamed):
            said = said_by_sdk(sdk_response(written))
            assert said == wanted | {"details": tuple(n or 0 for n in wanted["details"] or (0, 0))}, row[
                "file"
            ]
        ran += 1
    assert ran == 91


@needs_recordings
def test_hosted_items_of_the_vendor_are_written_back_as_they_were():
    ran = 0
    for row in ANSWERED:
        reply = exchange(row)["response"]
        output = (reply.get("body") or {}).get("output") or []
        hosted = [item for item in output if item["type"] not in ("message", "reasoning", "function_call", "custom_tool_call", "image_generation_call")]  # fmt: skip
        if hosted:
            body, _ = OPENAI_RESPONSES.encode_response(decoded_reply(reply), asked())
            back = json.loads(body)["output"]
            assert [item for item in back if item["type"] in {one["type"] for one in hosted}] == hosted, row[
                "file"
            ]
            ran += len(hosted)
    assert ran == 17


@needs_recordings
def test_any_slicing_of_every_stream_gives_the_same_events():
    dice, ran = random.Random(7), 0
    for row in ANSWERED:
        stream = stream_of(exchange(row)["response"])
        if stream is None:
            continue
        whole = events_of([stream])
        cuts = sorted(dice.sample(range(len(stream)), 20))
        assert events_of([stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])]) == whole, row["file"]
        blocks = [block + b"\n\n" for block in stream.split(b"\n\n") if block]
        assert events_of(blocks) == whole, row["file"]
        ran += 1
    assert ran == 39


@needs_recordings
def test_no_stream_that_is_cut_is_a_success():
    for row in ANSWERED:
        stream = stream_of(exchange(row)["response"])
        if stream is None:
            continue
        end = stream.rfind(b'"response.completed"')
        if end > 0:
            last = events_of([stream[: stream.rfind(b"\n\n", 0, end)]])[-1]
            assert isinstance(last, Failed), row["file"]
            assert isinstance(events_of([stream])[-1], Ended)


@needs_recordings
def test_the_meter_lets_every_stream_through_and_reads_its_usage():
    ran = 0
    for row in ANSWERED:
        reply = exchange(row)["response"]
        stream = stream_of(reply)
        head = OPENAI_RESPONSES.read_head(WireRequest(method="POST", path="/", body=b'{"model":"m"}'))
        if stream is None:
            facts = OPENAI_RESPONSES.read_facts(json.dumps(reply["body"]).encode())
            assert facts.usage == decoded_reply(reply).usage
            assert facts.finished == (reply["body"]["status"] not in ("queued", "in_progress"))
            ran += 1
            continue
        blocks = [block + b"\n\n" for block in stream.split(b"\n\n") if block]
        meter = OPENAI_RESPONSES.meter(head, VENDOR)
        passed = [meter.feed(block) for block in blocks]
        held = meter.close()
        if FAILS_IN_BAND in row["file"]:
            assert meter.failure is not None
            assert not held
            continue
        assert b"".join(passed) + held == b"".join(blocks)
        assert all(one in (b"", block) for one, block in zip(passed, blocks, strict=True))
        assert b'"response.completed"' in held or b'"response.incomplete"' in held
        facts, found = meter.facts(), decoded_reply(reply)
        assert (facts.usage, facts.finished, facts.failure) == (found.usage, True, None)
        assert all(part.text in facts.text for part in found.choices[0].parts if isinstance(part, Text))
        ran += 1
    assert ran == 95


@needs_recordings
def test_every_recorded_request_says_the_same_to_the_vendor():
    ran = 0
    for row in ALL:
        body = (exchange(row)["request"] or {}).get("body")
        if not isinstance(body, dict):
            continue
        wire = WireRequest(method="POST", path="/v1/responses", body=json.dumps(body).encode())
        request = OPENAI_RESPONSES.decode_request(wire, BOX)
        head = OPENAI_RESPONSES.read_head(wire)
        assert (head.model, head.stream, head.output_tokens_max) == (
            request.model, request.stream, request.sampling.max_tokens,
        )  # fmt: skip
        assert (
            features_of(changed(request, tools=tuple(t for t in request.tools if not t.extra)))
            <= head.features
        )
        assert head.features <= features_of(request) | {"document_input", "tools"}
        made = call(request, REPLAYING)
        assert not made.notes, row["file"]
        lost = differences({**body, "model": "up"}, json.loads(made.body))
        if row["provider"] == "deepseek":  # its ids are of no form that the vendor takes
            lost = [path for path in lost if not path.endswith(".id: only before")]
        assert lost == [], row["file"]
        ran += 1
    assert ran == 96


@needs_recordings
def test_every_refusal_is_decoded():
    kinds = []
    for row in REFUSED:
        reply = exchange(row)["response"]
        failure = OPENAI_RESPONSES.decode_error(reply["status"], (), json.dumps(reply["body"]).encode())
        assert failure.upstream
        assert failure.status == reply["status"]
        assert len(failure.message) > 10
        kinds.append(failure.kind.value)
    assert sorted(kinds) == ["auth", "auth", "auth", "bad_request", "not_found", "not_found"]


@needs_recordings
def test_a_failure_in_band_is_a_failure():
    (row,) = [row for row in ANSWERED if FAILS_IN_BAND in row["file"]]
    stream = stream_of(exchange(row)["response"])
    last = events_of([stream])[-1]
    assert isinstance(last, Failed)
    assert last.failure.kind.value == "billing"
    with pytest.raises(WireError):
        fold(events_of([stream]))


@needs_recordings
def test_answers_read_the_same_for_a_client_of_another_dialect():
    """What only this dialect understands is not in the way: no bookkeeping of ours leaves in `extra`."""
    for row in ANSWERED:
        reply = exchange(row)["response"]
        if stream_of(reply) is None and BACKGROUND not in row["file"]:
            found = OPENAI_RESPONSES.decode_response(json.dumps(reply["body"]).encode(), sent(FOREIGN))
            assert found.extra == {}
            assert said_by_us(found) == said_by_us(decoded_reply(reply))
            assert REQUEST.dialect != FOREIGN.dialect
