"""Sampling, reasoning, modalities and output → generationConfig.

Only what the deployment takes is sent; what it does not take is noted, and refused where leaving it out would change
the answer (several candidates, other modalities, a grammar). A form of output that the deployment cannot be held to
becomes an instruction.
"""

from allgate.core.errors import unsupported
from allgate.core.value import Value
from allgate.dialects.passes.json_in_words import in_words
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.passes.reasoning import OFF, resolve_budget, resolve_level, wanted
from allgate.dialects.passes.schemas import for_gemini_json, for_gemini_proto_output
from allgate.dialects.passes.stop_matcher import sent_stops, stop_notes
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added, clamped, converted, dropped
from allgate.operations.chat.request import ChatRequest, OutputFormat, Reasoning, Sampling
from allgate.wire.json import Json, JsonObject

_Wish = tuple[str, Json, str, bool, float | None]
"""A member, what the client wants there, the path that it knows it by, whether it is taken, and at most how much."""

JSON_MIME = "application/json"
_BY_GEMINI = "not supported by gemini"
_BY_MODEL = "not supported by this model"


class Config(Value, frozen=True, kw_only=True):
    """`instruction` is what the system prompt must say because no member can."""

    members: JsonObject
    instruction: str | None = None
    notes: tuple[Note, ...] = ()


def config_of(request: ChatRequest, caps: Caps, *, with_functions: bool) -> Config:
    """generationConfig for this deployment. Raises: WireError: what it cannot do and must not leave out."""
    notes: list[Note] = []
    output, instruction = (
        _output(request.output, request, caps, with_functions, notes) if request.output else ({}, None)
    )
    members = _own(request)
    _add_sampling(members, request.sampling, caps, notes)
    if request.reasoning is not None:
        members |= _thinking(request.reasoning, caps, notes)
    if request.modalities or request.audio_out is not None or request.image_out is not None:
        members |= _modalities(request, caps, notes)
    members |= output
    return Config(members=members, instruction=instruction, notes=tuple(notes))


def _own(request: ChatRequest) -> JsonObject:
    own = request.extra.get("gemini", {}).get("generationConfig")
    if own is None:
        return {}
    return {
        key: value
        for key, value in object_of(own).items()
        if key not in ("responseSchema", "responseJsonSchema")
    }


def _add_sampling(members: JsonObject, sampling: Sampling, caps: Caps, notes: list[Note]) -> None:
    """What the client said, where this deployment takes it, and no more of it than it takes."""
    if sampling.n is not None and sampling.n > max(1, caps.n_max):
        raise unsupported(f"This model gives at most {caps.n_max} candidates, not {sampling.n}", param="n")
    stops = list(sent_stops(sampling, caps)) or None if sampling.stop else None
    wishes: list[_Wish] = [
        ("temperature", sampling.temperature, "temperature", caps.sampling, caps.temperature_max),
        ("topP", sampling.top_p, "top_p", caps.sampling, None),
        ("topK", sampling.top_k, "top_k", caps.sampling and caps.top_k, None),
        ("presencePenalty", sampling.presence_penalty, "presence_penalty", caps.penalties, None),
        ("frequencyPenalty", sampling.frequency_penalty, "frequency_penalty", caps.penalties, None),
        ("seed", sampling.seed, "seed", caps.seed, None),
        ("maxOutputTokens", sampling.max_tokens, "max_tokens", True, caps.output_max),
        ("stopSequences", stops, "stop", True, None),
        ("candidateCount", sampling.n, "n", True, None),
        ("responseLogprobs", sampling.logprobs, "logprobs", caps.logprobs, None),
        ("logprobs", sampling.top_logprobs, "top_logprobs", caps.logprobs, None),
    ]
    for member, value, path, possible, most in wishes:
        if value is None:
            if member == "maxOutputTokens" and caps.output_default is not None:
                members[member] = caps.output_default
                notes.append(added(path, f"{caps.output_default}, the default of this model"))
        elif not possible:
            notes.append(dropped(path, _BY_MODEL))
        elif most is not None and value > most:
            members[member] = most
            notes.append(clamped(path, f"at most {most}"))
        else:
            members[member] = value
    if sampling.stop:
        notes += stop_notes(sampling, caps)
    if sampling.logit_bias:
        notes.append(dropped("logit_bias", _BY_GEMINI))


