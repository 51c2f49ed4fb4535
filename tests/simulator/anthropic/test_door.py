"""Messages as Anthropic's own SDK reads them, over a real socket."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2  # what the SDK lets through of a connection that breaks in a stream
import pytest
from anthropic import Anthropic

from allgate.simulator import in_thread, tokens
from allgate.simulator.in_thread import ThreadedSimulator
from simulator.raw_client import RawClient

WEATHER: Any = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
TIME: Any = {"name": "get_time", "input_schema": {"type": "object", "properties": {}}}
SEARCH: Any = {"type": "web_search_20250305", "name": "web_search", "max_uses": 1}
BUDGET: Any = {"type": "enabled", "budget_tokens": 1024}


@pytest.fixture
def client(sim: ThreadedSimulator) -> Iterator[Anthropic]:
    with Anthropic(base_url=sim.url, api_key="sk-test", max_retries=0) as client:
        yield client


def asked(prompt: Any, **fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": prompt}]
    return {"model": "claude-sonnet-4-6", "max_tokens": 2048, "messages": messages} | fields


def ask(client: Anthropic, prompt: Any, **fields: Any) -> Any:
    return client.messages.create(**asked(prompt, **fields))


def streamed(client: Anthropic, prompt: Any, **fields: Any) -> Any:
    """The message that the SDK's own accumulator makes of the stream."""
    with client.messages.stream(**asked(prompt, **fields)) as stream:
        return stream.get_final_message()


def shape(message: Any) -> Any:
    """What must be the same in a streamed and in a whole answer."""
    blocks = [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in message.content]
    return blocks, message.stop_reason, message.stop_sequence, message.usage.model_dump(include=TOTALS)


TOTALS = {"input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"}


def test_it_says_the_prompt_back_and_counts_it(client: Anthropic):
    message = ask(client, "Hello there")
    assert [block.text for block in message.content] == ["You said: Hello there"]
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens == tokens.count("Hello there") + tokens.MESSAGE_TOKENS
    assert message._request_id == "req_sim00000001"


@pytest.mark.parametrize(
    ("scene", "fields"),
    [
        ("echo", {}),
        ("tools", {"tools": [WEATHER]}),
        ("parallel", {"tools": [WEATHER, TIME]}),
        ("think", {"thinking": BUDGET}),
        ("think_tools", {"tools": [WEATHER], "thinking": BUDGET}),
        ("redacted", {}),
        ("search", {"tools": [SEARCH]}),
        ("pause", {"tools": [SEARCH]}),
        ("length", {}),
        ("refuse", {}),
        ("empty", {}),
        ("cached=5 cache_write=3 input=20 output=9", {}),
        ("echo", {"stop_sequences": ["there"]}),
    ],
)
def test_a_stream_folds_to_the_unary_answer(client: Anthropic, scene: str, fields: dict[str, Any]):
    def without_ids(found: Any) -> Any:
        blocks, *rest = found
        return [{key: value for key, value in block.items() if key != "id"} for block in blocks], rest

    prompt = f"!scene {scene}\nHello there"
    assert without_ids(shape(streamed(client, prompt, **fields))) == without_ids(
        shape(ask(client, prompt, **fields))
    )


def test_a_tool_loop_with_thinking_comes_round(client: Anthropic, sim: ThreadedSimulator):
    prompt = "What is the weather?"
    first = streamed(client, prompt, tools=[WEATHER], thinking=BUDGET)
    thinking, call = first.content
    assert (thinking.type, call.type, first.stop_reason) == ("thinking", "tool_use", "tool_use")
    assert call.input == {"city": prompt}
    messages = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]},
    ]
    second = ask(client, "", messages=messages, tools=[WEATHER], thinking=BUDGET)
    assert second.content[-1].text == "The tools said: sunny"
    assert [line.seals for line in sim.ledger.lines] == [0, 1]


