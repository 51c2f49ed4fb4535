"""The body of a plain request, written without asking for what is not there.

Plain is a conversation in which the user and the model take turns, with a length and temperatures that the deployment takes
as they are. What must be repaired, noted or asked for beside that goes the long way (`request_encode`), which writes
the same body for what is plain.
"""

from allgate.operations.chat.caps import Caps
from allgate.operations.chat.plain import is_ordinary, spoken_in
from allgate.operations.chat.request import ChatRequest, Role, Sampling
from allgate.wire.json import JsonObject

_SPEAKERS: dict[Role, str] = {"user": "user", "assistant": "model"}


def plain_body(request: ChatRequest, caps: Caps) -> JsonObject | None:
    """The body; None where the request is not plain."""
    spoken = spoken_in(
        request, unkept=request.dialect != "gemini"
    )  # only Gemini's clients tell Gemini what to keep
    if spoken is None or (config := _config(request.sampling, caps)) is None:
        return None
    body: JsonObject = {}
    if request.system:
        parts: list[JsonObject] = []
        for part in request.system:
            if not part.text:
                return None
            parts.append({"text": part.text})
        body["systemInstruction"] = {"parts": parts}
    contents: list[JsonObject] = []
    last = "model"
    for role, text in spoken:
        word = _SPEAKERS.get(role)
        if word is None or word == last or not text:
            return None
        contents.append({"role": word, "parts": [{"text": text}]})
        last = word
    if last == "model":
        return None
    body["contents"] = contents
    if config:
        body["generationConfig"] = config
    return body


def _config(sampling: Sampling, caps: Caps) -> JsonObject | None:
    """generationConfig of the three members that nearly every request makes do with; None where there must be others, or
    the deployment does not take these as they are."""
    temperature, top_p, most = sampling.temperature, sampling.top_p, sampling.max_tokens
    if not is_ordinary(sampling):
        return None
    members: JsonObject = {}
    if temperature is not None:
        if not caps.sampling or temperature > caps.temperature_max:
            return None
        members["temperature"] = temperature
    if top_p is not None:
        if not caps.sampling:
            return None
        members["topP"] = top_p
    if most is None:
        return members if caps.output_default is None else None
    if caps.output_max is not None and most > caps.output_max:
        return None
    members["maxOutputTokens"] = most
    return members
