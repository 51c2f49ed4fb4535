"""Legacy text completions on the same readers (requirement A6), read by the vendor's SDK."""

import json
from itertools import pairwise

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.core.usage import Usage
from allgate.core.value import changed
from allgate.dialects.contract import Asked, Head, Sent
from allgate.dialects.openai_completions import OPENAI_COMPLETIONS
from allgate.operations.chat.caps import CAPS_DEFAULT
from allgate.operations.chat.events import Delta, Failed, Opened, Start, Tick
from allgate.operations.chat.fold import fold, unfold
from allgate.operations.chat.parts import Refusal, Text, Thinking, ToolCall
from allgate.operations.chat.request import ChatRequest, Sampling, Turn
from allgate.operations.chat.response import ChatResponse, Choice, Finish
from allgate.operations.chat.tools import Function
from allgate.wire.message import WireReply, WireRequest
from dialects.openai_chat.exchange import BOX, DONE
from dialects.openai_chat.test_sdk import client_of, streamed


def posted(**body) -> WireRequest:
    full = {"model": "m", "prompt": "Say this", **body}
    return WireRequest(method="POST", path="/v1/completions", body=json.dumps(full).encode())


def decoded(**body) -> ChatRequest:
    return OPENAI_COMPLETIONS.decode_request(posted(**body), BOX)


def asked(request: ChatRequest) -> Asked:
    return Asked(request=request, response_id="cmpl-1", created_s=7, model="public", seals=BOX)


def sent() -> Sent:
    return Sent(request=decoded(), caps=CAPS_DEFAULT)


ANSWER = ChatResponse(
    id="up",
    model="up",
    usage=Usage(input_tokens=5, output_tokens=2),
    choices=(
        Choice(index=0, parts=(Thinking(text="hm"), Text(text=" is a test")), finish=Finish(reason="stop")),
        Choice(index=1, parts=(Text(text=" too"),), finish=Finish(reason="length")),
    ),
)


def test_every_parameter_finds_its_place():
    request = decoded(
        max_tokens=7, temperature=0, top_p=1, n=2, best_of=2, logprobs=3, stop="x", seed=1, user="u", stream=True,
        presence_penalty=1, frequency_penalty=2, logit_bias={"1": 1}, stream_options={"include_usage": True}, x=1,
    )  # fmt: skip
    assert request == ChatRequest(
        dialect="openai_completions",
        model="m",
        turns=(Turn(role="user", parts=(Text(text="Say this"),)),),
        sampling=Sampling(
            max_tokens=7,
            temperature=0,
            top_p=1,
            n=2,
            logprobs=True,
            top_logprobs=3,
            stop=("x",),
            seed=1,
            presence_penalty=1,
            frequency_penalty=2,
            logit_bias={"1": 1},
        ),
        identity=changed(request.identity, user="u"),
        stream=True,
        stream_usage=True,
        extra={"openai_completions": {"x": 1}},
    )


def test_one_prompt_in_a_list_is_that_prompt():
    assert decoded(prompt=["Say this"]) == decoded()


def test_more_candidates_than_answers_are_noted():
    assert [note.path for note in decoded(best_of=3).notes] == ["best_of"]


@pytest.mark.parametrize(
    ("body", "kind", "param"),
    [
        ({"prompt": ["a", "b"]}, ErrorKind.UNSUPPORTED, "prompt"),
        ({"prompt": [1, 2]}, ErrorKind.BAD_REQUEST, "prompt"),
        ({"prompt": [[1], [2]]}, ErrorKind.BAD_REQUEST, "prompt"),
        ({"prompt": []}, ErrorKind.BAD_REQUEST, "prompt"),
        ({"prompt": None}, ErrorKind.BAD_REQUEST, "prompt"),
        ({"suffix": "end"}, ErrorKind.UNSUPPORTED, "suffix"),
        ({"model": None}, ErrorKind.BAD_REQUEST, "model"),
        ({"max_tokens": "7"}, ErrorKind.BAD_REQUEST, "max_tokens"),
    ],
)
def test_what_no_chat_model_can_do_is_refused(body, kind, param):
    with pytest.raises(WireError) as caught:
        decoded(**body)
    assert (caught.value.failure.kind, caught.value.failure.param) == (kind, param)


