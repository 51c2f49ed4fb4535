"""generationConfig → sampling, reasoning, output, modalities.

Members without a word here stay in `extra["gemini"]["generationConfig"]`, and so do schemas that our own way of writing
them would change.
A thinking level together with a budget is refused, as Google does.
"""

from typing import Literal, cast

from allgate.core.errors import wire_error
from allgate.dialects.gemini.members import members_of, optional_members
from allgate.dialects.gemini.schema_decode import from_json_schema, from_proto
from allgate.dialects.passes.schemas import for_gemini_json
from allgate.operations.chat.request import AudioOut, ImageOut, OutputFormat, Reasoning, Sampling
from allgate.wire.json import (
    Json,
    JsonObject,
    optional_bool,
    optional_int,
    optional_list,
    optional_number,
    optional_text,
    text_at,
)

Modality = Literal["text", "image", "audio", "video"]

_AT = "generationConfig."
_SAID_ELSEWHERE = frozenset(
    {
        "temperature", "topP", "topK", "maxOutputTokens", "candidateCount", "stopSequences", "seed", "presencePenalty",
        "frequencyPenalty", "responseLogprobs", "logprobs", "responseMimeType", "responseModalities", "thinkingConfig",
        "speechConfig", "imageConfig",
    }
)  # fmt: skip
_JSON_MIMES = ("application/json", "text/x.enum")


def sampling_of(config: JsonObject) -> Sampling:
    """Raises: WireError naming the member."""
    stop = optional_list(config, "stopSequences", _AT + "stopSequences") or []
    return Sampling(
        temperature=optional_number(config, "temperature", _AT + "temperature"),
        top_p=optional_number(config, "topP", _AT + "topP"),
        top_k=optional_int(config, "topK", _AT + "topK"),
        frequency_penalty=optional_number(config, "frequencyPenalty", _AT + "frequencyPenalty"),
        presence_penalty=optional_number(config, "presencePenalty", _AT + "presencePenalty"),
        seed=optional_int(config, "seed", _AT + "seed"),
        max_tokens=optional_int(config, "maxOutputTokens", _AT + "maxOutputTokens"),
        stop=tuple(text_at(text, f"{_AT}stopSequences[{n}]") for n, text in enumerate(stop)),
        n=optional_int(config, "candidateCount", _AT + "candidateCount"),
        logprobs=optional_bool(config, "responseLogprobs", _AT + "responseLogprobs"),
        top_logprobs=optional_int(config, "logprobs", _AT + "logprobs"),
    )


def reasoning_of(config: JsonObject) -> Reasoning | None:
    """Thoughts are shown only to a client that asked for them. Raises: WireError: level and budget together."""
    if config.get("thinkingConfig") is None:
        return None
    path = _AT + "thinkingConfig"
    thinking = members_of(config["thinkingConfig"], path)
    budget = optional_int(thinking, "thinkingBudget", path + ".thinkingBudget")
    level = (optional_text(thinking, "thinkingLevel", path + ".thinkingLevel") or "").lower()
    if level == "thinking_level_unspecified":
        level = ""
    if level and budget is not None:
        raise wire_error(
            "You can only set one of thinking_budget and thinking_level", param=path + ".thinkingBudget"
        )
    shown = optional_bool(thinking, "includeThoughts", path + ".includeThoughts")
    known = ("thinkingBudget", "thinkingLevel", "includeThoughts")
    rest = {key: value for key, value in thinking.items() if key not in known}
    return Reasoning(
        budget_tokens=budget,
        level=level or None,
        show="summary" if shown else "none",
        extra={"gemini": rest} if rest else {},
    )


def output_of(config: JsonObject) -> OutputFormat | None:
    """Raises: WireError naming the member."""
    mime = optional_text(config, "responseMimeType", _AT + "responseMimeType")
    schema: JsonObject | None = None
    if config.get("responseJsonSchema") is not None:
        schema = from_json_schema(config["responseJsonSchema"], _AT + "responseJsonSchema")
    elif config.get("responseSchema") is not None:
        schema = from_proto(config["responseSchema"], _AT + "responseSchema")
    own_mime = mime if mime not in ("application/json", "text/plain") else None
    if schema is not None and (mime is None or mime in _JSON_MIMES):
        return OutputFormat(kind="json_schema", schema=schema, mime=own_mime)
    if mime == "application/json":
        return OutputFormat(kind="json_object")
    return None if mime is None else OutputFormat(kind="text", mime=own_mime)


def modalities_of(config: JsonObject) -> tuple[Modality, ...]:
    """Raises: WireError: a modality that is none."""
    path = _AT + "responseModalities"
    words = [text_at(word, path).lower() for word in optional_list(config, "responseModalities", path) or ()]
    for word in words:
        if word not in ("text", "image", "audio", "video", "modality_unspecified"):
            raise wire_error(f"Invalid value at '{path}': {word}", param=path)
    return tuple(cast(Modality, word) for word in words if word != "modality_unspecified")


def audio_of(config: JsonObject) -> AudioOut | None:
    """Raises: WireError naming the member."""
    if config.get("speechConfig") is None:
        return None
    path = _AT + "speechConfig"
    speech = members_of(config["speechConfig"], path)
    voice = optional_members(speech, "voiceConfig", path + ".voiceConfig")
    prebuilt = optional_members(voice, "prebuiltVoiceConfig", path + ".voiceConfig.prebuiltVoiceConfig")
    many = optional_members(speech, "multiSpeakerVoiceConfig", path + ".multiSpeakerVoiceConfig")
    return AudioOut(
        voice=optional_text(prebuilt, "voiceName", path + ".voiceName"),
        language=optional_text(speech, "languageCode", path + ".languageCode"),
        speakers=many.get("speakerVoiceConfigs"),
        extra={"gemini": speech},
    )


def image_of(config: JsonObject) -> ImageOut | None:
    """Raises: WireError naming the member. An empty aspect ratio means none was given."""
    if config.get("imageConfig") is None:
        return None
    path = _AT + "imageConfig"
    image = members_of(config["imageConfig"], path)
    rest = {key: value for key, value in image.items() if key not in ("aspectRatio", "imageSize")}
    return ImageOut(
        aspect_ratio=optional_text(image, "aspectRatio", path + ".aspectRatio") or None,
        resolution=optional_text(image, "imageSize", path + ".imageSize") or None,
        extra={"gemini": rest} if rest else {},
    )


def rest_of(config: JsonObject) -> JsonObject:
    """What only Gemini has a word for."""
    rest = {key: value for key, value in config.items() if key not in _SAID_ELSEWHERE and value is not None}
    if _is_plain(rest.get("responseJsonSchema")):
        del rest["responseJsonSchema"]
    return rest


def _is_plain(schema: Json) -> bool:
    """True for a schema that our own way of writing it gives back as it is."""
    if not isinstance(schema, dict) or from_json_schema(schema, "responseJsonSchema") is not schema:
        return False
    return for_gemini_json(cast(JsonObject, schema))[0] == schema
