"""Real replies of fourteen vendors: what we decode is what OpenAI's own SDK reads from the same bytes.

Text, tool calls, finish and usage must be equal without exception. The one translation made here is for Mistral, whose
content is a list of parts that the SDK's types have no word for.
"""

import json
import random
from itertools import pairwise
from pathlib import Path

import pytest
from openai._models import construct_type
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.contract import Head
from allgate.dialects.openai_chat import OPENAI_CHAT
from allgate.dialects.openai_chat.finish import finish_of, finish_word, has_refusal
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.events import Ended, Failed
from allgate.operations.chat.features import features_of
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.parts import Text, ToolCall
from allgate.operations.chat.response import ChatResponse
from allgate.wire.message import WireRequest
from dialects.openai_chat.exchange import BOX, REQUEST, asked, events_of, sent, told

EVERYTHING = changed(
    CAPS_DEFAULT,
    custom_tools=True,
    hosted=("web_search",),
    web_search_style="options",
    audio_mimes=("audio/wav", "audio/mpeg"),
    modalities_out=("text", "image", "audio"),
    document_url=True,
    n_max=128,
    reasoning_replay="all",
    video_mimes=("video/mp4",),
    video_url=True,
    vendor_fields=("cache_control", "reasoning_details"),
)
SHARED = Path(__file__).resolve().parents[4] / "shared" / "recordings"


def exchanges() -> list[dict]:
    index = SHARED / "index.json"
    if not index.is_file():
        return []
    rows = json.loads(index.read_text())["files"]
    return [row for row in rows if row["endpoint"] == "chat_completions"]


ALL = exchanges()
ANSWERED = [row for row in ALL if row["status"] == 200]
REFUSED = [row for row in ALL if row["status"] != 200]


def loaded(row: dict) -> dict:
    found = json.loads((SHARED / row["file"]).read_text())
    if events := found["response"].get("events"):  # response-only fixtures have payloads without framing
        found["response"]["sse"] = [f"data: {json.dumps(event)}\n\n" for event in events]
    return found


ASKED = [row for row in ALL if loaded(row)["request"] is not None]
"""Some are fixtures of which only the reply was kept."""


def by_id(row: dict) -> str:
    return row["id"]


def stream_bytes(response: dict) -> bytes:
    return "".join(response["sse"]).encode()


def said(content) -> str:
    """Text of a content, also of Mistral's lists."""
    if isinstance(content, list):
        return "".join(
            part.get("text") or "" for part in content if isinstance(part, dict) and part["type"] == "text"
        )
    return content or ""


def ours(answer: ChatResponse) -> dict:
    return {
        "choices": {
            choice.index: {
                "text": "".join(part.text for part in choice.parts if isinstance(part, Text)),
                "calls": [(part.name, part.input) for part in choice.parts if isinstance(part, ToolCall)],
                "finish": finish_word(choice.finish, refused=has_refusal(choice.parts), legacy=False),
            }
            for choice in answer.choices
        },
        "input": answer.usage and answer.usage.input_tokens,
        "output": answer.usage and answer.usage.output_tokens,
    }


def choice_of_sdk(contents: list, calls: list[tuple[str, str]], native: str) -> dict:
    """One choice as the SDK's values say it, in the form of `ours`; `stop` with calls means tool_calls."""
    finish = finish_word(finish_of(native, called=bool(calls)), refused=False, legacy=False)
    return {"text": "".join(map(said, contents)), "calls": calls, "finish": finish}


def counts_of_sdk(usage) -> dict:
    """The SDK's totals; xAI counts reasoning beside the completion, and its total says so."""
    if not usage:
        return {"input": None, "output": None}
    output = usage.completion_tokens
    beside = usage.completion_tokens_details and usage.completion_tokens_details.reasoning_tokens
    if beside and usage.total_tokens == usage.prompt_tokens + output + beside:
        output += beside
    return {"input": usage.prompt_tokens, "output": output}


