"""Token counts: this dialect's totals are inclusive, as ours are, so counts keep their meaning.

What the provider ran itself is not among its counts, though it is billed: the items of the answer tell.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from allgate.core.usage import Usage, special_tier
from allgate.dialects.passes.lenient import count_of, counts_of, object_of
from allgate.wire.json import Json, JsonObject

BILLED = ("web_search_call", "code_interpreter_call", "file_search_call")
"""Types of items that a provider ran itself and bills by the call."""

_Count = Annotated[int, msgspec.Meta(ge=0)] | None


class _Read(msgspec.Struct, gc=False):
    """`input_tokens_details`."""

    cached_tokens: _Count = None
    cache_write_tokens: _Count = None


class _Written(msgspec.Struct, gc=False):
    """`output_tokens_details`."""

    reasoning_tokens: _Count = None


class Counts(msgspec.Struct, gc=False):
    """`usage`."""

    input_tokens: _Count = None
    output_tokens: _Count = None
    total_tokens: _Count = None
    input_tokens_details: _Read | None = None
    output_tokens_details: _Written | None = None


_DETAILS = ("input_tokens_details", "output_tokens_details")
_NOT_READ, _NOT_WRITTEN = _Read(), _Written()


def _counts(usage: JsonObject) -> Counts:
    """What is counted in `usage`; an odd member counts as absent."""
    try:
        return msgspec.convert(usage, Counts)
    except msgspec.ValidationError:
        details = {name: counts_of(usage.get(name)) for name in _DETAILS}
        return msgspec.convert(counts_of(usage) | details, Counts)


def decode_usage(
    usage: Json, tool_usage: Json = None, tier: Json = None, output: Json = None
) -> Usage | None:
    """`usage` (and `tool_usage`, `service_tier` and `output`) of a response; None where the provider did not say."""
    if not usage or dict is not type(usage):
        return None
    items = output if list is type(output) else ()
    billed = [item for item in items if dict is type(item) and item.get("type") in BILLED]
    return usage_of(_counts(usage), tool_usage, tier, billed)


def usage_of(said: Counts, tool_usage: Json, tier: Json, billed: Sequence[JsonObject] = ()) -> Usage:
    """The usage that these counts tell, of an answer with these `billed` items.

    Some compatible servers leave reasoning out of `output_tokens`; the total tells.
    """
    read, output_tokens = said.input_tokens_details or _NOT_READ, said.output_tokens
    reasoning = (said.output_tokens_details or _NOT_WRITTEN).reasoning_tokens
    if reasoning and output_tokens is not None:
        whole = (said.input_tokens or 0) + output_tokens + reasoning
        output_tokens += reasoning if whole == said.total_tokens else 0
    searched = object_of(object_of(tool_usage).get("web_search")).get("num_requests") if tool_usage else None
    return Usage(
        input_tokens=said.input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=read.cached_tokens,
        cache_write_tokens=read.cache_write_tokens,
        reasoning_tokens=reasoning,
        web_search_calls=_searches(billed, count_of(searched)) if billed or tool_usage else None,
        code_execution_calls=_sessions(billed) if billed else None,
        file_search_calls=_count(billed, "file_search_call") if billed else None,
        service_tier=special_tier(tier) if tier else None,
    )


def usage_in(response: JsonObject) -> Usage | None:
    """The usage of a whole response object."""
    return decode_usage(
        response.get("usage"),
        response.get("tool_usage"),
        response.get("service_tier"),
        response.get("output"),
    )


def _searches(items: Sequence[JsonObject], told: int | None) -> int | None:
    """Searches of the web; None: there was none. A page that is opened is part of the search that found it."""
    if told is not None:
        return told
    calls = [object_of(item.get("action")) for item in items if item.get("type") == "web_search_call"]
    return sum(action.get("type", "search") == "search" for action in calls) or None


def _sessions(items: Sequence[JsonObject]) -> int | None:
    """Sessions of code: whatever runs in one container is one on the vendor's price list."""
    calls = (item for item in items if item.get("type") == "code_interpreter_call")
    return len({item.get("container_id") for item in calls}) or None


def _count(items: Sequence[JsonObject], kind: str) -> int | None:
    return sum(item.get("type") == kind for item in items) or None


def encode_usage(usage: Usage | None) -> JsonObject | None:
    """All five counts, always: Codex rejects a response whose usage lacks one. None where nothing is known."""
    counts = None if usage is None else told_counts(usage)
    if counts is None:
        return None
    read, cached, written, output, reasoning, total = counts
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": total,
    }


def told_counts(usage: Usage) -> tuple[int, int, int, int, int, int] | None:
    """The counts that `usage` tells a client, in their order; None where nothing is known."""
    input_tokens, output_tokens = usage.input_tokens, usage.output_tokens
    if input_tokens is None and output_tokens is None:
        return None
    written = (usage.cache_write_tokens or 0) + (usage.cache_write_5m_tokens or 0)
    return (
        input_tokens or 0,
        usage.cache_read_tokens or 0,
        written + (usage.cache_write_1h_tokens or 0),
        output_tokens or 0,
        usage.reasoning_tokens or 0,
        (input_tokens or 0) + (output_tokens or 0),
    )
