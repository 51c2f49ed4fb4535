"""Real traffic of Gemini and Vertex: what we decode is what Google's own SDK types read from the same bytes.

Text, tool calls, finish and usage must be equal without exception.
"""

import json
import random
import re
from itertools import pairwise
from pathlib import Path

import pytest
from google.genai import types

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.contract import Head
from allgate.dialects.gemini import (
    GEMINI,
    meter,
    request_decode,
    request_encode,
    response_decode,
    response_encode,
)
from allgate.dialects.gemini.address import address_of
from allgate.dialects.seals import OURS
from allgate.operations.chat.events import Ended
from allgate.operations.chat.features import features_of
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.parts import Media, Text, Thinking, ToolCall
from allgate.operations.chat.response import ChatResponse
from allgate.wire.message import WireRequest
from dialects.gemini.exchange import BOX, CAPS, SHOWING, asked, chunks_in, events_of, sent, told

SHARED = Path(__file__).resolve().parents[4] / "shared" / "recordings"
EVERYTHING = changed(
    CAPS,
    penalties=True,
    modalities_out=("text", "image", "audio", "video"),
    image_url=True,
    document_url=True,
    video_url=True,
    budget_min=0,
    metadata=True,
    prefill=True,
)


def exchanges() -> list[dict]:
    index = SHARED / "index.json"
    rows = json.loads(index.read_text())["files"] if index.is_file() else []
    return [row for row in rows if row["endpoint"] in ("generate_content", "stream_generate_content")]


def loaded(row: dict) -> dict:
    return json.loads((SHARED / row["file"]).read_text())


def by_id(row: dict) -> str:
    return row["id"]


ALL = exchanges()
ANSWERED = [row for row in ALL if row["status"] == 200]
REFUSED = [row for row in ALL if row["status"] != 200]


def replies_in(response: dict) -> list[dict]:
    """The replies of a recording, in whatever form it was kept."""
    if "sse" in response:
        lines = "".join(response["sse"]).replace("\r\n", "\n").split("\n")
        return [json.loads(line[5:]) for line in lines if line.startswith("data:")]
    body = response.get("body", response.get("events"))
    return body if isinstance(body, list) else [body]


def bytes_of(response: dict) -> bytes:
    """A stream as it came; those without framing as the array that they are."""
    if "sse" in response:
        return "".join(response["sse"]).encode()
    return json.dumps(response.get("body", response.get("events"))).encode()


STREAMED = [row for row in ANSWERED if len(replies_in(loaded(row)["response"])) > 1 or row["stream"]]
WHOLE = [row for row in ANSWERED if row not in STREAMED]


def answer_of(row: dict) -> ChatResponse:
    response = loaded(row)["response"]
    if row in STREAMED:
        return fold(events_of([bytes_of(response)]))
    return GEMINI.decode_response(bytes_of(response), sent())


def ours(answer: ChatResponse) -> dict:
    return {
        "choices": {
            choice.index: {
                "text": "".join(part.text for part in choice.parts if isinstance(part, Text)),
                "thoughts": "".join(part.text for part in choice.parts if isinstance(part, Thinking)),
                "calls": [
                    (part.name, json.loads(part.input)) for part in choice.parts if isinstance(part, ToolCall)
                ],
                "media": [part.source.mime for part in choice.parts if isinstance(part, Media)],
                "seals": [seal.value for part in choice.parts for seal in part.seals],
                "finish": choice.finish.native,
            }
            for choice in answer.choices
        },
        "input": answer.usage and answer.usage.input_tokens,
        "output": answer.usage and answer.usage.output_tokens,
        "cached": answer.usage and answer.usage.cache_read_tokens,
    }


def sdk_reads(replies: list[dict]) -> dict:
    """What the SDK's types say of the same replies, put together as a chat session would."""
    choices: dict[int, dict] = {}
    usage = None
    for raw in replies:
        reply = types.GenerateContentResponse._from_response(response=_named(raw), kwargs={})
        usage = reply.usage_metadata or usage
        for place, candidate in enumerate(reply.candidates or ()):
            index = candidate.index if candidate.index is not None else place
            choice = choices.setdefault(
                index, {"text": "", "thoughts": "", "calls": [], "media": [], "seals": [], "finish": None}
            )
            for part, wire in zip(
                candidate.content.parts or () if candidate.content else (), _parts(raw, place), strict=False
            ):
                if part.text:
                    choice["thoughts" if part.thought else "text"] += part.text
                if part.function_call and part.function_call.name:
                    choice["calls"].append((part.function_call.name, part.function_call.args or {}))
                if part.inline_data:
                    choice["media"].append(part.inline_data.mime_type)
                signature = wire.get("thoughtSignature") or wire.get("thought_signature")
                if part.thought_signature and not _is_mark(signature):
                    choice["seals"].append(signature)
            if candidate.finish_reason:
                choice["finish"] = candidate.finish_reason.value
    feedback = next((_named(raw).get("promptFeedback") for raw in replies if "promptFeedback" in raw), None)
    if feedback and not choices:
        choices[0] = {
            "text": "",
            "thoughts": "",
            "calls": [],
            "media": [],
            "seals": [],
            "finish": feedback["blockReason"],
        }
    return {"choices": choices, **_counts(usage)}


