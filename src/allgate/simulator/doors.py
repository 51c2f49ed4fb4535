"""Which vendor a path belongs to, and which paths exist.

Three vendors are matched by the end of the path, because others that speak their formats serve them under bases of
their own (`/api/paas/v4/chat/completions`, `/compatible-mode/v1/…`, `/anthropic/v1/messages`); Gemini by its verbs.
Only the model list is shared ground: whose it is, the headers of the client say.
"""

from collections.abc import Callable

from allgate.simulator import models
from allgate.simulator.anthropic import reply as anthropic
from allgate.simulator.anthropic.door import ANTHROPIC
from allgate.simulator.exchange import Dialect, Rejected, Request
from allgate.simulator.gemini import reply as gemini
from allgate.simulator.gemini.door import GEMINI
from allgate.simulator.gemini.request import path_of
from allgate.simulator.openai_chat import reply as openai_chat
from allgate.simulator.openai_chat.door import OPENAI_CHAT
from allgate.simulator.openai_responses.door import OPENAI_RESPONSES
from allgate.wire.headers import text
from allgate.wire.json import JsonObject

_DOORS: tuple[tuple[str, Dialect], ...] = (
    ("/chat/completions", OPENAI_CHAT),
    ("/responses", OPENAI_RESPONSES),
    ("/responses/input_tokens", OPENAI_RESPONSES),
    ("/v1/messages", ANTHROPIC),
    ("/v1/messages/count_tokens", ANTHROPIC),
)
_VERBS = ("generateContent", "streamGenerateContent", "countTokens")

Listing = tuple[Callable[[tuple[str, ...]], JsonObject], Callable[[str], JsonObject]]
_LISTS: dict[str, Listing] = {
    "openai_chat": (openai_chat.model_list, openai_chat.model_card),
    "anthropic": (anthropic.model_list, anthropic.model_card),
    "gemini": (gemini.model_list, gemini.model_card),
}
HEAD_PARTS_MAX = 4
"""Path parts before `/models`: `/api/paas/v4/models` has three."""


def dialect_of(request: Request) -> Dialect:
    """The vendor that this request belongs to; OpenAI for a path that nobody has."""
    for ending, dialect in _DOORS:
        if request.path.endswith(ending):
            return dialect
    if path_of(request.path) or request.path.startswith(("/v1beta/", "/v1beta1/")):
        return GEMINI
    if text(request.headers, "x-goog-api-key") or "key" in request.query:
        return GEMINI
    return ANTHROPIC if text(request.headers, "anthropic-version") else OPENAI_CHAT


def check_route(request: Request) -> None:
    """Raises: Rejected: 404 for a path that does not exist, 405 for the wrong method."""
    served = any(request.path.endswith(ending) for ending, _ in _DOORS)
    if not served and (path_of(request.path) or ("", ""))[1] not in _VERBS:
        raise Rejected(f"Invalid URL ({request.method} {request.path})", status=404)
    if request.method != "POST":
        raise Rejected(f"Not allowed to {request.method} on {request.path}.", status=405)


def listing(request: Request) -> JsonObject | None:
    """The model list or card that a GET asks for; None for any other request. Raises: Rejected: no such model."""
    head, found, name = request.path.partition("/models")
    if request.method != "GET" or not found or head.count("/") > HEAD_PARTS_MAX:
        return None
    name, door = name.strip("/"), dialect_of(request).name
    make_list, make_card = _LISTS[door]
    return make_card(models.known(name, door, _gone(name, door))) if name else make_list(models.LISTED[door])


def _gone(name: str, door: str) -> Rejected:
    if door == "openai_chat":
        return Rejected(
            f"The model '{name}' does not exist", status=404, param="model", code="model_not_found"
        )
    told = f"model: {name}" if door == "anthropic" else f"models/{name} is not found."
    return Rejected(told, status=404)
