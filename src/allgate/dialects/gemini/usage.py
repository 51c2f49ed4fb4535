"""usageMetadata ↔ Usage.

Gemini counts cached tokens inside `promptTokenCount`, tool results that it fetched itself in
`toolUsePromptTokenCount`, and thoughts beside `candidatesTokenCount`. Some deployments count the thoughts inside: then
the parts already add up to `totalTokenCount` without them. Counts that are zero are left out of the JSON (proto3).
Modalities come twice or in lower case from some: they are added up, whatever their case (a peer billed audio as text).
"""

from operator import attrgetter

import msgspec

from allgate.core.errors import WireError
from allgate.core.usage import Usage, special_tier
from allgate.core.value import changed
from allgate.dialects.gemini.members import members_of
from allgate.wire.json import JsonObject, decode_lenient

# google.ai.generativelanguage.v1beta.Modality, where a reply writes numbers.
_MODALITY_NUMBERS = {1: "TEXT", 2: "IMAGE", 3: "VIDEO", 4: "AUDIO", 5: "DOCUMENT"}
_INPUT_FIELDS = {
    "TEXT": "input_text_tokens", "AUDIO": "input_audio_tokens", "IMAGE": "input_image_tokens",
    "VIDEO": "input_video_tokens", "DOCUMENT": "input_document_tokens",
}  # fmt: skip
_OUTPUT_FIELDS = {
    "TEXT": "output_text_tokens", "AUDIO": "output_audio_tokens", "IMAGE": "output_image_tokens",
}  # fmt: skip

_KINDS = [
    *(("promptTokensDetails", modality) for modality in _INPUT_FIELDS),
    *(("candidatesTokensDetails", modality) for modality in _OUTPUT_FIELDS),
]
_by_kind = attrgetter(*_INPUT_FIELDS.values(), *_OUTPUT_FIELDS.values())
_UNTOLD = _by_kind(Usage())


class Details(msgspec.Struct, rename="camel"):
    """Tokens of one modality."""

    modality: str | int = ""
    token_count: int = 0


class UsageMetadata(msgspec.Struct, rename="camel"):
    """The counts as they are written."""

    prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    total_token_count: int | None = None
    cached_content_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    prompt_tokens_details: list[Details] | None = None
    candidates_tokens_details: list[Details] | None = None
    tool_use_prompt_tokens_details: list[Details] | None = None
    service_tier: str | None = None


class PlainUsage(UsageMetadata, forbid_unknown_fields=True):
    """The counts of a reply that has no others, nor any in another spelling, beside what says nothing of what was used."""

    cache_tokens_details: msgspec.Raw = msgspec.Raw(b"")
    traffic_type: msgspec.Raw = msgspec.Raw(b"")


_decode = msgspec.json.Decoder(UsageMetadata, strict=False).decode


DIGITS = b"0123456789"


class Snapshots:
    """The usage of a stream: a snapshot in nearly every chunk, each of which replaces the one before.

    A snapshot with other members than the last one does not replace it: fields may be left out later. Which members one
    has is seen by its bytes without their digits (`shape`), so that of a thousand snapshots only a few are ever decoded.
    Of a shape that is known already, a reader of chunks may set `newest` itself.
    """

    __slots__ = ("_done", "newest", "shape")

    def __init__(self) -> None:
        self._done: UsageMetadata | None = None
        self.newest = b""
        self.shape: bytes | None = None

    def __bool__(self) -> bool:
        return bool(self.newest) or self._done is not None

    def see(self, snapshot: bytes) -> None:
        """One snapshot, as JSON."""
        shape = snapshot.translate(None, DIGITS)
        if shape != self.shape:
            if self.newest:
                self.metadata()
            self.shape = shape
        self.newest = snapshot

    def metadata(self) -> UsageMetadata | None:
        """All snapshots so far as one; None where none could be read."""
        if self.newest:
            newest = read_metadata(self.newest)
            self.newest = b""
            if newest is None:
                self.shape = None  # nothing to go by
            else:
                self._done = newest if self._done is None else _latest(self._done, newest)
        return self._done


