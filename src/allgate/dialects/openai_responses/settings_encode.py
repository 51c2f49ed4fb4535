"""What a request says beside its conversation and its tools, as members of the wire body.

Each function gives the members of one concern, clamped or left out where the deployment's Caps say so, with a note.
"""

import re

from allgate.dialects.openai_responses.own import own
from allgate.dialects.openai_responses.request_decode import ENCRYPTED_REASONING, TEXT, TEXT_LOGPROBS
from allgate.dialects.openai_responses.target import Target
from allgate.dialects.passes.json_in_words import in_words
from allgate.dialects.passes.lenient import object_of, texts_of
from allgate.dialects.passes.reasoning import resolve_effort
from allgate.dialects.passes.schemas import for_openai, is_strict
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import clamped
from allgate.operations.chat.request import ChatRequest, OutputFormat
from allgate.operations.chat.tools import Builtin
from allgate.wire import json
from allgate.wire.json import JsonObject

_RESULTS: dict[str, str] = {
    "web_search": "web_search_call.action.sources",
    "code_execution": "code_interpreter_call.outputs",
    "file_search": "file_search_call.results",
}
"""Hosted kinds → the word of `include` for what a call of theirs found."""

OUTPUT_TOKENS_MIN = 16  # the vendor refuses less with 400

_FORMAT_NAME = "response"  # the vendor wants a name; other dialects have none
_FORMAT_NAME_CHARACTERS_MAX = 64
_SAY_JSON = "Respond in JSON."  # the vendor refuses json_object unless the input says "json"


def sampling(target: Target) -> JsonObject:
    said, caps = target.request.sampling, target.caps
    for name, value in (
        ("frequency_penalty", said.frequency_penalty),
        ("presence_penalty", said.presence_penalty),
        ("logit_bias", said.logit_bias),
        ("seed", said.seed),
        ("top_k", said.top_k),
    ):
        if value is not None:
            target.drop(name, "this dialect has no such setting")
    if said.stop:
        target.convert("stop", "matched in the answer by the gateway")
    wire: JsonObject = {}
    if said.max_tokens is not None:
        wire["max_output_tokens"] = _clamped(
            target, "max_output_tokens", said.max_tokens, OUTPUT_TOKENS_MIN, caps.output_max
        )
    elif caps.output_default is not None:
        wire["max_output_tokens"] = caps.output_default
    for name, value, highest in (
        ("temperature", said.temperature, caps.temperature_max),
        ("top_p", said.top_p, 1.0),
    ):
        if value is None:
            continue
        if not caps.sampling or (
            name == "top_p" and not caps.temperature_and_top_p and "temperature" in wire
        ):
            target.drop(name)
        else:
            wire[name] = _clamped(target, name, value, None, highest)
    if said.top_logprobs is not None:
        if caps.logprobs:
            wire["top_logprobs"] = said.top_logprobs
        elif said.top_logprobs:
            target.drop("top_logprobs")
    return wire


def _clamped(target: Target, name: str, value: float, lowest: float | None, highest: float | None) -> float:
    """A client of this dialect meant its number, and hears from the provider if it is wrong."""
    if target.own:
        return value
    fit = value if lowest is None else max(value, lowest)
    fit = fit if highest is None else min(fit, highest)
    if fit != value:
        target.notes.append(clamped(name, f"{value} is outside this model's range, sent {fit}"))
    return fit


def reasoning(target: Target) -> JsonObject:
    said, caps = target.request.reasoning, target.caps
    if said is None:
        return {}
    if caps.thinking == "none":
        if said.effort or said.budget_tokens or said.level or said.show:
            target.drop("reasoning", "this model does not think")
        return {}
    effort, notes = resolve_effort(said, caps)
    target.notes += notes
    wire: JsonObject = {**own(said.extra)}
    if effort is not None:
        wire["effort"] = effort
    if said.show in ("summary", "full") or (said.show is None and said.mode == "on"):
        # thinking that was switched on without a word is shown by the vendor whose switch that is
        wire["summary"] = said.summary_style or "auto"
    if said.context is not None:
        wire["context"] = said.context
    return {"reasoning": wire} if wire else {}


def output_format(target: Target, items: list[JsonObject]) -> JsonObject:
    output = target.request.output
    beyond = object_of(own(target.request.extra).get(TEXT))
    wire: JsonObject = {**beyond}
    if output is not None:
        if output.kind != "text" or beyond.get("format"):
            wire["format"] = {**object_of(beyond.get("format")), **_format(output, target, items)}
        if output.verbosity is not None:
            if target.own or target.caps.verbosity:
                wire["verbosity"] = output.verbosity
            else:
                target.drop("verbosity")
    return {"text": wire} if wire else {}