def _is_mark(signature: str) -> bool:
    """Ours on a call that nobody signed: it seals nothing."""
    opened = BOX.unwrap(signature)
    return opened is not None and opened.seal.origin == OURS


def _parts(raw: dict, place: int) -> list[dict]:
    return raw["candidates"][place].get("content", {}).get("parts") or []


NUMBERED = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY"}


def _named(raw: dict) -> dict:
    """A reply as the SDK can read it: numbered enums have their names or are left out, redacted signatures are base64."""
    raw = json.loads(json.dumps(raw))
    raw.get("usageMetadata", {}).pop("trafficType", None)
    for candidate in raw.get("candidates", ()):
        candidate.pop("safetyRatings", None)
        if isinstance(candidate.get("finishReason"), int):
            candidate["finishReason"] = NUMBERED[candidate["finishReason"]]
        for part in candidate.get("content", {}).get("parts") or ():
            if "thoughtSignature" in part:
                part["thoughtSignature"] = "c2ln"
    for details in (
        "promptTokensDetails",
        "candidatesTokensDetails",
        "cacheTokensDetails",
        "toolUsePromptTokensDetails",
    ):
        raw.get("usageMetadata", {}).pop(details, None)
    return raw


def _counts(usage) -> dict:
    if (
        usage is None
        or usage.total_token_count is usage.prompt_token_count is usage.candidates_token_count is None
    ):
        return {"input": None, "output": None, "cached": None}
    given = (
        None
        if usage.prompt_token_count is None
        else usage.prompt_token_count + (usage.tool_use_prompt_token_count or 0)
    )
    answer, thoughts = usage.candidates_token_count or 0, usage.thoughts_token_count or 0
    inside = thoughts and given is not None and given + answer == usage.total_token_count
    return {
        "input": given,
        "output": answer if inside else answer + thoughts,
        "cached": usage.cached_content_token_count,
    }


@pytest.mark.parametrize("row", ANSWERED, ids=by_id)
def test_a_recorded_answer_reads_as_the_sdk_reads_it(row):
    expected = sdk_reads(replies_in(loaded(row)["response"]))
    found = ours(answer_of(row))
    if any("partialArgs" in json.dumps(reply) for reply in replies_in(loaded(row)["response"])):
        for choices in (expected["choices"], found["choices"]):
            choices[0]["calls"] = [
                name for name, _ in choices[0]["calls"]
            ]  # the SDK leaves pieces to its caller
    if (found["input"], found["output"]) == (None, 0):
        found["output"] = None
    assert found == expected


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_in_slices_gives_the_same_events(row):
    raw = bytes_of(loaded(row)["response"])
    whole = events_of([raw])
    if len(raw) < 60_000:
        assert events_of([raw[place : place + 1] for place in range(len(raw))]) == whole
    frames = re.findall(rb".*?\r?\n\r?\n", raw, re.DOTALL)
    assert events_of([*frames, raw[sum(map(len, frames)) :]]) == whole
    dice = random.Random(row["id"])
    cuts = sorted({0, len(raw), *(dice.randrange(len(raw)) for _ in range(20))})
    assert events_of([raw[start:end] for start, end in pairwise(cuts)]) == whole


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_cut_before_its_finish_is_no_success(row):
    """At every frame and inside each, for a provider that always says its finish."""
    replies = replies_in(loaded(row)["response"])
    frames = [b"data: " + json.dumps(reply).encode() + b"\r\n\r\n" for reply in replies]
    finishing = next(
        place
        for place, reply in enumerate(replies)
        if any("finishReason" in c for c in reply.get("candidates", ()))
    )
    dice = random.Random(row["id"])
    for place, frame in enumerate([*frames, b""]):
        assert succeeds(frames[:place]) is (place > finishing)
        if place > finishing or not frame:
            continue
        for _ in range(3):
            assert not succeeds([*frames[:place], frame[: dice.randrange(1, len(frame) - 5)]])