def read_metadata(snapshot: bytes) -> UsageMetadata | None:
    """One snapshot; None where it cannot be read. Without an underscore every name is in camelCase, and read in C."""
    if b"_" not in snapshot:
        try:
            return _decode(snapshot)
        except msgspec.DecodeError:
            pass  # numbers as text, and worse
    try:
        return msgspec.convert(
            members_of(decode_lenient(snapshot), "usageMetadata"), UsageMetadata, strict=False
        )
    except (msgspec.ValidationError, WireError):
        return None


def _latest(older: UsageMetadata, newer: UsageMetadata) -> UsageMetadata:
    """The newer snapshot over the older, field by field: snapshots are cumulative, and a field may be left out."""
    for name in UsageMetadata.__struct_fields__:
        if getattr(newer, name) is None and (before := getattr(older, name)) is not None:
            setattr(newer, name, before)
    return newer


def counts_output(metadata: UsageMetadata | None) -> bool:
    """The first snapshots of a stream count its prompt alone: an answer that ends with one of them was cut."""
    return metadata is not None and bool(metadata.candidates_token_count or metadata.thoughts_token_count)


def usage_of(metadata: UsageMetadata, searches: int | None = None) -> Usage:
    """The usage that these counts mean. `searches`: web searches that the answer reports."""
    prompt, tools, total = (
        metadata.prompt_token_count,
        metadata.tool_use_prompt_token_count,
        metadata.total_token_count,
    )
    given = None if prompt is None else prompt + (tools or 0)
    if given is None and total is not None:
        spent = (metadata.candidates_token_count or 0) + (metadata.thoughts_token_count or 0)
        given = max(0, total - spent)
    usage = Usage(
        input_tokens=given,
        output_tokens=_output(metadata, given, total),
        cache_read_tokens=metadata.cached_content_token_count,
        reasoning_tokens=metadata.thoughts_token_count,
        tool_prompt_tokens=tools,
        web_search_calls=searches,
        service_tier=special_tier(metadata.service_tier) if metadata.service_tier else None,
    )
    given_details, answer_details = metadata.prompt_tokens_details, metadata.candidates_tokens_details
    tool_details = metadata.tool_use_prompt_tokens_details
    if not (given_details or answer_details or tool_details):
        return usage
    counts = _by_modality(given_details, _INPUT_FIELDS, tool_details)
    return changed(usage, **counts, **_by_modality(answer_details, _OUTPUT_FIELDS))


def _output(metadata: UsageMetadata, given: int | None, total: int | None) -> int | None:
    answer, thoughts = metadata.candidates_token_count, metadata.thoughts_token_count
    if answer is None and thoughts is None:
        return None if total is None or given is None else max(0, total - given)
    if answer and thoughts and given is not None and given + answer == total:
        return answer  # thoughts are already inside
    return (answer or 0) + (thoughts or 0)


def _by_modality(
    details: list[Details] | None, fields: dict[str, str], more: list[Details] | None = None
) -> dict[str, int]:
    counts: dict[str, int] = {}
    for one in (*(details or ()), *(more or ())):
        modality = one.modality
        word = _MODALITY_NUMBERS.get(modality, "") if isinstance(modality, int) else modality.upper()
        if field := fields.get(word):
            counts[field] = counts.get(field, 0) + one.token_count
    return counts


def metadata_of(usage: Usage) -> JsonObject:
    """usageMetadata for a client: thoughts beside the answer, as Gemini counts them."""
    tools = usage.tool_prompt_tokens
    reasoning = usage.reasoning_tokens
    given, answered = usage.input_tokens, usage.output_tokens
    counts: JsonObject = {}
    if given is not None:
        counts["promptTokenCount"] = max(0, given - (tools or 0))
    if answered is not None:
        counts["candidatesTokenCount"] = max(0, answered - (reasoning or 0))
    if reasoning is not None:
        counts["thoughtsTokenCount"] = reasoning
    if usage.cache_read_tokens is not None:
        counts["cachedContentTokenCount"] = usage.cache_read_tokens
    if tools is not None:
        counts["toolUsePromptTokenCount"] = tools
    if given is not None or answered is not None:
        counts["totalTokenCount"] = (given or 0) + (answered or 0)
    if (told := _by_kind(usage)) != _UNTOLD:
        for (member, modality), count in zip(_KINDS, told, strict=True):
            if count is not None:
                counts.setdefault(member, []).append({"modality": modality, "tokenCount": count})
    return counts
