"""OpenAI Chat Completions, as one value that keeps the contract of every dialect."""

from typing import final

from allgate.core.errors import Failure
from allgate.dialects.contract import Sent, StreamDecoder
from allgate.dialects.openai_chat.errors import encode_stream_error
from allgate.dialects.openai_chat.head import passthrough, read_head
from allgate.dialects.openai_chat.meter import ChatStreamMeter, read_facts
from allgate.dialects.openai_chat.own import NAME
from allgate.dialects.openai_chat.request_decode import decode_request
from allgate.dialects.openai_chat.request_encode import encode_request
from allgate.dialects.openai_chat.response_decode import decode_response
from allgate.dialects.openai_chat.response_encode import encode_response
from allgate.dialects.openai_chat.stream_decode import ChatStreamDecoder
from allgate.dialects.openai_chat.stream_encode import KEEP_ALIVE, ChatStreamEncoder
from allgate.dialects.passes import openai_errors
from allgate.dialects.passes.stop_matcher import StoppedStream, matched_stops, stopped
from allgate.operations.chat.response import ChatResponse
from allgate.wire.message import WireRequest


@final
class OpenAiChat:
    """`POST /v1/chat/completions`, both ways. Most of the contract is a function of the module named after it."""

    name = NAME
    stream_content_type = b"text/event-stream"
    keep_alive = KEEP_ALIVE
    response_id_prefix = "chatcmpl-"
    pauses = False
    first_keep_alive = KEEP_ALIVE

    read_head = staticmethod(read_head)
    decode_request = staticmethod(decode_request)
    encode_response = staticmethod(encode_response)
    stream_encoder = ChatStreamEncoder
    encode_error = staticmethod(openai_errors.encode_error)

    encode_request = staticmethod(encode_request)
    decode_error = staticmethod(openai_errors.decode_error)

    passthrough = staticmethod(passthrough)
    meter = ChatStreamMeter
    read_facts = staticmethod(read_facts)

    def for_request(self, request: WireRequest) -> "OpenAiChat":
        return self

    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse:
        response = decode_response(body, sent)
        stops = matched_stops(sent.request.sampling, sent.caps)
        return stopped(response, stops) if stops else response

    def stream_decoder(self, sent: Sent) -> StreamDecoder:
        stops = matched_stops(sent.request.sampling, sent.caps)
        decoder = ChatStreamDecoder(sent)
        return StoppedStream(decoder, stops) if stops else decoder

    def encode_stream_error(self, failure: Failure, request_id: str) -> bytes:
        del request_id  # the frame has no place for it; it left in the header
        return encode_stream_error(failure)
