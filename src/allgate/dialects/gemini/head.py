"""What routing needs of a request, read without building its turns.

The body's members are split off undecoded. Contents are read with types that know media and seals alone, so that texts
and base64 are skipped and not copied: 0.17 ms for a megabyte, where a search for six words took 1.4. Where a type does
not fit, the words are searched for, and if there are any the request is decoded whole, and the error names the member.

A short body that holds texts and settings alone is read in one pass by its types; any other makes that fail.
"""

import re
from collections.abc import Collection

import msgspec

from allgate.dialects.contract import Head
from allgate.dialects.gemini.address import address_of
from allgate.dialects.gemini.config_decode import modalities_of
from allgate.dialects.gemini.media import kind_of
from allgate.dialects.gemini.members import members_of
from allgate.dialects.gemini.request_decode import decode_request
from allgate.dialects.gemini.tools_decode import feature_of
from allgate.dialects.seals import ENVELOPE_PREFIX, SealBox, is_envelope
from allgate.operations.chat.features import features_of
from allgate.operations.chat.plain import PLAIN_BYTES_MAX
from allgate.wire.json import JsonObject, decode, decode_object, encode, optional_int
from allgate.wire.message import WireRequest

_NO_SEALS = SealBox((b"",), "")
_ENVELOPE = ENVELOPE_PREFIX.encode()
_MEDIA_WORD = re.compile(rb'"(?:inline|file)_?[dD]ata"')
_in_config = "generationConfig.".__add__
_UNSAID = msgspec.Raw(b"")
_NO_FEATURES: frozenset[str] = frozenset()


Seen = tuple[Collection[str], JsonObject, frozenset[str], bool]
"""The names of the body's members, its generationConfig, what the target must be able to do, and whether there is a seal
that only we can open."""


class _Blob(msgspec.Struct, gc=False):
    """inlineData or fileData without its bytes."""

    mimeType: str | None = None  # noqa: N815 (both spellings are read, so the format's own name it is)
    mime_type: str | None = None
    fileUri: str | None = None  # noqa: N815
    file_uri: str | None = None


class _Parts(msgspec.Struct, gc=False):
    """A content, or the answer of a function."""

    parts: list["_Part"] = []


class _Part(msgspec.Struct, gc=False):
    inlineData: _Blob | None = None  # noqa: N815
    inline_data: _Blob | None = None
    fileData: _Blob | None = None  # noqa: N815
    file_data: _Blob | None = None
    functionResponse: _Parts | None = None  # noqa: N815
    function_response: _Parts | None = None
    thoughtSignature: str | None = None  # noqa: N815
    thought_signature: str | None = None
    thought: bool = False


_Setting = int | float | str | bool | list[str] | None


class _Said(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    text: msgspec.Raw


class _Content(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    parts: list[_Said]
    role: msgspec.Raw = _UNSAID


class _Plain(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """A body in which nothing is asked of the target but to answer."""

    contents: list[_Content]
    system_instruction: msgspec.Raw = _UNSAID
    generation_config: dict[str, _Setting] | msgspec.UnsetType = msgspec.UNSET


_plain = msgspec.json.Decoder(_Plain).decode
_split = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_contents = msgspec.json.Decoder(list[_Parts]).decode
_tools = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode


def read_head(request: WireRequest) -> Head:
    """Raises: WireError: not a Gemini request."""
    address = address_of(request)
    names, config, features, sealed = read_plain(request.body) or read_members(request)
    return Head(
        model=address.model,
        stream=address.stream,
        stream_usage=True,
        output_tokens_max=optional_int(config, "maxOutputTokens", "generationConfig.maxOutputTokens"),
        n=_candidates(config) if "candidateCount" in config else 1,
        fields=frozenset((*names, *map(_in_config, config))),
        features=features,
        sealed=sealed,
        input_bytes=len(request.body),
    )


def read_plain(body: bytes) -> Seen | None:
    """What is seen in a short body of texts and settings; None for any other."""
    if len(body) > PLAIN_BYTES_MAX:
        return None
    try:
        said = _plain(body)
    except (msgspec.DecodeError, ValueError):
        return None
    names = ["contents"]
    if said.system_instruction is not _UNSAID:
        names.append("systemInstruction")
    if (config := said.generation_config) is msgspec.UNSET:
        return names, {}, _NO_FEATURES, False
    names.append("generationConfig")
    if "responseModalities" in config or "_" in "".join(config):
        return None
    return names, config, _NO_FEATURES, False


def read_members(request: WireRequest) -> Seen:
    """What is seen in any body. Raises: WireError."""
    body = _members(request.body)
    raw = body.get("generationConfig")
    config = members_of({} if raw is None else decode(raw) or {}, "generationConfig")
    return body, config, *_features(request, body, config)


def _candidates(config: JsonObject) -> int:
    return optional_int(config, "candidateCount", "generationConfig.candidateCount") or 1


def _members(body: bytes) -> JsonObject:
    """The body's members, undecoded."""
    try:
        return members_of(_split(body), "body")
    except (msgspec.DecodeError, ValueError):
        # Half an emoji is readable this way; all else is an error that says where.
        whole = decode_object(body)
        return {name: msgspec.Raw(encode(value)) for name, value in members_of(whole, "body").items()}


def _features(request: WireRequest, body: JsonObject, config: JsonObject) -> tuple[frozenset[str], bool]:
    """What the target must be able to do, and whether there is a seal that only we can open."""
    found: set[str] = set()
    if (modalities := config.get("responseModalities")) is not None:
        found.update([f"{modality}_output" for modality in modalities_of(modalities) if modality != "text"])
    readable, sealed = True, False
    if (tools := body.get("tools")) is not None:
        readable = _offers(tools, found)
    if (contents := body.get("contents")) is not None:
        try:
            sealed = _look(_contents(contents), found)
        except (msgspec.DecodeError, ValueError):
            sealed = _ENVELOPE in request.body
            readable = readable and not _MEDIA_WORD.search(request.body)
    return frozenset(found) if readable else features_of(decode_request(request, _NO_SEALS)), sealed


def _offers(tools: msgspec.Raw, found: set[str]) -> bool:
    """Add what the members of these tools are; false where they cannot be read so."""
    try:
        for tool in _tools(tools):
            for key, value in members_of(tool, "tools").items():
                if bytes(value) != b"null":
                    found.add(feature_of(key))
    except (msgspec.DecodeError, ValueError):
        return False
    return True


def _look(contents: list[_Parts], found: set[str]) -> bool:
    """Add what media these hold; true where one of their seals is an envelope of ours."""
    sealed = False
    for content in contents:
        for part in content.parts:
            if signature := part.thoughtSignature or part.thought_signature:
                sealed = sealed or is_envelope(signature)
            blob = part.inlineData or part.inline_data or part.fileData or part.file_data
            if blob is not None and not part.thought:
                kind = kind_of(blob.mimeType or blob.mime_type or "", blob.fileUri or blob.file_uri or "")
                found.add(f"{kind}_input")
            if answer := part.functionResponse or part.function_response:
                _look([answer], found)
    return sealed
