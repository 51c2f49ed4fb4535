"""generateContent as Google's own SDK reads it, over a real socket, on both API versions."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from allgate.simulator import in_thread, tokens
from allgate.simulator.in_thread import ThreadedSimulator
from simulator.raw_client import RawClient

PRO = "gemini-3-pro-preview"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = types.Tool(
    function_declarations=[types.FunctionDeclaration(name="get_weather", parameters_json_schema=CITY)]
)
SEARCH = types.Tool(google_search=types.GoogleSearch())


def made(url: str, version: str = "v1") -> genai.Client:
    options = types.HttpOptions(
        base_url=url, api_version=version, retry_options=types.HttpRetryOptions(attempts=1)
    )
    return genai.Client(api_key="test", http_options=options)


@pytest.fixture(params=["v1", "v1beta"])
def client(sim: ThreadedSimulator, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    with made(sim.url, request.param) as client:
        yield client


def ask(client: genai.Client, contents: Any, model: str = PRO, **config: Any) -> Any:
    return client.models.generate_content(
        model=model, contents=contents, config=types.GenerateContentConfig(**config)
    )


def streamed(client: genai.Client, contents: Any, model: str = PRO, **config: Any) -> list[Any]:
    return list(
        client.models.generate_content_stream(
            model=model, contents=contents, config=types.GenerateContentConfig(**config)
        )
    )


def folded(chunks: list[Any]) -> dict[str, Any]:
    """The stream put together again."""
    parts = [
        part
        for chunk in chunks
        for candidate in chunk.candidates or []
        for part in (candidate.content.parts if candidate.content else None) or []
    ]
    ends = [candidate for chunk in chunks for candidate in chunk.candidates or [] if candidate.finish_reason]
    return {
        "text": "".join(part.text or "" for part in parts if not part.thought),
        "thoughts": "".join(part.text or "" for part in parts if part.thought),
        "calls": [(part.function_call.name, part.function_call.args) for part in parts if part.function_call],
        "signed": [part.function_call is not None for part in parts if part.thought_signature],
        "finish": [str(candidate.finish_reason.value) for candidate in ends],
        "total": chunks[-1].usage_metadata.total_token_count,
        "grounding": [len(candidate.grounding_metadata.grounding_chunks) for candidate in ends if candidate.grounding_metadata],
    }  # fmt: skip


def test_it_says_the_prompt_back_and_counts_it(client: genai.Client):
    reply = ask(client, "Hello there", "gemini-2.0-flash")
    assert reply.text == "You said: Hello there"
    assert reply.usage_metadata.prompt_token_count == tokens.count("Hello there") + tokens.MESSAGE_TOKENS
    assert reply.usage_metadata.candidates_token_count == tokens.count("You said: Hello there")
    assert reply.response_id == "sim00000001"


@pytest.mark.parametrize(
    ("scene", "config"),
    [
        ("echo", {}),
        ("tools", {"tools": [WEATHER]}),
        ("parallel", {"tools": [WEATHER]}),
        ("think", {}),
        ("echo", {"thinking_config": types.ThinkingConfig(include_thoughts=True)}),
        ("think_tools", {"tools": [WEATHER]}),
        ("search annotations=2", {"tools": [SEARCH]}),
        ("length", {}),
        ("filter", {}),
        ("empty", {}),
        ("comments", {}),
        ("cached=5 input=20 output=9 reasoning=2", {}),
    ],
)
def test_a_stream_folds_to_the_unary_answer(client: genai.Client, scene: str, config: dict[str, Any]):
    prompt = f"!scene {scene}\nHello there"
    assert folded(streamed(client, prompt, **config)) == folded([ask(client, prompt, **config)])


def test_a_tool_loop_with_signatures_comes_round(client: genai.Client, sim: ThreadedSimulator):
    prompt = "!scene parallel\nWeather?"
    first = ask(client, prompt, tools=[WEATHER])
    calls = first.candidates[0].content.parts
    assert [part.thought_signature is not None for part in calls] == [True, False]
    assert all(part.function_call.id for part in calls)
    answers = [
        types.Part(
            function_response=types.FunctionResponse(
                id=part.function_call.id, name=part.function_call.name, response={"result": "sunny"}
            )
        )
        for part in calls
    ]
    contents = [
        types.Content(role="user", parts=[types.Part(text=prompt)]),
        first.candidates[0].content,
        types.Content(role="user", parts=answers),
    ]
    assert ask(client, contents, tools=[WEATHER]).text == "The tools said: sunny | sunny"
    assert [line.seals for line in sim.ledger.lines] == [0, 1]


def test_signatures_of_another_simulator_are_refused(client: genai.Client):
    with in_thread.running(secret=b"another") as other, made(other.url) as stranger:
        text = ask(stranger, "Hi").candidates[0].content
    contents = [
        types.Content(role="user", parts=[types.Part(text="Hi")]),
        text,
        types.Content(role="user", parts=[types.Part(text="And?")]),
    ]
    with pytest.raises(errors.ClientError, match="Corrupted thought signature"):
        ask(client, contents)


def test_a_schema_is_fitted(client: genai.Client):
    for fields in ({"response_schema": CITY}, {"response_json_schema": CITY}):
        reply = ask(client, "Paris", response_mime_type="application/json", **fields)
        assert json.loads(reply.text) == {"city": "Paris"}


def test_a_refused_prompt_has_no_candidate(client: genai.Client):
    for reply in (ask(client, "!scene refuse"), streamed(client, "!scene refuse")[0]):
        assert reply.candidates is None
        assert reply.prompt_feedback.block_reason.value == "PROHIBITED_CONTENT"


def test_a_malformed_call_is_a_finish_reason(client: genai.Client):
    reply = ask(client, "!scene tools arguments='{\"city\": '", tools=[WEATHER])
    assert reply.candidates[0].finish_reason.value == "MALFORMED_FUNCTION_CALL"
    assert not reply.function_calls


def test_several_candidates(client: genai.Client):
    reply = ask(client, "Hi", candidate_count=2)
    assert [candidate.content.parts[0].text for candidate in reply.candidates] == [
        "You said: Hi",
        "You said: Hi (choice 1)",
    ]


def test_tokens_are_counted_and_models_listed(client: genai.Client):
    counted = client.models.count_tokens(model=PRO, contents="Hi")
    assert counted.total_tokens == tokens.count("Hi") + tokens.MESSAGE_TOKENS
    assert f"models/{PRO}" in [model.name for model in client.models.list()]
    assert client.models.get(model=PRO).name == f"models/{PRO}"


STATUSES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 402: "FAILED_PRECONDITION", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED", 409: "ABORTED", 413: "INVALID_ARGUMENT", 422: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED", 529: "UNAVAILABLE",
}  # fmt: skip


@pytest.mark.parametrize("status", STATUSES)
def test_every_error_status_is_a_typed_error(sim: ThreadedSimulator, status: int):
    with made(sim.url) as client, pytest.raises(errors.APIError) as caught:
        ask(client, f"!scene error status={status}")
    assert (caught.value.code, caught.value.status) == (status, STATUSES[status])


def test_a_daily_quota_says_so(sim: ThreadedSimulator):
    with made(sim.url) as client, pytest.raises(errors.ClientError) as caught:
        ask(client, "!scene quota")
    assert "PerDay" in json.dumps(caught.value.details)


@pytest.mark.parametrize("scene", ["error_frame", "bad_json"])
def test_a_broken_stream_is_an_error_to_the_sdk(sim: ThreadedSimulator, scene: str):
    with made(sim.url) as client, pytest.raises((errors.APIError, ValueError)):
        streamed(client, f"!scene {scene}\nHello there")


def spoken(sim: ThreadedSimulator, path: str, scene: str, *headers: str) -> bytes:
    """The body of a reply to a request made by hand, without its chunk sizes."""
    body = json.dumps({"contents": [{"parts": [{"text": f"!scene {scene}\nHi"}]}]}).encode()
    with RawClient(sim.port) as raw:
        raw.post(path, body, "x-goog-api-key: k", "connection: close", *headers)
        head, _, rest = raw.rest().partition(b"\r\n\r\n")
    if b"transfer-encoding" not in head:
        return rest
    found = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        found, rest = found + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return found


def test_without_alt_sse_a_stream_is_one_json_array_and_so_is_its_error(sim: ThreadedSimulator):
    path = f"/v1beta/models/{PRO}:streamGenerateContent"
    chunks = json.loads(spoken(sim, path, "echo"))
    assert len(chunks) > 3
    assert chunks[-1]["candidates"][0]["finishReason"] == "STOP"
    assert json.loads(spoken(sim, path, "error status=503"))[0]["error"]["status"] == "UNAVAILABLE"
    broken = json.loads(spoken(sim, path, "error_frame"))
    assert (len(broken), broken[-1]["error"]["code"]) == (4, 503)


def test_an_sse_stream_has_data_lines_and_nothing_else(sim: ThreadedSimulator):
    found = spoken(sim, f"/v1beta/models/{PRO}:streamGenerateContent?alt=sse", "comments")
    assert {line[:6] for line in found.split(b"\r\n")} == {b"data: ", b""}


def test_keys_come_in_three_places_and_google_answers_bad_ones_in_its_own_way(sim: ThreadedSimulator):
    def told(query: str, *headers: str) -> bytes:
        with RawClient(sim.port) as raw:
            raw.get(f"/v1beta/models{query}", *headers, "connection: close")
            return raw.rest()

    for query, header in (("?key=k", "x-a: b"), ("", "x-goog-api-key: k"), ("", "authorization: Bearer k")):
        assert b'"models/gemini-3-pro-preview"' in told(query, header)
    assert b"403 Forbidden" in told("")
    assert b"API_KEY_INVALID" in told("?key=sk-bad-1")


def recorded(folder: Path) -> Iterator[Any]:
    for path in sorted(folder.rglob("*google*.json")):
        exchange = json.loads(path.read_text())
        reply = exchange["response"]
        if not exchange["endpoint"].endswith("generate_content") or reply["status"] != 200:
            continue
        if isinstance(reply.get("body"), dict):
            yield reply["body"]
        for frame in reply.get("sse") or []:
            if frame.startswith("data: {"):
                yield json.loads(frame.removeprefix("data: "))


def test_no_key_of_a_reply_is_unknown_to_google(sim: ThreadedSimulator, recordings: Path):
    def keys(node: Any, path: str = "") -> Iterator[str]:
        if isinstance(node, dict):
            for name, child in node.items():
                yield f"{path}.{name}"
                if name != "args":
                    yield from keys(child, f"{path}.{name}")
        elif isinstance(node, list):
            for child in node:
                yield from keys(child, path)

    replies = list(recorded(recordings))
    assert len(replies) >= 50
    known = {key for reply in replies for key in keys(reply)}
    for scene in ("search", "think"):
        reply = json.loads(spoken(sim, f"/v1/models/{PRO}:generateContent", scene))
        assert set(keys(reply)) <= known
