"""Sampling and limits, as far as the deployment takes them."""

from allgate.core.errors import unsupported
from allgate.dialects.passes.stop_matcher import sent_stops, stop_notes
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note, added, clamped, dropped
from allgate.operations.chat.plain import is_ordinary
from allgate.operations.chat.request import ChatRequest, Sampling
from allgate.wire.json import JsonObject

_NOT_TAKEN = "not taken by this model"


def encode_sampling(request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    """The members, each sent, clamped or noted. Raises: WireError: more answers than the deployment gives."""
    asked = request.sampling
    temperature = asked.temperature
    both = temperature is not None and asked.top_p is not None
    if temperature is not None and temperature > caps.temperature_max and caps.sampling:
        notes.append(clamped("temperature", f"{temperature} is above this model's {caps.temperature_max}"))
        temperature = caps.temperature_max
    wanted: list[tuple[str, object, bool]] = [
        ("temperature", temperature, caps.sampling),
        ("top_p", asked.top_p, caps.sampling and (caps.temperature_and_top_p or not both)),
    ]
    if not is_ordinary(asked):
        wanted += _seldom(asked, caps)
    members = _limits(request, caps, notes)
    for name, value, taken in wanted:
        if value is not None and taken:
            members[name] = value
        elif value is not None:
            notes.append(dropped(name, _NOT_TAKEN))
    return members


def _seldom(asked: Sampling, caps: Caps) -> list[tuple[str, object, bool]]:
    """What most requests do not say: (member, value, whether the deployment takes it)."""
    return [
        ("top_k", asked.top_k, caps.sampling and (caps.top_k or "top_k" in caps.vendor_fields)),
        ("frequency_penalty", asked.frequency_penalty, caps.penalties),
        ("presence_penalty", asked.presence_penalty, caps.penalties),
        ("logit_bias", asked.logit_bias, caps.logit_bias),
        ("seed", asked.seed, caps.seed),
        ("logprobs", asked.logprobs, caps.logprobs),
        ("top_logprobs", asked.top_logprobs, caps.logprobs),
    ]


def _limits(request: ChatRequest, caps: Caps, notes: list[Note]) -> JsonObject:
    """How long, how many, and where to stop."""
    asked = request.sampling
    members: JsonObject = {}
    limit = asked.max_tokens
    if limit is None and caps.output_default is not None:
        limit = caps.output_default
        notes.append(added("max_tokens", f"the model's default of {limit}"))
    if limit is not None and caps.output_max is not None and limit > caps.output_max:
        notes.append(clamped("max_tokens", f"{limit} is above this model's {caps.output_max}"))
        limit = caps.output_max
    if limit is not None:
        members[caps.max_tokens_field] = limit
    if asked.n is not None:
        if asked.n > caps.n_max:
            raise unsupported(
                f"This model gives at most {caps.n_max} answers, {asked.n} were asked for", param="n"
            )
        if asked.n != 1:
            members["n"] = asked.n
    if asked.stop:
        if stops := sent_stops(asked, caps):
            members["stop"] = list(stops)
        notes += stop_notes(asked, caps)
    return members
