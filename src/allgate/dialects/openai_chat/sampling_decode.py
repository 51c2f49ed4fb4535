"""Sampling and limits of a chat or text-completions body."""

from collections.abc import Callable

from allgate.operations.chat.request import Sampling
from allgate.wire.json import (
    Json,
    JsonObject,
    list_at,
    optional_bool,
    optional_int,
    optional_number,
    optional_object,
    text_at,
)

_READERS: dict[str, Callable[[JsonObject, str], Json]] = {
    "max_completion_tokens": optional_int,
    "temperature": optional_number,
    "top_p": optional_number,
    "top_k": optional_int,
    "frequency_penalty": optional_number,
    "presence_penalty": optional_number,
    "logit_bias": optional_object,
    "seed": optional_int,
    "n": optional_int,
}

SAMPLING_MEMBERS = _READERS.keys() | {"max_tokens", "stop", "logprobs", "top_logprobs"}
"""Members of the body that are read here."""


def decode_sampling(body: JsonObject) -> Sampling:
    """What the client asks of the sampler. `logprobs` is a switch on chat and a count in text completions.

    Raises: WireError naming the member of a wrong type.
    """
    found: JsonObject = {name: read(body, name) for name, read in _READERS.items() if name in body}
    limit = found.pop("max_completion_tokens", None)
    if limit is None and "max_tokens" in body:
        limit = optional_int(body, "max_tokens")
    if "stop" in body:
        found["stop"] = _stop(body["stop"])
    if "logprobs" in body or "top_logprobs" in body:
        found |= _logprobs(body)
    return Sampling(max_tokens=limit, **found)


def _logprobs(body: JsonObject) -> JsonObject:
    logprobs: Json = body.get("logprobs")
    counted = isinstance(logprobs, int) and not isinstance(logprobs, bool)
    return {
        "logprobs": True if counted else optional_bool(body, "logprobs"),
        "top_logprobs": logprobs if counted else optional_int(body, "top_logprobs"),
    }


def _stop(value: Json) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(text_at(entry, f"stop[{place}]") for place, entry in enumerate(list_at(value, "stop")))
