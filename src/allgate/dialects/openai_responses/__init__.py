"""OpenAI Responses: a conversation as a list of items, an answer as items again, streamed as named events.

request_decode, input_decode, items_decode, outputs_decode, content_decode, tools_decode    what a client asks
request_encode, input_encode, items_encode, content_encode, tools_encode, settings_encode   the same, for a provider
response_decode, output_decode, stream_decode on stream_messages, stream_thoughts, stream_calls   what a provider answers
response_encode, stream_encode on answer, answer_items, stream_items, stream_texts, skeleton      the same, for a client
plain_request, plain_call, plain_reply, plain_body                                         all four, where it is words only
head, meter, facts                                                                          pass-through
wish, stored, compaction, compact                                                           what a server keeps, and sums up
said, errors, usage, finish, annotations, item_ids, seals_decode, profile                   tables, both ways
"""

from allgate.dialects.contract import ChatDialect
from allgate.dialects.openai_responses.dialect import OpenAiResponses

__all__ = ["OPENAI_RESPONSES", "compacting", "continuing"]

OPENAI_RESPONSES: ChatDialect = OpenAiResponses()


def continuing(response_id: str) -> ChatDialect:
    """The dialect of an answer that continues a kept response: it names what the request itself no longer does."""
    return OpenAiResponses(continues=response_id)


def compacting(users: tuple[bytes, ...]) -> ChatDialect:
    """The dialect of an answer that is a compaction: these messages of the user's stay in front of it."""
    return OpenAiResponses(compacts=users)
