"""A Messages request → the canonical request.

Tolerant of what it does not know: unknown members go to `extra`, so that the same dialect gets them back. Refused is
what the vendor refuses and what cannot be read: a known member of the wrong type, an empty `messages`, a thinking budget
below 1024 or not below max_tokens (with the interleaved-thinking beta it may be above). Sampling fields are accepted
under both API versions; whether they can be sent on is the encoder's affair.

Claude Code's first system block, `x-anthropic-billing-header: …`, changes with every request and means nothing to any
model; it is kept apart (`_attribution`), so that only its own dialect sends it on and prompt caches elsewhere stay warm.
"""

from typing import Literal

from allgate.core.errors import wire_error
from allgate.dialects.anthropic.block_members import mark_of
from allgate.dialects.anthropic.messages_decode import MessageReader, text_part
from allgate.dialects.anthropic.tools_decode import decode_choice, decode_tools
from allgate.dialects.anthropic.versions import DIALECT, INTERLEAVED_THINKING, said_in
from allgate.dialects.passes.lenient import object_of, text_of, texts_of
from allgate.dialects.passes.reasoning import EFFORTS
from allgate.dialects.seals import SealBox
from allgate.operations.chat.normal import normal_form
from allgate.operations.chat.notes import dropped
from allgate.operations.chat.parts import Extra, Text
from allgate.operations.chat.request import (
    NO_CACHE,
    NOBODY,
    CacheHints,
    ChatRequest,
    Effort,
    Identity,
    OutputFormat,
    Reasoning,
    Sampling,
)
from allgate.wire.json import (
    Json,
    JsonObject,
    decode_object,
    list_at,
    object_at,
    optional_bool,
    optional_int,
    optional_list,
    optional_number,
    optional_object,
    optional_text,
    text_at,
)
from allgate.wire.message import WireRequest

BUDGET_TOKENS_MIN = 1024
"""The vendor's own floor for `thinking.budget_tokens`."""

ATTRIBUTION = "x-anthropic-billing-header:"

_MEMBERS = frozenset(
    {
        "model", "messages", "system", "tools", "tool_choice", "max_tokens", "temperature", "top_p", "top_k",
        "stop_sequences", "stream", "thinking", "output_config", "output_format", "metadata", "service_tier",
        "cache_control", "anthropic_version", "anthropic_beta",
    }
)  # fmt: skip
_SAMPLED = frozenset({"temperature", "top_p", "top_k", "stop_sequences"})
_THINKING_MEMBERS = frozenset({"type", "budget_tokens", "display"})
_OUTPUT_MEMBERS = frozenset({"effort", "format"})
_SHOWN: dict[str, Literal["none", "summary", "full"]] = {
    "summarized": "summary", "updates": "summary", "omitted": "none",
}  # fmt: skip
_MODES: dict[str, Literal["off", "on", "adaptive", "between_tools"]] = {
    "enabled": "on", "disabled": "off", "adaptive": "adaptive", "auto": "adaptive", "between_tools": "between_tools",
}  # fmt: skip


def decode_any_request(request: WireRequest, seals: SealBox) -> ChatRequest:
    """The canonical request, whatever the body holds. Raises: WireError: not a Messages request; `param` names the member."""
    body = decode_object(request.body)
    version, betas = said_in(request.headers)
    reader = MessageReader(seals)
    extra: JsonObject = {}
    if not body.keys() <= _MEMBERS:
        extra = {key: value for key, value in body.items() if key not in _MEMBERS and value is not None}
    if "anthropic_beta" in body:
        betas = (*betas, *texts_of(body["anthropic_beta"]))
    if "anthropic_version" in body:  # of clients of Vertex and Bedrock; no version of the vendor's own API
        reader.notes.append(dropped("anthropic_version", "the header says it"))
    system = _system(body["system"], extra) if "system" in body else []
    normal_system, turns, notes = normal_form(system, reader.turns(body.get("messages")))
    sampling = _sampling(body)
    output = _output(body, extra) if "output_config" in body or "output_format" in body else None
    identity = _identity(body, extra) if "metadata" in body else NOBODY
    return ChatRequest(
        dialect=DIALECT,
        model=text_at(body.get("model"), "model"),
        turns=turns,
        system=normal_system,
        tools=decode_tools(body) if "tools" in body or "mcp_servers" in body else (),
        tool_choice=decode_choice(body["tool_choice"]) if "tool_choice" in body else None,
        sampling=sampling,
        reasoning=_reasoning(body, sampling.max_tokens, betas)
        if "thinking" in body or "output_config" in body
        else None,
        output=output,
        cache=_cache(body) if "cache_control" in body else NO_CACHE,
        identity=identity,
        service_tier=_tier(body) if "service_tier" in body else None,
        stream="stream" in body and bool(optional_bool(body, "stream")),
        stream_usage=True,
        betas=betas,
        api_version=version,
        extra={DIALECT: extra} if extra else {},
        notes=(*reader.notes, *notes),
    )


