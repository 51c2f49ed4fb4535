"""Sampling, reasoning, modalities and output → generationConfig.

Only what the deployment takes is sent; what it does not take is noted, and refused where leaving it out would change
the answer (several candidates, other modalities, a grammar). A form of output that the deployment cannot be held to
becomes an instruction.
"""

from typing import TypeVar

from allgate.core.errors import unsupported
from allgate.core.value import Value
from allgate.dialects.passes.json_in_words import in_words
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.passes.reasoning import OFF, resolve_budget, resolve_level, wanted
from allgate.dialects.passes.schemas import for_gemini_json, for_gemini_proto_output
from allgate.dialects.passes.stop_matcher import sent_stops, stop_notes
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added, clamped, converted, dropped
from allgate.operations.chat.request import ChatRequest, OutputFormat
from allgate.wire.json import JsonObject

AnyScalar = TypeVar("AnyScalar", float, int, bool)

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
    output, instruction = _output(request, caps, with_functions, notes)
    members = {
        **_own(request),
        **_sampling(request, caps, notes),
        **_thinking(request, caps, notes),
        **_modalities(request, caps, notes),
        **output,
    }
    return Config(members=members, instruction=instruction, notes=tuple(notes))


def _own(request: ChatRequest) -> JsonObject:
    own = object_of(request.extra.get("gemini", {}).get("generationConfig"))
    return {key: value for key, value in own.items() if key not in ("responseSchema", "responseJsonSchema")}


def _sampling(request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    sampling = request.sampling
    if sampling.n is not None and sampling.n > max(1, caps.n_max):
        raise unsupported(f"This model gives at most {caps.n_max} candidates, not {sampling.n}", param="n")
    members = {
        "temperature": _temperature(sampling.temperature, caps, notes),
        "topP": _if(caps.sampling, sampling.top_p, "top_p", notes),
        "topK": _if(caps.sampling and caps.top_k, sampling.top_k, "top_k", notes),
        "presencePenalty": _if(caps.penalties, sampling.presence_penalty, "presence_penalty", notes),
        "frequencyPenalty": _if(caps.penalties, sampling.frequency_penalty, "frequency_penalty", notes),
        "seed": _if(caps.seed, sampling.seed, "seed", notes),
        "maxOutputTokens": _max_tokens(sampling.max_tokens, caps, notes),
        "stopSequences": list(sent_stops(sampling, caps)) or None,
        "candidateCount": sampling.n,
        "responseLogprobs": _if(caps.logprobs, sampling.logprobs, "logprobs", notes),
        "logprobs": _if(caps.logprobs, sampling.top_logprobs, "top_logprobs", notes),
    }
    notes += stop_notes(sampling, caps)
    if sampling.logit_bias:
        notes.append(dropped("logit_bias", _BY_GEMINI))
    return {key: value for key, value in members.items() if value is not None}


def _if(possible: bool, value: AnyScalar | None, path: str, notes: list[Note]) -> AnyScalar | None:
    if value is not None and not possible:
        notes.append(dropped(path, _BY_MODEL))
        return None
    return value


def _temperature(temperature: float | None, caps: Caps, notes: list[Note]) -> float | None:
    temperature = _if(caps.sampling, temperature, "temperature", notes)
    if temperature is None or temperature <= caps.temperature_max:
        return temperature
    notes.append(clamped("temperature", f"at most {caps.temperature_max}"))
    return caps.temperature_max


def _max_tokens(written: int | None, caps: Caps, notes: list[Note]) -> int | None:
    if written is None:
        if caps.output_default is not None:
            notes.append(added("max_tokens", f"{caps.output_default}, the default of this model"))
        return caps.output_default
    if caps.output_max is not None and written > caps.output_max:
        notes.append(clamped("max_tokens", f"at most {caps.output_max}"))
        return caps.output_max
    return written


def _thinking(request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    reasoning = request.reasoning
    if reasoning is None:
        return {}
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
    request: ChatRequest, caps: Caps, with_functions: bool, notes: list[Note]
) -> tuple[JsonObject, str | None]:
    output = request.output
    if output is None:
        return {}, None
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