def sdk_reads_whole(body: dict) -> dict:
    answer = construct_type(type_=ChatCompletion, value=body)
    choices = {}
    for choice in answer.choices:
        message = choice.message
        calls = [
            (call.custom.name, call.custom.input)
            if call.type == "custom"
            else (call.function.name, call.function.arguments)
            for call in message.tool_calls or ()
        ]
        if message.function_call:
            calls.append((message.function_call.name, message.function_call.arguments))
        choices[choice.index] = choice_of_sdk([message.content], calls, choice.finish_reason or "")
    return {"choices": choices, **counts_of_sdk(answer.usage)}


def sdk_reads_stream(payloads: list[str]) -> dict:
    contents, natives, usage, calls = {}, {}, None, {}
    for payload in payloads:
        chunk = construct_type(type_=ChatCompletionChunk, value=json.loads(payload))
        usage = chunk.usage or usage
        for choice in chunk.choices or ():
            natives[choice.index] = choice.finish_reason or natives.get(choice.index, "")
            contents.setdefault(choice.index, []).append(choice.delta.content if choice.delta else None)
            for piece in (choice.delta.tool_calls if choice.delta else None) or ():
                call = calls.setdefault(choice.index, {}).setdefault(piece.index, ["", ""])
                custom = (piece.model_extra or {}).get("custom") or {}
                call[0] += (piece.function.name if piece.function else custom.get("name")) or ""
                call[1] += (piece.function.arguments if piece.function else custom.get("input")) or ""
    choices = {
        index: choice_of_sdk(
            contents[index], [tuple(call) for call in calls.get(index, {}).values()], natives[index]
        )
        for index in natives
    }
    return {"choices": choices, **counts_of_sdk(usage)}


def payloads_of(raw: bytes) -> list[str]:
    lines = raw.decode().replace("\r\n", "\n").split("\n")
    return [line[5:].strip() for line in lines if line.startswith("data:") and "[DONE]" not in line]


WHOLE = [row for row in ANSWERED if not row["stream"]]
STREAMED = [row for row in ANSWERED if row["stream"]]


@pytest.mark.parametrize("row", WHOLE, ids=by_id)
def test_a_recorded_reply_reads_as_the_sdk_reads_it(row):
    body = loaded(row)["response"]["body"]
    if "error" in body:  # Azure answers a filtered prompt with status 200
        with pytest.raises(WireError) as caught:
            OPENAI_CHAT.decode_response(json.dumps(body).encode(), sent())
        assert caught.value.failure.message == body["error"]["message"]
        return
    answer = OPENAI_CHAT.decode_response(json.dumps(body).encode(), sent())
    assert ours(answer) == sdk_reads_whole(body)


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_reads_as_the_sdk_reads_it(row):
    raw = stream_bytes(loaded(row)["response"])
    events = events_of([raw])
    payloads = payloads_of(raw)
    failed = [json.loads(payload)["error"] for payload in payloads if '"error":{' in payload.replace(" ", "")]
    if failed:
        assert isinstance(events[-1], Failed)
        assert events[-1].failure.message == failed[0]["message"]
        return
    assert ours(fold(events)) == sdk_reads_stream(payloads)


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_in_slices_gives_the_same_events(row):
    raw = stream_bytes(loaded(row)["response"])
    whole = events_of([raw])
    assert events_of([raw[place : place + 1] for place in range(len(raw))]) == whole
    dice = random.Random(row["id"])
    cuts = sorted({0, len(raw), *(dice.randrange(len(raw)) for _ in range(20))})
    assert events_of([raw[start:end] for start, end in pairwise(cuts)]) == whole


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_cut_at_any_frame_is_never_a_success(row):
    """Before the finish was seen; behind it a missing `[DONE]` is a clean end."""
    blocks = loaded(row)["response"]["sse"]
    for place in range(len(blocks)):
        events = events_of(block.encode() for block in blocks[:place])
        finished = any('"finish_reason"' in block and not _is_open(block) for block in blocks[:place])
        assert isinstance(events[-1], Ended) <= finished


