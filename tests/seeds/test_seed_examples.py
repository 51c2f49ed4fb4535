"""Every request of seeds 000 to 004 for a conversation, as written there. (The SDK examples are in test_seed_sdks.py.)

Each runs four times: behind the gateway stands the strict simulator in one of the four dialects, with the model's own
vendor where that is its dialect and with another vendor's model elsewhere. Only host, key and the host of pictures are
ours. What stands in those documents by name alone, or as a fragment without a request around it, is no example.
"""

import json

import pytest

from seeds import seed_000, seed_001_to_003, seed_004
from seeds.catalogue import OF_SEED_000, catalogue
from seeds.example import Example
from seeds.told import Told, told
from stand import KEY, Reply, connection
from standing import FILM_BASE64, PNG_BASE64, House

EXAMPLES = (*seed_000.EXAMPLES, *seed_001_to_003.EXAMPLES, *seed_004.EXAMPLES)
EXAMPLES_COUNT = 55

FINISHES = {
    "/v1/chat/completions": ("stop", "tool_calls"),
    "/v1/messages": ("end_turn", "tool_use"),
    "/v1/responses": ("stop", "stop"),
    "/v1/completions": ("stop", "stop"),
    "/v1beta/models/gemini-2.5-pro:generateContent": ("STOP", "STOP"),
}
SHOWN_BY = {
    "/v1/chat/completions": ("anthropic", "gemini"),
    "/v1/messages": ("openai_responses", "anthropic", "gemini"),
    "/v1beta/models/gemini-2.5-pro:generateContent": ("openai_responses", "anthropic", "gemini"),
}
"""Whose thinking can be read: OpenAI's Chat tells none, and its Responses a summary if the client asks for one."""


CANNOT = {
    "search": ("openai_chat",),
    "video": ("openai_chat", "openai_responses", "anthropic"),
}
"""What no upstream of a dialect has: a 400 that says so, and nothing sent."""


def test_every_example_is_counted() -> None:
    assert len({example.place for example in EXAMPLES}) == len(EXAMPLES) == EXAMPLES_COUNT
    assert len(seed_004.BEYOND) <= seed_004.BEYOND_MAX


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
async def test_the_example_runs_as_written(house: tuple[str, House], example: Example) -> None:
    dialect, standing_house = house
    _script(standing_house, dialect, example)
    reply = await _sent(standing_house, example)
    if example.shows == "missing model":
        _check_missing(reply, example)
    elif example.shows == "types":
        _check_types(reply)
    elif dialect in CANNOT.get(example.shows, ()):
        _check_unsupported(reply, example.shows)
    elif dialect == "anthropic" and example.place == "004 Gemini's own format":
        _check_budget(reply)
    else:
        assert reply.status == 200, reply.body
        answer = told(reply, example.path)
        _check_answer(example, answer, dialect)
        _check_sent(example, standing_house, dialect)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("model", OF_SEED_000)
async def test_every_model_answers_on_every_path_of_the_document(
    house: tuple[str, House], model: str, path: str
) -> None:
    """§1.2, §2.2, §3.2, §4.2: Chat and Messages, with a system, for all; Responses too unless the operator narrows it."""
    asked = {"input": "hi"} if path == "/v1/responses" else {"messages": [{"role": "user", "content": "hi"}]}
    system = {"system": "Be brief.", "max_tokens": 1024} if path == "/v1/messages" else {}
    reply = await _sent(house[1], Example("", "text", {"model": model, **asked, **system}, path))
    assert told(reply, path).text == "You said: hi"


def test_the_document_names_sixteen_models() -> None:
    assert len(OF_SEED_000) == 16


def _script(house: House, dialect: str, example: Example) -> None:
    """What the stand-in cannot tell from the prompt: that a tool is needed, and JSON that is asked for in words."""
    if example.shows == "tool":
        house.sim.script("tools")
    elif example.shows == "search" and dialect != "openai_chat":
        house.sim.script("search")
    elif dialect == "anthropic" and example.body.get("response_format") == {"type": "json_object"}:
        house.sim.script("text='{\"books\": []}'")


async def _sent(house: House, example: Example) -> Reply:
    """The example's request: its headers, its body."""
    headers = {"authorization": f"Bearer {KEY}"} if example.key == "authorization" else {"x-api-key": KEY}
    if example.path == "/v1/messages":
        headers |= {"anthropic-version": "2023-06-01"}
    body = json.dumps(example.body, ensure_ascii=False)
    body = body.replace('"url": "/', f'"url": "{house.pictures}/')
    async with connection(house.url) as line:
        await line.send(example.path, body.encode(), headers)
        return await line.read()


def _check_answer(example: Example, answer: Told, dialect: str) -> None:
    """What came back is what the example shows, in the form that the document prints."""
    # where the bytes of the vendor's answer pass through, it says its own name, as the documents show
    assert answer.model in (example.model, catalogue(dialect)[example.model].model)
    cut = example.shows == "length" and dialect != "openai_responses"  # whose least bound is 16 tokens
    assert answer.finish == ("length" if cut else FINISHES[example.path][example.shows == "tool"])
    assert answer.tokens > 0
    match example.shows:
        case "tool":
            ((name, arguments),) = answer.calls
            declared = example.body["tools"][0]["function"]
            assert name == declared["name"]
            assert set(declared["parameters"]["required"]) <= set(arguments)
        case "json":
            schema = example.body["response_format"].get("json_schema", {}).get("schema", {})
            assert set(schema.get("required", ())) <= set(json.loads(answer.text))
        case "search":
            assert answer.text == f"You said: {example.prompt}"
            assert answer.sources == ("https://example.com/source/0",)
        case "thinking":
            assert answer.text == f"You said: {example.prompt}"
            assert answer.thinking or dialect not in SHOWN_BY[example.path]
        case "length":
            assert f"You said: {example.prompt}".startswith(answer.text)
        case _:
            assert answer.text.startswith(f"You said: {example.prompt}")


def _check_sent(example: Example, house: House, dialect: str) -> None:
    """The provider was asked in its own words."""
    house.sim.wait_for(lambda line: line.done and line is house.sim.ledger.last)
    line = house.sim.ledger.last
    assert (line.dialect, line.status) == (dialect, 200)
    sent = json.dumps(house.sim.ledger.body(line))
    assert example.reaches.get(dialect, "") in sent
    if example.shows == "picture":
        by_url = dialect.startswith("openai")  # the others get what the gateway fetched
        assert (house.pictures in sent, PNG_BASE64 in sent) == (by_url, not by_url)
    elif example.shows == "video":
        assert (house.pictures in sent, FILM_BASE64 in sent) == (False, True)


def _check_missing(reply: Reply, example: Example) -> None:
    message = f"The model '{example.body['model']}' does not exist"
    said = {
        "message": message,
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }
    assert (reply.status, reply.json) == (404, {"error": said})


def _check_types(reply: Reply) -> None:
    """A page that prints types in place of values: the first of them that cannot be one."""
    assert reply.status == 400
    assert reply.json["error"]["param"] == "tools[0]"


def _check_budget(reply: Reply) -> None:
    """Seed 000 §2.7.3: a budget of 128 tokens, which Gemini takes, is none for Claude."""
    assert reply.status == 400
    assert "at least 1024 tokens" in reply.json["error"]["message"]


def _check_unsupported(reply: Reply, what: str) -> None:
    assert reply.status == 400
    assert reply.json["error"]["code"] == "unsupported_feature"
    assert what in reply.json["error"]["message"]