@pytest.mark.parametrize(
    ("body", "n"),
    [
        ({}, 1),
        ({"n": 2}, 2),
        ({"n": 2, "best_of": 5}, 5),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [1, 2, 3]}, 1),
    ],
)
def test_the_head_counts_every_answer_that_is_generated(body, n):
    head = OPENAI_COMPLETIONS.read_head(posted(**body))
    assert (head.n, head.model, head.features) == (n, "m", frozenset())


def test_what_an_engine_can_do_goes_through_as_bytes():
    request = posted(prompt=[1, 2], suffix="end", stream=True)
    head = OPENAI_COMPLETIONS.read_head(request)
    call = OPENAI_COMPLETIONS.passthrough(request, head, "up", CAPS_DEFAULT)
    assert call.path == "/completions"
    body = json.loads(call.body)
    assert (body["model"], body["prompt"], body["suffix"]) == ("up", [1, 2], "end")
    assert body["stream_options"] == {"include_usage": True}


def test_a_text_is_sent_to_an_engine_and_read_back():
    request = decoded(max_tokens=7, logprobs=3, stop=["x"], stream=True, x=1, echo=True)
    call = OPENAI_COMPLETIONS.encode_request(request, "m", CAPS_DEFAULT)
    assert json.loads(call.body) == {
        "x": 1, "model": "m", "prompt": "Say this", "max_tokens": 7, "stop": ["x"], "logprobs": 3, "stream": True,
        "stream_options": {"include_usage": True},
    }  # fmt: skip


def test_an_engine_takes_no_conversation_and_no_tools():
    talk = changed(decoded(), turns=decoded().turns * 2)
    for request in (talk, changed(decoded(), tools=(Function(name="f"),))):
        with pytest.raises(WireError):
            OPENAI_COMPLETIONS.encode_request(request, "m", CAPS_DEFAULT)


def test_the_sdk_reads_a_whole_answer():
    body, notes = OPENAI_COMPLETIONS.encode_response(ANSWER, asked(decoded()))
    with client_of(
        WireReply(status=200, headers=((b"content-type", b"application/json"),), body=body)
    ) as client:
        answer = client.completions.create(model="m", prompt="Say this")
    assert (answer.object, answer.id, answer.model) == ("text_completion", "cmpl-1", "public")
    assert [(c.index, c.text, c.finish_reason) for c in answer.choices] == [
        (0, " is a test", "stop"),
        (1, " too", "length"),
    ]
    assert answer.usage.total_tokens == 7
    assert [note.path for note in notes] == ["thinking"]


@pytest.mark.parametrize("echo", [False, True])
def test_the_sdk_reads_the_stream(echo):
    request = decoded(stream=True, stream_options={"include_usage": True}, echo=echo)
    encoder = OPENAI_COMPLETIONS.stream_encoder(asked(request))
    body = b"".join(map(encoder.emit, (*unfold(ANSWER)[:-1], Tick(), unfold(ANSWER)[-1])))
    assert body.endswith(DONE)
    with (
        client_of(streamed(body)) as client,
        client.completions.create(model="m", prompt="p", stream=True) as stream,
    ):
        chunks = list(stream)
    assert {chunk.object for chunk in chunks} == {"text_completion"}
    front = "Say this" if echo else ""
    for index, text, finish in ((0, " is a test", "stop"), (1, " too", "length")):
        own = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
        assert "".join(choice.text for choice in own) == front + text
        assert [choice.finish_reason for choice in own] == [None] * (len(own) - 1) + [finish]
    assert chunks[-1].usage.completion_tokens == 2


def test_a_failure_in_mid_stream_raises():
    encoder = OPENAI_COMPLETIONS.stream_encoder(asked(decoded()))
    failure = Failure(kind=ErrorKind.OVERLOADED, message="busy")
    events = (
        Start(id="r", model="m"),
        Opened(index=0, part=Text(text="")),
        Delta(index=0, channel="text", text="a"),
    )
    body = b"".join(map(encoder.emit, (*events, Failed(failure=failure))))
    with (
        client_of(streamed(body)) as client,
        client.completions.create(model="m", prompt="p", stream=True) as stream,
        pytest.raises(openai.APIError, match="busy"),
    ):
        list(stream)


