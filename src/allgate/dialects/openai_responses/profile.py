"""What one client program of this dialect needs that the format does not ask for. The only place that knows a client.

Codex takes `response.incomplete` for a broken stream and repeats the request up to five times, each one billed; so a
length stop reaches it as a completed response with `incomplete_details` filled in. Seen in its sources of 2026.
"""

from collections.abc import Mapping

from allgate.dialects.openai_responses.own import own
from allgate.dialects.passes.lenient import object_of
from allgate.operations.chat.request import ChatRequest
from allgate.wire.json import JsonObject

CLIENT = "client_program"
_CODEX = "codex"
_CODEX_METADATA = "x-codex-"

LITE_HEADER = (b"x-openai-internal-codex-responses-lite", b"true")
"""By this Codex tells OpenAI that its tools are in an `additional_tools` item and not in `tools`."""


def client_of(fields: Mapping[bytes, bytes], body: JsonObject) -> str | None:
    """The client program that sent this, if it is one with needs of its own and the body does not say so itself."""
    said = fields.get(b"originator") or fields.get(b"user-agent") or b""
    return _CODEX if said[:5].lower() == b"codex" and not _says_codex(body) else None


def is_codex(request: ChatRequest) -> bool:
    extra = own(request.extra)
    return extra.get(CLIENT) == _CODEX or _says_codex(extra)


def _says_codex(members: JsonObject) -> bool:
    return any(key.startswith(_CODEX_METADATA) for key in object_of(members.get("client_metadata")))


def length_is_complete(request: ChatRequest) -> bool:
    """True where an answer cut at its length must look complete: the client takes an incomplete one for a fault and asks
    again (up to 5 times, each one billed)."""
    return is_codex(request)
