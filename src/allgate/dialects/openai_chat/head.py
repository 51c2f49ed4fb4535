"""What routing needs of a chat body, without building its turns, and the pass-through edit of the same bytes.

One C call gives the top-level members as spans of bytes; only small ones are decoded. Feature words come from the tools
and from the kinds of media in the messages.
"""

import msgspec

from allgate.core.errors import wire_error
from allgate.dialects.contract import Head, UpstreamCall
from allgate.dialects.openai_chat.head_messages import Seen, look_at
from allgate.dialects.openai_chat.own import NAME
from allgate.dialects.openai_chat.request_decode import merged_extra_body, model_of
from allgate.dialects.openai_chat.request_encode import JSON_HEADERS, PATH
from allgate.dialects.openai_chat.tool_decode import decode_tools
from allgate.dialects.passes.lenient import list_of, text_of
from allgate.dialects.seals import ENVELOPE_PREFIX
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.features import HOSTED_FEATURES, features_of
from allgate.operations.chat.parts import Media, MediaKind, Url
from allgate.operations.chat.request import ChatRequest, Turn
from allgate.wire import json
from allgate.wire.json import Json, JsonObject, optional_bool, optional_int, optional_object
from allgate.wire.message import WireRequest
from allgate.wire.span import renamed_member, set_member, set_scalar

# What a client says to the provider beside the body; everything else is ours to set.
_FORWARDED = frozenset({b"openai-beta", b"idempotency-key"})

# Members that are looked at, all of them small. The others stay bytes.
_READ = frozenset(
    ("model", "stream", "stream_options", "max_completion_tokens", "max_tokens", "n", "tools", "functions",
     "web_search_options", "modalities", "extra_body")
)  # fmt: skip
SEALED = ENVELOPE_PREFIX.encode()

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
_NOTHING_SEEN = Seen(set(), set())

_spans = msgspec.json.Decoder(dict[str, msgspec.Raw])
_scalar = msgspec.json.Decoder()


def read_head(request: WireRequest) -> Head:
    """The head of a chat body. Raises: WireError: no JSON object, no model, or a wrong type in what is read."""
    whole = request.body
    raw = raw_members(whole)
    fields = frozenset(raw)
    body = {name: _decoded(raw[name], name) for name in fields & _READ}
    if "extra_body" in body:
        body = merged_extra_body(body)
    messages = raw.get("messages")
    seen = _NOTHING_SEEN if messages is None else look_at(messages)
    limit = optional_int(body, "max_completion_tokens")
    n = optional_int(body, "n")
    features = _features(body, seen.kinds)
    borrowed = _borrowed(raw, fields, seen.thoughts)
    if features and "tools" in fields and not features.isdisjoint(HOSTED_FEATURES):
        borrowed |= {"tools"}  # OpenAI's own chat has no tool that is run for the client
    return Head(
        model=model_of(body),
        stream=bool(optional_bool(body, "stream")),
        stream_usage="stream_options" in body and _wants_usage(body),
        output_tokens_max=limit if limit is not None else optional_int(body, "max_tokens"),
        n=1 if n is None else n,
        fields=fields,
        features=features,
        borrowed=borrowed,
        sealed=SEALED in whole,
        input_bytes=len(whole),
    )


def _wants_usage(body: JsonObject) -> bool:
    options = optional_object(body, "stream_options") or {}
    return bool(optional_bool(options, "include_usage", "stream_options.include_usage"))


def _borrowed(raw: dict[str, msgspec.Raw], fields: frozenset[str], thoughts: set[str]) -> frozenset[str]:
    """The members that only other vendors have; OpenAI refuses a whole request for `thoughts` in earlier answers."""
    found = fields & _BORROWED | thoughts
    if "tool_choice" in raw and any(word in bytes(raw["tool_choice"]) for word in _BORROWED_CHOICES):
        found |= {"tool_choice"}
    return found


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
    forwarded = tuple(field for field in request.headers if field[0] in _FORWARDED)
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
            raise wire_error("you must provide a model parameter", param="model") from error
        return {name: msgspec.Raw(json.encode(value)) for name, value in members.items()}


def _decoded(raw: msgspec.Raw, name: str) -> Json:
    """One member. A scalar needs none of the care that nesting does."""
    if memoryview(raw)[0] in b"[{":
        return json.decode(raw, name)
    return _scalar.decode(raw)


def _features(body: JsonObject, kinds: set[MediaKind]) -> frozenset[str]:
    """Feature words, the same as those of the decoded request."""
    if not kinds and _FEATURE_MEMBERS.isdisjoint(body):
        return _NOTHING
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
