"""Chat Completions as OpenAI's own SDK reads them, over a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

from allgate.simulator import tokens
from allgate.simulator.in_thread import ThreadedSimulator

WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
            "required": ["city"],
        },
    },
}
TIME: Any = {
    "type": "function",
    "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}},
}


@pytest.fixture
def client(sim: ThreadedSimulator) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{sim.url}/v1", api_key="sk-test", max_retries=0) as client:
        yield client


def ask(client: OpenAI, prompt: str, **fields: Any) -> Any:
    fields = {"model": "gpt-4o", "messages": [{"role": "user", "content": prompt}]} | fields
    return client.chat.completions.create(**fields)


def folded(stream: Any) -> dict[str, Any]:
    """The stream put together again, choice 0, with the chunk-level facts beside it."""
    found: dict[str, Any] = {
        "content": "",
        "reasoning": "",
        "refusal": "",
        "finish": [],
        "calls": {},
        "usage": [],
    }
    for chunk in stream:
        if chunk.usage:
            found["usage"].append(chunk.usage)
        for choice in chunk.choices:
            if choice.index:
                continue
            found["content"] += choice.delta.content or ""
            found["refusal"] += choice.delta.refusal or ""
            found["reasoning"] += getattr(choice.delta, "reasoning_content", None) or ""
            for call in choice.delta.tool_calls or []:
                entry = found["calls"].setdefault(call.index, {"ids": [], "name": "", "arguments": ""})
                entry["ids"] += [call.id] if call.id else []
                entry["name"] += call.function.name or ""
                entry["arguments"] += call.function.arguments or ""
            found["finish"] += [choice.finish_reason] if choice.finish_reason else []
    return found


def test_it_says_the_prompt_back_and_counts_it(client: OpenAI):
    reply = ask(client, "Hello there")
    assert reply.choices[0].message.content == "You said: Hello there"
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.prompt_tokens == tokens.count("Hello there") + tokens.MESSAGE_TOKENS
    assert reply.usage.completion_tokens == tokens.count("You said: Hello there")
    assert reply._request_id == "req_sim00000001"


def test_a_stream_folds_to_the_unary_answer(client: OpenAI):
    found = folded(ask(client, "Hello there", stream=True, stream_options={"include_usage": True}))
    assert found["content"] == "You said: Hello there"
    assert found["finish"] == ["stop"]
    assert [usage.total_tokens for usage in found["usage"]] == [ask(client, "Hello there").usage.total_tokens]


def test_usage_is_streamed_only_if_asked_for_or_if_the_scene_is_of_a_vendor_that_always_does(client: OpenAI):
    def usages(scene: str) -> int:
        return len(folded(ask(client, f"!scene {scene}\nHi", stream=True))["usage"])

    assert usages("echo") == 0
    assert usages("usage_on_finish") == 1
    assert usages("usage_every") > 3
    assert ask(client, "!scene no_usage").usage is None


def test_counts_can_be_said_by_the_scene(client: OpenAI):
    usage = ask(client, "!scene input=1000 output=50 cached=200 cache_write=5 reasoning=10").usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (1000, 50, 1050)
    assert usage.prompt_tokens_details.cached_tokens == 200
    assert usage.completion_tokens_details.reasoning_tokens == 10


def test_a_tool_named_in_the_prompt_is_called_with_arguments_that_fit_and_its_result_is_used(client: OpenAI):
    reply = ask(client, "What is the weather?", tools=[WEATHER])
    call = reply.choices[0].message.tool_calls[0]
    assert reply.choices[0].finish_reason == "tool_calls"
    assert json.loads(call.function.arguments) == {"city": "What is the weather?", "days": 2}
    messages = [
        {"role": "user", "content": "What is the weather?"},
        reply.choices[0].message.model_dump(exclude_none=True, exclude={"annotations"}),
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]
    reply = ask(client, "", messages=messages, tools=[WEATHER])
    assert reply.choices[0].message.content == "The tools said: sunny"


def test_tools_are_called_when_forced_and_left_alone_when_forbidden_or_not_named(client: OpenAI):
    assert ask(client, "Hi", tools=[WEATHER], tool_choice="required").choices[0].message.tool_calls
    forced = {"type": "function", "function": {"name": "get_time"}}
    called = ask(client, "Hi", tools=[WEATHER, TIME], tool_choice=forced).choices[0].message.tool_calls
    assert [call.function.name for call in called] == ["get_time"]
    assert ask(client, "weather", tools=[WEATHER], tool_choice="none").choices[0].message.tool_calls is None
    assert ask(client, "Hi", tools=[WEATHER]).choices[0].message.tool_calls is None


def test_parallel_calls_stream_in_fragments_with_dense_indexes(client: OpenAI):
    found = folded(ask(client, "!scene parallel\nwhere", tools=[WEATHER, TIME], stream=True))
    assert [entry["name"] for entry in found["calls"].values()] == ["get_weather", "get_time"]
    assert list(found["calls"]) == [0, 1]
    assert all(len(entry["ids"]) == 1 for entry in found["calls"].values())
    assert json.loads(found["calls"][0]["arguments"])["days"] == 2
    assert found["finish"] == ["tool_calls"]
    single = ask(client, "!scene parallel\nwhere", tools=[WEATHER, TIME], parallel_tool_calls=False)
    assert len(single.choices[0].message.tool_calls) == 1


def test_custom_tools_get_plain_text(client: OpenAI):
    tool = {"type": "custom", "custom": {"name": "run_code"}}
    call = ask(client, "!scene tools\nprint", tools=[tool]).choices[0].message.tool_calls[0]
    assert (call.type, call.custom.name, call.custom.input) == (
        "custom",
        "run_code",
        "input for run_code: print",
    )


def test_legacy_functions_are_answered_in_their_own_form(client: OpenAI):
    choice = ask(client, "weather", functions=[WEATHER["function"]]).choices[0]
    assert (choice.finish_reason, choice.message.function_call.name) == ("function_call", "get_weather")


def test_arguments_can_be_wrong_on_demand(client: OpenAI):
    reply = ask(client, "!scene tools arguments='{\"city\": '", tools=[WEATHER])
    assert reply.choices[0].message.tool_calls[0].function.arguments == '{"city": '


def test_reasoning_is_shown_by_the_scene_and_hidden_by_openais_own_models(client: OpenAI):
    found = folded(ask(client, "!scene think\nHi", stream=True))
    assert found["reasoning"] == "Let me think about this step by step."
    assert found["content"] == "You said: Hi"
    hidden = ask(client, "Hi", model="gpt-5.5", reasoning_effort="high")
    assert not hasattr(hidden.choices[0].message, "reasoning_content")
    assert hidden.usage.completion_tokens_details.reasoning_tokens > 0
    shown = ask(client, "Hi", model="deepseek-chat", extra_body={"thinking": {"type": "enabled"}})
    assert shown.choices[0].message.reasoning_content


def test_a_json_schema_is_fitted(client: OpenAI):
    schema = {
        "type": "object",
        "properties": {"x": {"type": "integer"}},
        "required": ["x"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}}
    assert json.loads(ask(client, "Hi", response_format=wanted).choices[0].message.content) == {"x": 1}
    wanted = {"type": "json_object"}
    assert json.loads(ask(client, "json please", response_format=wanted).choices[0].message.content) == {
        "echo": "json please"
    }


def test_other_ends(client: OpenAI):
    refused = ask(client, "!scene refuse").choices[0]
    assert refused.message.content is None
    assert refused.message.refusal
    assert folded(ask(client, "!scene refuse", stream=True))["refusal"] == refused.message.refusal
    assert ask(client, "!scene filter").choices[0].finish_reason == "content_filter"
    assert ask(client, "!scene length").choices[0].finish_reason == "length"
    cut = ask(client, "Hello there", max_tokens=2).choices[0]
    assert (cut.finish_reason, cut.message.content) == ("length", "You said")
    stopped = ask(client, "Hello there", stop=["there"]).choices[0]
    assert (stopped.finish_reason, stopped.message.content) == ("stop", "You said: Hello ")


def test_several_choices_and_their_logprobs(client: OpenAI):
    reply = ask(client, "Hi", n=3, logprobs=True, top_logprobs=2)
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert reply.choices[2].message.content == "You said: Hi (choice 2)"
    entries = reply.choices[0].logprobs.content
    assert "".join(entry.token for entry in entries) == "You said: Hi"
    assert len(entries[0].top_logprobs) == 2
    indexes = [chunk.choices[0].index for chunk in ask(client, "Hi", n=2, stream=True)]
    assert indexes[:4] == [0, 1, 0, 1]


def test_citations_point_into_the_text(client: OpenAI):
    message = ask(client, "!scene search annotations=2\nHi").choices[0].message
    assert [citation.url_citation.end_index for citation in message.annotations] == [len(message.content)] * 2


ERRORS = {
    400: openai.BadRequestError, 401: openai.AuthenticationError, 402: openai.APIStatusError, 403: openai.PermissionDeniedError,
    404: openai.NotFoundError, 408: openai.APIStatusError, 409: openai.ConflictError, 413: openai.APIStatusError,
    422: openai.UnprocessableEntityError, 429: openai.RateLimitError, 500: openai.InternalServerError,
    502: openai.InternalServerError, 503: openai.InternalServerError, 504: openai.InternalServerError, 529: openai.InternalServerError,
}  # fmt: skip


@pytest.mark.parametrize("status", ERRORS)
@pytest.mark.parametrize("stream", [False, True])
def test_every_error_status_is_a_typed_error(client: OpenAI, status: int, stream: bool):
    with pytest.raises(ERRORS[status]) as caught:
        ask(client, f"!scene error status={status} retry_after=2 should_retry=false", stream=stream)
    assert caught.value.status_code == status
    assert caught.value.body["message"]
    assert caught.value.response.headers["retry-after"] == "2"
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert caught.value.request_id == "req_sim00000001"


def test_a_quota_that_is_used_up_has_a_code_of_its_own(client: OpenAI):
    with pytest.raises(openai.RateLimitError) as caught:
        ask(client, "!scene quota")
    assert (caught.value.code, caught.value.type) == ("insufficient_quota", "insufficient_quota")


def test_a_bad_key_is_refused_and_a_key_can_say_a_scene(sim: ThreadedSimulator):
    def caught(key: str, kind: type[openai.APIStatusError]) -> openai.APIStatusError:
        with (
            OpenAI(base_url=f"{sim.url}/v1", api_key=key, max_retries=0) as client,
            pytest.raises(kind) as caught,
        ):
            ask(client, "Hi")
        return caught.value

    assert caught("sk-bad-key", openai.AuthenticationError).code == "invalid_api_key"
    assert caught("sk-scene-error,status=503", openai.InternalServerError).status_code == 503


@pytest.mark.parametrize(
    "scene", ["error_frame", "cut", "cut_inside", "cut_reset", "bad_json", "truncated_json"]
)
def test_a_broken_stream_is_an_error_to_the_sdk(client: OpenAI, scene: str):
    with pytest.raises((openai.APIError, ValueError)):
        folded(ask(client, f"!scene {scene}\nHello", stream=True))


def test_models_are_listed_and_shown(client: OpenAI):
    listed = [model.id for model in client.models.list()]
    assert "gpt-4o" in listed
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-nonexistent")


def test_the_ledger_has_what_was_reported(client: OpenAI, sim: ThreadedSimulator):
    usage = ask(client, "Hello", extra_headers={"x-allgate-request-id": "req_gateway"}).usage
    line = sim.wait_for(lambda line: line.done)
    assert (line.request_id, line.model, line.dialect) == ("req_gateway", "gpt-4o", "openai_chat")
    assert (line.input_tokens, line.output_tokens) == (usage.prompt_tokens, usage.completion_tokens)
    assert sim.ledger.body(line)["messages"][0]["content"] == "Hello"
    assert sim.ledger.headers(line)["authorization"] == "…"


def recorded(folder: Path, *, stream: bool) -> Iterator[Any]:
    for path in sorted(folder.glob("openai/chat_completions/*.json")):
        exchange = json.loads(path.read_text())
        if exchange["response"]["status"] == 200 and exchange["stream"] is stream:
            yield exchange["response"]


def test_no_key_of_an_unary_answer_is_unknown_to_openai(client: OpenAI, recordings: Path):
    replies = [reply["body"] for reply in recorded(recordings, stream=False)]
    assert len(replies) >= 10
    ours = ask(client, "Hi").model_dump(exclude_unset=True)
    assert set(ours) <= {key for reply in replies for key in reply}
    theirs = {key for reply in replies for key in reply["choices"][0]["message"]}
    assert set(ours["choices"][0]["message"]) <= theirs
    assert set(ours["choices"][0]) <= {key for reply in replies for key in reply["choices"][0]}
    assert set(ours["usage"]) <= {key for reply in replies for key in reply["usage"]}


def test_no_key_of_a_chunk_is_unknown_to_openai(client: OpenAI, recordings: Path):
    chunks = [
        json.loads(frame.removeprefix("data: "))
        for reply in recorded(recordings, stream=True)
        for frame in reply["sse"]
        if frame.startswith("data: {")
    ]
    assert len(chunks) >= 100
    keys = {key for chunk in chunks for key in chunk}
    delta_keys = {key for chunk in chunks for choice in chunk["choices"] for key in choice["delta"]}
    for chunk in ask(client, "weather", tools=[WEATHER], stream=True, stream_options={"include_usage": True}):
        ours = chunk.model_dump(exclude_unset=True)
        assert set(ours) <= keys
        assert all(set(choice["delta"]) <= delta_keys for choice in ours["choices"])
