"""`/v1/responses/input_tokens`: how many tokens a request would be.

    {"model": …, "input": …, "instructions": …, "tools": […]}  →  {"object": "response.input_tokens", "input_tokens": 31}

The counter takes what decides the input and refuses the rest (openai 3.52, `InputTokenCountParams`).
"""

from allgate.core.errors import wire_error
from allgate.core.value import changed
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.openai_responses.head import PATH
from allgate.dialects.passes.lenient import count_of, object_of
from allgate.wire.json import decode_lenient, decode_object, encode
from allgate.wire.message import WireRequest

COUNT_PATH = PATH + "/input_tokens"

_COUNTED = (
    "model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "parallel_tool_calls",
    "previous_response_id", "conversation", "truncation",
)  # fmt: skip


def countable(request: WireRequest) -> WireRequest:
    """A request to count is a Responses request already."""
    return request


def counting(call: UpstreamCall, model: str) -> UpstreamCall:
    """The call that counts what `call` would send. Raises: WireError: its body is not an object."""
    del model  # it stands in the body
    members = decode_object(call.body)
    body = {key: members[key] for key in _COUNTED if key in members}
    return changed(call, path=COUNT_PATH, body=encode(body))


def decode_count(body: bytes) -> int:
    """The tokens that a provider counted. Raises: WireError: it did not say."""
    tokens = count_of(object_of(decode_lenient(body)).get("input_tokens"))
    if tokens is None:
        raise wire_error("The reply of input_tokens holds no input_tokens")
    return tokens


def encode_count(tokens: int) -> bytes:
    """The body for a client.

    >>> encode_count(7)
    b'{"object":"response.input_tokens","input_tokens":7}'
    """
    return encode({"object": "response.input_tokens", "input_tokens": tokens})
