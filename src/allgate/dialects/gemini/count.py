"""countTokens: how many tokens a request would be.

    {"generateContentRequest": {"model": "models/x", "contents": […], …}}  →  {"totalTokens": 31}

A client may send `contents` alone (Gemini CLI does, with media); a provider is always asked with the whole request,
because tools and the system prompt count too.
"""

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.gemini.address import COUNT_VERB
from allgate.dialects.gemini.request_encode import path_for
from allgate.dialects.passes.lenient import count_of, object_of
from allgate.wire.json import decode_lenient, decode_object, encode, optional_object
from allgate.wire.message import WireRequest
from allgate.wire.span import set_member

_WRAPPED = ("generateContentRequest", "generate_content_request")


def countable(request: WireRequest) -> WireRequest:
    """The generateContent request whose input is to be counted. Raises: WireError: not an object."""
    body = decode_object(request.body)
    for name in _WRAPPED:
        if (inner := optional_object(body, name)) is not None:
            return changed(request, body=encode(inner))
    return request


def counting(call: UpstreamCall, model: str) -> UpstreamCall:
    """The call that counts what `call` would send. Raises: WireError: its body is not an object."""
    inner = set_member(call.body, "model", encode(f"models/{model}"))
    return changed(call, path=path_for(model, COUNT_VERB), body=b'{"generateContentRequest":' + inner + b"}")


def decode_count(body: bytes) -> int:
    """The tokens that a provider counted. Raises: WireError: it did not say."""
    total = count_of(object_of(decode_lenient(body)).get("totalTokens"))
    if total is None:
        raise wire_error("The reply of countTokens has no totalTokens")
    return total


def encode_count(tokens: int) -> bytes:
    """The body for a client."""
    details = [{"modality": "TEXT", "tokenCount": tokens}]
    return encode({"totalTokens": tokens, "promptTokensDetails": details})