def _thinking(reasoning: Reasoning, caps: Caps, notes: list[Note]) -> JsonObject:
    if caps.thinking == "none":
        if wanted(reasoning):
            notes.append(dropped("reasoning", "this model does not think"))
        return {}
    thinking: JsonObject = dict(reasoning.extra.get("gemini", {}))
    if caps.thinking == "budget":
        budget, said = resolve_budget(reasoning, caps)
        off = budget == OFF
        thinking |= {} if budget is None else {"thinkingBudget": budget}
    else:
        level, said = resolve_level(reasoning, caps)
        off = wanted(reasoning) is False
        thinking |= {} if level is None else {"thinkingLevel": level.upper()}
    notes += said
    thinking["includeThoughts"] = reasoning.show != "none" and not off
    return {"thinkingConfig": thinking}


def _modalities(request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    members: JsonObject = {}
    for modality in request.modalities:
        if modality not in caps.modalities_out:
            raise unsupported(f"This model gives no {modality} output", param="modalities")
    if request.modalities and request.modalities != ("text",):
        members["responseModalities"] = [modality.upper() for modality in request.modalities]
    elif request.modalities and request.dialect == "gemini":
        members["responseModalities"] = ["TEXT"]
    if (audio := request.audio_out) is not None:
        members["speechConfig"] = audio.extra.get("gemini") or _speech(audio.voice, audio.language)
        if audio.format not in (None, "pcm16"):
            notes.append(dropped("audio.format", "gemini answers with PCM"))
    if (image := request.image_out) is not None:
        config = {"aspectRatio": image.aspect_ratio, "imageSize": image.resolution}
        own = image.extra.get("gemini", {})
        members["imageConfig"] = {**own, **{key: value for key, value in config.items() if value is not None}}
        for path in ("size", "quality", "format", "background"):
            if getattr(image, path) is not None:
                notes.append(dropped(f"image.{path}", _BY_GEMINI))
    return members


def _speech(voice: str | None, language: str | None) -> JsonObject:
    speech: JsonObject = {"languageCode": language} if language else {}
    if voice:
        speech["voiceConfig"] = {"prebuiltVoiceConfig": {"voiceName": voice}}
    return speech


def _output(
    output: OutputFormat, request: ChatRequest, caps: Caps, with_functions: bool, notes: list[Note]
) -> tuple[JsonObject, str | None]:
    if output.verbosity is not None:
        notes.append(dropped("verbosity", _BY_GEMINI))
    beside_functions = not with_functions or caps.schema_with_tools
    match output.kind:
        case "grammar":
            raise unsupported("This model cannot be held to a grammar", param="response_format")
        case "text":
            return ({"responseMimeType": output.mime or "text/plain"} if output.mime else {}), None
        case "json_object" if caps.json_object and beside_functions:
            return {"responseMimeType": JSON_MIME}, None
        case "json_schema" if caps.json_schema != "none" and beside_functions:
            return _schema(output, request, caps, notes), None
        case "json_object" | "json_schema":
            notes.append(converted("response_format", "told as an instruction"))
            return {}, in_words(output)


def _schema(output: OutputFormat, request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    """A Gemini client's schema as it was written; any other in the grammar that the deployment takes."""
    members: JsonObject = {"responseMimeType": output.mime or JSON_MIME}
    own = object_of(request.extra.get("gemini", {}).get("generationConfig"))
    if "responseSchema" in own or ("responseJsonSchema" in own and caps.json_schema == "native"):
        kept = ("responseSchema", "responseJsonSchema")
        return members | {key: own[key] for key in kept if key in own}
    if output.schema is None:
        return members
    if caps.json_schema == "native":
        members["responseJsonSchema"], lost = for_gemini_json(output.schema)
    else:
        members["responseSchema"], lost = for_gemini_proto_output(output.schema)
    notes += lost
    return members
