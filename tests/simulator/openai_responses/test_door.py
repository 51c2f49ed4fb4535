"""Responses as OpenAI's own SDK reads them, over a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

from allgate.simulator import in_thread, tokens
from allgate.simulator.in_thread import ThreadedSimulator

WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TIME: Any = {"type": "function", "name": "get_time", "parameters": {"type": "object", "properties": {}}}
CODE: Any = {"type": "custom", "name": "run_code"}


@pytest.fixture
def client(sim: ThreadedSimulator) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{sim.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


def ask(client: OpenAI, prompt: Any, **fields: Any) -> Any:
    return client.responses.create(**{"model": "gpt-5.5", "input": prompt} | fields)


def streamed(client: OpenAI, prompt: Any, **fields: Any) -> Any:
    """The response that the SDK's own accumulator makes of the stream; it checks the order of events."""
    with client.responses.stream(**{"model": "gpt-5.5", "input": prompt} | fields) as stream:
        return stream.get_final_response()


def without_ids(response: Any) -> Any:
    dumped = response.model_dump(exclude_none=True)
    for item in dumped["output"]:
        for name in ("id", "call_id", "parsed_arguments"):
            item.pop(name, None)
        for content in item.get("content", []):
            content.pop("parsed", None)
    return dumped["output"], dumped["status"], dumped["usage"]


def test_it_says_the_prompt_back_and_counts_it(client: OpenAI):
    response = ask(client, "Hello there", model="gpt-4o")
    assert response.output_text == "You said: Hello there"
    assert response.usage.input_tokens == tokens.count("Hello there") + tokens.MESSAGE_TOKENS
    assert response.usage.output_tokens == tokens.count("You said: Hello there")
    assert (response.id, response._request_id) == ("resp_sim00000001", "req_sim00000001")


@pytest.mark.parametrize(
    ("scene", "fields"),
    [
        ("echo", {}),
        ("tools", {"tools": [WEATHER]}),
        ("parallel", {"tools": [WEATHER, TIME]}),
        ("tools", {"tools": [CODE]}),
        ("think", {"reasoning": {"summary": "auto"}}),
        ("think_tools", {"tools": [WEATHER]}),
        ("search annotations=2", {"tools": [{"type": "web_search"}]}),
        ("refuse", {}),
        ("empty", {}),
        ("comments", {}),
        ("cached=5 cache_write=3 input=20 output=9 reasoning=2", {}),
        ("echo", {"include": ["message.output_text.logprobs"]}),
    ],
)
def test_a_stream_folds_to_the_unary_answer(client: OpenAI, scene: str, fields: dict[str, Any]):
    prompt = f"!scene {scene}\nHello there"
    assert without_ids(streamed(client, prompt, **fields)) == without_ids(ask(client, prompt, **fields))


def test_a_tool_loop_with_reasoning_comes_round(client: OpenAI, sim: ThreadedSimulator):
    prompt = "What is the weather?"
    first = streamed(client, prompt, tools=[WEATHER], store=False)
    reasoning, call = first.output
    assert (reasoning.type, call.type, reasoning.summary) == ("reasoning", "function_call", [])
    assert json.loads(call.arguments) == {"city": prompt}
    items = [
        {"role": "user", "content": prompt},
        reasoning.model_dump(exclude_none=True),
        call.model_dump(exclude_none=True, exclude={"parsed_arguments"}),
        {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"},
    ]
    assert ask(client, items, tools=[WEATHER]).output_text == "The tools said: sunny"
    assert [line.seals for line in sim.ledger.lines] == [0, 1]


def test_reasoning_of_another_simulator_is_refused(client: OpenAI):
    with (
        in_thread.running(secret=b"another") as other,
        OpenAI(base_url=f"{other.url}/v1", api_key="k") as stranger,
    ):
        thought = [item.model_dump(exclude_none=True) for item in ask(stranger, "Hi").output]
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, [{"role": "user", "content": "Hi"}, *thought, {"role": "user", "content": "And?"}])
    assert caught.value.code == "invalid_encrypted_content"


def test_tools_of_a_namespace_are_called_in_it(client: OpenAI):
    space = {"type": "namespace", "name": "home", "description": "x", "tools": [TIME]}
    call = ask(client, "!scene tools\nx", tools=[space]).output[-1]
    assert (call.name, call.namespace) == ("get_time", "home")


