"""What routing needs of a request, read without building its turns.

The body's members are split off undecoded. Contents are looked into only where the bytes say that there is media in
them, and then with types, so that base64 is skipped and not copied. Where a type does not fit, the request is decoded
whole, and the error names the member.
"""

from collections.abc import Iterator

import msgspec

from allgate.dialects.contract import Head
from allgate.dialects.gemini.address import address_of
from allgate.dialects.gemini.config_decode import modalities_of
from allgate.dialects.gemini.media import kind_of
from allgate.dialects.gemini.members import members_of
from allgate.dialects.gemini.request_decode import decode_request
from allgate.dialects.gemini.tools_decode import feature_of
from allgate.dialects.seals import ENVELOPE_PREFIX, SealBox
from allgate.operations.chat.features import features_of
from allgate.wire.json import JsonObject, decode, decode_object, encode, optional_int
from allgate.wire.message import WireRequest

_NO_SEALS = SealBox((b"",), "")
_ENVELOPE = ENVELOPE_PREFIX.encode()
_in_config = "generationConfig.".__add__


class _Blob(msgspec.Struct):
    """inlineData or fileData without its bytes."""

    mimeType: str | None = None  # noqa: N815 (both spellings are read, so the format's own name it is)
    mime_type: str | None = None
    fileUri: str | None = None  # noqa: N815
    file_uri: str | None = None


class _Answer(msgspec.Struct):
    parts: list["_Part"] = []


class _Part(msgspec.Struct):
    inlineData: _Blob | None = None  # noqa: N815
    inline_data: _Blob | None = None
    fileData: _Blob | None = None  # noqa: N815
    file_data: _Blob | None = None
    functionResponse: _Answer | None = None  # noqa: N815
    function_response: _Answer | None = None
    thought: bool = False


_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_contents = msgspec.json.Decoder(list[_Answer]).decode
_tools = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


def read_head(request: WireRequest) -> Head:
    """Raises: WireError: not a Gemini request."""
    address = address_of(request)
    body = _members(request.body)
    raw = body.get("generationConfig")
    config = members_of({} if raw is None else decode(raw) or {}, "generationConfig")
    return Head(
        model=address.model,
        stream=address.stream,
        stream_usage=True,
        output_tokens_max=optional_int(config, "maxOutputTokens", "generationConfig.maxOutputTokens"),
        n=optional_int(config, "candidateCount", "generationConfig.candidateCount") or 1
        if "candidateCount" in config
        else 1,
        fields=frozenset((*body, *map(_in_config, config))),
        features=_features(request, body, config),
        sealed=_ENVELOPE in request.body,
        input_bytes=len(request.body),
    )


def _members(body: bytes) -> JsonObject:
    """The body's members, undecoded."""
    try:
        return members_of(_split(body), "body")
    except (msgspec.DecodeError, ValueError):
        whole = decode_object(
            body
        )  # half an emoji is readable this way; all else is an error that says where
        return {name: msgspec.Raw(encode(value)) for name, value in members_of(whole, "body").items()}


def _features(request: WireRequest, body: JsonObject, config: JsonObject) -> frozenset[str]:
    found: set[str] = set()
    if (modalities := config.get("responseModalities")) is not None:
        found.update(f"{modality}_output" for modality in modalities_of(modalities) if modality != "text")
    try:
        if (tools := body.get("tools")) is not None:
            found.update(feature_of(key) for tool in _tools(tools) for key in _given(tool))
        contents = body.get("contents")
        octets = request.body
        if contents is not None and (
            b'"inlineData"' in octets
            or b'"inline_data"' in octets
            or b'"fileData"' in octets
            or b'"file_data"' in octets
        ):
            found.update(f"{kind}_input" for content in _contents(contents) for kind in _kinds(content.parts))
    except (msgspec.DecodeError, ValueError):
        return features_of(decode_request(request, _NO_SEALS))
    return frozenset(found)


def _given(tool: JsonObject) -> Iterator[str]:
    """The members of a tool object that are not null."""
    return (key for key, value in members_of(tool, "tools").items() if bytes(value) != b"null")


def _kinds(parts: list[_Part]) -> Iterator[str]:
    for part in parts:
        for blob in (part.inlineData, part.inline_data, part.fileData, part.file_data):
            if blob is not None and not part.thought:
                yield kind_of(blob.mimeType or blob.mime_type or "", blob.fileUri or blob.file_uri or "")
        for answer in (part.functionResponse, part.function_response):
            if answer is not None:
                yield from _kinds(answer.parts)
