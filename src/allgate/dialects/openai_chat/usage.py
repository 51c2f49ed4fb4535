"""Usage as OpenAI and those who imitate it report it.

OpenAI's totals include what we include: cached tokens in the prompt, reasoning in the completion. Three habits differ:
- Some servers count reasoning beside the completion. Where the three numbers add up to `total_tokens` only with it,
  they do; where no total is given, `Caps.usage_excludes_reasoning` says so.
- Cached tokens also travel as `prompt_cache_hit_tokens` (DeepSeek) or at the top level (Moonshot, Anthropic's names).
- Cache writes also travel as `cache_creation_tokens` or under Anthropic's name at the top level.

An object whose counts are counts is read in one C call; of any other, whatever is a count.
"""

from typing import Annotated

import msgspec

from allgate.core.usage import USAGE_NOTHING, Usage, special_tier
from allgate.core.value import changed
from allgate.dialects.openai_chat.chunks import Chunk
from allgate.dialects.passes.lenient import counts_of, object_of
from allgate.wire.json import Json, JsonObject

Count = Annotated[int, msgspec.Meta(ge=0)] | None


class _Cached(msgspec.Struct, gc=False):
    """Three names for what was read from the cache, and three for what was written."""

    cached_tokens: Count = None
    prompt_cache_hit_tokens: Count = None
    cache_read_input_tokens: Count = None
    cache_write_tokens: Count = None
    cache_creation_tokens: Count = None
    cache_creation_input_tokens: Count = None


class _Details(_Cached, gc=False):
    text_tokens: Count = None
    audio_tokens: Count = None
    image_tokens: Count = None
    video_tokens: Count = None
    reasoning_tokens: Count = None
    accepted_prediction_tokens: Count = None
    rejected_prediction_tokens: Count = None


class Totals(_Cached, gc=False):
    """The `usage` object where its counts are counts."""

    prompt_tokens: Count = None
    input_tokens: Count = None
    completion_tokens: Count = None
    output_tokens: Count = None
    total_tokens: Count = None
    reasoning_tokens: Count = None
    num_search_queries: Count = None
    prompt_tokens_details: _Details | None = None
    input_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    output_tokens_details: _Details | None = None


_NO_DETAILS = _Details()
_UNSAID = (None,) * 12
"""Of the counts that OpenAI itself does not send: a field of `Usage` costs 35 ns, also where it is None."""


def decode_usage(wire: Json, *, excludes_reasoning: bool = False, tier: str | None = None) -> Usage | None:
    """The usage in a provider's `usage` object, and the `service_tier` beside it; None where it reports nothing.

    Never fails.
    """
    try:
        totals = msgspec.convert(wire or {}, Totals)
    except msgspec.ValidationError:
        totals = _lenient_totals(object_of(wire))
    return usage_told(totals, excludes_reasoning, tier)


def usage_told(totals: Totals, excludes_reasoning: bool, tier: str | None) -> Usage | None:
    """The usage that these members tell; None where they tell nothing."""
    prompt = _said(totals.prompt_tokens_details, totals.input_tokens_details)
    completion = _said(totals.completion_tokens_details, totals.output_tokens_details)
    input_tokens = totals.input_tokens if totals.prompt_tokens is None else totals.prompt_tokens
    output_tokens = totals.output_tokens if totals.completion_tokens is None else totals.completion_tokens
    reasoning = completion.reasoning_tokens
    if reasoning is None:
        reasoning = totals.reasoning_tokens
    if reasoning and _beside(input_tokens, output_tokens, reasoning, totals.total_tokens, excludes_reasoning):
        output_tokens = (output_tokens or 0) + reasoning
    cached = prompt.cached_tokens
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=_cache_reads(prompt, totals) if cached is None else cached,
        reasoning_tokens=reasoning,
        input_audio_tokens=prompt.audio_tokens,
        output_audio_tokens=completion.audio_tokens,
        accepted_prediction_tokens=completion.accepted_prediction_tokens,
        rejected_prediction_tokens=completion.rejected_prediction_tokens,
        service_tier=special_tier(tier),
    )
    seldom = (
        prompt.cache_write_tokens, prompt.cache_creation_tokens, prompt.cache_creation_input_tokens,
        totals.cache_write_tokens, totals.cache_creation_tokens, totals.cache_creation_input_tokens,
        prompt.text_tokens, prompt.image_tokens, prompt.video_tokens,
        completion.text_tokens, completion.image_tokens, totals.num_search_queries,
    )  # fmt: skip
    if seldom != _UNSAID:
        usage = changed(
            usage,
            cache_write_tokens=_first(*seldom[:6]),
            input_text_tokens=prompt.text_tokens,
            input_image_tokens=prompt.image_tokens,
            input_video_tokens=prompt.video_tokens,
            output_text_tokens=completion.text_tokens,
            output_image_tokens=completion.image_tokens,
            web_search_calls=totals.num_search_queries,
        )
    return None if usage == USAGE_NOTHING else usage


def usage_of(chunk: Chunk, *, excludes_reasoning: bool) -> Usage | None:
    """The usage in a chunk or a whole reply; Groq writes that of a stream into a member of its own."""
    wire: Json = chunk.usage
    if not wire and chunk.x_groq is not None:
        wire = chunk.x_groq.get("usage")
    return decode_usage(wire, excludes_reasoning=excludes_reasoning, tier=chunk.service_tier)


def _beside(
    input_tokens: int | None, output_tokens: int | None, reasoning: int, total: int | None, excludes: bool
) -> bool:
    """True where reasoning tokens are not part of the completion tokens."""
    if total is None:
        return excludes
    return total == (input_tokens or 0) + (output_tokens or 0) + reasoning


def _said(details: _Details | None, otherwise: _Details | None) -> _Details:
    """The breakdown under its one name, or, where that says nothing, under its other."""
    if otherwise is not None and (details is None or details == _NO_DETAILS):
        return otherwise
    return details or _NO_DETAILS


def _cache_reads(prompt: _Details, totals: Totals) -> Count:
    return _first(
        prompt.prompt_cache_hit_tokens,
        prompt.cache_read_input_tokens,
        totals.cached_tokens,
        totals.prompt_cache_hit_tokens,
        totals.cache_read_input_tokens,
    )


def _first(*counts: Count) -> Count:
    """The first of these that was said."""
    for count in counts:
        if count is not None:
            return count
    return None


def _lenient_totals(source: JsonObject) -> Totals:
    """The same of an object in which a member has a type of its own: what is a count there, counts."""
    details = {
        name: _Details(**_known(_Details, counts_of(source.get(name))))
        for name in source
        if name.endswith("_details")
    }
    return Totals(**_known(Totals, {**counts_of(source), **details}))


def _known(kind: type[_Cached], members: JsonObject) -> JsonObject:
    return {name: members[name] for name in kind.__struct_fields__ if name in members}
