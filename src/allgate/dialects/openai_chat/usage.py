"""Usage in OpenAI's words, and in the words of those who imitate it.

OpenAI's totals include what we include: cached tokens in the prompt, reasoning in the completion. Three habits differ:
- Some servers count reasoning beside the completion. Where the three numbers add up to `total_tokens` only with it,
  they do; where no total is given, `Caps.usage_excludes_reasoning` says so.
- Cached tokens also travel as `prompt_cache_hit_tokens` (DeepSeek) or at the top level (Moonshot, Anthropic's names).
- Cache writes also travel as `cache_creation_tokens` or under Anthropic's name at the top level.
"""

from allgate.core.usage import USAGE_NOTHING, Usage, special_tier
from allgate.dialects.passes.lenient import count_of, object_of
from allgate.wire.json import Json, JsonObject

_CACHE_READ = ("cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens")
_CACHE_WRITE = ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")


def decode_usage(wire: Json, *, excludes_reasoning: bool = False, tier: str | None = None) -> Usage | None:
    """The usage in a provider's `usage` object, and the `service_tier` beside it; None where it reports nothing.

    Never fails.
    """
    source = object_of(wire)
    prompt = object_of(source.get("prompt_tokens_details") or source.get("input_tokens_details"))
    completion = object_of(source.get("completion_tokens_details") or source.get("output_tokens_details"))
    input_tokens = _either(source, "prompt_tokens", "input_tokens")
    output_tokens = _either(source, "completion_tokens", "output_tokens")
    reasoning = _count(completion, "reasoning_tokens")
    if reasoning is None:
        reasoning = _count(source, "reasoning_tokens")
    total = _count(source, "total_tokens")
    if reasoning and _beside(input_tokens, output_tokens, reasoning, total, excludes_reasoning):
        output_tokens = (output_tokens or 0) + reasoning
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=_in_details(prompt, source, _CACHE_READ),
        cache_write_tokens=_in_details(prompt, source, _CACHE_WRITE),
        reasoning_tokens=reasoning,
        input_text_tokens=_count(prompt, "text_tokens"),
        input_audio_tokens=_count(prompt, "audio_tokens"),
        input_image_tokens=_count(prompt, "image_tokens"),
        input_video_tokens=_count(prompt, "video_tokens"),
        output_text_tokens=_count(completion, "text_tokens"),
        output_audio_tokens=_count(completion, "audio_tokens"),
        output_image_tokens=_count(completion, "image_tokens"),
        accepted_prediction_tokens=_count(completion, "accepted_prediction_tokens"),
        rejected_prediction_tokens=_count(completion, "rejected_prediction_tokens"),
        web_search_calls=_count(source, "num_search_queries"),
        service_tier=special_tier(tier),
    )
    return None if usage == USAGE_NOTHING else usage


def encode_usage(usage: Usage) -> JsonObject:
    """OpenAI's `usage` object. Its three totals are required there: a total that is not known is written as 0."""
    input_tokens, output_tokens = usage.input_tokens or 0, usage.output_tokens or 0
    writes = [
        count
        for count in (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens, usage.cache_write_tokens)
        if count is not None
    ]
    prompt = {
        "cached_tokens": usage.cache_read_tokens,
        "cache_write_tokens": sum(writes) if writes else None,
        "text_tokens": usage.input_text_tokens,
        "audio_tokens": usage.input_audio_tokens,
        "image_tokens": usage.input_image_tokens,
        "video_tokens": usage.input_video_tokens,
    }
    completion = {
        "reasoning_tokens": usage.reasoning_tokens,
        "text_tokens": usage.output_text_tokens,
        "audio_tokens": usage.output_audio_tokens,
        "image_tokens": usage.output_image_tokens,
        "accepted_prediction_tokens": usage.accepted_prediction_tokens,
        "rejected_prediction_tokens": usage.rejected_prediction_tokens,
    }
    wire: JsonObject = {
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }
    for name, details in (("prompt_tokens_details", prompt), ("completion_tokens_details", completion)):
        if known := {key: count for key, count in details.items() if count is not None}:
            wire[name] = known
    if usage.web_search_calls is not None:
        wire["num_search_queries"] = usage.web_search_calls
    return wire


def _beside(
    input_tokens: int | None, output_tokens: int | None, reasoning: int, total: int | None, excludes: bool
) -> bool:
    """True where reasoning tokens are not part of the completion tokens."""
    if total is None:
        return excludes
    return total == (input_tokens or 0) + (output_tokens or 0) + reasoning


def _count(source: JsonObject, key: str) -> int | None:
    """This member, if it is a count. Read for every answer, so the usual case comes first."""
    value = source.get(key)
    return value if type(value) is int and value >= 0 else count_of(value)


def _either(source: JsonObject, key: str, other: str) -> int | None:
    found = _count(source, key)
    return _count(source, other) if found is None else found


def _in_details(details: JsonObject, source: JsonObject, keys: tuple[str, ...]) -> int | None:
    """The first of these members that is a count, in the details or at the top level."""
    for place in (details, source):
        for key in keys:
            if key in place and (count := _count(place, key)) is not None:
                return count
    return None
