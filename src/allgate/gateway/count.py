"""How many input tokens would this request be? Answered by us, without a provider, and free."""

import asyncio

from allgate.dialects.token_counts import countable, encode_token_count
from allgate.gateway.admission import Call, authenticate
from allgate.gateway.reply import json_reply
from allgate.gateway.services import Services
from allgate.identity.caller import permit, unknown_model
from allgate.operations.tokens import count_request
from allgate.wire.message import WireReply

INLINE_BYTES_MAX = 4_096
"""Counting runs at 10 MB/s: a longer body would hold up the loop for more than half a millisecond."""


async def count_reply(services: Services, call: Call) -> WireReply:
    """Raises: Refused: 401, 403, 404; WireError: not a request of this dialect."""
    caller = authenticate(services.directory, call)
    wire = countable(call.wire, call.dialect.name)
    request = call.dialect.decode_request(wire, services.seal_box(caller.account_id))
    permit(caller, request.model, call.address, call.started_s)
    if request.model not in services.directory.catalogue.models:
        raise unknown_model(request.model)
    if len(wire.body) <= INLINE_BYTES_MAX:
        tokens = count_request(request)
    else:
        tokens = await asyncio.to_thread(count_request, request)
    return json_reply(call.request_id, encode_token_count(tokens, call.dialect.name))
