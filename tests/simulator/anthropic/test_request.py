"""What Anthropic refuses on Messages, refused in its words; and what real Claude Code sends, taken."""

import json
from pathlib import Path
from typing import Any

import pytest

from allgate.simulator import signing, tokens
from allgate.simulator.anthropic.messages import REDACTED_KIND, SEARCH_KIND, THINKING_KIND
from allgate.simulator.anthropic.request import read, read_count
from allgate.simulator.exchange import Rejected, Request

SECRET = b"ours"
PNG = "iVBORw0KGgo="
OLD, NEW = "2023-06-01", "2026-10-21"
HELLO: dict[str, Any] = {
    "model": "claude-sonnet-4-6",
    "max_tokens": 2048,
    "messages": [{"role": "user", "content": "Hi"}],
}
TOOL = {"name": "f", "input_schema": {"type": "object", "properties": {}}}
USER = {"role": "user", "content": "Hi"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "42"}
TEXT = {"type": "text", "text": "words"}
MARK = {"cache_control": {"type": "ephemeral"}}
BUDGET = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": signing.sign(SECRET, THINKING_KIND, "hm")}


def request(version: str | None = OLD, betas: str = "", path: str = "/v1/messages") -> Request:
    headers = [(b"anthropic-version", version.encode())] if version else []
    headers += [(b"anthropic-beta", betas.encode())] if betas else []
    return Request(serial=1, method="POST", path=path, query={}, headers=tuple(headers))


def talk(*messages: Any, **fields: Any) -> dict[str, Any]:
    return HELLO | {"messages": list(messages)} | fields


