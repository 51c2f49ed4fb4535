"""What OpenAI refuses on Chat Completions, refused in its words."""

from typing import Any

import pytest

from allgate.core.value import changed
from allgate.simulator import tokens
from allgate.simulator.exchange import Rejected, Request
from allgate.simulator.openai_chat.request import read

REQUEST = Request(serial=1, method="POST", path="/v1/chat/completions", query={}, headers=())
HELLO: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
USER, CALLING = {"role": "user", "content": "x"}, {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "42"}


def with_messages(*messages: Any) -> dict[str, Any]:
    return HELLO | {"messages": list(messages)}


def part(part: Any) -> dict[str, Any]:
    return with_messages({"role": "user", "content": [part]})


REFUSED: dict[str, tuple[dict[str, Any], str | None, str | None, str]] = {
    # name: body, param, code, words of the message
    "no model": ({"messages": [USER]}, None, None, "must provide a model"),
    "unknown model": (HELLO | {"model": "gpt-nonexistent"}, None, "model_not_found", "does not exist"),
    "public name": (HELLO | {"model": "Claude-Sonnet-4.6"}, None, "model_not_found", "does not exist"),
    "unknown scene model": (HELLO | {"model": "sim-nothing"}, None, "model_not_found", "does not exist"),
    "no messages": ({"model": "gpt-4o"}, "messages", "missing_required_parameter", "Missing required"),
    "empty messages": (with_messages(), "messages", "empty_array", "minimum length 1"),
    "unknown role": (with_messages({"role": "robot", "content": "x"}), "messages[0].role", "invalid_value", "'robot'"),
    "no role": (with_messages({"content": "x"}), "messages[0].role", "missing_required_parameter", "role"),
    "null content": (with_messages({"role": "user", "content": None}), "messages.[0].content", None, "expected a string"),
    "empty parts": (with_messages({"role": "user", "content": []}), "messages[0].content", "empty_array", "empty array"),
    "unknown part": (part({"type": "input_text", "text": "x"}), "messages[0].content[0].type", "invalid_value", "input_text"),
    "video on OpenAI": (part({"type": "video_url", "video_url": {"url": "x"}}), "messages[0].content[0].type", "invalid_value", "video_url"),
    "image format": (part({"type": "image_url", "image_url": {"url": "data:image/bmp;base64,AA=="}}), None, "invalid_image_format", "unsupported image"),
    "image address": (part({"type": "image_url", "image_url": {"url": "AAAA"}}), "messages[0].content[0].image_url.url", "invalid_value", "data URL"),
    "file without name": (part({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}}), "messages[0].content[0].file.filename", "missing_required_parameter", "filename"),
    "audio format": (part({"type": "input_audio", "input_audio": {"data": "AA==", "format": "ogg"}}), "messages[0].content[0].input_audio.format", "invalid_value", "ogg"),
    "reasoning sent to OpenAI": (with_messages(USER, {"role": "assistant", "content": "x", "reasoning_content": "y"}, USER), "messages[1].reasoning_content", "unknown_parameter", "Unknown parameter"),
    "orphan result": (with_messages(USER, RESULT), "messages.[1].role", None, "preceeding message"),
    "result of an older call": (with_messages(USER, CALLING, RESULT, USER, RESULT), "messages.[4].role", None, "preceeding message"),
    "unanswered call": (with_messages(USER, CALLING, USER), "messages.[2].role", None, "call_1"),
    "unanswered last call": (with_messages(USER, CALLING), "messages.[2].role", None, "call_1"),
    "result without id": (with_messages(USER, CALLING, {"role": "tool", "content": "x"}), "messages[2].tool_call_id", "missing_required_parameter", "tool_call_id"),
    "long call id": (with_messages(USER, {**CALLING, "tool_calls": [CALL | {"id": "x" * 41}]}), "messages[1].tool_calls[0].id", "string_above_max_length", "40"),
    "arguments as object": (with_messages(USER, {**CALLING, "tool_calls": [CALL | {"function": {"name": "f", "arguments": {}}}]}), "messages[1].tool_calls[0].function.arguments", "missing_required_parameter", "arguments"),
    "unknown field": (HELLO | {"colour": 1}, None, None, "Unrecognized request argument supplied: colour"),
    "vendor field to OpenAI": (HELLO | {"top_k": 1}, None, None, "top_k"),
    "hot": (HELLO | {"temperature": 2.5}, "temperature", "decimal_above_max_value", "<= 2"),
    "cold": (HELLO | {"temperature": -1}, "temperature", "decimal_below_min_value", ">= 0"),
    "warm words": (HELLO | {"temperature": "warm"}, "temperature", "invalid_type", "but got a string"),
    "n": (HELLO | {"n": 129}, "n", "integer_above_max_value", "<= 128"),
    "n nothing": (HELLO | {"n": 0}, "n", "integer_below_min_value", ">= 1"),
    "no tokens": (HELLO | {"max_tokens": 0}, "max_tokens", "integer_below_min_value", ">= 1"),
    "half a token": (HELLO | {"max_tokens": 1.5}, "max_tokens", "invalid_type", "an integer"),
    "both limits": (HELLO | {"max_tokens": 5, "max_completion_tokens": 5}, "max_tokens", "invalid_parameter_combination", "same time"),
    "five stops": (HELLO | {"stop": list("abcde")}, "stop", "array_above_max_length", "maximum length 4"),
    "penalty": (HELLO | {"presence_penalty": 3}, "presence_penalty", "decimal_above_max_value", "<= 2"),
    "top_logprobs alone": (HELLO | {"top_logprobs": 2}, "top_logprobs", None, "logprobs"),
    "stream_options alone": (HELLO | {"stream_options": {"include_usage": True}}, "stream_options", None, "only allowed when"),
    "choice without tools": (HELLO | {"tool_choice": "auto"}, "tool_choice", None, "'tools' are specified"),
    "parallel without tools": (HELLO | {"parallel_tool_calls": False}, "parallel_tool_calls", None, "'tools' are specified"),
    "no tools": (HELLO | {"tools": []}, "tools", "empty_array", "empty array"),
    "hosted search": (HELLO | {"tools": [{"type": "web_search_preview"}]}, "tools[0].type", "invalid_value", "'function' and 'custom'"),
    "tool without type": (HELLO | {"tools": [{"function": {}}]}, "tools[0].type", "missing_required_parameter", "type"),
    "flat tool": (HELLO | {"tools": [{"type": "function", "name": "f"}]}, "tools[0].function", "missing_required_parameter", "function"),
    "tool name": (HELLO | {"tools": [{"type": "function", "function": {"name": "a.b"}}]}, "tools[0].function.name", "invalid_value", "pattern"),
    "long tool name": (HELLO | {"tools": [{"type": "function", "function": {"name": "a" * 65}}]}, "tools[0].function.name", "string_above_max_length", "64"),
    "tool cache mark": (HELLO | {"tools": [{"type": "function", "function": {"name": "f", "cache_control": {}}}]}, "tools[0].function.cache_control", "unknown_parameter", "cache_control"),
    "tool schema": (HELLO | {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}, "tools[0].function.parameters", "invalid_function_parameters", '"object"'),
    "strict tool": (HELLO | {"tools": [{"type": "function", "function": {"name": "f", "strict": True, "parameters": {"type": "object", "properties": {}}}}]}, "tools[0].function.parameters", "invalid_function_parameters", "additionalProperties"),
    "bad choice": (HELLO | {"tools": [TOOL], "tool_choice": "any"}, "tool_choice", "invalid_value", "'any'"),
    "choice of nobody": (HELLO | {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice", None, "'g'"),
    "anthropic choice": (HELLO | {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}}, "tool_choice.type", "invalid_value", "'tool'"),
    "json without the word": (HELLO | {"response_format": {"type": "json_object"}}, "messages", None, "the word 'json'"),
    "format type": (HELLO | {"response_format": {"type": "xml"}}, "response_format.type", "invalid_value", "'xml'"),
    "format without schema": (HELLO | {"response_format": {"type": "json_schema"}}, "response_format.json_schema", "missing_required_parameter", "json_schema"),
    "format without name": (HELLO | {"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}}, "response_format.json_schema.name", "missing_required_parameter", "name"),
    "open strict schema": (HELLO | {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {"type": "object", "properties": {}}}}}, "response_format", None, "'additionalProperties' is required"),
    "optional in strict schema": (HELLO | {"response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {"type": "object", "properties": {"x": {}}, "additionalProperties": False}}}}, "response_format", None, "Missing 'x'"),
    "effort without reasoning": (HELLO | {"reasoning_effort": "low"}, None, None, "reasoning_effort"),
    "reasoning: temperature": (HELLO | {"model": "o3-mini", "temperature": 0.5}, "temperature", "unsupported_value", "Only the default (1)"),
    "reasoning: max_tokens": (HELLO | {"model": "gpt-5.5", "max_tokens": 5}, "max_tokens", "unsupported_parameter", "max_completion_tokens"),
    "reasoning: stop": (HELLO | {"model": "o3", "stop": "x"}, "stop", "unsupported_parameter", "not supported"),
    "reasoning: effort": (HELLO | {"model": "gpt-5.5", "reasoning_effort": "ultra"}, "reasoning_effort", "invalid_value", "'ultra'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_openai_refuses(name: str):
    body, param, code, words = REFUSED[name]
    with pytest.raises(Rejected) as caught:
        read(REQUEST, body, b"")
    assert (caught.value.param, caught.value.code) == (param, code)
    assert words in caught.value.message
    assert caught.value.status == (404 if code == "model_not_found" else 400)


@pytest.mark.parametrize(
    "body",
    [
        HELLO,
        HELLO | {"temperature": 2, "top_p": 0.1, "n": 3, "stop": list("abcd"), "seed": 1, "logit_bias": {"1": 1}},
        HELLO | {"temperature": None, "tools": None, "response_format": None},
        HELLO | {"model": "gpt-5.5", "temperature": 1, "max_completion_tokens": 5, "reasoning_effort": "xhigh"},
        HELLO | {"model": "deepseek-chat", "thinking": {"type": "enabled"}, "top_k": 3},
        HELLO | {"tools": [TOOL], "tool_choice": "required", "parallel_tool_calls": False},
        HELLO
        | {"tools": [TOOL], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
        with_messages(USER, CALLING, RESULT),
        with_messages(USER, {**CALLING, "tool_calls": [CALL, CALL | {"id": "call_2"}]}, {**RESULT, "tool_call_id": "call_2"}, RESULT),
        with_messages({"role": "developer", "content": "x"}, USER, {"role": "assistant", "content": "y"}),
        HELLO | {"response_format": {"type": "json_object"}, "messages": [{"role": "user", "content": "in JSON"}]},
    ],
)  # fmt: skip
def test_openai_takes(body: dict[str, Any]):
    assert read(REQUEST, body, b"").model == body["model"]


def test_other_vendors_take_the_habits_of_the_field():
    messages = [
        USER,
        {"role": "assistant", "content": "", "reasoning_content": "y", "tool_calls": [CALL]},
        RESULT,
    ]
    assert read(REQUEST, {"model": "deepseek-chat", "messages": messages}, b"").results == ("42",)


def test_input_tokens_are_texts_messages_media_and_tools():
    image = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
    body = with_messages({"role": "system", "content": "Be brief."}, {"role": "user", "content": [image]})
    told = tokens.count("Be brief.") + 2 * tokens.MESSAGE_TOKENS + tokens.MEDIA_TOKENS
    assert read(REQUEST, body, b"").input_tokens == told
    tool = '{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{}}}}'
    assert read(REQUEST, body | {"tools": [TOOL]}, b"").input_tokens == told + tokens.count(tool)


def test_the_prompt_is_the_last_user_text_and_the_results_come_after_it():
    ask = read(REQUEST, with_messages(USER, CALLING, RESULT, {**USER, "content": "again"}), b"")
    assert (ask.prompt, ask.results) == ("again", ())
    ask = read(changed(REQUEST, serial=2), with_messages(USER, CALLING, RESULT), b"")
    assert (ask.prompt, ask.results) == ("x", ("42",))
