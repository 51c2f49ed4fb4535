"""Counting tokens before sending: the dialects that can ask for it, and each one's words.

A dialect's `count` module is its counter. Both ways use the chat codec: `countable` makes of the client's request one
that `decode_request` reads, and `counting` makes of a chat call, encoded or passed through, one that only counts.
"""

from collections.abc import Mapping
from typing import Protocol

from allgate.dialects.anthropic import count as anthropic
from allgate.dialects.contract import UpstreamCall
from allgate.dialects.gemini import count as gemini
from allgate.dialects.openai_responses import count as openai_responses
from allgate.wire.message import WireRequest


class TokenCounter(Protocol):
    """What a dialect that can count offers."""

    def countable(self, request: WireRequest) -> WireRequest:
        """The chat request whose input a client wants counted. Raises: WireError: not an object."""
        ...

    def counting(self, call: UpstreamCall, model: str) -> UpstreamCall:
        """The call that counts what `call` would send to `model`. Raises: WireError: its body is not an object."""
        ...

    def decode_count(self, body: bytes) -> int:
        """The tokens that a provider counted. Raises: WireError: it did not say."""
        ...

    def encode_count(self, tokens: int) -> bytes:
        """The body for a client."""
        ...


TOKEN_COUNTERS: Mapping[str, TokenCounter] = {
    "anthropic": anthropic,
    "gemini": gemini,
    "openai_responses": openai_responses,
}
"""By dialect; chat completions have none."""
