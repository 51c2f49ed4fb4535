"""A Gemini body → ChatRequest.

Unknown members are kept for a Gemini provider and never refused. The model and whether to stream stand in the path; a
`model` in the body is the client's copy of it and is not read.
"""

from allgate.core.errors import wire_error
from allgate.dialects.gemini.address import ALT, COUNT_VERB, Address, address_of
from allgate.dialects.gemini.config_decode import (
    audio_of,
    image_of,
    modalities_of,
    output_of,
    reasoning_of,
    rest_of,
    sampling_of,
)
from allgate.dialects.gemini.contents_decode import system_of, turns_of
from allgate.dialects.gemini.members import members_of, optional_members
from allgate.dialects.gemini.signatures import seals_in
from allgate.dialects.gemini.tools_decode import choice_of, safety_of, tools_of
from allgate.dialects.seals import SealBox
from allgate.operations.chat.normal import normal_form
from allgate.operations.chat.notes import dropped
from allgate.operations.chat.parts import Seal
from allgate.operations.chat.request import CacheHints, ChatRequest, Identity, State
from allgate.wire.json import (
    JsonObject,
    decode_object,
    optional_bool,
    optional_object,
    optional_text,
)
from allgate.wire.message import WireRequest

_SAID_ELSEWHERE = frozenset(
    {
        "model", "contents", "systemInstruction", "tools", "safetySettings", "cachedContent", "labels", "store",
        "serviceTier", "generationConfig", "toolConfig", ALT,
    }
)  # fmt: skip


def decode_request(request: WireRequest, seals: SealBox) -> ChatRequest:
    """Raises: WireError: not a Gemini request, with the path of what is wrong."""
    address = address_of(request)
    body = members_of(decode_object(request.body), "body")
    if address.verb == COUNT_VERB and body.get("generateContentRequest") is not None:
        body = members_of(body["generateContentRequest"], "generateContentRequest")
    return _decoded(body, address, seals)


def _decoded(body: JsonObject, address: Address, box: SealBox) -> ChatRequest:
    def sealing(signature: str | None) -> tuple[Seal, ...]:
        return seals_in(signature, box)

    config = optional_members(body, "generationConfig")
    tool_config = optional_members(body, "toolConfig")
    system, lost = system_of(body.get("systemInstruction"), sealing)
    if body.get("contents") is None:
        raise wire_error("GenerateContentRequest.contents: contents is not specified", param="contents")
    system, turns, notes = normal_form(system, turns_of(body["contents"], sealing))
    if lost:
        notes = (dropped("systemInstruction", "only its text is carried"), *notes)
    return ChatRequest(
        dialect="gemini",
        model=address.model,
        turns=turns,
        system=system,
        tools=tools_of(body.get("tools")),
        tool_choice=choice_of(tool_config),
        sampling=sampling_of(config),
        reasoning=reasoning_of(config),
        output=output_of(config),
        modalities=modalities_of(config),
        audio_out=audio_of(config),
        image_out=image_of(config),
        cache=CacheHints(handle=optional_text(body, "cachedContent")),
        identity=Identity(metadata=optional_object(body, "labels")),
        service_tier=optional_text(body, "serviceTier"),
        state=State(store=optional_bool(body, "store")),
        safety=safety_of(body.get("safetySettings")),
        stream=address.stream,
        stream_usage=True,
        extra={"gemini": _own(body, config, tool_config, address)},
        notes=notes,
    )


def _own(body: JsonObject, config: JsonObject, tool_config: JsonObject, address: Address) -> JsonObject:
    """What only Gemini has a word for, and how the client wants a stream framed."""
    own = {key: value for key, value in body.items() if key not in _SAID_ELSEWHERE and value is not None}
    if rest := rest_of(config):
        own["generationConfig"] = rest
    if rest := {key: value for key, value in tool_config.items() if key != "functionCallingConfig"}:
        own["toolConfig"] = rest
    if address.stream and address.alt == "json":
        own[ALT] = address.alt  # only where it matters: other dialects note what they do not know
    return own
