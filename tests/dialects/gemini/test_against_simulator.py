"""What we write is accepted by a vendor as strict as Google, and what it answers is understood.

The simulator shares no code with the dialect: it parses like a proto parser, refuses what Google refuses, and signs its
calls so that a lost or altered signature is noticed.
"""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException

import pytest

from allgate.core.errors import WireError
from allgate.core.value import changed
from allgate.dialects.contract import Head, Sent
from allgate.dialects.gemini import GEMINI
from allgate.dialects.gemini.count import counting, decode_count
from allgate.operations.chat.events import Ended
from allgate.operations.chat.fold import fold
from allgate.operations.chat.parts import FileRef, Inline, Media, Seal, Text, Thinking, ToolCall, ToolResult
from allgate.operations.chat.request import ChatRequest, OutputFormat, Reasoning, Sampling, Turn
from allgate.operations.chat.response import ChatResponse
from allgate.operations.chat.tools import Builtin, Custom, Function, ToolChoice
from allgate.simulator.in_thread import ThreadedSimulator, running
from dialects.gemini.exchange import CAPS, REQUEST, asked

FOREIGN = changed(REQUEST, dialect="anthropic", extra={})
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 1, "default": "Rome"},
        "kind": {"const": "now"},
        "days": {"type": ["integer", "null"], "exclusiveMinimum": 0},
        "tags": {"type": "array", "uniqueItems": True, "items": {"oneOf": [{"type": "string"}, {"type": "number"}]}},
        "node": {"$ref": "#/$defs/Node"},
        "free": {"type": "object", "additionalProperties": True, "patternProperties": {"^x": {}}},
        "any": {},
    },
    "required": ["city"],
    "additionalProperties": False,
    "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "e": {"enum": ["", "a", 1, None]}}}},
}  # fmt: skip
TOOL = Function(name="get weather/now", description="Weather", schema=SCHEMA)
PNG = Media(kind="image", source=Inline(mime="image/png", base64="iVBORw0KGgo="))


@pytest.fixture(scope="module")
def sim() -> Iterator[ThreadedSimulator]:
    with running() as simulator:
        yield simulator


def send(
    sim: ThreadedSimulator, request: ChatRequest, scene: str = "echo", **narrowed
) -> tuple[int, bytes, Sent]:
    caps = changed(CAPS, **narrowed)
    call = GEMINI.encode_request(request, f"sim-{scene}", caps)
    wire = urllib.request.Request(
        sim.url + call.path,
        call.body,
        {"content-type": "application/json", "x-goog-api-key": "k"},
        method="POST",
    )
    context = Sent(request=request, caps=caps)
    try:
        with urllib.request.urlopen(wire, timeout=20) as reply:
            return reply.status, reply.read(), context
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), context


def ask(sim: ThreadedSimulator, request: ChatRequest, scene: str = "echo", **narrowed) -> ChatResponse:
    """The answer, whole or streamed as the request says."""
    status, body, context = send(sim, request, scene, **narrowed)
    assert status == 200, body
    if not request.stream:
        return GEMINI.decode_response(body, context)
    decoder = GEMINI.stream_decoder(context)
    pieces = [body[place : place + 50] for place in range(0, len(body), 50)]
    return fold([*(event for piece in pieces for event in decoder.feed(piece)), *decoder.close()])


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_with_tools_signatures_and_pictures(sim, stream):
    request = changed(
        FOREIGN, stream=stream, tools=(TOOL,), reasoning=Reasoning(effort="high"), system=(Text(text="s"),)
    )
    answer = ask(sim, request, "think_tools,calls=2")
    parts = answer.choices[0].parts
    assert isinstance(parts[0], Thinking)
    calls = [part for part in parts if isinstance(part, ToolCall)]
    assert [call.name for call in calls] == ["get weather/now"] * 2
    assert calls[0].seals
    assert answer.choices[0].finish.reason == "tool_calls"
    assert answer.usage.output_tokens > 0
    results = tuple(
        ToolResult(call_id=call.call_id, name=call.name, parts=(Text(text="sunny"), PNG)) for call in calls
    )
    history = (*request.turns, Turn(role="assistant", parts=parts), Turn(role="tool", parts=results))
    again = ask(sim, changed(request, turns=history), "think_tools,calls=1")
    more = again.choices[0].parts
    further = (*history, Turn(role="assistant", parts=more))
    last = [part for part in more if isinstance(part, ToolCall)]
    further = (
        *further,
        Turn(
            role="tool",
            parts=tuple(ToolResult(call_id=c.call_id, parts=(Text(text='{"a": 1}'),)) for c in last),
        ),
    )
    final = ask(sim, changed(request, turns=further))
    assert final.choices[0].finish.reason == "stop"


def test_history_of_another_model_is_accepted_with_the_dummy(sim):
    foreign = Seal(origin="openai", scope="x", form="encrypted", value="gAAA")
    turns = (
        Turn(role="user", parts=(Text(text="hi"), PNG)),
        Turn(role="assistant", parts=(Thinking(text="t", seals=(foreign,)), ToolCall(call_id="toolu_1", name="f"), ToolCall(call_id="toolu_2", name="f"))),
        Turn(role="tool", parts=(ToolResult(call_id="toolu_1", name="f", parts=(Text(text="x"),)), ToolResult(call_id="toolu_2", name="f", is_error=True))),
        Turn(role="system", parts=(Text(text="careful"),)),
    )  # fmt: skip
    assert ask(sim, changed(FOREIGN, turns=turns, tools=(Function(name="f"),))).choices[0].parts
    without = changed(FOREIGN, turns=turns[:-1], tools=(Function(name="f"),))
    assert send(sim, without)[0] == 200
    assert send(sim, without, thinking="budget")[0] == 400, "the simulator asks for signatures"


