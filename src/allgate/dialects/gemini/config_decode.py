"""generationConfig → sampling, reasoning, output, modalities.

Members without a word here stay in `extra["gemini"]["generationConfig"]`, and so do schemas that our own way of writing
them would change.
A thinking level together with a budget is refused, as Google does.
"""

from collections.abc import Callable
from typing import Literal, cast

from allgate.core.errors import wire_error
from allgate.dialects.gemini.members import members_of, optional_members
from allgate.dialects.gemini.schema_decode import from_json_schema, from_proto
from allgate.dialects.passes.schemas import for_gemini_json
from allgate.operations.chat.request import AudioOut, ImageOut, OutputFormat, Reasoning, Sampling
from allgate.wire.json import (
    Json,
    JsonObject,
    list_at,
    optional_bool,
    optional_int,
    optional_number,
    optional_text,
    text_at,
)

Modality = Literal["text", "image", "audio", "video"]

_AT = "generationConfig."
_JSON_MIMES = ("application/json", "text/x.enum")


def settings_of(config: JsonObject) -> tuple[JsonObject, JsonObject]:
    """The fields of a ChatRequest that the members say, and the members that only Gemini has a word for.

    Asked is what is there, member by member: of some twenty that the format has, a request brings two or three.
    Raises: WireError naming the member.
    """
    sampling: JsonObject = {}
    fields: JsonObject = {}
    rest: JsonObject = {}
    for key, value in config.items():
        if value is None:
            continue
        if known := _SAMPLING.get(key):
            field, read = known
            sampling[field] = read(config, key, _AT + key)
        elif key in _OUTPUT:
            fields["output"] = _output(config)
        elif wish := _WISHES.get(key):
            field, understood = wish
            fields[field] = understood(value)
        if key not in _SAID_ELSEWHERE:
            rest[key] = value
    if sampling:
        fields["sampling"] = Sampling(**sampling)
    if "responseJsonSchema" in rest and _is_plain(rest["responseJsonSchema"]):
        del rest["responseJsonSchema"]
    return fields, rest


def _stops(config: JsonObject, key: str, path: str) -> tuple[str, ...]:
    return tuple([text_at(text, f"{path}[{place}]") for place, text in enumerate(list_at(config[key], path))])


def _reasoning(raw: Json) -> Reasoning:
    """Thoughts are shown only to a client that asked for them. Raises: WireError: level and budget together."""
    path = _AT + "thinkingConfig"
    thinking = members_of(raw, path)
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


def _output(config: JsonObject) -> OutputFormat | None:
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


def modalities_of(raw: Json) -> tuple[Modality, ...]:
    """Of responseModalities. Raises: WireError: a modality that is none."""
    path = _AT + "responseModalities"
    words = [text_at(word, path).lower() for word in list_at(raw, path)]
    for word in words:
        if word not in ("text", "image", "audio", "video", "modality_unspecified"):
            raise wire_error(f"Invalid value at '{path}': {word}", param=path)
    return tuple(cast(Modality, word) for word in words if word != "modality_unspecified")


def _audio(raw: Json) -> AudioOut:
    path = _AT + "speechConfig"
    speech = members_of(raw, path)
    voice = optional_members(speech, "voiceConfig", path + ".voiceConfig")
    prebuilt = optional_members(voice, "prebuiltVoiceConfig", path + ".voiceConfig.prebuiltVoiceConfig")
    many = optional_members(speech, "multiSpeakerVoiceConfig", path + ".multiSpeakerVoiceConfig")
    return AudioOut(
        voice=optional_text(prebuilt, "voiceName", path + ".voiceName"),
        language=optional_text(speech, "languageCode", path + ".languageCode"),
        speakers=many.get("speakerVoiceConfigs"),
        extra={"gemini": speech},
    )


def _image(raw: Json) -> ImageOut:
    """An empty aspect ratio means none was given."""
    path = _AT + "imageConfig"
    image = members_of(raw, path)
    rest = {key: value for key, value in image.items() if key not in ("aspectRatio", "imageSize")}
    return ImageOut(
        aspect_ratio=optional_text(image, "aspectRatio", path + ".aspectRatio") or None,
        resolution=optional_text(image, "imageSize", path + ".imageSize") or None,
        extra={"gemini": rest} if rest else {},
    )


def _is_plain(schema: Json) -> bool:
    """True for a schema that our own way of writing it gives back as it is."""
    if not isinstance(schema, dict) or from_json_schema(schema, "responseJsonSchema") is not schema:
        return False
    return for_gemini_json(cast(JsonObject, schema))[0] == schema


_SAMPLING: dict[str, tuple[str, Callable[[JsonObject, str, str], Json]]] = {
    "temperature": ("temperature", optional_number),
    "topP": ("top_p", optional_number),
    "topK": ("top_k", optional_int),
    "frequencyPenalty": ("frequency_penalty", optional_number),
    "presencePenalty": ("presence_penalty", optional_number),
    "seed": ("seed", optional_int),
    "maxOutputTokens": ("max_tokens", optional_int),
    "stopSequences": ("stop", _stops),
    "candidateCount": ("n", optional_int),
    "responseLogprobs": ("logprobs", optional_bool),
    "logprobs": ("top_logprobs", optional_int),
}
_WISHES: dict[str, tuple[str, Callable[[Json], object]]] = {
    "thinkingConfig": ("reasoning", _reasoning),
    "responseModalities": ("modalities", modalities_of),
    "speechConfig": ("audio_out", _audio),
    "imageConfig": ("image_out", _image),
}
_OUTPUT = ("responseMimeType", "responseSchema", "responseJsonSchema")
_SAID_ELSEWHERE = frozenset((*_SAMPLING, *_WISHES, "responseMimeType"))
