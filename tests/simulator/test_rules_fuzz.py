"""No body makes a vendor's rules do anything but take it or refuse it.

A body that every rule takes is changed in one place to something arbitrary, so that the change is reached: bodies made
up wholly at random are refused at the first field.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.simulator import signing
from allgate.simulator.answer import Ask, compose
from allgate.simulator.anthropic import request as anthropic
from allgate.simulator.anthropic.messages import THINKING_KIND
from allgate.simulator.exchange import Rejected, Request
from allgate.simulator.gemini import request as gemini
from allgate.simulator.gemini.contents import CALL_KIND, call_content
from allgate.simulator.openai_chat import request as openai_chat
from allgate.simulator.openai_responses import request as openai_responses
from allgate.simulator.openai_responses.items import REASONING_KIND
from allgate.simulator.scenes import Scene

SECRET = b"ours"
SCHEMA = {
    "type": "object",
    "properties": {"x": {"type": "string"}},
    "required": ["x"],
    "additionalProperties": False,
}
THOUGHT = signing.sign(SECRET, THINKING_KIND, "hm")
CALL = {"name": "f", "args": {"x": "y"}}

CHAT = {
    "model": "gpt-4o", "temperature": 1, "stop": ["x"], "n": 2, "stream": True, "stream_options": {"include_usage": True},
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}}, "parallel_tool_calls": True,
    "response_format": {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": SCHEMA}},
    "messages": [
        {"role": "system", "content": "s"},
        {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "https://x"}}]},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "c", "content": "r"},
    ],
}  # fmt: skip
RESPONSES = {
    "model": "gpt-5.5", "instructions": "s", "include": ["reasoning.encrypted_content"], "reasoning": {"effort": "low"},
    "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}, {"type": "namespace", "name": "n", "tools": []}],
    "tool_choice": {"type": "function", "name": "f"}, "text": {"format": {"type": "json_schema", "name": "a", "schema": SCHEMA}},
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "x"}, {"type": "input_image", "image_url": "https://x"}]},
        {"type": "reasoning", "summary": [], "encrypted_content": signing.seal(SECRET, REASONING_KIND, "hm")},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "r"}]},
    ],
}  # fmt: skip
MESSAGES = {
    "model": "claude-sonnet-4-6", "max_tokens": 2048, "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "stop_sequences": ["x"], "metadata": {"user_id": "u"}, "thinking": {"type": "enabled", "budget_tokens": 1024},
    "tools": [{"name": "f", "input_schema": SCHEMA}, {"type": "web_search_20250305", "name": "web_search", "max_uses": 1}],
    "tool_choice": {"type": "auto"}, "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "x"}, {"type": "image", "source": {"type": "url", "url": "https://x"}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": THOUGHT}, {"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "r"}]}]},
    ],
}  # fmt: skip
GENERATE = {
    "systemInstruction": {"parts": [{"text": "s"}]}, "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
    "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}, {"name": "g", "parameters": {"type": "OBJECT", "properties": {"x": {"type": "ARRAY", "items": {"type": "STRING"}}}}}]}],
    "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
    "generationConfig": {"temperature": 1, "stopSequences": ["x"], "thinkingConfig": {"thinkingLevel": "LOW"}, "responseMimeType": "application/json", "responseJsonSchema": SCHEMA},
    "contents": [
        {"role": "user", "parts": [{"text": "x"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]},
        {"role": "model", "parts": [{"functionCall": CALL, "thoughtSignature": signing.sign(SECRET, CALL_KIND, call_content(CALL))}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "r"}}}]},
    ],
}  # fmt: skip


def request(path: str) -> Request:
    return Request(
        serial=1, method="POST", path=path, query={}, headers=((b"anthropic-version", b"2023-06-01"),)
    )


Reader = Callable[[Request, Any, bytes], Ask]
DOORS: dict[str, tuple[Reader, str, dict[str, Any]]] = {
    "openai_chat": (openai_chat.read, "/v1/chat/completions", CHAT),
    "openai_responses": (openai_responses.read, "/v1/responses", RESPONSES),
    "anthropic": (anthropic.read, "/v1/messages", MESSAGES),
    "gemini": (gemini.read, "/v1/models/gemini-3-pro-preview:generateContent", GENERATE),
}

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2**40), st.floats(allow_nan=False), st.text(max_size=5),
    st.sampled_from(["text", "function", "any", "user", "object", "tool_use", "file", "custom", "namespace", "AAA="]),
    st.recursive(
        st.one_of(st.none(), st.integers(), st.text(max_size=3)),
        lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["type", "name", "text", "x", "content"]), inner, max_size=2)),
        max_leaves=4,
    ),
)  # fmt: skip


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything below `node`."""
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in inner:
        yield (*path, key)
        yield from places(child, (*path, key))


def replaced(node: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of `node` with `value` at `path`."""
    if not path:
        return value
    copy = dict(node) if isinstance(node, dict) else list(node)
    copy[path[0]] = replaced(node[path[0]], path[1:], value)
    return copy


@pytest.mark.parametrize("door", DOORS)
def test_the_body_that_is_changed_is_taken_as_it_is(door: str):
    read, path, body = DOORS[door]
    assert read(request(path), body, SECRET).tools


@pytest.mark.parametrize("door", DOORS)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_changed_body_is_taken_or_refused(door: str, data: st.DataObject):
    read, path, body = DOORS[door]
    place = data.draw(st.sampled_from(list(places(body))))
    changed = replaced(body, place, data.draw(ODD))
    try:
        ask = read(request(path), changed, SECRET)
    except Rejected:
        return
    assert compose(ask, Scene(), 1)
