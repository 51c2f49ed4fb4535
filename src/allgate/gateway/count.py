"""How many input tokens would this request be? Free, and never charged to anybody.

The provider that would serve the request is asked, where it has a counter: its own count is exact. Otherwise, and where
it does not answer well and soon, we count offline, which is about right (`operations.tokens`). A note says that the
number is ours, and why; without a note it is the provider's, whom `x-allgate-upstream` names.
"""

import asyncio

from allgate.core.errors import AllgateError, AttemptFailed, WireError
from allgate.core.value import Value, changed
from allgate.dialects.token_counts import TOKEN_COUNTERS
from allgate.gateway.admission import Call, authenticate
from allgate.gateway.decode import decoded_request
from allgate.gateway.inquiry import inquire
from allgate.gateway.reply import json_reply
from allgate.gateway.responses_store import KEEPING_DIALECT, continued
from allgate.gateway.services import Services
from allgate.identity.caller import permit, unknown_model
from allgate.operations.chat.notes import converted, notes_header
from allgate.operations.chat.request import ChatRequest
from allgate.operations.tokens import count_request
from allgate.routing.catalogue import Model
from allgate.routing.plan import Candidate, plan
from allgate.wire.headers import Headers, safe_value
from allgate.wire.message import WireReply

INLINE_BYTES_MAX = 4_096
"""Counting runs at 10 MB/s: a longer body would hold up the loop for more than half a millisecond."""

DEADLINE_S = 3.0
"""Claude Code asks 25 times for one screen, and estimates by itself what takes longer than a few seconds."""


class Counted(Value, frozen=True, kw_only=True):
    """`upstream` counted; where it is empty we did, because of `reason`."""

    tokens: int
    upstream: str = ""
    reason: str = ""


async def count_reply(services: Services, call: Call) -> WireReply:
    """Raises: Refused: 401, 403, 404; WireError: not a request of this dialect."""
    caller = authenticate(services.directory, call)
    counter = TOKEN_COUNTERS[call.dialect.name]
    call = changed(call, wire=counter.countable(call.wire))
    if call.dialect.name == KEEPING_DIALECT:
        call = (await continued(services, call)).call
    request = await decoded_request(services, call.dialect, call.wire, services.seal_box(caller.account_id))
    permit(caller, request.model, call.dialect.name)
    model = services.directory.catalogue.names.get(request.model)
    if model is None:
        raise unknown_model(request.model)
    counted = await _counted(services, call, request, model)
    reply = json_reply(call.request_id, counter.encode_count(counted.tokens))
    return changed(reply, headers=(*reply.headers, *_provenance(counted)))


async def _counted(services: Services, call: Call, request: ChatRequest, model: Model) -> Counted:
    candidate = _counting(services, call, model)
    if candidate is None:
        return await _by_us(call, request, "its provider has no counter")
    name = candidate.deployment.upstream.name
    try:
        return Counted(tokens=await _by_provider(services, call, request, candidate), upstream=name)
    except (AttemptFailed, WireError) as failed:
        return await _by_us(call, request, f"{name} did not count: {failed.failure.kind}")


def _counting(services: Services, call: Call, model: Model) -> Candidate | None:
    """Who would serve the request, in the first of its dialects that it counts in; None where it has no counter."""
    try:
        best = plan(model, call.dialect.read_head(call.wire), call.dialect.name, services.dice())[0]
    except AllgateError:
        return None  # it could not be served, but it can be counted
    if best.speaks.counts_tokens:
        return best
    deployment = best.deployment
    for dialect in deployment.upstream.dialects:
        speaks, caps = deployment.upstream.provider.in_dialect(dialect), deployment.caps.get(dialect)
        if speaks is not None and speaks.counts_tokens and caps is not None:
            return changed(best, speaks=speaks, caps=caps, passthrough=False)
    return None


async def _by_provider(services: Services, call: Call, request: ChatRequest, candidate: Candidate) -> int:
    """Raises: AttemptFailed; WireError: the request cannot be said to this provider, or it did not say a number."""
    model, dialect = candidate.deployment.model, services.dialects[candidate.speaks.dialect]
    if candidate.passthrough:
        asked = dialect.passthrough(call.wire, dialect.read_head(call.wire), model, candidate.caps)
    else:
        asked = dialect.encode_request(changed(request, stream=False), model, candidate.caps)
    counter = TOKEN_COUNTERS[dialect.name]
    return counter.decode_count(
        await inquire(services, candidate, counter.counting(asked, model), DEADLINE_S)
    )


async def _by_us(call: Call, request: ChatRequest, reason: str) -> Counted:
    if len(call.wire.body) <= INLINE_BYTES_MAX:
        tokens = count_request(request)
    else:
        tokens = await asyncio.to_thread(count_request, request)
    return Counted(tokens=tokens, reason=reason)


def _provenance(counted: Counted) -> Headers:
    if counted.upstream:
        return ((b"x-allgate-upstream", safe_value(counted.upstream)),)
    note = converted("input_tokens", f"counted by the gateway: {counted.reason}")
    return ((b"x-allgate-notes", safe_value(notes_header([note]))),)