def test_a_refusal_is_text_and_a_call_is_a_stop_here():
    choice = Choice(
        index=0,
        parts=(Refusal(text="no"), ToolCall(call_id="c", name="f")),
        finish=Finish(reason="tool_calls"),
    )
    body, notes = OPENAI_COMPLETIONS.encode_response(changed(ANSWER, choices=(choice,)), asked(decoded()))
    found = json.loads(body)["choices"][0]
    assert (found["text"], found["finish_reason"]) == ("no", "stop")
    assert [note.path for note in notes] == ["toolcall"]


LOGPROBS = {
    "tokens": ["a", "bc"],
    "token_logprobs": [-0.1, -0.2],
    "top_logprobs": [{"a": -0.1, "x": -3}, {"bc": -0.2}],
    "text_offset": [0, 1],
}


def reply(**choice) -> bytes:
    full = {"index": 0, "text": "abc", "logprobs": None, "finish_reason": "stop", **choice}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    body = {
        "id": "cmpl-up",
        "object": "text_completion",
        "created": 7,
        "model": "up",
        "choices": [full],
        "usage": usage,
    }
    return json.dumps(body).encode()


def test_log_probabilities_travel_both_ways():
    answer = OPENAI_COMPLETIONS.decode_response(reply(logprobs=LOGPROBS), sent())
    assert [entry["token"] for entry in answer.choices[0].parts[0].logprobs] == ["a", "bc"]
    body, _ = OPENAI_COMPLETIONS.encode_response(answer, asked(decoded(logprobs=2)))
    assert json.loads(body)["choices"][0]["logprobs"] == LOGPROBS
    echoed, _ = OPENAI_COMPLETIONS.encode_response(answer, asked(decoded(echo=True)))
    assert json.loads(echoed)["choices"][0]["logprobs"]["text_offset"] == [8, 9]
    encoder = OPENAI_COMPLETIONS.stream_encoder(asked(decoded(echo=True)))
    frames = b"".join(map(encoder.emit, unfold(answer))).decode().split("\n\n")
    streamed_logprobs = [
        json.loads(frame[6:])["choices"][0]["logprobs"] for frame in frames if "tokens" in frame
    ]
    assert [found["text_offset"] for found in streamed_logprobs] == [[8, 9]]


STREAM = b"".join(
    b"data: " + reply(text=text, finish_reason=finish) + b"\n\n"
    for text, finish in (("a", None), ("bc", None), ("", "stop"))
)


def test_an_engine_s_reply_is_read_whole_and_streamed():
    whole = OPENAI_COMPLETIONS.decode_response(reply(), sent())
    decoder = OPENAI_COMPLETIONS.stream_decoder(sent())
    assert fold([*decoder.feed(STREAM + DONE), *decoder.close()]) == whole
    assert whole.choices[0].parts == (Text(text="abc"),)
    assert OPENAI_COMPLETIONS.read_facts(reply()).text == "abc"


@given(st.lists(st.integers(0, len(STREAM)), max_size=8))
def test_an_engine_s_stream_is_metered_in_any_slicing(cuts):
    meter = OPENAI_COMPLETIONS.meter(Head(model="m", stream=True), CAPS_DEFAULT)
    ends = sorted({0, len(STREAM), *cuts})
    passed = b"".join(meter.feed(STREAM[start:end]) for start, end in pairwise(ends))
    assert passed + meter.close() == STREAM + DONE
    facts = meter.facts()
    assert (facts.finished, facts.text, facts.usage) == (True, "abc", Usage(input_tokens=1, output_tokens=2))


def test_the_recorded_reply_is_read(recordings):
    (path,) = recordings.glob("openai/completions/openai-completions-openai-completions-post-*.json")
    exchange = json.loads(path.read_text())
    request = WireRequest(
        method="POST", path="/v1/completions", body=json.dumps(exchange["request"]["body"]).encode()
    )
    assert OPENAI_COMPLETIONS.decode_request(request, BOX).model == "gpt-3.5-turbo-instruct"
    answer = OPENAI_COMPLETIONS.decode_response(json.dumps(exchange["response"]["body"]).encode(), sent())
    assert (answer.choices[0].parts, answer.usage) == ((), Usage(input_tokens=11))
