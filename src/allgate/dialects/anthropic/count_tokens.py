"""Counting the input tokens of a request: the call, and the reply both ways.

The counter takes what decides the input (model, system, messages, tools, thinking) and refuses the rest.
"""

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.anthropic.cache_marks import MARK
from allgate.dialects.anthropic.request_encode import PATH, encode_request
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.passes.lenient import count_of, object_of
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.request import ChatRequest
from allgate.wire.json import decode_lenient, decode_object, encode

COUNT_PATH = PATH + "/count_tokens"

_COUNTED = (
    "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "mcp_servers",
    "context_management", MARK,
)  # fmt: skip


def encode_count_request(request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
    """The call that counts what `request` would send. Raises: WireError: as `encode_request`."""
    call = encode_request(request, model, caps)
    members = decode_object(call.body)
    body = {key: members[key] for key in _COUNTED if key in members}
    return changed(call, path=COUNT_PATH, body=encode(body))


def decode_count_response(body: bytes) -> int:
    """Raises: WireError: no count in it."""
    tokens = count_of(object_of(decode_lenient(body)).get("input_tokens"))
    if tokens is None:
        raise wire_error("The reply holds no input_tokens")
    return tokens


def encode_count_response(tokens: int) -> bytes:
    """
    >>> encode_count_response(7)
    b'{"input_tokens":7}'
    """
    return encode({"input_tokens": tokens})
