"""What routing needs of a chat body, without building its turns, and the pass-through edit of the same bytes.

A plain body is read by type (`plain_request`). Of any other, one C call gives the top-level members as spans of bytes, and
only small ones are decoded. Feature words come from the tools and from the kinds of media in the messages.
"""

import msgspec

from allgate.dialects.contract import Head, UpstreamCall
from allgate.dialects.openai_chat.head_messages import NOTHING_SEEN, SEALED, look_at
from allgate.dialects.openai_chat.own import NAME
from allgate.dialects.openai_chat.plain_request import plain_head
from allgate.dialects.openai_chat.request_decode import model_of, no_model
from allgate.dialects.openai_chat.request_encode import JSON_HEADERS, PATH
from allgate.dialects.openai_chat.sampling_decode import SAMPLING_MEMBERS
from allgate.dialects.openai_chat.tool_decode import decode_tools
from allgate.dialects.passes.lenient import list_of, object_of, text_of
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.features import HOSTED_FEATURES, features_of
from allgate.operations.chat.parts import Media, MediaKind, Url
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.wire import json
from allgate.wire.json import optional_bool, optional_int, optional_object
from allgate.wire.message import WireRequest
from allgate.wire.span import renamed_member, set_member, set_scalar

# What a client says to the provider beside the body; everything else is ours to set.
_FORWARDED = frozenset({b"openai-beta", b"idempotency-key"})

# What documents of other vendors put into a chat body, and `reasoning_decode` and `tool_decode` read.
_BORROWED = frozenset(
    {
        "extra_body",
        "google",
        "thinking",
        "enable_thinking",
        "thinking_budget",
        "reasoning",
        "include_reasoning",
    }
)
_BORROWED_CHOICES = (b'"any"', b'"tool"')
"""Anthropic's words in `tool_choice`."""

_FEATURE_MEMBERS = frozenset({"tools", "functions", "web_search_options", "modalities"})
_NOTHING: frozenset[str] = frozenset()
_NEVER_SEALED = SAMPLING_MEMBERS | {"model", "messages", "stream", "stream_options", "tools"}
"""The messages were looked at already, and no tool was made by us."""


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class _Settings(msgspec.Struct):
    """The small members that are looked at. The others stay bytes."""

    model: str | None = None
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    n: int | None = None


_SETTINGS = frozenset(_Settings.__struct_fields__)

_spans = msgspec.json.Decoder(dict[str, msgspec.Raw])
_value = msgspec.json.Decoder()


def read_head(request: WireRequest) -> Head:
    """The head of a chat body. Raises: WireError: no JSON object, no model, or a wrong type in what is read."""
    return plain_head(request.body) or read_any_head(request)


def read_any_head(request: WireRequest) -> Head:
    """The same, from the spans of the members."""
    whole = request.body
    raw = raw_members(whole)
    fields = frozenset(raw)
    if "extra_body" in fields:
        raw = _with_extra_body(raw)
    said = _settings(raw)
    if not said.model:
        raise no_model()
    seen = look_at(raw["messages"]) if "messages" in raw else NOTHING_SEEN
    features = _NOTHING
    if seen.kinds or not _FEATURE_MEMBERS.isdisjoint(raw):
        features = _features(raw, seen.kinds)
    borrowed = fields & _BORROWED | seen.thoughts
    if "tool_choice" in fields and any(word in bytes(raw["tool_choice"]) for word in _BORROWED_CHOICES):
        borrowed |= {"tool_choice"}
    if "tools" in fields and not features.isdisjoint(HOSTED_FEATURES):
        borrowed |= {"tools"}  # OpenAI's own chat has no tool that is run for the client
    sealed = seen.sealed
    if not sealed and (rest := fields - _NEVER_SEALED):
        sealed = any(SEALED in bytes(raw[name]) for name in rest)
    return Head(
        model=said.model,
        stream=bool(said.stream),
        stream_usage=said.stream_options is not None and bool(said.stream_options.include_usage),
        output_tokens_max=said.max_tokens
        if said.max_completion_tokens is None
        else said.max_completion_tokens,
        n=1 if said.n is None else said.n,
        fields=fields,
        features=features,
        borrowed=borrowed,
        sealed=sealed,
        input_bytes=len(whole),
    )


