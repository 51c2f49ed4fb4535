"""From a path to a dialect and an operation.

Clients disagree about where the version belongs: some append `/v1/messages` to a base that already ends in /v1, some
leave it out. So every leading version segment is taken off, however often it stands there, and what is left decides.
Gemini's model and verb stand in the path, split at the LAST colon (model names may contain both `/` and `:`).
"""

import re
from functools import lru_cache
from typing import Literal

from allgate.core.value import Value, changed
from allgate.wire.headers import Headers

Operation = Literal[
    "chat",
    "response",
    "compact",
    "explain",
    "count_tokens",
    "catalogue",
    "models",
    "model",
    "account",
    "livez",
    "readyz",
    "metrics",
]

_VERSIONS = re.compile(
    r"^(?:/(?:v1beta1|v1beta|v1alpha|v1|publishers/google|projects/[^/]+/locations/[^/]+)(?=/|$))+"
)
_POSTS: dict[str, tuple[str, Operation]] = {
    "/chat/completions": ("openai_chat", "chat"),
    "/completions": ("openai_completions", "chat"),
    "/responses": ("openai_responses", "chat"),
    "/messages": ("anthropic", "chat"),
    "/messages/count_tokens": ("anthropic", "count_tokens"),
    "/responses/input_tokens": ("openai_responses", "count_tokens"),
    "/responses/compact": ("openai_responses", "compact"),
}
_GEMINI_VERBS: dict[str, Operation] = {
    "generateContent": "chat",
    "streamGenerateContent": "chat",
    "countTokens": "count_tokens",
}
_ACCOUNT = ("/balance", "/dashboard/billing/subscription", "/dashboard/billing/usage")
_PLAIN: dict[str, Operation] = {
    "/livez": "livez",
    "/readyz": "readyz",
    "/metrics": "metrics",
    "/api/v1/catalogue": "catalogue",
}


ROUTES_MAX = 1_024
"""Paths remembered with their routes: those of Gemini hold the model's name."""


class Route(Value, frozen=True, kw_only=True):
    """Where a request belongs. `dialect` also decides in which words errors are told; `rest` is the path after the
    versions. `operation` None: there is no such route; `allowed` then names the methods that exist, if any."""

    dialect: str
    operation: Operation | None
    rest: str = ""
    allowed: str = ""


def find_route(method: str, path: str, query: bytes, headers: Headers) -> Route:
    """The route of a request. Where the path does not say whose words to use, the headers do."""
    route = _by_path(method, path)
    return route if route.dialect else changed(route, dialect=_dialect_of(path, query, headers))


@lru_cache(maxsize=ROUTES_MAX)
def _by_path(method: str, path: str) -> Route:
    """The route as far as the path decides it; `dialect` is empty where every vendor has such a path."""
    if method == "GET" and path in _PLAIN:
        return Route(dialect="openai_chat", operation=_PLAIN[path])
    rest = _VERSIONS.sub("", path).rstrip("/") or "/"
    known = _POSTS.get(rest)
    if known is not None:
        return _only("POST", method, known[0], known[1], rest)
    verb = _GEMINI_VERBS.get(rest.rpartition(":")[2])
    if verb is not None and rest.startswith(("/models/", "/tunedModels/")):
        return _only("POST", method, "gemini", verb, rest)
    if rest == "/models" or rest.startswith("/models/"):
        return _only("GET", method, "", "models" if rest == "/models" else "model", rest)
    if rest.startswith("/responses/"):
        return Route(dialect="openai_responses", operation="response", rest=rest)
    if rest == "/explain":
        return _only("POST", method, "", "explain", rest)
    if rest in _ACCOUNT or rest.startswith("/requests/"):
        return _only("GET", method, "", "account", rest)
    return Route(dialect="", operation=None, rest=rest)


def _only(allowed: str, method: str, dialect: str, operation: Operation, rest: str) -> Route:
    return Route(
        dialect=dialect, operation=operation if method == allowed else None, rest=rest, allowed=allowed
    )


def _dialect_of(path: str, query: bytes, headers: Headers) -> str:
    names = {name for name, _ in headers}
    if b"x-goog-api-key" in names or b"key=" in query or path.startswith("/v1beta"):
        return "gemini"
    return "anthropic" if b"anthropic-version" in names else "openai_chat"