def succeeds(pieces: list[bytes]) -> bool:
    """Whether these bytes are taken for a complete answer; half a frame is an error."""
    try:
        return isinstance(events_of(pieces, sent(finish_optional=False))[-1], Ended)
    except WireError:
        return False


@pytest.mark.parametrize("row", ANSWERED, ids=by_id)
def test_what_we_write_of_a_recorded_answer_reads_the_same(row):
    """decode, encode for a Gemini client, whole and streamed, and read with the SDK: nothing is lost."""
    answer = answer_of(row)
    expected = sdk_reads([json.loads(GEMINI.encode_response(answer, asked(SHOWING))[0])])
    streamed = sdk_reads(chunks_in(told(unfold(answer))))
    source = ours(answer)
    for read in (expected, streamed):
        assert read["input"] == source["input"]
        assert read["output"] == source["output"]
        for index, choice in source["choices"].items():
            for member in ("text", "thoughts", "calls", "media", "finish"):
                assert read["choices"][index][member] == choice[member]
            assert len(read["choices"][index]["seals"]) == len(choice["seals"])


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_passes_through_unchanged_and_is_metered(row):
    raw = bytes_of(loaded(row)["response"])
    meter = GEMINI.meter(Head(model="m", stream=True), CAPS)
    passed = b"".join(meter.feed(raw[place : place + 1000]) for place in range(0, len(raw), 1000))
    assert passed + meter.close() == raw
    facts = meter.facts()
    answer = fold(events_of([raw]))
    assert facts.finished
    assert facts.usage == answer.usage
    assert not facts.empty


@pytest.mark.parametrize("row", WHOLE, ids=by_id)
def test_the_facts_of_a_recorded_reply_are_those_of_its_decoding(row):
    facts = GEMINI.read_facts(bytes_of(loaded(row)["response"]))
    answer = answer_of(row)
    assert facts.finished
    assert facts.usage == answer.usage
    assert facts.empty is not any(choice.parts for choice in answer.choices)


@pytest.mark.parametrize("row", ANSWERED, ids=by_id)
def test_a_recorded_reply_or_chunk_reads_the_same_on_the_long_way(row):
    for reply in replies_in(loaded(row)["response"]):
        body = json.dumps(reply).encode()
        answer = GEMINI.decode_response(body, sent())
        assert answer == response_decode.read_pieces(body, sent())
        assert GEMINI.encode_response(answer, asked()) == response_encode.encode_parts(answer, asked())
        assert GEMINI.read_facts(body) == meter.read_members(body)


@pytest.mark.parametrize("row", REFUSED, ids=by_id)
def test_a_recorded_error_keeps_its_status_and_message(row):
    response = loaded(row)["response"]
    body = response.get("body", response.get("text"))
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    failure = GEMINI.decode_error(row["status"], (), raw)
    assert failure.upstream
    assert failure.status == (401 if "API key not valid" in failure.message else row["status"])
    if isinstance(body, dict):
        assert failure.message == body["error"]["message"]
    again = GEMINI.encode_error(failure, "req")
    assert GEMINI.decode_error(again.status, again.headers, again.body).kind is failure.kind


@pytest.mark.parametrize("row", ALL, ids=by_id)
def test_a_recorded_request_is_understood_and_can_be_sent_on(row):
    recorded = loaded(row)["request"]
    if recorded is None:
        pytest.skip("a fixture without its request")
    wire = WireRequest(method="POST", path=recorded["path"], body=json.dumps(recorded["body"]).encode())
    head = GEMINI.read_head(wire)
    request = GEMINI.decode_request(wire, BOX)
    assert request == request_decode.read_members(wire.body, address_of(wire), BOX)
    assert head.features == features_of(request)
    assert head.stream == request.stream
    assert head.model == request.model == recorded["path"].rpartition("/")[2].rpartition(":")[0]
    caps = changed(EVERYTHING, thinking="budget") if "hinkingBudget" in wire.body.decode() else EVERYTHING
    call = GEMINI.encode_request(request, "up", caps)
    assert call == request_encode.encode_members(request, "up", caps)
    again = GEMINI.decode_request(changed(wire, body=call.body), BOX)
    assert again.turns == request.turns
    assert again.system == request.system
    assert again.tools == request.tools


def test_all_recordings_ran():
    """So that a moved folder or a changed index cannot make these tests empty."""
    if not SHARED.is_dir():
        pytest.skip(f"RECORDINGS ABSENT: {SHARED} is no folder")
    assert (len(WHOLE), len(STREAMED), len(REFUSED)) == (55, 22, 7)
