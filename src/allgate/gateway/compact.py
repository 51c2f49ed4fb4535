"""Shortening a conversation for a client of the Responses dialect, with whatever model it names.

It is served, held and charged like any other request. Nothing of it is kept: what comes back is the conversation.
"""

from allgate.core.value import changed
from allgate.dialects.openai_responses import compacting
from allgate.dialects.openai_responses.compact import asking, user_messages
from allgate.gateway.admission import Call
from allgate.gateway.handle import handle
from allgate.gateway.ports import Client
from allgate.gateway.responses_store import continued
from allgate.gateway.services import Services


async def compact(services: Services, call: Call, client: Client) -> None:
    """Raises: Refused, WireError: before anything was sent or charged."""
    whole = (await continued(services, changed(call, wire=asking(call.wire)))).call
    await handle(services, changed(whole, dialect=compacting(user_messages(whole.wire))), client)