def test_a_format_is_fitted(client: OpenAI):
    schema = {
        "type": "object",
        "properties": {"x": {"type": "integer"}},
        "required": ["x"],
        "additionalProperties": False,
    }
    text = {"format": {"type": "json_schema", "name": "a", "strict": True, "schema": schema}}
    assert json.loads(ask(client, "Hi", text=text).output_text) == {"x": 1}


@pytest.mark.parametrize(("scene", "reason"), [("length", "max_output_tokens"), ("filter", "content_filter")])
def test_what_is_cut_short_is_incomplete(client: OpenAI, scene: str, reason: str):
    response = ask(client, f"!scene {scene}\nHi")
    assert (response.status, response.incomplete_details.reason) == ("incomplete", reason)
    last = list(ask(client, f"!scene {scene}\nHi", stream=True))[-1]
    assert (last.type, last.response.incomplete_details.reason) == ("response.incomplete", reason)


def test_the_response_repeats_the_request(client: OpenAI):
    response = ask(
        client, "Hi", tools=[WEATHER], instructions="Be brief.", metadata={"a": "b"}, max_output_tokens=99
    )
    assert (response.instructions, response.metadata, response.max_output_tokens) == (
        "Be brief.",
        {"a": "b"},
        99,
    )
    assert [(tool.name, tool.strict) for tool in response.tools] == [("get_weather", False)]


def test_events_are_numbered_without_gaps_and_say_their_name_twice(client: OpenAI):
    with client.responses.with_streaming_response.create(model="gpt-5.5", input="Hi", stream=True) as reply:
        frames = "".join(reply.iter_text()).split("\n\n")[:-1]
    data = [json.loads(frame.partition("\ndata: ")[2]) for frame in frames]
    assert [entry["sequence_number"] for entry in data] == list(range(len(frames)))
    assert all(
        frame.startswith(f"event: {entry['type']}\n") for frame, entry in zip(frames, data, strict=True)
    )


def test_a_failure_in_the_stream_is_a_failed_response(client: OpenAI):
    events = list(ask(client, "!scene error_frame\nHi", stream=True))
    assert (events[-1].type, events[-1].response.error.code) == ("response.failed", "server_error")
    assert events[-1].sequence_number == 3


def test_tokens_are_counted(client: OpenAI):
    counted = client.responses.input_tokens.count(model="gpt-5.5", input="Hi")
    assert counted.input_tokens == tokens.count("Hi") + tokens.MESSAGE_TOKENS


@pytest.mark.parametrize(
    ("status", "kind"), [(429, openai.RateLimitError), (503, openai.InternalServerError)]
)
def test_errors_are_openais(client: OpenAI, status: int, kind: type[openai.APIStatusError]):
    with pytest.raises(kind):
        ask(client, f"!scene error status={status}", stream=True)


def recorded(folder: Path, *, stream: bool) -> Iterator[Any]:
    for path in sorted(folder.glob("openai/responses/*.json")):
        exchange = json.loads(path.read_text())
        if exchange["response"]["status"] == 200 and exchange["stream"] is stream:
            yield exchange["response"]


def test_no_key_of_a_response_is_unknown_to_openai(client: OpenAI, recordings: Path):
    replies = [reply["body"] for reply in recorded(recordings, stream=False)]
    assert len(replies) >= 10
    ours = ask(client, "weather", tools=[WEATHER]).model_dump(exclude_unset=True)
    assert set(ours) <= {key for reply in replies for key in reply}
    theirs: dict[str, set[str]] = {}
    for reply in replies:
        for item in reply["output"]:
            theirs.setdefault(item["type"], set()).update(item)
    for item in ours["output"]:
        assert set(item) <= theirs[item["type"]]


def test_no_event_is_unknown_to_openai(client: OpenAI, recordings: Path):
    known: dict[str, set[str]] = {}
    for reply in recorded(recordings, stream=True):
        for frame in reply["sse"]:
            if "data: {" in frame:
                data = json.loads(frame.partition("data: ")[2])
                known.setdefault(data["type"], set()).update(data)
    assert len(known) >= 8
    for event in ask(client, "Hi", stream=True):
        found = event.model_dump(exclude_unset=True)
        assert set(found) <= known[found["type"]]
