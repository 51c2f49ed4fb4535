"""OpenAI Chat Completions.

request_decode, message_decode, content_decode, tool_decode, reasoning_decode       what a client asks
request_encode, message_encode, content_encode, tool_encode, …                      the same, for a provider
response_decode, stream_decode on chunks, reply, answer, calls                      what a provider answers
response_encode, stream_encode on answer_encode                                     the same, for a client
plain_request, plain_reply, pieces                                                  plain ones of these, in one step
head, meter                                                                         pass-through
errors, usage, usage_encode, finish, annotations, details, media                    tables, both ways
"""

from allgate.dialects.contract import ChatDialect
from allgate.dialects.openai_chat.dialect import OpenAiChat

__all__ = ["OPENAI_CHAT"]

OPENAI_CHAT: ChatDialect = OpenAiChat()