def _is_open(block: str) -> bool:
    """True where every choice of this frame goes on."""
    data = block.partition("data:")[2].strip()
    if not data.startswith("{"):
        return True
    return not any(choice.get("finish_reason") for choice in json.loads(data).get("choices") or ())


@pytest.mark.parametrize("row", ANSWERED, ids=by_id)
def test_what_we_write_of_a_recorded_answer_reads_the_same(row):
    """decode, encode for a chat client, and read with the SDK: nothing of text, calls, finish or usage is lost."""
    exchange = loaded(row)
    request = changed(REQUEST, stream_usage=True)
    try:
        answer = fold(events_of([stream_bytes(exchange["response"])])) if row["stream"] else _whole(exchange)
    except WireError:
        pytest.skip("this answer is an error, which the tests above read")
    body, _ = OPENAI_CHAT.encode_response(answer, asked(request))
    expected = ours(answer)
    for choice in expected["choices"].values():
        choice["calls"] = [(name, arguments or "{}") for name, arguments in choice["calls"]]
    assert sdk_reads_whole(json.loads(body)) == expected
    written = told(unfold(answer), request)
    assert sdk_reads_stream(payloads_of(written)) == expected
    state = ChatCompletionStreamState()
    for payload in payloads_of(written):
        state.handle_chunk(construct_type(type_=ChatCompletionChunk, value=json.loads(payload)))
    assert sdk_reads_whole(state.current_completion_snapshot.to_dict()) == expected


def _whole(exchange: dict) -> ChatResponse:
    return OPENAI_CHAT.decode_response(json.dumps(exchange["response"]["body"]).encode(), sent())


@pytest.mark.parametrize("row", STREAMED, ids=by_id)
def test_a_recorded_stream_passes_through_unchanged_and_is_metered(row):
    raw = stream_bytes(loaded(row)["response"])
    meter = OPENAI_CHAT.meter(Head(model="m", stream=True, stream_usage=True), CAPS_DEFAULT)
    passed = meter.feed(raw)
    ending = meter.close()
    facts = meter.facts()
    answer = events_of([raw])[-1]
    if isinstance(answer, Failed):
        assert facts.failure is not None
        return
    assert facts.finished
    assert facts.usage == answer.usage
    assert (passed + ending).replace(b"data: [DONE]\n\n", b"") == raw.replace(b"data: [DONE]\n\n", b"")


@pytest.mark.parametrize("row", REFUSED, ids=by_id)
def test_a_recorded_error_keeps_its_status_and_message(row):
    response = loaded(row)["response"]
    body = response.get("body", response.get("text"))
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = tuple((name.encode(), value.encode()) for name, value in response["headers"].items())
    failure = OPENAI_CHAT.decode_error(row["status"], headers, raw)
    assert failure.upstream
    assert failure.status == row["status"]
    message = body.get("error", body) if isinstance(body, dict) else {}
    message = message.get("message") if isinstance(message, dict) else message
    if isinstance(message, str):
        assert failure.message == message


@pytest.mark.parametrize("row", ASKED, ids=by_id)
def test_a_recorded_request_is_understood_and_can_be_sent_on(row):
    exchange = loaded(row)
    raw = json.dumps(exchange["request"]["body"]).encode()
    wire = WireRequest(method="POST", path="/v1/chat/completions", body=raw)
    head = OPENAI_CHAT.read_head(wire)
    request = OPENAI_CHAT.decode_request(wire, BOX)
    assert head.model == request.model == exchange["request"]["body"]["model"]
    assert head.features == features_of(request)
    call = OPENAI_CHAT.encode_request(request, "up", EVERYTHING)
    again = OPENAI_CHAT.decode_request(changed(wire, body=call.body), BOX)
    assert again.turns == request.turns
    assert again.system == request.system


def test_all_recordings_ran():
    """So that a moved folder or a changed index cannot make these tests empty."""
    if not SHARED.is_dir():
        pytest.skip(f"RECORDINGS ABSENT: {SHARED} is no folder")
    assert (len(WHOLE), len(STREAMED), len(REFUSED)) == (65, 55, 17)
