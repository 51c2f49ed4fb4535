"""countTokens: how many tokens a request would be.

    {"generateContentRequest": {"model": "models/x", "contents": […], …}}  →  {"totalTokens": 31}

A client may send `contents` alone (Gemini CLI does, with media); `decode_request` reads both. A provider is always asked
with the whole request, because tools and the system prompt count too.
"""

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.gemini.address import COUNT_VERB
from allgate.dialects.gemini.request_encode import encode_request, path_for
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.request import ChatRequest
from allgate.wire.json import decode_lenient, encode, object_at, optional_int
from allgate.wire.span import set_member


def encode_count_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """The call that asks a provider. Raises: WireError: as `encode_request`."""
    call = encode_request(request, model, caps)
    inner = set_member(call.body, "model", encode(f"models/{model}"))
    return changed(call, path=path_for(model, COUNT_VERB), body=b'{"generateContentRequest":' + inner + b"}")


def decode_count(body: bytes) -> int:
    """The tokens that a provider counted. Raises: WireError: it did not say."""
    total = optional_int(object_at(decode_lenient(body), "reply"), "totalTokens")
    if total is None:
        raise wire_error("The reply of countTokens has no totalTokens")
    return total


def encode_count(tokens: int) -> bytes:
    """The body for a client."""
    return encode({"totalTokens": tokens})
