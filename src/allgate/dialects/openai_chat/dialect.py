"""OpenAI Chat Completions, as one value that keeps the contract of every dialect."""

from typing import final

from allgate.core.errors import Failure
from allgate.dialects.contract import Asked, Facts, Head, Sent, StreamDecoder, UpstreamCall
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
from allgate.dialects.seals import SealBox
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note
from allgate.operations.chat.request import ChatRequest
from allgate.operations.chat.response import ChatResponse
from allgate.wire.headers import Headers
from allgate.wire.message import WireReply, WireRequest


@final
class OpenAiChat:
    """`POST /v1/chat/completions`, both ways. Each method is a function of the module named after it."""

    name = NAME
    stream_content_type = b"text/event-stream"
    keep_alive = KEEP_ALIVE
    response_id_prefix = "chatcmpl-"
    pauses = False
    first_keep_alive = KEEP_ALIVE

    def for_request(self, request: WireRequest) -> "OpenAiChat":
        return self

    def read_head(self, request: WireRequest) -> Head:
        return read_head(request)

    def decode_request(self, request: WireRequest, seals: SealBox) -> ChatRequest:
        return decode_request(request, seals)

    def encode_response(self, response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
        return encode_response(response, asked)

    def stream_encoder(self, asked: Asked) -> ChatStreamEncoder:
        return ChatStreamEncoder(asked)

    def encode_error(self, failure: Failure, request_id: str) -> WireReply:
        return openai_errors.encode_error(failure, request_id)

    def encode_request(self, request: ChatRequest, model: str, caps: Caps) -> UpstreamCall:
        return encode_request(request, model, caps)

    def decode_response(self, body: bytes, sent: Sent) -> ChatResponse:
        return stopped(decode_response(body, sent), matched_stops(sent.request.sampling, sent.caps))

    def stream_decoder(self, sent: Sent) -> StreamDecoder:
        stops = matched_stops(sent.request.sampling, sent.caps)
        decoder = ChatStreamDecoder(sent)
        return StoppedStream(decoder, stops) if stops else decoder

    def decode_error(self, status: int, headers: Headers, body: bytes) -> Failure:
        return openai_errors.decode_error(status, headers, body)

    def passthrough(self, request: WireRequest, head: Head, model: str, caps: Caps) -> UpstreamCall:
        return passthrough(request, head, model, caps)

    def meter(self, head: Head, caps: Caps) -> ChatStreamMeter:
        return ChatStreamMeter(head, caps)

    def read_facts(self, body: bytes) -> Facts:
        return read_facts(body)

    def encode_stream_error(self, failure: Failure, request_id: str) -> bytes:
        del request_id  # the frame has no place for it; it left in the header
        return encode_stream_error(failure)
