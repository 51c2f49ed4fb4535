"""What OpenAI refuses on Responses, refused in its words; and what real Codex sends, taken."""

import json
from pathlib import Path
from typing import Any

import pytest

from allgate.simulator import signing, tokens
from allgate.simulator.exchange import Rejected, Request
from allgate.simulator.openai_responses.items import REASONING_KIND
from allgate.simulator.openai_responses.request import read, read_count

SECRET = b"ours"
REQUEST = Request(serial=1, method="POST", path="/v1/responses", query={}, headers=())
HELLO: dict[str, Any] = {"model": "gpt-5.5", "input": "Hello"}
FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
USER = {"role": "user", "content": "Hi"}
CALL = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "42"}
THOUGHT = {
    "type": "reasoning",
    "summary": [],
    "encrypted_content": signing.seal(SECRET, REASONING_KIND, "hm"),
}
SAID = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]}


def talk(*items: Any, **fields: Any) -> dict[str, Any]:
    return HELLO | {"input": list(items)} | fields


def part(role: str, **part: Any) -> dict[str, Any]:
    return talk({"role": role, "content": [part]})


def tool(**fields: Any) -> dict[str, Any]:
    return HELLO | {"tools": [FUNCTION | fields]}


def form(**fields: Any) -> dict[str, Any]:
    return HELLO | {"text": {"format": fields}}


