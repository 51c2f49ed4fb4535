"""OpenAI Responses, as one value that keeps the contract of every dialect."""

from typing import final

from allgate.core.value import changed
from allgate.dialects.contract import Asked, Head, StreamEncoder, UpstreamCall
from allgate.dialects.openai_responses import compaction, errors
from allgate.dialects.openai_responses.compact import compaction_object
from allgate.dialects.openai_responses.compaction import CompactingEncoder
from allgate.dialects.openai_responses.facts import read_facts
from allgate.dialects.openai_responses.frames import KEEP_ALIVE
from allgate.dialects.openai_responses.head import passthrough, read_head
from allgate.dialects.openai_responses.meter import ResponsesStreamMeter
from allgate.dialects.openai_responses.own import NAME
from allgate.dialects.openai_responses.request_decode import decode_request
from allgate.dialects.openai_responses.request_encode import encode_request
from allgate.dialects.openai_responses.response_decode import decode_response
from allgate.dialects.openai_responses.response_encode import encode_response
from allgate.dialects.openai_responses.stream_decode import ResponsesStreamDecoder
from allgate.dialects.openai_responses.stream_encode import ResponsesStreamEncoder
from allgate.dialects.passes import openai_errors
from allgate.operations.chat.caps import Caps
from allgate.operations.chat.notes import Note
from allgate.operations.chat.response import ChatResponse
from allgate.wire.message import WireRequest
from allgate.wire.sse import comment_frame


@final
class OpenAiResponses:
    """`POST /v1/responses`, both ways. Each method is a function of the module named after it."""

    name = NAME
    stream_content_type = b"text/event-stream"
    keep_alive = KEEP_ALIVE
    response_id_prefix = "resp_"
    pauses = False
    first_keep_alive = comment_frame(b"keep-alive")

    decode_request = staticmethod(decode_request)
    encode_request = staticmethod(encode_request)
    decode_response = staticmethod(decode_response)
    read_facts = staticmethod(read_facts)
    stream_decoder = ResponsesStreamDecoder
    encode_error = staticmethod(openai_errors.encode_error)
    decode_error = staticmethod(openai_errors.decode_error)
    encode_stream_error = staticmethod(errors.encode_stream_error)

    def __init__(self, *, continues: str | None = None, compacts: tuple[bytes, ...] | None = None) -> None:
        self._continues = continues
        self._compacts = compacts

    def for_request(self, request: WireRequest) -> "OpenAiResponses":
        return self

    def read_head(self, request: WireRequest) -> Head:
        head = read_head(request)
        return head if self._compacts is None else changed(head, rewritten=True)

    def encode_response(self, response: ChatResponse, asked: Asked) -> tuple[bytes, tuple[Note, ...]]:
        if self._continues is not None:
            asked = _naming(asked, self._continues)
        if compaction.is_wanted(asked.request):
            response = compaction.compacted(response, asked.seals)
        body, notes = encode_response(response, asked)
        return body if self._compacts is None else compaction_object(body, self._compacts), notes

    def stream_encoder(self, asked: Asked) -> StreamEncoder:
        if self._continues is not None:
            asked = _naming(asked, self._continues)
        encoder = ResponsesStreamEncoder(asked)
        return CompactingEncoder(encoder, asked.seals) if compaction.is_wanted(asked.request) else encoder

    def passthrough(self, request: WireRequest, head: Head, model: str, caps: Caps) -> UpstreamCall:
        del caps  # this format has no switch to set
        return passthrough(request, head, model)

    def meter(self, head: Head, caps: Caps) -> ResponsesStreamMeter:
        del head, caps  # nothing to withhold: the usage is in the terminal event
        return ResponsesStreamMeter()


def _naming(asked: Asked, response_id: str) -> Asked:
    """With the id of what the answer continues, which the request that was sent no longer names."""
    state = changed(asked.request.state, previous_response_id=response_id)
    return changed(asked, request=changed(asked.request, state=state))
