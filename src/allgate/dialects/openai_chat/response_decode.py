"""A provider's whole reply → the canonical answer: one large chunk, read and folded like a stream."""

from allgate.dialects.contract import Sent
from allgate.dialects.openai_chat.chunks import read_whole
from allgate.dialects.openai_chat.errors import no_completion
from allgate.dialects.openai_chat.reply import Reply
from allgate.operations.chat.fold import fold
from allgate.operations.chat.response import ChatResponse


def decode_response(body: bytes, sent: Sent) -> ChatResponse:
    """The answer in a reply with status 200.

    Raises: WireError: no chat completion, or an error that came with that status (some gateways do so).
    """
    reply_body = read_whole(body)
    if not reply_body.choices:
        raise no_completion(body)
    reply = Reply(sent)
    reply.take(reply_body)
    reply.end(finish_optional=True)
    return fold(reply.events)
