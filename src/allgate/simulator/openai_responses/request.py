"""A Responses request, read as strictly as OpenAI reads it. Raises `Rejected` only.

Stored responses are not kept: a `previous_response_id` of the simulator's own form is taken as a conversation whose
earlier items are known, any other is not found.
"""

import re
from typing import cast

from allgate.simulator import models, tokens
from allgate.simulator.answer import Ask
from allgate.simulator.exchange import Rejected, Request
from allgate.simulator.openai.checks import (
    EFFORTS,
    TIERS,
    Check,
    anything,
    array,
    boolean,
    check_fields,
    choice,
    integer,
    invalid_type,
    invalid_value,
    mapping,
    missing,
    number,
    sound_schema,
    strict_schema,
    text,
    tool_name,
    unsupported,
)
from allgate.simulator.openai_responses.items import read_input
from allgate.simulator.openai_responses.tools import read_choice, read_tools
from allgate.simulator.reading import items, part
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

OUTPUT_TOKENS_MIN = 16
"""The smallest `max_output_tokens`."""

_OUR_RESPONSE = re.compile(r"resp_sim\d{8}")
_INCLUDES = (
    "file_search_call.results", "web_search_call.results", "web_search_call.action.sources",
    "message.input_image.image_url", "computer_call_output.output.image_url", "code_interpreter_call.outputs",
    "reasoning.encrypted_content", "message.output_text.logprobs",
)  # fmt: skip


def _include(value: Json, param: str) -> None:
    array(value, param)
    for place, name in enumerate(cast(list[Json], value)):
        choice(*_INCLUDES)(name, f"{param}[{place}]")


_FIELDS: dict[str, Check] = {
    "model": text, "input": anything, "instructions": text, "max_output_tokens": integer(OUTPUT_TOKENS_MIN),
    "max_tool_calls": integer(1), "temperature": number(0, 2), "top_p": number(0, 1), "top_logprobs": integer(0, 20),
    "tools": array, "tool_choice": anything, "parallel_tool_calls": boolean, "reasoning": mapping, "text": mapping,
    "include": _include, "store": boolean, "previous_response_id": text, "conversation": anything,
    "background": boolean, "truncation": choice("auto", "disabled"), "stream": boolean, "stream_options": mapping,
    "metadata": mapping, "user": text, "safety_identifier": text, "service_tier": choice(*TIERS, "ultrafast"),
    "prompt": mapping, "prompt_cache_key": text, "prompt_cache_retention": text, "prompt_cache_options": mapping,
    "context_management": array, "moderation": anything, "access_programs": anything, "image": mapping,
    "client_metadata": mapping,
}  # fmt: skip
_COUNTED = (
    "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text",
    "previous_response_id", "conversation", "truncation", "personality",
)  # fmt: skip
_MOVED = {
    "messages": "input",
    "response_format": "text.format",
    "max_tokens": "max_output_tokens",
    "max_completion_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "functions": "tools",
}


