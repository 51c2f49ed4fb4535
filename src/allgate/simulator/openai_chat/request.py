"""A Chat Completions request, read as strictly as OpenAI reads it.

Models that are not OpenAI's own (`deepseek-…`, `sim-…`) may also send the fields that OpenAI-like vendors have added,
and get `reasoning_content` back; everything else is refused by name. Raises `Rejected` only.
"""

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
    sampling_of_reasoning,
    sound_schema,
    strict_schema,
    text,
    tool_name,
    unsupported,
)
from allgate.simulator.openai_chat.messages import read_messages
from allgate.simulator.openai_chat.tools import read_choice, read_tools
from allgate.simulator.reading import items, part
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

STOPS_MAX = 4
"""Stop sequences OpenAI takes."""


def _stop(value: Json, param: str) -> None:
    if isinstance(value, str):
        return
    if not isinstance(value, list):
        raise invalid_type(param, "one of a string or array of strings", value)
    if len(cast(list[Json], value)) > STOPS_MAX:
        raise Rejected(
            f"Invalid '{param}': array too long. Expected an array with maximum length {STOPS_MAX}, but got an "
            f"array with length {len(cast(list[Json], value))} instead.",
            param=param,
            code="array_above_max_length",
        )


_FIELDS: dict[str, Check] = {
    "model": text, "messages": array, "temperature": number(0, 2), "top_p": number(0, 1), "n": integer(1, 128),
    "frequency_penalty": number(-2, 2), "presence_penalty": number(-2, 2), "seed": integer(-(2**63), 2**63 - 1),
    "max_tokens": integer(1), "max_completion_tokens": integer(1), "logprobs": boolean,
    "top_logprobs": integer(0, 20), "logit_bias": mapping, "stop": _stop, "stream": boolean,
    "stream_options": mapping, "tools": array, "tool_choice": anything, "parallel_tool_calls": boolean,
    "functions": array, "function_call": anything, "response_format": mapping, "user": text, "metadata": mapping,
    "store": boolean, "service_tier": choice(*TIERS), "reasoning_effort": choice(*EFFORTS),
    "verbosity": choice("low", "medium", "high"), "modalities": array, "audio": mapping, "prediction": mapping,
    "web_search_options": mapping, "safety_identifier": text, "prompt_cache_key": text,
    "prompt_cache_retention": text, "prompt_cache_options": mapping, "moderation": anything,
}  # fmt: skip

# What OpenAI-like vendors added, and their clients send: DeepSeek, Qwen, GLM, Kimi, vLLM, OpenRouter, Google.
_VENDOR_FIELDS: dict[str, Check] = dict.fromkeys(
    ("thinking", "enable_thinking", "thinking_budget", "top_k", "min_p", "repetition_penalty", "reasoning", "google",
     "chat_template_kwargs", "extra_body", "cache_control", "enable_search", "search_options", "web_search",
     "provider", "plugins", "safe_prompt", "random_seed", "do_sample", "tool_stream", "reasoning_split", "stop_token_ids"),
    anything,
)  # fmt: skip

_SAMPLING_DEFAULTS = {"temperature": 1, "top_p": 1, "frequency_penalty": 0, "presence_penalty": 0}


def read(_request: Request, body: JsonObject, _secret: bytes) -> Ask:
    """The request as an Ask. Raises: Rejected."""
    model = _model(body)
    if "messages" not in body:
        raise missing("messages")
    own = models.is_openai(model)
    fields = _FIELDS if own else _FIELDS | _VENDOR_FIELDS
    check_fields(body, fields, lambda name: Rejected(f"Unrecognized request argument supplied: {name}"))
    _check_combinations(body, model)
    talk = read_messages(body["messages"], strict=own)
    tools = read_tools(body)
    schema, json_object = _response_format(body.get("response_format"), talk.all_text)
    effort = body.get("reasoning_effort")
    thinks = models.reasons(model) and effort != "none"
    stop: Json = body.get("stop") or []
    return Ask(
        model=model,
        prompt=talk.prompt,
        input_tokens=talk.input_tokens
        + sum(tokens.count(json.encode_text(tool)) for tool in items(body, "tools")),
        stream=body.get("stream") is True,
        tools=tools,
        forced=read_choice(body, tools),
        may_call=body.get("tool_choice") != "none" and body.get("function_call") != "none",
        parallel=body.get("parallel_tool_calls") is not False and not body.get("functions"),
        results=talk.results,
        schema=schema,
        json_object=json_object,
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        choices=body.get("n") or 1,
        think=thinks,
        show_thinking=not own and _vendor_thinking(body),
        search=body.get("web_search_options") is not None,
        body=body,
    )


def _model(body: JsonObject) -> str:
    model = body.get("model")
    if model is None:
        raise Rejected("you must provide a model parameter")
    if not isinstance(model, str):
        raise invalid_type("model", "a string", model)
    gone = Rejected(
        f"The model `{model}` does not exist or you do not have access to it.",
        status=404,
        code="model_not_found",
    )
    return models.known(model, "openai_chat", gone)


def _check_combinations(body: JsonObject, model: str) -> None:
    if body.get("stream_options") is not None and body.get("stream") is not True:
        raise Rejected(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )
    if body.get("max_tokens") is not None and body.get("max_completion_tokens") is not None:
        raise Rejected(
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            param="max_tokens",
            code="invalid_parameter_combination",
        )
    if body.get("top_logprobs") is not None and body.get("logprobs") is not True:
        raise Rejected("'logprobs' must be enabled when 'top_logprobs' is set.", param="top_logprobs")
    for name in ("tool_choice", "parallel_tool_calls"):
        if body.get(name) is not None and not body.get("tools"):
            raise Rejected(
                f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
                param=name,
            )
    if models.reasons(model):
        sampling_of_reasoning(body, _SAMPLING_DEFAULTS)
        if body.get("max_tokens") is not None:
            raise unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
        for name in ("stop", "logprobs", "logit_bias"):
            if body.get(name):
                raise unsupported(name)
    elif body.get("reasoning_effort") is not None and models.is_openai(model):
        raise Rejected("Unrecognized request argument supplied: reasoning_effort")


def _response_format(wanted: Json, all_text: str) -> tuple[JsonObject | None, bool]:
    if wanted is None:
        return None, False
    match wanted.get("type"):
        case "text":
            return None, False
        case "json_object":
            if "json" not in all_text.lower():
                raise Rejected(
                    "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
                    "'json_object'.",
                    param="messages",
                )
            return None, True
        case "json_schema":
            return _json_schema(wanted.get("json_schema")), False
        case None:
            raise missing("response_format.type")
        case other:
            raise invalid_value("response_format.type", str(other), ("json_object", "json_schema", "text"))


def _json_schema(wanted: Json) -> JsonObject:
    if not isinstance(wanted, dict):
        raise missing("response_format.json_schema")
    found = cast(JsonObject, wanted)
    name = tool_name(found.get("name"), "response_format.json_schema.name")
    schema = sound_schema(found.get("schema"), name, "response_format.json_schema.schema")
    if found.get("strict") is True:
        strict_schema(schema, f"response_format '{name}'", "response_format")
    return schema


def _vendor_thinking(body: JsonObject) -> bool:
    kind = part(body, "thinking").get("type")
    effort = body.get("reasoning_effort")
    return (
        kind in ("enabled", "adaptive", "auto")
        or body.get("enable_thinking") is True
        or effort not in (None, "none")
    )
