"""Usage in OpenAI's words, and in the words of those who imitate it.

OpenAI's totals include what we include: cached tokens in the prompt, reasoning in the completion. Three habits differ:
- Some servers count reasoning beside the completion. Where the three numbers add up to `total_tokens` only with it,
  they do; where no total is given, `Caps.usage_excludes_reasoning` says so.
- Cached tokens also travel as `prompt_cache_hit_tokens` (DeepSeek) or at the top level (Moonshot, Anthropic's names).
- Cache writes also travel as `cache_creation_tokens` or under Anthropic's name at the top level.
"""

from allgate.core.usage import USAGE_NOTHING, Usage, special_tier
from allgate.dialects.passes.lenient import counts_of, object_of
from allgate.wire.json import Json, JsonObject

_CACHE_READ = ("cached_tokens", "prompt_cache_hit_tokens", "cache_read_input_tokens")
_CACHE_WRITE = ("cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens")


def decode_usage(wire: Json, *, excludes_reasoning: bool = False, tier: str | None = None) -> Usage | None:
    """The usage in a provider's `usage` object, and the `service_tier` beside it; None where it reports nothing.

    Never fails.
    """
    source = object_of(wire)
    totals = counts_of(source)
    prompt = counts_of(source.get("prompt_tokens_details") or source.get("input_tokens_details"))
    completion = counts_of(source.get("completion_tokens_details") or source.get("output_tokens_details"))
    input_tokens = totals.get("prompt_tokens", totals.get("input_tokens"))
    output_tokens = totals.get("completion_tokens", totals.get("output_tokens"))
    reasoning = completion.get("reasoning_tokens", totals.get("reasoning_tokens"))
    if reasoning and _beside(
        input_tokens, output_tokens, reasoning, totals.get("total_tokens"), excludes_reasoning
    ):
        output_tokens = (output_tokens or 0) + reasoning
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=_first(_CACHE_READ, prompt, totals),
        cache_write_tokens=_first(_CACHE_WRITE, prompt, totals),
        reasoning_tokens=reasoning,
        input_text_tokens=prompt.get("text_tokens"),
        input_audio_tokens=prompt.get("audio_tokens"),
        input_image_tokens=prompt.get("image_tokens"),
        input_video_tokens=prompt.get("video_tokens"),
        output_text_tokens=completion.get("text_tokens"),
        output_audio_tokens=completion.get("audio_tokens"),
        output_image_tokens=completion.get("image_tokens"),
        accepted_prediction_tokens=completion.get("accepted_prediction_tokens"),
        rejected_prediction_tokens=completion.get("rejected_prediction_tokens"),
        web_search_calls=totals.get("num_search_queries"),
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


def _first(keys: tuple[str, ...], *places: dict[str, int]) -> int | None:
    """The first of these members, in the details or at the top level."""
    for place in places:
        for key in keys:
            if key in place:
                return place[key]
    return None
