"""A whole response of a provider in canonical words."""

from allgate.core.errors import WireError, wire_error
from allgate.dialects.contract import Sent
from allgate.dialects.openai_responses.finish import decode_finish
from allgate.dialects.openai_responses.output_decode import decode_output
from allgate.dialects.openai_responses.own import NAME, rest
from allgate.dialects.openai_responses.plain_reply import plain_response
from allgate.dialects.openai_responses.target import Target
from allgate.dialects.openai_responses.usage import usage_in
from allgate.dialects.passes.lenient import object_of, text_of, text_or_none
from allgate.dialects.passes.openai_errors import failure_of
from allgate.dialects.passes.stop_matcher import stopped
from allgate.operations.chat.parts import Extra, Part
from allgate.operations.chat.response import ChatResponse, Choice
from allgate.wire.json import Json, JsonObject, decode_lenient, object_at

# Members that are read, or that repeat the request; the rest is the provider's own and is kept for this dialect.
_KNOWN = frozenset(
    {
        "id", "object", "created_at", "completed_at", "model", "output", "usage", "status", "error",
        "incomplete_details", "service_tier", "background", "conversation", "instructions", "max_output_tokens",
        "max_tool_calls", "metadata", "parallel_tool_calls", "previous_response_id", "prompt", "prompt_cache_key",
        "prompt_cache_options", "prompt_cache_retention", "reasoning", "safety_identifier", "store", "temperature",
        "text", "tool_choice", "tool_usage", "tools", "top_logprobs", "top_p", "truncation", "user",
        "frequency_penalty", "presence_penalty", "billing",
    }
)  # fmt: skip


def decode_response(body: bytes, sent: Sent) -> ChatResponse:
    """The answer in a reply with status 200. Raises: WireError: no response of this dialect, or a failed one."""
    return plain_response(body, sent) or decode_any_response(body, sent)


def decode_any_response(body: bytes, sent: Sent) -> ChatResponse:
    """The same, for an answer of any kind."""
    response = response_of(decode_lenient(body))
    target = Target(sent.request, sent.caps)
    parts: list[Part] = []
    for item in response["output"]:
        if dict is type(item):
            parts += decode_output(item, target)
    stops = sent.request.sampling.stop  # this dialect has none
    found = ChatResponse(
        id=text_of(response.get("id")),
        model=text_of(response.get("model")),
        created_s=created_s(response),
        choices=(Choice(index=0, parts=tuple(parts), finish=decode_finish(response, set(map(type, parts)))),),
        usage=usage_in(response),
        service_tier=text_or_none(response.get("service_tier")),
        extra=response_extra(response, target) if target.own else {},
    )
    return stopped(found, stops) if stops else found


def response_of(value: Json) -> JsonObject:
    """`value` as a response that did not fail. Raises: WireError: it did, or is none."""
    response = object_at(value, "response")
    output = response.get("output")
    if response.get("status") == "failed" or (not output and response.get("error")):
        raise WireError(failure_of(object_of(response.get("error"))))
    if list is not type(output):
        raise wire_error("The reply is not a response object: it has no 'output'")
    return response


def created_s(response: JsonObject) -> int | None:
    """Seconds since 1970 (the vendor writes a number with or without a fraction)."""
    value = response.get("created_at")
    return int(value) if isinstance(value, (int, float)) and 0 < value < 1e12 else None


def response_extra(response: JsonObject, target: Target) -> Extra:
    """The provider's own members, for a client of the same dialect."""
    return {NAME: extra} if target.own and (extra := rest(response, _KNOWN).get(NAME)) else {}
