"""A whole reply → ChatResponse: a stream of one chunk, folded."""

from allgate.dialects.contract import Sent
from allgate.dialects.gemini.answer_decode import AnswerDecoder
from allgate.dialects.gemini.members import many_at
from allgate.operations.chat.fold import fold
from allgate.operations.chat.response import ChatResponse
from allgate.wire.json import decode_lenient


def decode_response(body: bytes, sent: Sent) -> ChatResponse:
    """The answer. Raises: WireError: no reply, or an error in the place of one.

    An array of replies, which is a stream that somebody collected, is one answer too.
    """
    decoder = AnswerDecoder(sent)
    if body[:1] == b"{":
        decoder.take(body)
    else:
        for reply in many_at(decode_lenient(body), "reply"):
            decoder.take_json(reply)
    decoder.finish(whole=True)
    return fold(decoder.drain())
