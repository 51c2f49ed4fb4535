"""Anthropic Messages, as one value that keeps the contract of every dialect."""

from typing import final

from allgate.dialects.anthropic.errors import decode_error, encode_error, encode_stream_error
from allgate.dialects.anthropic.head import passthrough, read_head
from allgate.dialects.anthropic.meter import AnthropicStreamMeter
from allgate.dialects.anthropic.plain_call import encode_request
from allgate.dialects.anthropic.plain_reply import decode_response, read_facts
from allgate.dialects.anthropic.plain_request import decode_request
from allgate.dialects.anthropic.response_encode import encode_response
from allgate.dialects.anthropic.stream_decode import AnthropicStreamDecoder
from allgate.dialects.anthropic.stream_encode import KEEP_ALIVE, AnthropicStreamEncoder
from allgate.dialects.anthropic.versions import DIALECT
from allgate.dialects.contract import Asked, Head, Sent, StreamDecoder
from allgate.dialects.passes.stop_matcher import StoppedStream, matched_stops, stopped
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.response import ChatResponse
from allgate.wire.message import WireRequest


@final
class AnthropicMessages:
    """`POST /v1/messages`, both ways. Most methods are the functions of the modules themselves, one call less deep."""

    name = DIALECT
    stream_content_type = b"text/event-stream; charset=utf-8"
    keep_alive = KEEP_ALIVE
    response_id_prefix = "msg_"
    pauses = True
    first_keep_alive = KEEP_ALIVE

    read_head = staticmethod(read_head)
    decode_request = staticmethod(decode_request)
    encode_response = staticmethod(encode_response)
    encode_error = staticmethod(encode_error)
    encode_request = staticmethod(encode_request)
    decode_error = staticmethod(decode_error)
    passthrough = staticmethod(passthrough)
    read_facts = staticmethod(read_facts)
    encode_stream_error = staticmethod(encode_stream_error)

    def for_request(self, request: WireRequest) -> "AnthropicMessages":
        return self

    def stream_encoder(self, asked: Asked) -> AnthropicStreamEncoder:
        return AnthropicStreamEncoder(asked)

    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse:
        response = decode_response(body, sent)
        if not sent.request.sampling.stop:
            return response
        return stopped(response, matched_stops(sent.request.sampling, sent.caps, blank=False))

    def stream_decoder(self, sent: Sent) -> StreamDecoder:
        decoder = AnthropicStreamDecoder(sent)
        if not sent.request.sampling.stop:
            return decoder
        stops = matched_stops(sent.request.sampling, sent.caps, blank=False)
        return StoppedStream(decoder, stops) if stops else decoder

    def meter(self, head: Head, caps: Caps) -> AnthropicStreamMeter:
        return AnthropicStreamMeter(head, caps)
