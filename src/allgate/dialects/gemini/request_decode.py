"""A Gemini body → ChatRequest.

Unknown members are kept for a Gemini provider and never refused. The model and whether to stream stand in the path; a
`model` in the body is the client's copy of it and is not read.
"""

from collections.abc import Callable

from allgate.core.errors import wire_error
from allgate.dialects.gemini.address import ALT, COUNT_VERB, Address, address_of
from allgate.dialects.gemini.config_decode import settings_of
from allgate.dialects.gemini.contents_decode import system_of, turns_of
from allgate.dialects.gemini.members import members_of
from allgate.dialects.gemini.plain_request import plain_request
from allgate.dialects.gemini.signatures import seals_in
from allgate.dialects.gemini.tools_decode import choice_of, tools_of
from allgate.dialects.seals import SealBox
from allgate.operations.chat.normal import normal_form
from allgate.operations.chat.notes import dropped
from allgate.operations.chat.parts import Seal
from allgate.operations.chat.request import CacheHints, ChatRequest, Identity, State
from allgate.wire.json import (
    Json,
    JsonObject,
    decode_object,
    list_at,
    object_at,
    optional_bool,
    text_at,
)
from allgate.wire.message import WireRequest


def decode_request(request: WireRequest, seals: SealBox) -> ChatRequest:
    """Raises: WireError: not a Gemini request, with the path of what is wrong."""
    address = address_of(request)
    return plain_request(request.body, address) or read_members(request.body, address, seals)


def read_members(octets: bytes, address: Address, seals: SealBox) -> ChatRequest:
    """Any request, member by member. Raises: WireError."""
    body = members_of(decode_object(octets), "body")
    if address.verb == COUNT_VERB and body.get("generateContentRequest") is not None:
        body = members_of(body["generateContentRequest"], "generateContentRequest")
    return _decoded(body, address, seals)


def _decoded(body: JsonObject, address: Address, box: SealBox) -> ChatRequest:
    def sealing(signature: str | None) -> tuple[Seal, ...]:
        return seals_in(signature, box)

    system, lost = system_of(body.get("systemInstruction"), sealing)
    if body.get("contents") is None:
        raise wire_error("GenerateContentRequest.contents: contents is not specified", param="contents")
    system, turns, notes = normal_form(system, turns_of(body["contents"], sealing))
    if lost:
        notes = (dropped("systemInstruction", "only its text is carried"), *notes)
    fields, own = _settings(body)
    if address.stream and address.alt == "json":
        own[ALT] = address.alt  # only where it matters: other dialects note what they do not know
    return ChatRequest(
        dialect="gemini",
        model=address.model,
        turns=turns,
        system=system,
        stream=address.stream,
        stream_usage=True,
        extra={"gemini": own} if own else {},
        notes=notes,
        **fields,
    )


def _settings(body: JsonObject) -> tuple[JsonObject, JsonObject]:
    """The fields that the members beside the conversation say, and what only Gemini has a word for."""
    fields: JsonObject = {}
    own: JsonObject = {}
    for key, value in body.items():
        if value is None or key in _READ_BEFORE:
            continue
        if known := _FIELDS.get(key):
            field, read = known
            fields[field] = read(value)
        elif key not in _CONFIGS:
            own[key] = value
    if (config := body.get("generationConfig")) is not None:
        said, rest = settings_of(members_of(config, "generationConfig"))
        fields |= said
        if rest:
            own["generationConfig"] = rest
    if (config := body.get("toolConfig")) is not None:
        fields["tool_choice"], rest = choice_of(members_of(config, "toolConfig"))
        if rest:
            own["toolConfig"] = rest
    return fields, own


def _safety(raw: Json) -> Json:
    return list_at(raw, "safetySettings")  # kept as they were written


def _cache(raw: Json) -> CacheHints:
    return CacheHints(handle=text_at(raw, "cachedContent"))


def _identity(raw: Json) -> Identity:
    return Identity(metadata=object_at(raw, "labels"))


def _tier(raw: Json) -> str:
    return text_at(raw, "serviceTier")


def _state(raw: Json) -> State:
    return State(store=optional_bool({"store": raw}, "store"))


_FIELDS: dict[str, tuple[str, Callable[[Json], object]]] = {
    "tools": ("tools", tools_of),
    "safetySettings": ("safety", _safety),
    "cachedContent": ("cache", _cache),
    "labels": ("identity", _identity),
    "serviceTier": ("service_tier", _tier),
    "store": ("state", _state),
}
_READ_BEFORE = ("contents", "systemInstruction", "model", ALT)
_CONFIGS = ("generationConfig", "toolConfig")