def test_thinking_of_another_simulator_is_refused(client: Anthropic):
    with (
        in_thread.running(secret=b"another") as other,
        Anthropic(base_url=other.url, api_key="k") as stranger,
    ):
        thought = ask(stranger, "Hi", thinking=BUDGET)
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": thought.content},
        {"role": "user", "content": "And?"},
    ]
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature` in `thinking` block"):
        ask(client, "", messages=messages)


def test_adaptive_thinking_is_shown_only_if_asked_for(client: Anthropic):
    omitted = ask(client, "Hi", thinking={"type": "adaptive"}).content[0]
    assert (omitted.thinking, bool(omitted.signature)) == ("", True)
    assert ask(client, "Hi", thinking={"type": "adaptive", "display": "summarized"}).content[0].thinking


def test_a_search_has_its_call_its_hits_and_its_citations(client: Anthropic):
    message = ask(client, "!scene search annotations=2\nnews?", tools=[SEARCH])
    call, result, text = message.content
    assert (call.type, result.tool_use_id) == ("server_tool_use", call.id)
    assert [hit.url for hit in result.content] == [citation.url for citation in text.citations]
    assert message.usage.server_tool_use.web_search_requests == 1
    again = [
        {"role": "user", "content": "news?"},
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": "more"},
    ]
    assert ask(client, "", messages=again, tools=[SEARCH]).content


def test_cached_tokens_are_outside_the_input(client: Anthropic):
    mark = {"type": "ephemeral", "ttl": "1h"}
    prompt = [{"type": "text", "text": "!scene input=100 cached=60 cache_write=30", "cache_control": mark}]
    usage = ask(client, prompt).usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (
        10,
        60,
        30,
    )
    assert usage.cache_creation.ephemeral_1h_input_tokens == 30


def test_a_format_is_fitted(client: Anthropic):
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "additionalProperties": False}
    message = ask(client, "Hi", output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(message.content[0].text) == {"x": 1}


def test_tokens_are_counted(client: Anthropic):
    counted = client.messages.count_tokens(
        model="claude-sonnet-4-6", messages=[{"role": "user", "content": "Hi"}]
    )
    assert counted.input_tokens == tokens.count("Hi") + tokens.MESSAGE_TOKENS


def test_models_are_listed_in_anthropics_shape(client: Anthropic):
    assert "claude-sonnet-4-6" in [model.id for model in client.models.list()]
    assert client.models.retrieve("claude-sonnet-4-6").type == "model"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("claude-nonexistent-1")


ERRORS = {
    400: anthropic.BadRequestError, 401: anthropic.AuthenticationError, 402: anthropic.APIStatusError, 403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError, 408: anthropic.APIStatusError, 409: anthropic.ConflictError, 413: anthropic.APIStatusError,
    422: anthropic.UnprocessableEntityError, 429: anthropic.RateLimitError, 500: anthropic.InternalServerError,
    502: anthropic.InternalServerError, 503: anthropic.InternalServerError, 504: anthropic.InternalServerError, 529: anthropic.InternalServerError,
}  # fmt: skip


@pytest.mark.parametrize("status", ERRORS)
def test_every_error_status_is_a_typed_error(client: Anthropic, status: int):
    with pytest.raises(ERRORS[status]) as caught:
        ask(client, f"!scene error status={status} retry_after=2")
    body: Any = caught.value.body
    assert (caught.value.status_code, body["type"], body["request_id"]) == (
        status,
        "error",
        "req_sim00000001",
    )
    assert body["error"]["type"].endswith(("_error", "_too_large"))
    assert caught.value.response.headers["x-should-retry"] in ("true", "false")


@pytest.mark.parametrize("scene", ["error_frame", "cut", "cut_inside", "cut_reset", "bad_json"])
def test_a_broken_stream_is_an_error_to_the_sdk(client: Anthropic, scene: str):
    with pytest.raises((anthropic.APIError, httpx2.TransportError, ValueError)):
        streamed(client, f"!scene {scene}\nHello")


def test_both_key_headers_are_taken_and_a_bad_key_is_not(sim: ThreadedSimulator):
    for arguments in ({"api_key": "k"}, {"auth_token": "k"}):
        with Anthropic(base_url=sim.url, max_retries=0, **arguments) as client:
            assert ask(client, "Hi").content
    body = json.dumps(asked("Hi")).encode()
    with RawClient(sim.port) as raw:
        raw.send(f"POST /v1/messages HTTP/1.1\r\nhost: x\r\nanthropic-version: 2023-06-01\r\nx-api-key: sk-bad\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)  # fmt: skip
        assert b'"authentication_error","message":"invalid x-api-key"' in raw.reply()[1]


def test_pings_keep_a_stream_alive(client: Anthropic):
    assert streamed(client, "!scene comments\nHi").content[0].text == "You said: Hi"


def recorded(folder: Path, *, stream: bool) -> Iterator[Any]:
    for path in sorted(folder.glob("anthropic/messages/*.json")):
        exchange = json.loads(path.read_text())
        if exchange["response"]["status"] == 200 and exchange["stream"] is stream:
            yield exchange["response"]


def test_no_key_of_a_message_is_unknown_to_anthropic(client: Anthropic, recordings: Path):
    replies = [reply["body"] for reply in recorded(recordings, stream=False)]
    assert len(replies) >= 15
    ours = ask(client, "weather", tools=[WEATHER]).model_dump(exclude_unset=True)
    assert set(ours) <= {key for reply in replies for key in reply}
    assert set(ours["usage"]) <= {key for reply in replies for key in reply["usage"]}
    theirs = {
        key for reply in replies for block in reply["content"] if block["type"] == "tool_use" for key in block
    }
    assert set(ours["content"][0]) <= theirs


def test_no_event_is_unknown_to_anthropic(client: Anthropic, recordings: Path):
    known: dict[str, set[str]] = {}
    for reply in recorded(recordings, stream=True):
        for frame in reply["sse"]:
            if "data: {" in frame:
                data = json.loads(frame.partition("data: ")[2])
                known.setdefault(data["type"], set()).update(data)
    assert len(known) >= 7
    for event in client.messages.create(**asked("weather", tools=[WEATHER], stream=True)):
        found = event.model_dump(exclude_unset=True)
        assert set(found) <= known[found["type"]]
