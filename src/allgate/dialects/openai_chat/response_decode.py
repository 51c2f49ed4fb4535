"""A provider's whole reply → the canonical answer: one large chunk, read and folded like a stream. A plain one, which most
are, needs no events (`plain_response`)."""

from allgate.dialects.contract import Sent
from allgate.dialects.openai_chat.chunks import read_whole
from allgate.dialects.openai_chat.errors import no_completion
from allgate.dialects.openai_chat.plain_reply import plain_response
from allgate.dialects.openai_chat.reply import Reply
from allgate.operations.chat.fold import fold
from allgate.operations.chat.response import ChatResponse


def decode_response(body: bytes, sent: Sent) -> ChatResponse:
    """The answer in a reply with status 200.

    Raises: WireError: no chat completion, or an error that came with that status (some gateways do so).
    """
    return plain_response(body, sent) or decode_any_response(body, sent)


def decode_any_response(body: bytes, sent: Sent) -> ChatResponse:
    """The same, by its events."""
    whole = read_whole(body)
    if not whole.choices:
        raise no_completion(body)
    reply = Reply(sent)
    reply.take(whole)
    reply.end(finish_optional=True)
    return fold(reply.events)
