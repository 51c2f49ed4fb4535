"""`/v1/messages/count_tokens`: how many tokens a request would be.

    {"model": …, "messages": […], "system": …, "tools": […]}  →  {"input_tokens": 31}

The counter takes what decides the input and refuses the rest, also `max_tokens`, which Messages demand.
"""

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.anthropic.cache_marks import MARK
from allgate.dialects.anthropic.request_encode import PATH
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.passes.lenient import count_of, object_of
from allgate.wire.json import decode_lenient, decode_object, encode
from allgate.wire.message import WireRequest

COUNT_PATH = PATH + "/count_tokens"

_COUNTED = (
    "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "mcp_servers",
    "context_management", MARK,
)  # fmt: skip


def countable(request: WireRequest) -> WireRequest:
    """The Messages request whose input is to be counted. Raises: WireError: not an object."""
    body = decode_object(request.body)
    return request if "max_tokens" in body else changed(request, body=encode({**body, "max_tokens": 1}))


def counting(call: UpstreamCall, model: str) -> UpstreamCall:
    """The call that counts what `call` would send. Raises: WireError: its body is not an object."""
    del model  # it stands in the body
    members = decode_object(call.body)
    body = {key: members[key] for key in _COUNTED if key in members}
    return changed(call, path=call.path.replace(PATH, COUNT_PATH), body=encode(body))


def decode_count(body: bytes) -> int:
    """The tokens that a provider counted. Raises: WireError: it did not say."""
    tokens = count_of(object_of(decode_lenient(body)).get("input_tokens"))
    if tokens is None:
        raise wire_error("The reply of count_tokens holds no input_tokens")
    return tokens


def encode_count(tokens: int) -> bytes:
    """The body for a client.

    >>> encode_count(7)
    b'{"input_tokens":7}'
    """
    return encode({"input_tokens": tokens})
