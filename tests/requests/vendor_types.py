"""The vendors' own SDK types as judges of a request body: no unknown member, no wrong type, nothing missing.

OpenAI and Anthropic describe requests as TypedDicts, Google as models. Two of their habits are undone, because a judge must
look at everything: unknown members are refused at every level, and lists (`Iterable` there) are read to their end.
"""

import json
from functools import cache
from typing import Any

from anthropic.types import message_create_params
from anthropic.types.beta import message_create_params as beta_params
from google.genai import types
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator
from typing_extensions import TypedDict

from allgate.wire.headers import Headers

OLD_VERSION = b"2023-06-01"
_OLD_MEMBERS = ("temperature", "top_p", "top_k")
"""What Anthropic's first API version still takes, and its SDK's types, which are of the second, no longer name."""


class GeminiBody(TypedDict, total=False):
    """A generateContent body, of Google's own parts."""

    contents: list[types.Content]
    systemInstruction: types.Content
    generationConfig: types.GenerationConfig
    tools: list[types.Tool]
    toolConfig: types.ToolConfig
    safetySettings: list[types.SafetySetting]
    cachedContent: str
    labels: dict[str, str]
    serviceTier: str
    store: bool


_TYPES: dict[str, tuple[Any, ...]] = {
    "openai_chat": (
        completion_create_params.CompletionCreateParamsNonStreaming,
        completion_create_params.CompletionCreateParamsStreaming,
    ),
    "openai_responses": (
        response_create_params.ResponseCreateParamsNonStreaming,
        response_create_params.ResponseCreateParamsStreaming,
    ),
    "anthropic": (
        message_create_params.MessageCreateParamsNonStreaming,
        message_create_params.MessageCreateParamsStreaming,
    ),
    "anthropic-beta": (
        beta_params.MessageCreateParamsNonStreaming,
        beta_params.MessageCreateParamsStreaming,
    ),
    "gemini": (GeminiBody,),
}


def faults(dialect: str, body: bytes, headers: Headers) -> list[str]:
    """What this vendor's types find wrong with a body, shortest paths first; nothing: it is one of theirs."""
    judged = json.loads(body)
    beta = any(name == b"anthropic-beta" for name, _ in headers)
    if (b"anthropic-version", OLD_VERSION) in headers:
        judged = {name: value for name, value in judged.items() if name not in _OLD_MEMBERS}
    try:
        _judge(dialect, bool(judged.get("stream")), beta).validate_json(json.dumps(judged))
    except ValidationError as error:
        found = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        return sorted(found, key=len)
    return []


@cache
def _judge(dialect: str, stream: bool, beta: bool) -> SchemaValidator:
    known = _TYPES["anthropic-beta" if beta else dialect]
    return SchemaValidator(_strict(TypeAdapter(known[-1] if stream else known[0]).core_schema))


def _strict(schema: Any) -> Any:
    """A core schema with unknown members forbidden everywhere and generators read as lists."""
    if isinstance(schema, dict):
        strict = {key: _strict(value) for key, value in schema.items()}
        if strict.get("type") == "generator":
            strict["type"] = "list"
        if strict.get("type") in ("typed-dict", "model-fields") and "extras_schema" not in strict:
            strict["extra_behavior"] = "forbid"
        return strict
    if isinstance(schema, (list, tuple)):
        return type(schema)(map(_strict, schema))
    return schema