REFUSED: dict[str, tuple[dict[str, Any], str | None, str | None, str]] = {
    # name: body, param, code, words of the message
    "no model": ({"input": "x"}, "model", "missing_required_parameter", "'model'"),
    "unknown model": (HELLO | {"model": "gpt-nonexistent"}, "model", "model_not_found", "The requested model"),
    "no input": ({"model": "gpt-5.5"}, "input", "missing_required_parameter", "must be provided"),
    "unknown field": (HELLO | {"colour": 1}, "colour", "unknown_parameter", "Unknown parameter: 'colour'."),
    "chat's messages": (HELLO | {"messages": []}, "messages", "unsupported_parameter", "moved to 'input'"),
    "chat's format": (HELLO | {"response_format": {}}, "response_format", "unsupported_parameter", "'text.format'"),
    "chat's limit": (HELLO | {"max_tokens": 50}, "max_tokens", "unsupported_parameter", "'max_output_tokens'"),
    "no stop here": (HELLO | {"stop": "x"}, "stop", "unknown_parameter", "'stop'"),
    "small limit": (HELLO | {"max_output_tokens": 15}, "max_output_tokens", "integer_below_min_value", ">= 16"),
    "unknown item": (talk({"type": "tool_use"}), "input[0].type", "invalid_value", "'tool_use'"),
    "item without type": (talk({"content": "x"}), "input[0].type", "missing_required_parameter", "type"),
    "unknown role": (talk({"role": "tool", "content": "x"}), "input[0].role", "invalid_value", "'tool'"),
    "extra in an item": (talk(USER | {"cache_control": {}}), "input[0].cache_control", "unknown_parameter", "cache_control"),
    "chat's part": (part("user", type="text", text="x"), "input[0].content[0].type", "invalid_value", "'input_text'"),
    "extra in a part": (part("user", type="input_text", text="x", cache_control={}), "input[0].content[0].cache_control", "unknown_parameter", "cache_control"),
    "input part of the assistant": (part("assistant", type="input_text", text="x"), "input[0].content[0].type", "invalid_value", "'output_text' and 'refusal'"),
    "nested image": (part("user", type="input_image", image_url={"url": "x"}), "input[0].content[0].image_url", "invalid_type", "an image URL"),
    "image address": (part("user", type="input_image", image_url="AAAA"), "input[0].content[0].image_url", "invalid_value", "valid URL"),
    "file without name": (part("user", type="input_file", file_data="data:application/pdf;base64,AA=="), "input[0].content[0].filename", "missing_required_parameter", "filename"),
    "orphan output": (talk(USER, OUTPUT), "input", None, "No tool call found for function call output with call_id call_1."),
    "output before its call": (talk(USER, OUTPUT, CALL), "input", None, "No tool call found"),
    "unanswered call": (talk(USER, CALL), "input", None, "No tool output found for function call call_1."),
    "long call id": (talk(CALL | {"call_id": "x" * 65}), "input[0].call_id", "string_above_max_length", "64"),
    "arguments as object": (talk(CALL | {"arguments": {}}), "input[0].arguments", "invalid_type", "a string"),
    "item id": (talk(CALL | {"id": "call_1"}), "input[0].id", "invalid_value", "begins with 'fc'"),
    "foreign reasoning": (talk(THOUGHT | {"encrypted_content": "AAAA"}, SAID), None, "invalid_encrypted_content", "could not be verified"),
    "reasoning at the end": (talk(USER, THOUGHT), "input", None, "without its required following item"),
    "reasoning before the user": (talk(THOUGHT, USER), "input", None, "without its required following item"),
    "tool kind": (HELLO | {"tools": [{"type": "google_search"}]}, "tools[0].type", "invalid_value", "'google_search'"),
    "nested function": (HELLO | {"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].name", "missing_required_parameter", "name"),
    "tool name": (tool(name="a.b"), "tools[0].name", "invalid_value", "pattern"),
    "tool key": (tool(cache_control={}), "tools[0].cache_control", "unknown_parameter", "cache_control"),
    "tool schema": (tool(parameters={"type": "array"}), "tools[0].parameters", "invalid_function_parameters", '"array"'),
    "strict tool": (tool(strict=True), "tools[0].parameters", "invalid_function_parameters", "additionalProperties"),
    "grammar without text": (HELLO | {"tools": [{"type": "custom", "name": "c", "format": {"type": "grammar", "grammar": {}}}]}, "tools[0].format.definition", "missing_required_parameter", "definition"),
    "required without tools": (HELLO | {"tool_choice": "required"}, "tool_choice", None, "must be specified with"),
    "bad choice": (HELLO | {"tool_choice": "any"}, "tool_choice", "invalid_value", "'any'"),
    "chat's choice": (HELLO | {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice.name", "missing_required_parameter", "name"),
    "choice of nobody": (HELLO | {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "g"}}, "tool_choice", None, "not found in 'tools'"),
    "hosted choice undeclared": (HELLO | {"tool_choice": {"type": "web_search"}}, "tool_choice", None, "not found in 'tools'"),
    "include": (HELLO | {"include": ["everything"]}, "include[0]", "invalid_value", "'everything'"),
    "temperature while reasoning": (HELLO | {"temperature": 0.5}, "temperature", "unsupported_parameter", "not supported with this model"),
    "reasoning without it": (HELLO | {"model": "gpt-4o", "reasoning": {"effort": "low"}}, "reasoning.effort", "unsupported_parameter", "not supported with this model"),
    "effort": (HELLO | {"reasoning": {"effort": "ultra"}}, "reasoning.effort", "invalid_value", "'ultra'"),
    "reasoning field": (HELLO | {"reasoning": {"budget_tokens": 5}}, "reasoning.budget_tokens", "unknown_parameter", "budget_tokens"),
    "unknown response": (HELLO | {"previous_response_id": "resp_x"}, "previous_response_id", "previous_response_not_found", "resp_x"),
    "background": (HELLO | {"background": True}, "background", None, "not simulated"),
    "stream_options alone": (HELLO | {"stream_options": {}}, "stream_options", None, "only allowed when"),
    "json without the word": (form(type="json_object"), "input", None, "the word 'json'"),
    "nested schema": (form(type="json_schema", json_schema={}), "text.format.name", "missing_required_parameter", "name"),
    "open strict schema": (form(type="json_schema", name="a", strict=True, schema={"type": "object"}), "text.format.schema", "invalid_json_schema", "additionalProperties"),
    "text field": (HELLO | {"text": {"style": "x"}}, "text.style", "unknown_parameter", "style"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_openai_refuses(name: str):
    body, param, code, words = REFUSED[name]
    with pytest.raises(Rejected) as caught:
        read(REQUEST, body, SECRET)
    assert words in caught.value.message
    assert (caught.value.param, caught.value.code, caught.value.status) == (param, code, 400)


@pytest.mark.parametrize(
    "item", [{"type": "item_reference", "id": "msg_1"}, {"type": "reasoning", "id": "rs_x", "summary": []}]
)
def test_items_that_were_never_stored_are_not_found(item: dict[str, Any]):
    with pytest.raises(Rejected, match="Items are not persisted") as caught:
        read(REQUEST, talk(item, SAID), SECRET)
    assert caught.value.status == 404


@pytest.mark.parametrize(
    "body",
    [
        HELLO,
        HELLO | {"model": "gpt-4o", "temperature": 0.5, "max_output_tokens": 16, "store": False},
        talk(USER, THOUGHT, CALL, OUTPUT, SAID, USER),
        talk(USER, CALL, CALL | {"call_id": "call_2"}, OUTPUT | {"call_id": "call_2"}, OUTPUT),
        talk(OUTPUT, previous_response_id="resp_sim00000001"),
        talk({"type": "reasoning", "id": "rs_sim00000001", "summary": []}, SAID, USER),
        tool(strict=True, parameters={"type": "object", "properties": {}, "additionalProperties": False}),
        HELLO | {"tools": [{"type": "web_search"}], "tool_choice": {"type": "web_search"}},
        HELLO
        | {"reasoning": {"effort": "xhigh", "summary": "auto"}, "include": ["reasoning.encrypted_content"]},
        form(type="json_schema", name="a", schema={"type": "object"}),
    ],
)
def test_openai_takes(body: dict[str, Any]):
    assert read(REQUEST, body, SECRET).model == body["model"]


def test_tokens_are_counted_with_instructions_and_tools():
    ask = read_count(REQUEST, HELLO | {"instructions": "Be brief.", "tools": [FUNCTION]}, SECRET)
    tool_text = '{"type":"function","name":"f","parameters":{"type":"object","properties":{}}}'
    told = tokens.count("Hello") + tokens.MESSAGE_TOKENS + tokens.count("Be brief.") + tokens.count(tool_text)
    assert ask.input_tokens == told
    with pytest.raises(Rejected, match="stream"):
        read_count(REQUEST, HELLO | {"stream": True}, SECRET)


def test_tools_of_namespaces_and_of_items_are_tools():
    space = {"type": "namespace", "name": "ns", "tools": [FUNCTION]}
    added = {
        "type": "additional_tools",
        "role": "developer",
        "tools": [space, {"type": "custom", "name": "c"}],
    }
    found = read(REQUEST, talk(added, USER), SECRET).tools
    assert [(tool.namespace, tool.name, tool.custom) for tool in found] == [
        ("ns", "f", False),
        (None, "c", True),
    ]


def test_what_codex_really_sends_is_taken(shared: Path):
    """Except for the reasoning in its history, which was made up by the mock that it was recorded against."""
    taken = 0
    for path in sorted((shared / "client_requests/codex").glob("*.json")):
        body = json.loads(path.read_text())["body"]
        if not isinstance(body, dict) or body.get("type") == "response.create":  # a websocket message
            continue
        kept = [item for item in body["input"] if item["type"] not in ("reasoning", "compaction")]
        read(REQUEST, body | {"model": "gpt-5.5", "input": kept}, SECRET)
        taken += 1
    assert taken >= 10
