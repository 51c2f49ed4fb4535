"""The dialect as one object: which function does what.

Two instances exist. They differ in how a stream is framed, which a client chooses by its query (`address`):
`GEMINI` speaks server-sent events, and `for_request` gives the one that speaks JSON arrays where a client wants that.
Both have the same name and decode both framings; a gateway that asks nothing of this gets events everywhere except
from `stream_encoder`, which follows the request.
"""

from typing import Literal

from allgate.core.errors import Failure
from allgate.dialects.contract import (
    Asked,
    Facts,
    Head,
    Sent,
    StreamDecoder,
    StreamEncoder,
    StreamMeter,
    UpstreamCall,
)
from allgate.dialects.gemini import (
    errors,
    head,
    meter,
    passthrough,
    request_decode,
    request_encode,
    response_decode,
    response_encode,
)
from allgate.dialects.gemini.address import alt_of
from allgate.dialects.gemini.framing import ARRAY_CONTENT_TYPE, KEEP_ALIVE, SSE_CONTENT_TYPE
from allgate.dialects.gemini.stream_decode import GeminiStreamDecoder
from allgate.dialects.gemini.stream_encode import GeminiStreamEncoder
from allgate.dialects.passes.stop_matcher import StoppedStream, matched_stops, stopped
from allgate.dialects.seals import SealBox
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.response import ChatResponse
from allgate.wire.headers import Headers
from allgate.wire.json import encode
from allgate.wire.message import WireReply, WireRequest
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

    def read_head(self, request: WireRequest) -> Head:
        return head.read_head(request)

    def decode_request(self, request: WireRequest, seals: SealBox) -> ChatRequest:
        return request_decode.decode_request(request, seals)

    def encode_response(self, response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
        return response_encode.encode_response(response, asked)

    def stream_encoder(self, asked: Asked) -> StreamEncoder:
        return GeminiStreamEncoder(asked)

    def encode_error(self, failure: Failure, request_id: str) -> WireReply:
        return errors.encode_error(failure, request_id)

    def encode_request(self, request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
        return request_encode.encode_request(request, model, caps)

    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse:
        found = response_decode.decode_response(body, sent)
        return stopped(found, matched_stops(sent.request.sampling, sent.caps))

    def stream_decoder(self, sent: Sent) -> StreamDecoder:
        stops = matched_stops(sent.request.sampling, sent.caps)
        decoder = GeminiStreamDecoder(sent)
        return StoppedStream(decoder, stops) if stops else decoder

    def decode_error(self, status: int, headers: Headers, body: bytes) -> Failure:
        return errors.decode_error(status, headers, body)

    def passthrough(self, request: WireRequest, head: Head, model: str, caps: Caps) -> UpstreamCall:
        return passthrough.passthrough(request, head, model, caps)

    def meter(self, head: Head, caps: Caps) -> StreamMeter:
        del head
        return meter.GeminiMeter(caps)

    def read_facts(self, body: bytes) -> Facts:
        return meter.read_facts(body)

    def encode_stream_error(self, failure: Failure, request_id: str) -> bytes:
        """In an array: one more member, and its end. So some member must have left before."""
        del request_id  # Gemini's error has no place for it; it is in the header
        body = encode(errors.status_body(failure))
        return data_frame(body) if self._framing == "sse" else b",\n" + body + b"]"


GEMINI = GeminiDialect("sse")
GEMINI_ARRAY = GeminiDialect("array")
