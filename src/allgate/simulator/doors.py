"""Which vendor a path belongs to, and which paths exist.

Matched by the end of the path, because vendors that speak a format serve it under bases of their own
(`/api/paas/v4/chat/completions`, `/compatible-mode/v1/…`, `/anthropic/v1/messages`). Only the model list is shared
ground: whose it is, the headers of the client say.
"""

from allgate.simulator import anthropic, models, openai_chat
from allgate.simulator.anthropic import ANTHROPIC
from allgate.simulator.exchange import Dialect, Rejected, Request
from allgate.simulator.openai_chat import OPENAI_CHAT
from allgate.simulator.openai_responses import OPENAI_RESPONSES
from allgate.wire.headers import text
from allgate.wire.json import JsonObject

_DOORS: tuple[tuple[str, Dialect], ...] = (
    ("/chat/completions", OPENAI_CHAT),
    ("/responses", OPENAI_RESPONSES),
    ("/responses/input_tokens", OPENAI_RESPONSES),
    ("/v1/messages", ANTHROPIC),
    ("/v1/messages/count_tokens", ANTHROPIC),
)


def dialect_of(request: Request) -> Dialect:
    """The vendor that this request belongs to; OpenAI for a path that nobody has."""
    for ending, dialect in _DOORS:
        if request.path.endswith(ending):
            return dialect
    return ANTHROPIC if text(request.headers, "anthropic-version") else OPENAI_CHAT


def check_route(request: Request) -> None:
    """Raises: Rejected: 404 for a path that does not exist, 405 for the wrong method."""
    if not any(request.path.endswith(ending) for ending, _ in _DOORS):
        raise Rejected(f"Invalid URL ({request.method} {request.path})", status=404)
    if request.method != "POST":
        raise Rejected(f"Not allowed to {request.method} on {request.path}.", status=405)


def listing(request: Request) -> JsonObject | None:
    """The model list or card that a GET asks for; None for any other request. Raises: Rejected: no such model."""
    head, found, name = request.path.partition("/models")
    if request.method != "GET" or not found or head.count("/") > 4:
        return None
    name = name.strip("/")
    if dialect_of(request) is ANTHROPIC:
        gone = Rejected(f"model: {name}", status=404, kind="not_found_error")
        door, made, card = "anthropic", anthropic.model_list, anthropic.model_card
    else:
        gone = Rejected(
            f"The model '{name}' does not exist", status=404, param="model", code="model_not_found"
        )
        door, made, card = "openai_chat", openai_chat.model_list, openai_chat.model_card
    return card(models.known(name, door, gone)) if name else made(models.LISTED[door])
