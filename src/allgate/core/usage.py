"""What a request used, in every unit we sell, with inclusive totals.

`input_tokens` is ALL prompt tokens (cache reads, cache writes and tool prompts included); `output_tokens` is ALL
generated tokens (reasoning included). Vendors disagree about both (OpenAI and Gemini count cached tokens inside,
Anthropic outside; Gemini usually counts thoughts outside), so dialects convert at the edge and everything inside
means one thing. None means not reported; 0 means reported as zero. Never let one stand for the other.
"""

import msgspec

from allgate.core.value import Value


class Usage(Value, frozen=True, kw_only=True):
    """Counts of one request. Breakdown fields are parts of the totals, never additions to them."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_5m_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    cache_write_tokens: int | None = None  # writes whose time to live the provider did not say
    reasoning_tokens: int | None = None
    input_text_tokens: int | None = None
    input_audio_tokens: int | None = None
    input_image_tokens: int | None = None
    input_video_tokens: int | None = None
    input_document_tokens: int | None = None
    output_text_tokens: int | None = None
    output_audio_tokens: int | None = None
    output_image_tokens: int | None = None
    tool_prompt_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None
    images: int | None = None
    milliseconds: int | None = None  # of audio or video
    characters: int | None = None
    calls: int | None = None
    web_search_calls: int | None = None
    web_fetch_calls: int | None = None
    code_execution_calls: int | None = None
    file_search_calls: int | None = None
    service_tier: str | None = None  # what the provider says it served, where that is not the ordinary one
    image_size: str | None = None  # of `images`, such as 1024x1024
    image_quality: str | None = None
    estimated: bool = False  # counted by us from what was relayed, because the provider did not say

    @property
    def total_tokens(self) -> int:
        return (self.input_tokens or 0) + (self.output_tokens or 0)


USAGE_NOTHING = Usage()

ORDINARY_TIERS = frozenset(
    {"auto", "default", "standard", "on_demand", "standard_only", "service_tier_unspecified"}
)
"""What OpenAI, Anthropic, Groq and Gemini call the service that costs the list price."""


def special_tier(word: object) -> str | None:
    """A provider's word for the tier that it served; None: the ordinary one, or it did not say.

    >>> special_tier("FLEX"), special_tier("default")
    ('flex', None)
    """
    if not word or not isinstance(word, str):
        return None
    tier = word.lower()
    return None if tier in ORDINARY_TIERS else tier


def merged(older: Usage | None, newer: Usage) -> Usage:
    """The newer snapshot over the older one, field by field: what the newer does not report stays.

    Providers send cumulative snapshots; adding them would charge twice.

    >>> merged(Usage(input_tokens=9), Usage(output_tokens=4)).total_tokens
    13
    """
    if older is None or older == newer:
        return newer
    said = zip(Usage.__struct_fields__, msgspec.structs.astuple(newer), strict=True)
    return msgspec.structs.replace(older, **{name: value for name, value in said if value is not None})


def summed(one: Usage | None, other: Usage | None) -> Usage | None:
    """The usage of two requests that are one to the client. What neither reports stays unknown; of words, the later counts.

    >>> summed(Usage(input_tokens=9), Usage(input_tokens=4, output_tokens=1)).total_tokens
    14
    """
    if one is None or other is None:
        return one or other
    counts = {
        name: value + before
        for name, value in zip(Usage.__struct_fields__, msgspec.structs.astuple(other), strict=True)
        if type(value) is int and (before := getattr(one, name)) is not None
    }
    return msgspec.structs.replace(merged(one, other), **counts, estimated=one.estimated or other.estimated)
