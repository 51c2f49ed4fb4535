"""Token counts: this dialect's totals are inclusive, as ours are, so counts keep their meaning."""

from allgate.core.usage import Usage, special_tier
from allgate.dialects.passes.lenient import count_of, object_of
from allgate.wire.json import Json, JsonObject


def decode_usage(usage: Json, tool_usage: Json = None, tier: Json = None) -> Usage | None:
    """`usage` (and `tool_usage` and `service_tier`) of a response; None where the provider did not say.

    Some compatible servers leave reasoning out of `output_tokens`; the total tells.
    """
    source = object_of(usage)
    if not source:
        return None
    read = object_of(source.get("input_tokens_details"))
    written = object_of(source.get("output_tokens_details"))
    input_tokens, output_tokens = count_of(source.get("input_tokens")), count_of(source.get("output_tokens"))
    reasoning, total = count_of(written.get("reasoning_tokens")), count_of(source.get("total_tokens"))
    if reasoning and output_tokens is not None and (input_tokens or 0) + output_tokens + reasoning == total:
        output_tokens += reasoning
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=count_of(read.get("cached_tokens")),
        cache_write_tokens=count_of(read.get("cache_write_tokens")),
        reasoning_tokens=reasoning,
        web_search_calls=count_of(object_of(object_of(tool_usage).get("web_search")).get("num_requests")),
        service_tier=special_tier(tier),
    )


def encode_usage(usage: Usage | None) -> JsonObject | None:
    """All five counts, always: Codex rejects a response whose usage lacks one. None where nothing is known."""
    if usage is None or (usage.input_tokens is None and usage.output_tokens is None):
        return None
    writes = (usage.cache_write_tokens, usage.cache_write_5m_tokens, usage.cache_write_1h_tokens)
    return {
        "input_tokens": usage.input_tokens or 0,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": sum(count or 0 for count in writes),
        },
        "output_tokens": usage.output_tokens or 0,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.total_tokens,
    }
