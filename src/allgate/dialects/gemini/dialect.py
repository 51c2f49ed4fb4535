"""The dialect as one object: which function does what.

Two instances exist. They differ in how a stream is framed, which a client chooses by its query (`address`):
`GEMINI` speaks server-sent events, and `for_request` gives the one that speaks JSON arrays where a client wants that.
Both have the same name and decode both framings; a gateway that asks nothing of this gets events everywhere except
from `stream_encoder`, which follows the request.
"""

from typing import Literal

from allgate.core.errors import Failure
from allgate.dialects.gemini import errors
from allgate.dialects.gemini.address import alt_of
from allgate.dialects.gemini.framing import ARRAY_CONTENT_TYPE, KEEP_ALIVE, SSE_CONTENT_TYPE
from allgate.dialects.gemini.head import read_head
from allgate.dialects.gemini.meter import GeminiMeter, read_facts
from allgate.dialects.gemini.passthrough import passthrough
from allgate.dialects.gemini.request_decode import decode_request
from allgate.dialects.gemini.request_encode import encode_request
from allgate.dialects.gemini.response_decode import decode_response
from allgate.dialects.gemini.response_encode import encode_response
from allgate.dialects.gemini.stream_decode import stream_decoder
from allgate.dialects.gemini.stream_encode import GeminiStreamEncoder
from allgate.wire.json import encode
from allgate.wire.message import WireRequest
from allgate.wire.sse import data_frame


class GeminiDialect:
    """generateContent and streamGenerateContent, both ways."""

    name = "gemini"
    keep_alive = KEEP_ALIVE
    response_id_prefix = ""
    pauses = False
    first_keep_alive = KEEP_ALIVE

    def __init__(self, framing: Literal["sse", "array"]) -> None:
        self._framing = framing
        self.stream_content_type = SSE_CONTENT_TYPE if framing == "sse" else ARRAY_CONTENT_TYPE

    def for_request(self, request: WireRequest) -> "GeminiDialect":
        """This dialect with the framing that a request asks for: content type, in-band errors."""
        return GEMINI if alt_of(request) == "sse" else GEMINI_ARRAY

    read_head = staticmethod(read_head)
    decode_request = staticmethod(decode_request)
    encode_response = staticmethod(encode_response)
    stream_encoder = staticmethod(GeminiStreamEncoder)
    encode_error = staticmethod(errors.encode_error)

    encode_request = staticmethod(encode_request)
    decode_response = staticmethod(decode_response)
    stream_decoder = staticmethod(stream_decoder)
    decode_error = staticmethod(errors.decode_error)

    passthrough = staticmethod(passthrough)
    meter = staticmethod(GeminiMeter)
    read_facts = staticmethod(read_facts)

    def encode_stream_error(self, failure: Failure, request_id: str) -> bytes:
        """In an array: one more member, and its end. So some member must have left before."""
        del request_id  # Gemini's error has no place for it; it is in the header
        body = encode(errors.status_body(failure))
        return data_frame(body) if self._framing == "sse" else b",\n" + body + b"]"


GEMINI = GeminiDialect("sse")
GEMINI_ARRAY = GeminiDialect("array")