def _settings(raw: dict[str, msgspec.Raw]) -> _Settings:
    """The small members. Where a type is not the usual one, the readers count 5.0 as 5 or name the path."""
    try:
        return msgspec.convert({name: _value.decode(raw[name]) for name in raw.keys() & _SETTINGS}, _Settings)
    except (msgspec.DecodeError, ValueError, RecursionError):
        body = {name: json.decode(raw[name], name) for name in _SETTINGS if name in raw}
    limit = optional_int(body, "max_completion_tokens")
    options = optional_object(body, "stream_options") or {}
    wants_usage = optional_bool(options, "include_usage", "stream_options.include_usage")
    return _Settings(
        model=model_of(body),
        stream=optional_bool(body, "stream"),
        stream_options=_StreamOptions(include_usage=wants_usage),
        max_completion_tokens=limit,
        max_tokens=optional_int(body, "max_tokens") if limit is None else None,
        n=optional_int(body, "n"),
    )


def passthrough(request: WireRequest, head: Head, model: str, caps: Caps, path: str = PATH) -> UpstreamCall:
    """The client's bytes with the provider's words for the model and the bound of the answer, and with usage asked for
    where a stream would end without."""
    body = request.body
    if model != head.model:
        body = set_scalar(body, "model", json.encode(model))
    if path == PATH and "max_tokens" in head.fields and caps.max_tokens_field not in head.fields:
        body = renamed_member(
            body, "max_tokens", caps.max_tokens_field
        )  # OpenAI's reasoning models refuse it
    if head.stream and not head.stream_usage and caps.stream_usage_switch:
        body = _asking_for_usage(body, head)
    forwarded = tuple([field for field in request.headers if field[0] in _FORWARDED])
    return UpstreamCall(path=path, body=body, headers=JSON_HEADERS + forwarded)


def _asking_for_usage(body: bytes, head: Head) -> bytes:
    """`body` with `stream_options.include_usage` on. Where there are no options the bytes need not be walked."""
    if "stream_options" not in head.fields:
        start = body.index(b"{") + 1
        return b"".join((body[:start], b'"stream_options":{"include_usage":true},', body[start:]))
    options = optional_object(json.decode_object(body), "stream_options") or {}
    return set_member(body, "stream_options", json.encode({**options, "include_usage": True}))


def raw_members(body: bytes) -> dict[str, msgspec.Raw]:
    """The top-level members of a JSON object, undecoded. Raises: WireError: no JSON object, or an empty one."""
    try:
        return _spans.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        members = json.decode_object(
            body
        )  # says what is wrong; or reads what msgspec would not (half an emoji)
        if not members:
            raise no_model() from error
        return {name: msgspec.Raw(json.encode(value)) for name, value in members.items()}


def _with_extra_body(raw: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """`raw` with the members of `extra_body` beside its own; its own win."""
    extra = object_of(json.decode(raw["extra_body"], "extra_body"))
    return {name: msgspec.Raw(json.encode(value)) for name, value in extra.items()} | raw


def _features(raw: dict[str, msgspec.Raw], kinds: set[MediaKind]) -> frozenset[str]:
    """Feature words, the same as those of the decoded request."""
    body = {name: json.decode(raw[name], name) for name in raw.keys() & _FEATURE_MEMBERS}
    words = tuple(
        word for word in list_of(body.get("modalities")) if text_of(word) in ("image", "audio", "video")
    )
    return features_of(
        ChatRequest(
            dialect=NAME,
            model="",
            turns=(Turn(role="user", parts=tuple(Media(kind=kind, source=Url(url="")) for kind in kinds)),),
            tools=decode_tools(body),
            modalities=words,
        )
    )