@pytest.mark.parametrize("grammar", ["native", "subset"])
def test_any_schema_is_accepted_in_both_grammars(sim, grammar):
    request = changed(
        FOREIGN,
        tools=(
            TOOL,
            Function(name="none"),
            Function(name="empty", schema={"type": "object", "properties": {}}),
            Custom(name="patch"),
        ),
        tool_choice=ToolChoice(mode="tool", names=("get weather/now",)),
    )
    assert isinstance(ask(sim, request, json_schema=grammar).choices[0].parts[-1], ToolCall)
    assert ask(
        sim, changed(FOREIGN, output=OutputFormat(kind="json_schema", schema=SCHEMA)), json_schema=grammar
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"sampling": Sampling(temperature=1.5, top_p=0.5, top_k=4, max_tokens=20, stop=("a",) * 7, seed=3, n=2)},
        {"reasoning": Reasoning(effort="none")},
        {"reasoning": Reasoning(budget_tokens=-1, show="summary")},
        {"output": OutputFormat(kind="json_object")},
        {"tools": (TOOL, Builtin(kind="web_search", runs="server"), Builtin(kind="code_execution", runs="server"))},
        {"tools": (Builtin(kind="bash", runs="client"), Builtin(kind="web_fetch", runs="server"))},
        {"turns": (Turn(role="assistant", parts=(Text(text="a"),)),)},
        {"turns": (Turn(role="user", parts=()),)},
        {"turns": (Turn(role="user", parts=(Media(kind="video", source=FileRef(origin="gemini", ref="https://generativelanguage.googleapis.com/v1beta/files/a", mime="video/mp4")),)),)},
    ],
)  # fmt: skip
@pytest.mark.parametrize("thinking", ["level", "budget"])
def test_every_kind_of_request_is_accepted(sim, fields, thinking):
    status, body, _ = send(sim, changed(FOREIGN, **fields), thinking=thinking)
    assert status == 200, body


@pytest.mark.parametrize(
    "scene",
    [
        "echo",
        "think",
        "parallel,calls=3",
        "search",
        "filter",
        "length",
        "usage_every",
        "comments",
        "no_usage",
    ],
)
def test_a_streamed_answer_of_every_kind_says_what_the_whole_one_says(sim, scene):
    request = changed(
        FOREIGN,
        tools=(Function(name="f", schema={"type": "object", "properties": {"a": {"type": "string"}}}),),
        reasoning=Reasoning(effort="low"),
    )
    whole, streamed = ask(sim, request, scene), ask(sim, changed(request, stream=True), scene)

    def shape(answer: ChatResponse) -> list:
        return [
            (
                type(part).__name__,
                getattr(part, "text", ""),
                getattr(part, "input", ""),
                len(getattr(part, "annotations", ())),
            )
            for part in sorted(answer.choices[0].parts, key=lambda part: type(part).__name__ != "Hosted")
        ]

    assert shape(streamed) == shape(whole)
    assert streamed.choices[0].finish == whole.choices[0].finish
    assert streamed.usage == whole.usage


@pytest.mark.parametrize(
    "scene", ["cut", "cut_inside", "error_frame", "bad_json", "no_finish", "truncated_json"]
)
def test_a_broken_stream_is_never_a_success(sim, scene):
    request = changed(FOREIGN, stream=True)
    body, context = b"", Sent(request=request, caps=changed(CAPS, finish_optional=False))
    with suppress(
        HTTPException, OSError
    ):  # where the connection breaks there is no body that could be taken for one
        _, body, context = send(sim, request, f"{scene},words=20", finish_optional=False)
    decoder, meter = GEMINI.stream_decoder(context), GEMINI.meter(Head(model="m"), context.caps)
    meter.feed(body)
    assert meter.failure or not meter.facts().finished
    events = []
    with suppress(WireError):
        events = [*decoder.feed(body), *decoder.close()]
    assert not any(isinstance(event, Ended) for event in events)


@pytest.mark.parametrize(
    "scene", ["rate_limit", "quota", "overloaded", "error", "html", "error,status=404", "error,status=401"]
)
def test_every_error_of_the_vendor_is_understood(sim, scene):
    status, body, _ = send(sim, FOREIGN, scene)
    failure = GEMINI.decode_error(status, (), body)
    assert failure.upstream
    assert failure.message
    assert GEMINI.encode_error(failure, "req").status in (status, 503)


def test_tokens_are_counted(sim):
    call = counting(GEMINI.encode_request(FOREIGN, "sim-echo", CAPS), "sim-echo")
    wire = urllib.request.Request(
        sim.url + call.path, call.body, {"x-goog-api-key": "k", "content-type": "application/json"}
    )
    with urllib.request.urlopen(wire, timeout=20) as reply:
        assert decode_count(reply.read()) > 0


def test_what_the_vendor_answers_reaches_a_gemini_client(sim):
    status, body, context = send(sim, changed(REQUEST, reasoning=Reasoning(show="summary")), "think")
    assert status == 200
    answer = GEMINI.decode_response(body, context)
    again = GEMINI.decode_response(GEMINI.encode_response(answer, asked(context.request))[0], context)
    assert again.choices == answer.choices
    assert again.usage == answer.usage
