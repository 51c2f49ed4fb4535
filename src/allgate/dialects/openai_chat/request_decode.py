"""A client's chat body → the canonical request.

Tolerant in members, strict in types: an unknown member is kept in `extra` and never fails the request; a known one of
the wrong type is an error that names its path. `extra_body` inside the JSON, which is how people who read SDK examples
write curl calls, is merged into the body as the SDK would have done.

A plain body is read by type (`plain_request`). In any other, members are asked for in groups, and a group only where one
of it stands.
"""

from typing import cast

from allgate.core.errors import WireError, wire_error
from allgate.dialects.openai_chat.message_decode import decode_message
from allgate.dialects.openai_chat.own import LEGACY_FUNCTIONS, NAME
from allgate.dialects.openai_chat.plain_request import plain_request
from allgate.dialects.openai_chat.reasoning_decode import (
    GOOGLE_MEMBERS,
    REASONING_MEMBERS,
    THINKING_MEMBERS,
    decode_reasoning,
)
from allgate.dialects.openai_chat.sampling_decode import SAMPLING_MEMBERS, decode_sampling
from allgate.dialects.openai_chat.tool_decode import TOOL_MEMBERS, decode_tool_choice, decode_tools
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.seals import SealBox
from allgate.operations.chat.normal import normal_form
from allgate.operations.chat.parts import Extra
from allgate.operations.chat.request import (
    AudioOut,
    CacheHints,
    ChatRequest,
    Identity,
    ImageOut,
    OutputFormat,
    State,
)
from allgate.wire import json
from allgate.wire.json import (
    Json,
    JsonObject,
    list_at,
    optional_bool,
    optional_list,
    optional_object,
    optional_text,
    text_at,
)
from allgate.wire.message import WireRequest

_OUTPUT = frozenset({"response_format", "verbosity", "modalities", "audio", "image_config"})
_ACCOUNT = frozenset(
    {
        "user", "safety_identifier", "metadata", "service_tier", "store", "prompt_cache_key", "prompt_cache_retention",
        "prompt_cache_options",
    }
)  # fmt: skip
_USUAL = SAMPLING_MEMBERS | {"model", "messages", "stream"}
_KNOWN = (
    _USUAL
    | TOOL_MEMBERS
    | REASONING_MEMBERS
    | _OUTPUT
    | _ACCOUNT
    | {"stream_options", "extra_body", "google"}
)
_MODALITIES = ("text", "image", "audio", "video")


def decode_request(request: WireRequest, seals: SealBox) -> ChatRequest:
    """The request in these bytes. Raises: WireError: not a chat body, with the path of what is wrong."""
    return plain_request(request.body) or decode_any_request(request, seals)


def decode_any_request(request: WireRequest, seals: SealBox) -> ChatRequest:
    """The same, member by member."""
    body = json.decode_object(request.body)
    if "extra_body" in body:
        body = merged_extra_body(body)
    messages = list_at(body.get("messages"), "messages")
    if not messages:
        raise wire_error("Invalid 'messages': it is empty, expected at least one message", param="messages")
    system, turns, notes = normal_form(
        (), [decode_message(message, f"messages[{place}]", seals) for place, message in enumerate(messages)]
    )
    return ChatRequest(
        dialect=NAME,
        model=model_of(body),
        system=system,
        turns=turns,
        sampling=decode_sampling(body),
        stream="stream" in body and bool(optional_bool(body, "stream")),
        notes=notes,
        **({} if body.keys() <= _USUAL else _unusual(body)),
    )


def _unusual(body: JsonObject) -> JsonObject:
    """Fields of the request that most bodies say nothing of, each group asked for only where it is there."""
    found: JsonObject = {}
    options = optional_object(body, "stream_options") or {}
    if options:
        found["stream_usage"] = bool(optional_bool(options, "include_usage", "stream_options.include_usage"))
    if not TOOL_MEMBERS.isdisjoint(body):
        found |= {"tools": decode_tools(body), "tool_choice": decode_tool_choice(body)}
    if not THINKING_MEMBERS.isdisjoint(body):
        found["reasoning"] = decode_reasoning(body)
    if not _OUTPUT.isdisjoint(body):
        found |= _outputs(body)
    if not _ACCOUNT.isdisjoint(body):
        found |= _account(body)
    found["extra"] = _extra(body, options)
    return found


def _account(body: JsonObject) -> JsonObject:
    """Who asks, which tier serves, what is stored and cached."""
    return {
        "cache": CacheHints(
            key=optional_text(body, "prompt_cache_key"),
            retention=optional_text(body, "prompt_cache_retention"),
            options=body.get("prompt_cache_options"),
        ),
        "identity": Identity(
            user=optional_text(body, "user"),
            safety_id=optional_text(body, "safety_identifier"),
            metadata=optional_object(body, "metadata"),
        ),
        "service_tier": optional_text(body, "service_tier"),
        "state": State(store=optional_bool(body, "store")),
    }


