"""The members of a request's body by name and type, read in one step; of a body with an odd one, one by one."""

from collections.abc import Callable

import msgspec

from allgate.wire.json import (
    Json,
    JsonObject,
    optional_bool,
    optional_int,
    optional_number,
    optional_object,
    optional_text,
)


class Said(msgspec.Struct, gc=False):
    """The members of a request that the vocabulary has a word for."""

    model: str | None = None
    input: Json = None
    instructions: str | None = None
    tools: Json = None
    tool_choice: Json = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | int | None = None
    top_p: float | int | None = None
    top_logprobs: int | None = None
    reasoning: JsonObject | None = None
    text: JsonObject | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    conversation: Json = None
    background: bool | None = None
    truncation: str | None = None
    context_management: Json = None
    prompt: Json = None
    metadata: JsonObject | None = None
    user: str | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    prompt_cache_options: JsonObject | None = None
    stream: bool | None = None
    include: Json = None


KNOWN = frozenset(Said.__struct_fields__)
_READERS: dict[str, Callable[[JsonObject, str], Json]] = {
    **dict.fromkeys(
        (
            "model", "instructions", "previous_response_id", "truncation", "user", "safety_identifier", "service_tier",
            "prompt_cache_key", "prompt_cache_retention",
        ),
        optional_text,
    ),
    **dict.fromkeys(("store", "background", "stream", "parallel_tool_calls"), optional_bool),
    **dict.fromkeys(("max_output_tokens", "top_logprobs"), optional_int),
    **dict.fromkeys(("temperature", "top_p"), optional_number),
    **dict.fromkeys(("reasoning", "text", "metadata", "prompt_cache_options"), optional_object),
}  # fmt: skip


def said_in(body: JsonObject) -> Said:
    """What a request says. Raises: WireError naming the member that is wrong."""
    try:
        return msgspec.convert(body, Said)
    except msgspec.ValidationError:  # read one by one, to say which, and because 5.0 may stand for 5
        known = [name for name in body if name in KNOWN]
        return Said(**{n: _READERS[n](body, n) if n in _READERS else body[n] for n in known})
