"""Anthropic Messages, both API versions: requests, replies and streams, on either side of the gateway.

request_decode, messages_decode, media_decode, tools_decode      a client's request in
request_encode, messages_encode, blocks_encode, media_encode,
tools_encode, thinking_encode, cache_marks, left_out, json_output  a provider's request out
response_decode, stream_decode, stream_blocks, reply_blocks      a provider's reply in
response_encode, stream_encode, reply_shown                      a client's reply out
head, meter                                                      pass-through: bytes that are only looked at
block_members, content, hosted, citations, seal_slots, usage,
finish, errors, versions                                         one matter each, both ways
count_tokens                                                     the counter beside the Messages route
"""

from allgate.dialects.anthropic.dialect import AnthropicMessages
from allgate.dialects.contract import ChatDialect

__all__ = ["ANTHROPIC"]

ANTHROPIC: ChatDialect = AnthropicMessages()
