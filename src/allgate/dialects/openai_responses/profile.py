"""What one client program of this dialect needs that the format does not ask for. The only place that knows a client.

Codex takes `response.incomplete` for a broken stream and repeats the request up to five times, each one billed; so a
length stop reaches it as a completed response with `incomplete_details` filled in. Seen in its sources of 2026.
"""

from allgate.dialects.openai_responses.own import own
from allgate.operations.chat.request import ChatRequest
from allgate.wire.headers import Headers, text

CLIENT = "client_program"
_CODEX = "codex"


def client_of(headers: Headers) -> str | None:
    """The client program that sent these headers, if it is one with needs of its own."""
    said = text(headers, "originator") or text(headers, "user-agent") or ""
    return _CODEX if said.lower().startswith(_CODEX) else None


def length_is_complete(request: ChatRequest) -> bool:
    """True where an answer cut at its length must look complete."""
    return own(request.extra).get(CLIENT) == _CODEX
