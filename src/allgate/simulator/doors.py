"""Which vendor a path belongs to, and which paths exist.

Matched by the end of the path, because vendors that speak a format serve it under bases of their own
(`/api/paas/v4/chat/completions`, `/compatible-mode/v1/…`).
"""

from allgate.simulator import models, openai_chat
from allgate.simulator.exchange import Dialect, Rejected, Request
from allgate.simulator.openai_chat import OPENAI_CHAT
from allgate.wire.json import JsonObject

_CHAT = ("/chat/completions",)


def dialect_of(_request: Request) -> Dialect:
    """The vendor that this path belongs to; OpenAI's for a path that nobody has."""
    return OPENAI_CHAT


def check_route(request: Request) -> None:
    """Raises: Rejected: 404 for a path that does not exist, 405 for the wrong method."""
    if not request.path.endswith(_CHAT):
        raise Rejected(f"Invalid URL ({request.method} {request.path})", status=404)
    if request.method != "POST":
        raise Rejected(f"Not allowed to {request.method} on {request.path}.", status=405)


def listing(request: Request) -> JsonObject | None:
    """The model list or card that a GET asks for; None for any other request. Raises: Rejected: no such model."""
    head, found, name = request.path.partition("/models")
    if request.method != "GET" or not found or head.count("/") > 4:
        return None
    if not name.strip("/"):
        return openai_chat.model_list(models.LISTED["openai_chat"])
    name = name.strip("/")
    gone = Rejected(f"The model '{name}' does not exist", status=404, param="model", code="model_not_found")
    return openai_chat.model_card(models.known(name, "openai_chat", gone))