def read(_request: Request, body: JsonObject, secret: bytes) -> Ask:
    """A `/v1/responses` request as an Ask. Raises: Rejected."""
    check_fields(body, _FIELDS, _unknown)
    if body.get("background") is True:
        raise Rejected("simulator: background responses are not simulated", param="background")
    if body.get("stream_options") is not None and body.get("stream") is not True:
        raise Rejected(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    return _ask(body, secret)


def read_count(_request: Request, body: JsonObject, secret: bytes) -> Ask:
    """A `/v1/responses/input_tokens` request as an Ask whose `input_tokens` is the answer. Raises: Rejected."""
    check_fields(body, {name: _FIELDS.get(name, anything) for name in _COUNTED}, _unknown)
    return _ask(body, secret)


def _ask(body: JsonObject, secret: bytes) -> Ask:
    model = _model(body)
    _check_model_limits(body, model)
    continued = _check_continued(body)
    talk = read_input(body.get("input") or "", secret, continued=continued)
    tools = read_tools([*items(body, "tools"), *talk.tools])
    forced, may_call = read_choice(body, tools)
    instructions = body.get("instructions") or ""
    schema, json_object = _format(part(body, "text"), f"{instructions}\n{talk.all_text}")
    reasoning = part(body, "reasoning")
    tool_tokens = sum(tokens.count(json.encode_text(tool)) for tool in [*items(body, "tools"), *talk.tools])
    return Ask(
        model=model,
        prompt=talk.prompt,
        input_tokens=talk.input_tokens + tokens.count(instructions) + tool_tokens,
        stream=body.get("stream") is True,
        tools=tuple(tool for tool in tools if not tool.hosted),
        forced=forced,
        may_call=may_call,
        parallel=body.get("parallel_tool_calls") is not False,
        results=talk.results,
        seals=talk.seals,
        schema=schema,
        json_object=json_object,
        max_tokens=body.get("max_output_tokens"),
        think=models.reasons(model) and reasoning.get("effort") != "none",
        show_thinking=bool(reasoning.get("summary") or reasoning.get("generate_summary")),
        search=any(str(tool.get("type")).startswith("web_search") for tool in items(body, "tools")),
        code=any(tool.get("type") == "code_interpreter" for tool in items(body, "tools")),
        body=body,
    )


def _unknown(name: str) -> Rejected:
    if name in _MOVED:
        return Rejected(
            f"Unsupported parameter: '{name}'. In the Responses API, this parameter has moved to '{_MOVED[name]}'.",
            param=name,
            code="unsupported_parameter",
        )
    return Rejected(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")


def _model(body: JsonObject) -> str:
    model = body.get("model")
    if model is None:
        raise missing("model")
    if not isinstance(model, str):
        raise invalid_type("model", "a string", model)
    gone = Rejected(f"The requested model '{model}' does not exist.", param="model", code="model_not_found")
    return models.known(model, "openai_responses", gone)


def _check_model_limits(body: JsonObject, model: str) -> None:
    reasoning = part(body, "reasoning")
    for name in reasoning:
        if name not in ("effort", "summary", "generate_summary", "context", "mode"):
            raise Rejected(
                f"Unknown parameter: 'reasoning.{name}'.", param=f"reasoning.{name}", code="unknown_parameter"
            )
    effort = reasoning.get("effort")
    if effort is not None:
        choice(*EFFORTS)(effort, "reasoning.effort")
    summary = reasoning.get("summary")
    if summary is not None:
        choice("auto", "concise", "detailed")(summary, "reasoning.summary")
    if models.reasons(model):
        for name in ("temperature", "top_p"):
            if body.get(name) not in (None, 1):
                raise unsupported(name)
    elif models.is_openai(model) and (effort is not None or summary is not None):
        raise unsupported("reasoning.effort" if effort is not None else "reasoning.summary")


def _check_continued(body: JsonObject) -> bool:
    """Does the request continue a stored response? Raises: Rejected: one that is not ours, or nothing to answer."""
    previous = body.get("previous_response_id")
    if previous is not None and not _OUR_RESPONSE.fullmatch(previous):
        raise Rejected(
            f"Previous response with id '{previous}' not found.",
            param="previous_response_id",
            code="previous_response_not_found",
        )
    if not body.get("input") and previous is None and not body.get("prompt") and not body.get("conversation"):
        raise Rejected(
            "One of \"input\" or \"previous_response_id\" or 'prompt' or 'conversation' must be provided.",
            param="input",
            code="missing_required_parameter",
        )
    return previous is not None or body.get("conversation") is not None


def _format(config: JsonObject, all_text: str) -> tuple[JsonObject | None, bool]:
    for name in config:
        if name not in ("format", "verbosity"):
            raise Rejected(
                f"Unknown parameter: 'text.{name}'.", param=f"text.{name}", code="unknown_parameter"
            )
    if config.get("verbosity") is not None:
        choice("low", "medium", "high")(config["verbosity"], "text.verbosity")
    wanted = part(config, "format")
    match wanted.get("type"):
        case None if not wanted:
            return None, False
        case "text":
            return None, False
        case "json_object":
            if "json" not in all_text.lower():
                raise Rejected(
                    "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
                    "'json_object'.",
                    param="input",
                )
            return None, True
        case "json_schema":
            return _json_schema(wanted), False
        case None:
            raise missing("text.format.type")
        case other:
            raise invalid_value("text.format.type", str(other), ("json_object", "json_schema", "text"))


def _json_schema(wanted: JsonObject) -> JsonObject:
    name = tool_name(wanted.get("name"), "text.format.name")
    schema = sound_schema(wanted.get("schema"), name, "text.format.schema")
    if wanted.get("strict") is True:
        strict_schema(schema, f"response_format '{name}'", "text.format.schema", "invalid_json_schema")
    return schema
