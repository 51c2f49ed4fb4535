"""Sampling and limits of a chat or text-completions body."""

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


def decode_sampling(body: JsonObject) -> Sampling:
    """What the client asks of the sampler. `logprobs` is a switch on chat and a count in text completions.

    Raises: WireError naming the member of a wrong type.
    """
    logprobs: Json = body.get("logprobs")
    counted = isinstance(logprobs, int) and not isinstance(logprobs, bool)
    limit = optional_int(body, "max_completion_tokens")
    return Sampling(
        temperature=optional_number(body, "temperature"),
        top_p=optional_number(body, "top_p"),
        top_k=optional_int(body, "top_k"),
        frequency_penalty=optional_number(body, "frequency_penalty"),
        presence_penalty=optional_number(body, "presence_penalty"),
        logit_bias=optional_object(body, "logit_bias"),
        seed=optional_int(body, "seed"),
        max_tokens=limit if limit is not None else optional_int(body, "max_tokens"),
        stop=_stop(body.get("stop")),
        n=optional_int(body, "n"),
        logprobs=True if counted else optional_bool(body, "logprobs"),
        top_logprobs=logprobs if counted else optional_int(body, "top_logprobs"),
    )


def _stop(value: Json) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(text_at(entry, f"stop[{place}]") for place, entry in enumerate(list_at(value, "stop")))
