"""A plain answer, which most are: one finished text. Read by type in one step.

The object around it is large, and nearly all of it repeats the request or says that something is not there. It is read
whole all the same, narrowly: what is not understood to the last member is left to `response_decode`, because there may be
something in it that is billed, shown or kept. Of what is understood both ways make the same, and tests hold them to it.
"""

from typing import Annotated, Literal

import msgspec

from allgate.core.usage import Usage
from allgate.dialects.contract import Sent
from allgate.dialects.openai_responses.own import MESSAGE, NAME
from allgate.operations.chat.parts import Text
from allgate.operations.chat.response import ChatResponse, Choice, Finish

PLAIN_BYTES_MAX = 16 * 1024
"""Longer ones repeat an agent's instructions and tools, or are long texts, whose reading takes longer than all else."""

_COMPLETED = Finish(reason="stop", native="completed")

_Count = Annotated[int, msgspec.Meta(ge=0)] | None
_Nothing = Annotated[list[None], msgspec.Meta(max_length=0)] | None


class _Typed(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Of what is typed narrowly to the last member nothing can be overlooked."""


class _Content(_Typed, frozen=True):
    type: Literal["output_text"]
    text: str
    annotations: _Nothing = None
    logprobs: _Nothing = None


class _Message(_Typed, frozen=True):
    type: Literal["message"]
    content: Annotated[list[_Content], msgspec.Meta(min_length=1, max_length=1)]
    role: str | None = None
    id: str | None = None
    status: str | None = None
    phase: str | None = None


class _Read(_Typed, frozen=True):
    cached_tokens: _Count = None
    cache_write_tokens: _Count = None


class _Written(_Typed, frozen=True):
    reasoning_tokens: _Count = None


class _Usage(_Typed, frozen=True):
    input_tokens: Annotated[int, msgspec.Meta(ge=0)]
    output_tokens: Annotated[int, msgspec.Meta(ge=0)]
    total_tokens: _Count = None
    input_tokens_details: _Read = _Read()
    output_tokens_details: _Written = _Written()


class _Searched(_Typed, frozen=True):
    num_requests: _Count = None


class _ToolUsage(_Typed, frozen=True):
    web_search: _Searched = _Searched()
    image_gen: dict[str, int | dict[str, int]] | None = None


class _Form(_Typed, frozen=True):
    type: Literal["text"]


class _TextFormat(_Typed, frozen=True):
    format: _Form | None = None
    verbosity: str | None = None


class _Reasoning(_Typed, frozen=True):
    effort: str | None = None
    summary: str | None = None
    context: str | None = None
    mode: str | None = None


class _Billing(_Typed, frozen=True):
    payer: str | None = None


class _Answer(_Typed, frozen=True):
    """A whole response object as OpenAI writes it where there were neither tools nor a stored conversation."""

    output: Annotated[list[_Message], msgspec.Meta(min_length=1, max_length=1)]
    usage: _Usage
    status: Literal["completed"] = "completed"
    id: str = ""
    model: str = ""
    created_at: Annotated[int, msgspec.Meta(gt=0, lt=10**12)] | None = None
    service_tier: Literal["default", "auto"] | None = None
    object: str | None = None
    completed_at: int | float | None = None
    error: None = None
    incomplete_details: None = None
    background: bool | None = None
    billing: _Billing | None = None
    frequency_penalty: int | float | None = None
    presence_penalty: int | float | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, str] | None = None
    moderation: None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    reasoning: _Reasoning | None = None
    safety_identifier: str | None = None
    store: bool | None = None
    temperature: int | float | None = None
    text: _TextFormat | None = None
    tool_choice: str | None = None
    tool_usage: _ToolUsage = _ToolUsage()
    tools: _Nothing = None
    top_logprobs: int | None = None
    top_p: int | float | None = None
    truncation: str | None = None
    user: str | None = None


_read = msgspec.json.Decoder(_Answer).decode


def plain_response(body: bytes, sent: Sent) -> ChatResponse | None:
    """The answer in this reply, if it is plain; None for any other bytes."""
    asked = sent.request
    if len(body) > PLAIN_BYTES_MAX or asked.dialect == NAME or asked.tools or asked.sampling.stop:
        return None  # of our own clients' answers the members beyond the vocabulary are kept
    try:
        said = _read(body)
    except (msgspec.DecodeError, ValueError):
        return None
    usage = _usage(said)
    if usage is None:
        return None
    message = said.output[0]
    text = Text(
        text=message.content[0].text,
        id=message.id or None,
        extra={} if message.phase is None else {NAME: {MESSAGE: {"phase": message.phase}}},
    )
    return ChatResponse(
        id=said.id,
        model=said.model,
        created_s=said.created_at,
        choices=(Choice(index=0, parts=(text,), finish=_COMPLETED),),
        usage=usage,
        service_tier=said.service_tier,
    )


def _usage(said: _Answer) -> Usage | None:
    """The tokens of a plain answer; None where the total does not add up, as with servers that leave reasoning out of it."""
    usage = said.usage
    if usage.total_tokens != usage.input_tokens + usage.output_tokens:
        return None
    return Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.input_tokens_details.cached_tokens,
        cache_write_tokens=usage.input_tokens_details.cache_write_tokens,
        reasoning_tokens=usage.output_tokens_details.reasoning_tokens,
        web_search_calls=said.tool_usage.web_search.num_requests,
    )
