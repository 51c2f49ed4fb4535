"""Anthropic Messages, as one value that keeps the contract of every dialect."""

from typing import final

from allgate.core.errors import Failure
from allgate.dialects.anthropic import errors
from allgate.dialects.anthropic.head import passthrough, read_head
from allgate.dialects.anthropic.meter import AnthropicStreamMeter, read_facts
from allgate.dialects.anthropic.request_decode import decode_request
from allgate.dialects.anthropic.request_encode import encode_request
from allgate.dialects.anthropic.response_decode import decode_response
from allgate.dialects.anthropic.response_encode import encode_response
from allgate.dialects.anthropic.stream_decode import AnthropicStreamDecoder
from allgate.dialects.anthropic.stream_encode import KEEP_ALIVE, AnthropicStreamEncoder
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.contract import Asked, Facts, Head, Sent, StreamDecoder, UpstreamCall
from allgate.dialects.passes.stop_matcher import StoppedStream, matched_stops, stopped
from allgate.dialects.seals import SealBox
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.response import ChatResponse
from allgate.wire.headers import Headers
from allgate.wire.message import WireReply, WireRequest


@final
class AnthropicMessages:
    """`POST /v1/messages`, both ways. Each method is a function of the module named after it."""

    name = DIALECT
    stream_content_type = b"text/event-stream; charset=utf-8"
    keep_alive = KEEP_ALIVE
    response_id_prefix = "msg_"
    pauses = True
    first_keep_alive = KEEP_ALIVE

    def for_request(self, request: WireRequest) -> "AnthropicMessages":
        return self

    def read_head(self, request: WireRequest) -> Head:
        return read_head(request)

    def decode_request(self, request: WireRequest, seals: SealBox) -> ChatRequest:
        return decode_request(request, seals)

    def encode_response(self, response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
        return encode_response(response, asked)

    def stream_encoder(self, asked: Asked) -> AnthropicStreamEncoder:
        return AnthropicStreamEncoder(asked)

    def encode_error(self, failure: Failure, request_id: str) -> WireReply:
        return errors.encode_error(failure, request_id)

    def encode_request(self, request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
        return encode_request(request, model, caps)

    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse:
        stops = matched_stops(sent.request.sampling, sent.caps, blank=False)
        return stopped(decode_response(body, sent), stops)

    def stream_decoder(self, sent: Sent) -> StreamDecoder:
        stops = matched_stops(sent.request.sampling, sent.caps, blank=False)
        decoder = AnthropicStreamDecoder(sent)
        return StoppedStream(decoder, stops) if stops else decoder

    def decode_error(self, status: int, headers: Headers, body: bytes) -> Failure:
        return errors.decode_error(status, headers, body)

    def passthrough(self, request: WireRequest, head: Head, model: str, caps: Caps) -> UpstreamCall:
        return passthrough(request, head, model, caps)

    def meter(self, head: Head, caps: Caps) -> AnthropicStreamMeter:
        return AnthropicStreamMeter(head, caps)

    def read_facts(self, body: bytes) -> Facts:
        return read_facts(body)

    def encode_stream_error(self, failure: Failure, request_id: str) -> bytes:
        return errors.encode_stream_error(failure, request_id)