def _outputs(body: JsonObject) -> JsonObject:
    """The form of the answer, and what it is made of beside text."""
    return {
        "output": _output(body),
        "modalities": _modalities(body),
        "audio_out": _audio_out(body),
        "image_out": _image_out(body),
    }


def merged_extra_body(body: JsonObject) -> JsonObject:
    """`body` with the members of `extra_body` beside its own; its own win."""
    extra = object_of(body.get("extra_body"))
    return {**extra, **body} if extra else body


def model_of(body: JsonObject) -> str:
    """The model's name. Raises: WireError: absent or empty."""
    name = text_at(body.get("model"), "model") if body.get("model") is not None else ""
    if not name:
        raise no_model()
    return name


def no_model() -> WireError:
    return wire_error("you must provide a model parameter", param="model")


def _output(body: JsonObject) -> OutputFormat | None:
    verbosity = optional_text(body, "verbosity")
    wanted = optional_object(body, "response_format")
    if wanted is None:
        return None if verbosity is None else OutputFormat(verbosity=verbosity)
    match text_at(wanted.get("type"), "response_format.type"):
        case "text":
            return OutputFormat(kind="text", verbosity=verbosity)
        case "json_object" if wanted.get("schema") is None:
            return OutputFormat(kind="json_object", verbosity=verbosity)
        case "json_schema" | "json_object":
            return _schema_output(wanted, verbosity)
        case word:
            raise wire_error(
                f"Invalid value for 'response_format.type': '{word}'. Supported values are: 'text', 'json_object', "
                "and 'json_schema'.",
                param="response_format.type",
                code="invalid_value",
            )


def _schema_output(wanted: JsonObject, verbosity: str | None) -> OutputFormat:
    """The schema nested in `json_schema`, or beside `type` as open-model servers take it."""
    path = "response_format.json_schema"
    nested = optional_object(wanted, "json_schema", path)
    inner = wanted if nested is None else nested
    return OutputFormat(
        kind="json_schema",
        name=optional_text(inner, "name", f"{path}.name"),
        description=optional_text(inner, "description", f"{path}.description"),
        schema=optional_object(inner, "schema", f"{path}.schema"),
        strict=optional_bool(inner, "strict", f"{path}.strict"),
        verbosity=verbosity,
    )


def _modalities(body: JsonObject) -> tuple[Json, ...]:
    words = [
        text_at(word, f"modalities[{place}]").lower()
        for place, word in enumerate(optional_list(body, "modalities") or ())
    ]
    for place, word in enumerate(words):
        if word not in _MODALITIES:
            raise wire_error(
                f"Invalid value for 'modalities[{place}]': '{word}'", param=f"modalities[{place}]"
            )
    return tuple(dict.fromkeys(words))


def _audio_out(body: JsonObject) -> AudioOut | None:
    source = optional_object(body, "audio")
    if source is None:
        return None
    voice: Json = source.get("voice")
    if isinstance(voice, dict):
        voice = cast(JsonObject, voice).get("id")
    return AudioOut(
        voice=None if voice is None else text_at(voice, "audio.voice"),
        format=optional_text(source, "format", "audio.format"),
    )


def _image_out(body: JsonObject) -> ImageOut | None:
    """`image_config {aspect_ratio, image_size}`: how picture models are steered on chat."""
    source = optional_object(body, "image_config")
    if source is None:
        return None
    rest = {key: value for key, value in source.items() if key not in ("aspect_ratio", "image_size")}
    return ImageOut(
        aspect_ratio=optional_text(source, "aspect_ratio", "image_config.aspect_ratio"),
        resolution=optional_text(source, "image_size", "image_config.image_size"),
        extra={NAME: rest} if rest else {},
    )


def _extra(body: JsonObject, options: JsonObject) -> Extra:
    """What the vocabulary has no word for, and whether the client speaks the legacy functions."""
    rest = {key: value for key, value in body.items() if key not in _KNOWN}
    if "google" in body:
        google = {key: value for key, value in object_of(body["google"]).items() if key not in GOOGLE_MEMBERS}
        if google:
            rest["google"] = google
    if options.keys() - {"include_usage"}:
        rest["stream_options"] = {key: value for key, value in options.items() if key != "include_usage"}
    if body.get("functions") is not None:
        rest[LEGACY_FUNCTIONS] = True
    return {NAME: rest} if rest else {}
