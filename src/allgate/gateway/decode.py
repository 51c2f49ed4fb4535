"""A client's request in canonical words: decoded here, or by a worker process where that would hold the loop."""

from allgate.dialects.contract import ChatDialect
from allgate.dialects.seals import SealBox
from allgate.gateway.services import Services
from allgate.operations.chat.request import ChatRequest
from allgate.wire.message import WireRequest

DECODED_HERE_BYTES_MAX = 4 * 1024 * 1024
"""4 MB of pictures take 5 ms (ruling on the loop); starting a worker's work takes about as long."""


async def decoded_request(
    services: Services, dialect: ChatDialect, wire: WireRequest, seals: SealBox
) -> ChatRequest:
    """Raises: WireError: not a request of this dialect."""
    if len(wire.body) <= DECODED_HERE_BYTES_MAX:
        return dialect.decode_request(wire, seals)
    return await services.decoder.decode(dialect.name, wire, seals)
