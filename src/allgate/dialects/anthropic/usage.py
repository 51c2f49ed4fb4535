"""Counts: the vendor reports cache reads and writes beside `input_tokens`, we count them inside.

A stream reports twice, in message_start and message_delta, and both are cumulative: the later one replaces the earlier
field by field (`updated`), and only then is the sum made, so that a delta without cache fields keeps those of the start
and a delta with a split replaces a prompt-sized start (an Anthropic-compatible vendor does that).
Facts: anthropic 2.11 types `Usage`, `MessageDeltaUsage`; totals of `iterations` are included in the totals.
"""

from allgate.core.usage import Usage, special_tier
from allgate.dialects.passes.lenient import count_of, counts_of, object_of
from allgate.operations.chat.parts import Text, Thinking, ToolCall, ToolResult
from allgate.operations.chat.request import ChatRequest
from allgate.wire.json import Json, JsonObject

CHARACTERS_PER_TOKEN = 4
"""Of English text in the vendor's tokenizers, about; only for the first number of a stream, which the last replaces."""

COUNTED = frozenset(
    {
        "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
        "output_tokens_details", "server_tool_use", "service_tier",
    }
)  # fmt: skip


_CALLS = ("web_search_requests", "web_fetch_requests", "code_execution_requests")
_NO_CALLS = (None, None, None)
_NO_COUNTS: dict[str, int] = {}


def updated(older: JsonObject, newer: JsonObject) -> JsonObject:
    """The raw usage after a later cumulative report."""
    result = {**older, **{key: value for key, value in newer.items() if value is not None}}
    flat = count_of(newer.get("cache_creation_input_tokens"))
    if flat is not None and newer.get("cache_creation") is None and "cache_creation" in older:
        split = _split(object_of(older["cache_creation"]))
        if sum(split) != flat:
            result["cache_creation"] = _grown(split, flat)
    return result


def _grown(split: tuple[int, int], flat: int) -> Json:
    """The split by time to live after the sum grew: known only where there was one kind of write."""
    short, long = split
    if short and long:
        return None
    return {
        "ephemeral_5m_input_tokens": 0 if long else flat,
        "ephemeral_1h_input_tokens": flat if long else 0,
    }


def _split(creation: JsonObject) -> tuple[int, int]:
    short = count_of(creation.get("ephemeral_5m_input_tokens")) or 0
    return short, count_of(creation.get("ephemeral_1h_input_tokens")) or 0


def decode_usage(raw: JsonObject) -> Usage:
    """The usage of a report as it came: what is no count is unknown."""
    counts = counts_of(raw)
    creation = raw.get("cache_creation") and object_of(raw["cache_creation"])
    thought = counts_of(raw["output_tokens_details"]) if "output_tokens_details" in raw else _NO_COUNTS
    hosted = counts_of(raw["server_tool_use"]) if "server_tool_use" in raw else _NO_COUNTS
    return inclusive_usage(
        counts.get("input_tokens"),
        counts.get("output_tokens"),
        read=counts.get("cache_read_input_tokens"),
        written=counts.get("cache_creation_input_tokens"),
        split=_split(creation) if creation else None,
        thought=thought.get("thinking_tokens"),
        tier=special_tier(raw["service_tier"]) if "service_tier" in raw else None,
        hosted=hosted,
    )


def inclusive_usage(
    fresh: int | None,
    output: int | None,
    *,
    read: int | None,
    written: int | None,
    split: tuple[int, int] | None,
    thought: int | None,
    tier: str | None,
    hosted: dict[str, int] = _NO_COUNTS,
) -> Usage:
    """Inclusive counts of exclusive ones. The split of cache writes by time to live wins over `written`, which repeats
    it."""
    flat, short, long = written, None, None
    if split is not None:
        short, long = split
        written, flat = short + long, None
    return Usage(
        input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_5m_tokens=short,
        cache_write_1h_tokens=long,
        cache_write_tokens=flat,
        reasoning_tokens=thought,
        web_search_calls=hosted.get("web_search_requests"),
        web_fetch_calls=hosted.get("web_fetch_requests"),
        code_execution_calls=hosted.get("code_execution_requests"),
        service_tier=tier,
    )


def unnamed_members(raw: JsonObject) -> JsonObject:
    """What the vocabulary has no word for: iterations, inference_geo, speed."""
    return {key: value for key, value in raw.items() if key not in COUNTED and value is not None}


def encode_usage(usage: Usage | None) -> JsonObject:
    """The vendor's members. The SDKs need both totals as numbers, so unknown ones are 0 here."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    short, long = usage.cache_write_5m_tokens, usage.cache_write_1h_tokens
    written = (short or 0) + (long or 0) + (usage.cache_write_tokens or 0)
    read = usage.cache_read_tokens or 0
    members: JsonObject = {
        "input_tokens": max(0, (usage.input_tokens or 0) - read - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": usage.output_tokens or 0,
    }
    if short is not None or long is not None:
        split = {"ephemeral_5m_input_tokens": short or 0, "ephemeral_1h_input_tokens": long or 0}
        members["cache_creation"] = split
    if usage.reasoning_tokens is not None:
        members["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    calls = usage.web_search_calls, usage.web_fetch_calls, usage.code_execution_calls
    if calls != _NO_CALLS:
        members["server_tool_use"] = {
            word: count for word, count in zip(_CALLS, calls, strict=True) if count is not None
        }
    return members


def delta_usage(usage: Usage | None) -> JsonObject:
    """The members for message_delta: an unknown input is left out, so that the count of message_start stays."""
    members = encode_usage(usage)
    if usage is None or usage.input_tokens is None:
        return {"output_tokens": members["output_tokens"]}
    return members


def estimated_input_tokens(request: ChatRequest) -> int:
    """A first guess for message_start, where the provider tells the count at the end only."""
    characters = sum(len(text.text) for text in request.system)
    for turn in request.turns:
        for part in turn.parts:
            match part:
                case Text() | Thinking():
                    characters += len(part.text)
                case ToolCall():
                    characters += len(part.name) + len(part.input)
                case ToolResult():
                    characters += sum(len(piece.text) for piece in part.parts if isinstance(piece, Text))
                case _:
                    pass
    return -(-characters // CHARACTERS_PER_TOKEN)
