"""Usage in OpenAI's words, as a typed value: what was not said is left out by the JSON encoder, without a line of ours."""

import msgspec

from allgate.core.usage import Usage


class _Prompt(msgspec.Struct, gc=False, omit_defaults=True):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    video_tokens: int | None = None


class _Completion(msgspec.Struct, gc=False, omit_defaults=True):
    reasoning_tokens: int | None = None
    text_tokens: int | None = None
    audio_tokens: int | None = None
    image_tokens: int | None = None
    accepted_prediction_tokens: int | None = None
    rejected_prediction_tokens: int | None = None


class UsageWire(msgspec.Struct, gc=False, omit_defaults=True):
    """The `usage` object. Its three totals are required there: a total that is not known is written as 0."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _Prompt | None = None
    completion_tokens_details: _Completion | None = None
    num_search_queries: int | None = None


_NO_PROMPT, _NO_COMPLETION = _Prompt(), _Completion()


def encode_usage(usage: Usage) -> UsageWire:
    """What `usage` says, in the order of the fields above."""
    input_tokens, output_tokens = usage.input_tokens or 0, usage.output_tokens or 0
    writes = usage.cache_write_tokens
    for count in (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens):
        if count is not None:
            writes = count + (writes or 0)
    prompt = _Prompt(
        usage.cache_read_tokens,
        writes,
        usage.input_text_tokens,
        usage.input_audio_tokens,
        usage.input_image_tokens,
        usage.input_video_tokens,
    )
    completion = _Completion(
        usage.reasoning_tokens,
        usage.output_text_tokens,
        usage.output_audio_tokens,
        usage.output_image_tokens,
        usage.accepted_prediction_tokens,
        usage.rejected_prediction_tokens,
    )
    return UsageWire(
        input_tokens,
        output_tokens,
        input_tokens + output_tokens,
        None if prompt == _NO_PROMPT else prompt,
        None if completion == _NO_COMPLETION else completion,
        usage.web_search_calls,
    )
