"""The body of a plain request of another dialect's client: texts and sampling, written in one step.

Where there is anything to be noted, clamped, refused or said otherwise, `request_encode` does it: of what is written here both
ways make the same, and tests hold them to it.
"""

from allgate.dialects.openai_responses.input_encode import BILLING_LINE
from allgate.dialects.openai_responses.own import NAME
from allgate.dialects.openai_responses.request_decode import ENCRYPTED_REASONING
from allgate.dialects.openai_responses.settings_encode import OUTPUT_TOKENS_MIN
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.plain import spoken_in
from allgate.operations.chat.request import ChatRequest, Role, Sampling
from allgate.wire import json
from allgate.wire.json import JsonObject


def plain_body(request: ChatRequest, model: str, caps: Caps) -> bytes | None:
    """What `encode_any_request` would write; None where the request, or what it meets in `caps`, is not plain."""
    spoken = spoken_in(request, unkept=True) if request.dialect != NAME else None
    if not spoken or spoken[-1][0] != "user":  # an answer that the model is to go on with needs words of ours
        return None
    items, sampled = _items(spoken), _sampled(request.sampling, caps)
    if items is None or sampled is None:
        return None
    body: JsonObject = {"model": model}
    if request.system:
        instructions = "\n\n".join([text.text for text in request.system])
        if not instructions or BILLING_LINE in instructions:
            return None
        body["instructions"] = instructions
    body["input"] = items
    body |= sampled
    if caps.seal_origin and caps.thinking != "none" and request.state.store is None:
        body["include"] = [ENCRYPTED_REASONING]
    body["store"] = False
    body["stream"] = request.stream
    return json.encode(body)


def _items(spoken: list[tuple[Role, str]]) -> list[JsonObject] | None:
    items: list[JsonObject] = []
    for role, text in spoken:
        if role == "user":
            items.append({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]})
        elif role == "assistant":
            items.append({"type": "message", "role": role, "content": text})
        else:
            return None
    return items


def _sampled(said: Sampling, caps: Caps) -> JsonObject | None:
    """The members that tell how to sample; None where one has no place in this dialect, or is outside of the range."""
    most, temperature, top_p = said.max_tokens, said.temperature, said.top_p
    if said != Sampling(max_tokens=most, temperature=temperature, top_p=top_p):
        return None
    sampled: JsonObject = {}
    if most is not None:
        if most < OUTPUT_TOKENS_MIN or (caps.output_max is not None and most > caps.output_max):
            return None
        sampled["max_output_tokens"] = most
    elif caps.output_default is not None:
        return None
    if temperature is not None:
        if not (caps.sampling and temperature <= caps.temperature_max):
            return None
        sampled["temperature"] = temperature
    if top_p is not None:
        if not (caps.sampling and top_p <= 1.0 and (caps.temperature_and_top_p or temperature is None)):
            return None
        sampled["top_p"] = top_p
    return sampled