def _system(raw: Json, extra: JsonObject) -> list[Text]:
    """The system texts; the attribution blocks among them go to `extra`."""
    if raw is None or isinstance(raw, str):
        return [Text(text=raw)] if raw else []
    texts: list[Text] = []
    attribution: list[JsonObject] = []
    for place, item in enumerate(list_at(raw, "system")):
        block = object_at(item, f"system.{place}")
        if text_of(block.get("text")).startswith(ATTRIBUTION):
            attribution.append(block)
        else:
            texts.append(text_part(block, f"system.{place}"))
    if attribution:
        extra["_attribution"] = attribution
    return texts


def _sampling(body: JsonObject) -> Sampling:
    if body.keys().isdisjoint(_SAMPLED):
        return Sampling(max_tokens=optional_int(body, "max_tokens"))
    stops = optional_list(body, "stop_sequences") or []
    return Sampling(
        temperature=optional_number(body, "temperature"),
        top_p=optional_number(body, "top_p"),
        top_k=optional_int(body, "top_k"),
        max_tokens=optional_int(body, "max_tokens"),
        stop=tuple(text_at(stop, f"stop_sequences.{place}") for place, stop in enumerate(stops)),
    )


def _reasoning(body: JsonObject, max_tokens: int | None, betas: tuple[str, ...]) -> Reasoning | None:
    """`thinking` and `output_config.effort`."""
    config = optional_object(body, "output_config") or {}
    effort = _effort(optional_text(config, "effort", "output_config.effort"))
    thinking = optional_object(body, "thinking")
    if thinking is None:
        return None if effort is None else Reasoning(effort=effort)
    kind = text_at(thinking.get("type"), "thinking.type")
    display = optional_text(thinking, "display", "thinking.display")
    budget = optional_int(thinking, "budget_tokens", "thinking.budget_tokens")
    if kind == "enabled":
        _check_budget(budget, max_tokens, betas)
    members = {key: value for key, value in thinking.items() if key not in _THINKING_MEMBERS}
    if kind not in _MODES:
        members["type"] = kind
    if display is not None and display not in ("summarized", "omitted"):
        members["display"] = display
    return Reasoning(
        effort=effort,
        budget_tokens=budget if kind == "enabled" else None,
        mode=_MODES.get(kind, "on"),
        show=None if display is None else _SHOWN.get(display),
        replay=True,  # its clients send signed thinking back
        extra={DIALECT: members} if members else {},
    )


def _check_budget(budget: int | None, max_tokens: int | None, betas: tuple[str, ...]) -> None:
    path = "thinking.enabled.budget_tokens"
    if budget is None:
        raise wire_error(f"{path}: Field required", param="thinking.budget_tokens")
    if budget < BUDGET_TOKENS_MIN:
        raise wire_error(
            f"{path}: must be at least {BUDGET_TOKENS_MIN}, got {budget}", param="thinking.budget_tokens"
        )
    interleaved = any(beta.startswith(INTERLEAVED_THINKING) for beta in betas)
    if max_tokens is not None and budget >= max_tokens and not interleaved:
        raise wire_error(
            f"`max_tokens` ({max_tokens}) must be greater than `thinking.budget_tokens` ({budget})",
            param="max_tokens",
        )


def _effort(word: str | None) -> Effort | None:
    """`ultra` is what some clients call the highest setting."""
    if word is None:
        return None
    if word == "ultra":
        return "max"
    if word not in EFFORTS:
        raise wire_error(
            f"output_config.effort: {word!r} is not one of {', '.join(EFFORTS)}", param="output_config.effort"
        )
    return word


def _output(body: JsonObject, extra: JsonObject) -> OutputFormat | None:
    """The answer's format; the rest of `output_config` goes to `extra`. `output_format` is the older place of the same
    object."""
    config = optional_object(body, "output_config") or {}
    rest = {key: value for key, value in config.items() if key not in _OUTPUT_MEMBERS and value is not None}
    raw = optional_object(config, "format", "output_config.format") or optional_object(body, "output_format")
    schema = raw is not None and raw.get("type") == "json_schema"
    if raw is not None and not schema:
        rest["format"] = raw
    if rest:
        extra["output_config"] = rest
    if raw is None or not schema:
        return None
    return OutputFormat(
        kind="json_schema",
        schema=object_at(raw.get("schema"), "output_config.format.schema"),
        name=optional_text(raw, "name", "output_config.format.name"),
        strict=True,
    )


def _identity(body: JsonObject, extra: JsonObject) -> Identity:
    """Who asks; metadata beside the user's id go to `extra`."""
    metadata = optional_object(body, "metadata") or {}
    if rest := {key: value for key, value in metadata.items() if key != "user_id" and value is not None}:
        extra["metadata"] = rest
    return Identity(user=optional_text(metadata, "user_id", "metadata.user_id"))


def _cache(body: JsonObject) -> CacheHints:
    """A breakpoint for the whole request stands behind its last block."""
    mark, _ = mark_of(body)
    return CacheHints() if mark is None else CacheHints(auto=True, auto_ttl=mark.ttl)


def _tier(body: JsonObject) -> str | None:
    tier = optional_text(body, "service_tier")
    return "standard" if tier == "standard_only" else tier


def extra_members(extra: Extra) -> JsonObject:
    """What of this dialect's `extra` goes on the wire: members with an underscore are notes of the codec."""
    if not extra:
        return {}
    return {key: value for key, value in object_of(extra.get(DIALECT)).items() if not key.startswith("_")}