def _format(output: OutputFormat, target: Target, items: list[JsonObject]) -> JsonObject:
    if output.kind in ("json_object", "json_schema") and not _keeps(output, target.caps, target.request):
        return _asked_in_words(output, target, items)
    if output.kind == "json_object":
        _say_json(target, items)
    if output.kind != "json_schema":
        return {"type": output.kind}
    schema = output.schema or {"type": "object"}
    strict = output.strict
    if not target.own:
        schema, notes = for_openai(schema, strict)
        target.notes += notes
        strict = bool(strict and is_strict(schema))
    name = re.sub(r"[^A-Za-z0-9_-]", "_", output.name or _FORMAT_NAME)[:_FORMAT_NAME_CHARACTERS_MAX]
    return {
        "type": "json_schema",
        "name": name,
        **({"description": output.description} if output.description is not None else {}),
        "schema": schema,
        **({"strict": strict} if strict is not None else {}),
    }


def _keeps(output: OutputFormat, caps: Caps, request: ChatRequest) -> bool:
    """Whether the deployment itself holds its answer to this form."""
    has = caps.json_object if output.kind == "json_object" else caps.json_schema != "none"
    return has and (not request.tools or caps.schema_with_tools)


def _asked_in_words(output: OutputFormat, target: Target, items: list[JsonObject]) -> JsonObject:
    _say(in_words(output), target, items)
    target.convert("response_format", "the form of the answer is asked for in words")
    schema = output.kind == "json_schema"
    as_object = schema and _keeps(OutputFormat(kind="json_object"), target.caps, target.request)
    return {"type": "json_object" if as_object else "text"}


def _say(text: str, target: Target, items: list[JsonObject]) -> None:
    said = [{"type": "input_text", "text": text}]
    items.insert(0, {"type": "message", "role": target.caps.system_role, "content": said})


def _say_json(target: Target, items: list[JsonObject]) -> None:
    if not target.own and b"json" not in json.encode(items).lower():
        _say(_SAY_JSON, target, items)
        target.convert("response_format", f"added the sentence '{_SAY_JSON}'")


def include(target: Target) -> JsonObject:
    """What the client asked for, and the encrypted reasoning without which a conversation cannot go on."""
    request, caps = target.request, target.caps
    wanted: list[str] = []
    if caps.thinking != "none" and (
        (caps.seal_origin and request.state.store is not False and not _is_stored(target))  # kept by us
        or (target.own and request.reasoning and request.reasoning.replay)
    ):
        wanted.append(ENCRYPTED_REASONING)
    if request.sampling.logprobs:
        if caps.logprobs:
            wanted.append(TEXT_LOGPROBS)
        else:
            target.drop("logprobs")
    if target.own:
        wanted += texts_of(own(request.extra).get("include")) if request.extra else ()
    elif request.tools:
        wanted += _results(request)
    return {"include": wanted} if wanted else {}


def _results(request: ChatRequest) -> list[str]:
    """What hosted tools found, which other dialects show without being asked."""
    hosted = {tool.kind for tool in request.tools if isinstance(tool, Builtin) and tool.runs == "server"}
    return [_RESULTS[kind] for kind in _RESULTS if kind in hosted]


def cache(target: Target) -> JsonObject:
    said, caps = target.request.cache, target.caps
    wire: JsonObject = {}
    for name, value in (
        ("prompt_cache_key", said.key),
        ("prompt_cache_retention", said.retention),
        ("prompt_cache_options", said.options),
    ):
        if value is None:
            continue
        if caps.cache == "none":
            target.drop(name)
        else:
            wire[name] = value
    return wire


def identity(target: Target) -> JsonObject:
    said, caps = target.request.identity, target.caps
    wire: JsonObject = {}
    for name, value, taken in (
        ("user", said.user, caps.user),
        ("safety_identifier", said.safety_id, caps.user),
        ("metadata", said.metadata, caps.metadata),
    ):
        if value is not None and taken:
            wire[name] = value
        elif value is not None:
            target.drop(name)
    return wire


def _is_stored(target: Target) -> bool:
    said = target.request.state.store
    return target.caps.store and (said is True or (target.own and said is None))


def state(target: Target) -> JsonObject:
    said, tier = target.request.state, target.request.service_tier
    wire: JsonObject = {}
    for name, value in (
        ("previous_response_id", said.previous_response_id),
        ("conversation", said.conversation),
        ("prompt", said.prompt),
        ("background", said.background),
        ("truncation", said.truncation),
        ("context_management", said.context_management),
    ):
        if value is not None:
            wire[name] = value
    if not _is_stored(target):
        wire["store"] = False
    elif said.store is not None:
        wire["store"] = True
    if tier is not None and (tier in target.caps.service_tiers or tier == "auto"):
        wire["service_tier"] = tier
    elif tier is not None:
        target.drop("service_tier")
    return wire
