"""Token counts: this dialect's totals are inclusive, as ours are, so counts keep their meaning.

What the provider ran itself is not among its counts, though it is billed: the items of the answer tell.
"""

from allgate.core.usage import Usage, special_tier
from allgate.dialects.passes.lenient import count_of, object_of, objects_of
from allgate.wire.json import Json, JsonObject


def decode_usage(
    usage: Json, tool_usage: Json = None, tier: Json = None, output: Json = None
) -> Usage | None:
    """`usage` (and `tool_usage`, `service_tier` and `output`) of a response; None where the provider did not say.

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
    items = objects_of(output)
    searched = count_of(object_of(object_of(tool_usage).get("web_search")).get("num_requests"))
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=count_of(read.get("cached_tokens")),
        cache_write_tokens=count_of(read.get("cache_write_tokens")),
        reasoning_tokens=reasoning,
        web_search_calls=_searches(items) if searched is None else searched,
        code_execution_calls=_sessions(items),
        file_search_calls=_count(items, "file_search_call"),
        service_tier=special_tier(tier),
    )


def usage_in(response: JsonObject) -> Usage | None:
    """The usage of a whole response object."""
    return decode_usage(
        response.get("usage"),
        response.get("tool_usage"),
        response.get("service_tier"),
        response.get("output"),
    )


def _searches(items: list[JsonObject]) -> int | None:
    """Searches of the web; None: there was none. A page that is opened is part of the search that found it."""
    calls = [object_of(item.get("action")) for item in items if item.get("type") == "web_search_call"]
    return sum(action.get("type", "search") == "search" for action in calls) or None


def _sessions(items: list[JsonObject]) -> int | None:
    """Sessions of code: whatever runs in one container is one on the vendor's price list."""
    calls = (item for item in items if item.get("type") == "code_interpreter_call")
    return len({item.get("container_id") for item in calls}) or None


def _count(items: list[JsonObject], kind: str) -> int | None:
    return sum(item.get("type") == kind for item in items) or None


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