def user(*blocks: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def assistant(*blocks: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def tool(**fields: Any) -> dict[str, Any]:
    return HELLO | {"tools": [TOOL | fields]}


def image(**source: Any) -> dict[str, Any]:
    return talk(user({"type": "image", "source": source}))


def schema(**keywords: Any) -> dict[str, Any]:
    found = {"type": "object", "properties": {"x": keywords}, "additionalProperties": False}
    return HELLO | {"output_config": {"format": {"type": "json_schema", "schema": found}}}


def lacking(field: str) -> dict[str, Any]:
    return {name: value for name, value in HELLO.items() if name != field}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no model": (lacking("model"), "model: Field required"),
    "no max_tokens": (lacking("max_tokens"), "max_tokens: Field required"),
    "no messages": (lacking("messages"), "messages: Field required"),
    "negative max_tokens": (HELLO | {"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
    "half a token": (HELLO | {"max_tokens": 1.5}, "max_tokens: Input should be a valid integer"),
    "too many tokens": (HELLO | {"max_tokens": 200_000}, "max_tokens: 200000 > 128000, which is the maximum"),
    "unknown field": (HELLO | {"frequency_penalty": 0}, "frequency_penalty: Extra inputs are not permitted"),
    "beta field without its beta": (HELLO | {"context_management": {}}, "context_management: Extra inputs"),
    "hot": (HELLO | {"temperature": 1.5}, "temperature: Input should be less than or equal to 1"),
    "two temperatures": (HELLO | {"temperature": 0.5, "top_p": 0.5}, "cannot both be specified"),
    "sampling on Opus 4.7": (HELLO | {"model": "claude-opus-4-7", "top_k": 5}, "`top_k` is deprecated for this model."),
    "blank stop": (HELLO | {"stop_sequences": ["\n"]}, "each stop sequence must contain non-whitespace"),
    "tier": (HELLO | {"service_tier": "flex"}, "service_tier: Input should be 'auto' or 'standard_only'"),
    "metadata": (HELLO | {"metadata": {"user": "x"}}, "metadata.user: Extra inputs"),
    "e-mail": (HELLO | {"metadata": {"user_id": "ada@example.com"}}, "email address"),
    "no turns": (talk(), "at least one message is required"),
    "unknown role": (talk({"role": "tool", "content": "x"}), "messages.0.role: Input should be 'user' or 'assistant'"),
    "extra in a message": (talk(USER | {"name": "ada"}), "messages.0.name: Extra inputs"),
    "system turn to an older model": (talk(USER, {"role": "system", "content": "x"}), 'Unexpected role "system"'),
    "system turn first": (talk({"role": "system", "content": "x"}, USER, model="claude-opus-5-5"), 'must use the "user" role'),
    "assistant first": (talk({"role": "assistant", "content": "x"}, USER), 'first message must use the "user" role'),
    "roles not in turn, elsewhere": (talk(USER, USER, model="kimi-k2"), "roles must alternate"),
    "empty message": (talk(user()), "messages.0: all messages must have non-empty content"),
    "empty assistant in the middle": (talk(USER, assistant(), USER), "messages.1: all messages"),
    "empty text": (talk(user({"type": "text", "text": ""})), "messages: text content blocks must be non-empty"),
    "blank text": (talk(user({"type": "text", "text": " \n"})), "must contain non-whitespace text"),
    "OpenAI's part": (talk(user({"type": "image_url", "image_url": {}})), "messages.0.content.0: Input tag 'image_url' found"),
    "extra in a block": (talk(user(TEXT | {"index": 0})), "messages.0.content.0.text.index: Extra inputs"),
    "tool_use of the user": (talk(user(CALL)), "Input tag 'tool_use' found"),
    "result of the assistant": (talk(USER, assistant(RESULT), USER), "Input tag 'tool_result' found"),
    "call id": (talk(USER, assistant(CALL | {"id": "a.b"}), user(RESULT)), "tool_use.id: String should match pattern"),
    "input as text": (talk(USER, assistant(CALL | {"input": "{}"}), user(RESULT)), "tool_use.input: Input should be a valid dictionary"),
    "unanswered call": (talk(USER, assistant(CALL), user(TEXT)), "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1"),
    "text before the result": (talk(USER, assistant(CALL), user(TEXT, RESULT)), "immediately after: toolu_1"),
    "one of two unanswered": (talk(USER, assistant(CALL, CALL | {"id": "toolu_2"}), user(RESULT)), "immediately after: toolu_2"),
    "call at the end": (talk(USER, assistant(CALL), model="sim-echo"), "immediately after: toolu_1"),
    "orphan result": (talk(user(RESULT)), "messages.0.content.0: unexpected `tool_use_id`"),
    "two results": (talk(USER, assistant(CALL), user(RESULT, RESULT)), "messages.2.content.1: each tool_use must have a single result"),
    "result not adjacent": (talk(USER, assistant(CALL), user(RESULT), assistant(TEXT), user(RESULT)), "messages.4.content.0: unexpected `tool_use_id`"),
    "same call id twice": (talk(USER, assistant(CALL), user(RESULT), assistant(CALL), user(RESULT)), "ids must be unique"),
    "prefill": (talk(USER, assistant(TEXT)), "does not support assistant message prefill"),
    "prefill with a space": (talk(USER, {"role": "assistant", "content": "x "}, model="sim-echo"), "cannot end with trailing whitespace"),
    "five marks": (talk(user(*[TEXT | MARK] * 5)), "A maximum of 4 blocks with cache_control may be provided. Found 5."),
    "marks in wrong order": (talk(user(TEXT | MARK, TEXT | {"cache_control": {"type": "ephemeral", "ttl": "1h"}})), "ttl='1h'"),
    "mark type": (talk(user(TEXT | {"cache_control": {"type": "forever"}})), "cache_control: Input tag 'forever'"),
    "mark ttl": (talk(user(TEXT | {"cache_control": {"type": "ephemeral", "ttl": "2h"}})), "Input should be '5m' or '1h'"),
    "marked thinking": (talk(USER, assistant(THOUGHT | MARK, TEXT), USER), "thinking.cache_control: Extra inputs"),
    "altered thinking": (talk(USER, assistant(THOUGHT | {"thinking": "hm!"}, TEXT), USER), "messages.1.content.0: Invalid `signature` in `thinking` block"),
    "foreign thinking": (talk(USER, assistant(THOUGHT | {"signature": signing.sign(b"theirs", THINKING_KIND, "hm")}, TEXT), USER), "Invalid `signature`"),
    "unsigned thinking": (talk(USER, assistant({"type": "thinking", "thinking": "hm"}, TEXT), USER), "thinking.signature: Field required"),
    "empty signature": (talk(USER, assistant(THOUGHT | {"signature": ""}, TEXT), USER), "Invalid `signature`"),
    "foreign redacted thinking": (talk(USER, assistant({"type": "redacted_thinking", "data": "AAAA"}, TEXT), USER), "Invalid `data` in `redacted_thinking`"),
    "foreign search": (talk(USER, assistant({"type": "web_search_tool_result", "tool_use_id": "x", "content": [{"encrypted_content": ""}]}), USER), "Invalid `encrypted_content`"),
    "tool loop without its thinking": (talk(USER, assistant(CALL), user(RESULT), **BUDGET), "Expected `thinking` or `redacted_thinking`, but found `tool_use`"),
    "small budget": (HELLO | {"thinking": {"type": "enabled", "budget_tokens": 1000}}, "greater than or equal to 1024"),
    "budget of all": (HELLO | {"thinking": {"type": "enabled", "budget_tokens": 2048}}, "`max_tokens` must be greater than"),
    "no budget": (HELLO | {"thinking": {"type": "enabled"}}, "thinking.enabled.budget_tokens: Field required"),
    "budget while adaptive": (HELLO | {"thinking": {"type": "adaptive", "budget_tokens": 2000}}, "thinking.adaptive.budget_tokens: Extra"),
    "unknown thinking": (HELLO | {"thinking": {"type": "auto"}}, "thinking: Input tag 'auto'"),
    "budget on Opus 4.7": (HELLO | {"model": "claude-opus-4-7"} | BUDGET, '"thinking.type.enabled" is not supported'),
    "adaptive on Sonnet 4": (HELLO | {"model": "claude-sonnet-4-0", "thinking": {"type": "adaptive"}}, "adaptive thinking is not supported"),
    "thinking and temperature": (HELLO | BUDGET | {"temperature": 0.5}, "`temperature` may only be set to 1"),
    "thinking and top_p": (HELLO | BUDGET | {"top_p": 0.9}, "greater than or equal to 0.95"),
    "thinking and top_k": (HELLO | BUDGET | {"top_k": 5}, "`top_k` must be unset"),
    "thinking and force": (HELLO | BUDGET | {"tools": [TOOL], "tool_choice": {"type": "any"}}, "Thinking may not be enabled when tool_choice forces"),
    "tool without schema": (HELLO | {"tools": [{"name": "f"}]}, "tools.0.custom.input_schema: Field required"),
    "OpenAI's tool": (HELLO | {"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools.0: Input tag 'function'"),
    "parameters": (tool(parameters={}), "tools.0.custom.parameters: Extra inputs"),
    "tool name": (tool(name="a.b"), "tools.0.custom.name: String should match pattern"),
    "boolean schema": (tool(input_schema=True), "tools.0.custom.input_schema: Input does not match the expected shape."),
    "untyped schema": (tool(input_schema={}), "tools.0.custom.input_schema.type: Field required"),
    "array schema": (tool(input_schema={"type": "array"}), "input_schema.type: Input should be 'object'"),
    "root union": (tool(input_schema={"type": "object", "anyOf": []}), "at the top level"),
    "same tool twice": (HELLO | {"tools": [TOOL, TOOL]}, "Tool names must be unique"),
    "strict tool": (tool(strict=True), "'additionalProperties' must be explicitly set to false"),
    "search field": (HELLO | {"tools": [{"type": "web_search_20250305", "name": "web_search", "search_context_size": "low"}]}, "search_context_size: Extra inputs"),
    "choice without tools": (HELLO | {"tool_choice": {"type": "auto"}}, "may only be specified while providing tools"),
    "OpenAI's choice": (HELLO | {"tools": [TOOL], "tool_choice": {"type": "required"}}, "tool_choice: Input tag 'required'"),
    "choice of nobody": (HELLO | {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "Tool 'g' not found"),
    "parallel and none": (HELLO | {"tools": [TOOL], "tool_choice": {"type": "none", "disable_parallel_tool_use": True}}, "Extra inputs"),
    "force on Fable": (HELLO | {"model": "claude-fable-5", "tools": [TOOL], "tool_choice": {"type": "any"}}, "not supported for this model"),
    "effort too high": (HELLO | {"output_config": {"effort": "xhigh"}}, "does not support effort level 'xhigh'. Supported levels: high, low, max, medium."),
    "effort on Sonnet 4": (HELLO | {"model": "claude-sonnet-4-0", "output_config": {"effort": "low"}}, "does not support the effort parameter"),
    "format": (HELLO | {"output_config": {"format": {"type": "json_object"}}}, "Input should be 'json_schema'"),
    "bounds in a format": (schema(type="integer", minimum=1, maximum=2), "For 'integer' type, properties maximum, minimum are not supported"),
    "open object in a format": (schema(type="object"), "'additionalProperties' must be explicitly set to false"),
    "image type": (image(type="base64", media_type="image/heic", data=PNG), "Input should be 'image/jpeg', 'image/png'"),
    "lying image": (image(type="base64", media_type="image/jpeg", data=PNG), "does not appear to be one"),
    "broken base64": (image(type="base64", media_type="image/png", data="iVBORw0KGg"), "invalid base64 data"),
    "image over http": (image(type="url", url="http://example.com/x.png"), "Only HTTPS URLs"),
    "no PDF": (talk(user({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}})), "The PDF specified was not valid"),
    "document type": (talk(user({"type": "document", "source": {"type": "base64", "media_type": "text/csv", "data": "AAAA"}})), "Input should be 'application/pdf'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_anthropic_refuses(name: str):
    body, words = REFUSED[name]
    with pytest.raises(Rejected) as caught:
        read(request(), body, SECRET)
    assert words in caught.value.message
    assert caught.value.status == 400


def test_an_unknown_model_is_not_found():
    with pytest.raises(Rejected) as caught:
        read(request(), HELLO | {"model": "Claude-Sonnet-4.6"}, SECRET)
    assert (caught.value.status, caught.value.message) == (404, "model: Claude-Sonnet-4.6")


@pytest.mark.parametrize("version", [None, "2024-01-01"])
def test_the_version_must_be_said_and_be_one(version: str | None):
    with pytest.raises(Rejected, match="anthropic-version"):
        read(request(version), HELLO, SECRET)


DOCUMENT = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "x"}}
CITED = TEXT | {"citations": [{"type": "char_location"}]}
NEWLY_REFUSED = {
    "temperature": (HELLO | {"temperature": 1}, "temperature: Extra inputs are not permitted"),
    "document of the assistant": (
        talk(USER, assistant(DOCUMENT), USER),
        "not permitted in assistant messages",
    ),
    "cited user text": (talk(user(CITED)), "messages.0.content.0.text.citations: Extra inputs"),
}


@pytest.mark.parametrize("name", NEWLY_REFUSED)
def test_the_second_version_refuses_what_the_first_took(name: str):
    body, words = NEWLY_REFUSED[name]
    read(request(OLD), body, SECRET)
    with pytest.raises(Rejected) as caught:
        read(request(NEW), body, SECRET)
    assert words in caught.value.message


REDACTED = {"type": "redacted_thinking", "data": signing.seal(SECRET, REDACTED_KIND, "hm")}
HIT = {"type": "web_search_result", "encrypted_content": signing.seal(SECRET, SEARCH_KIND, "x")}


@pytest.mark.parametrize(
    "body",
    [
        HELLO,
        HELLO | {"max_tokens": 0, "temperature": 1, "stop_sequences": ["x"], "metadata": {"user_id": "u"}},
        talk(USER, USER, assistant(TEXT), user(TEXT)),
        talk(USER, assistant(THOUGHT, CALL), user(RESULT, TEXT), **BUDGET),
        talk(USER, assistant(REDACTED, CALL), user(RESULT), **BUDGET),
        talk(
            USER, assistant(CALL, CALL | {"id": "toolu_2"}), user(RESULT | {"tool_use_id": "toolu_2"}, RESULT)
        ),
        talk(USER, assistant({"type": "web_search_tool_result", "tool_use_id": "x", "content": [HIT]}), USER),
        talk(USER, {"role": "system", "content": "x"}, assistant(TEXT), USER, model="claude-opus-5-5"),
        talk(USER, assistant({"type": "thinking", "thinking": "hm"}, TEXT), USER, model="kimi-k2"),
        talk(user(*[TEXT | MARK] * 4)),
        image(type="base64", media_type="image/png", data=PNG),
        HELLO
        | {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True}},
        HELLO
        | {
            "tools": [],
            "model": "claude-opus-5-5",
            "thinking": {"type": "adaptive", "display": "summarized"},
        },
        schema(type="string", enum=["a"]),
    ],
)
def test_anthropic_takes(body: dict[str, Any]):
    assert read(request(), body, SECRET).model == body["model"]


def test_tokens_are_counted_without_a_limit_and_with_tools_and_system():
    body = lacking("max_tokens") | {"tools": [TOOL], "system": "Be brief."}
    ask = read_count(request(path="/v1/messages/count_tokens"), body, SECRET)
    tool_text = '{"name":"f","input_schema":{"type":"object","properties":{}}}'
    told = tokens.count("Hi") + tokens.MESSAGE_TOKENS + tokens.count("Be brief.") + tokens.count(tool_text)
    assert ask.input_tokens == told
    with pytest.raises(Rejected, match="stream: Extra inputs"):
        read_count(request(path="/v1/messages/count_tokens"), body | {"stream": True}, SECRET)


def test_what_claude_code_really_sends_is_taken(shared: Path):
    """For Claude models; its client-side features are named by the beta headers it sends."""
    taken = 0
    for path in sorted((shared / "client_requests/claude-code").glob("*.json")):
        recorded = json.loads(path.read_text())
        if "/v1/messages" not in recorded["path"] or not isinstance(recorded["body"], dict):
            continue
        body = recorded["body"]
        if not body["model"].startswith("claude-"):
            body = body | {"model": "sim-echo"}
        headers = {name.lower(): value for name, value in recorded["headers"].items()}
        sent = request(
            headers["anthropic-version"], headers.get("anthropic-beta", ""), recorded["path"].split("?")[0]
        )
        (read_count if "count_tokens" in recorded["path"] else read)(sent, body, SECRET)
        taken += 1
    assert taken >= 10
