"""From a path to a dialect and an operation.

Clients disagree about where the version belongs: some append `/v1/messages` to a base that already ends in /v1, some
leave it out. So every leading version segment is taken off, however often it stands there, and what is left decides.
Gemini's model and verb stand in the path, split at the LAST colon (model names may contain both `/` and `:`).
"""

import re
from typing import Literal

from allgate.core.value import Value

Operation = Literal["chat", "count_tokens", "models", "model", "account", "livez", "readyz", "metrics"]

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
}
_GEMINI_VERBS: dict[str, Operation] = {
    "generateContent": "chat",
    "streamGenerateContent": "chat",
    "countTokens": "count_tokens",
}
_ACCOUNT = ("/balance", "/dashboard/billing/subscription", "/dashboard/billing/usage")
_PLAIN: dict[str, Operation] = {"/livez": "livez", "/readyz": "readyz", "/metrics": "metrics"}


class Route(Value, frozen=True, kw_only=True):
    """Where a request belongs. `dialect` also decides in which words errors are told; `rest` is the path after the
    versions. `operation` None: there is no such route; `allowed` then names the methods that exist, if any."""

    dialect: str
    operation: Operation | None
    rest: str = ""
    allowed: str = ""


def find_route(method: str, path: str, *, anthropic: bool, gemini: bool) -> Route:
    """The route of a request. `anthropic` and `gemini` say that the headers are those of that vendor's clients."""
    if method == "GET" and path in _PLAIN:
        return Route(dialect="openai_chat", operation=_PLAIN[path])
    rest = _VERSIONS.sub("", path).rstrip("/") or "/"
    known = _POSTS.get(rest)
    if known is not None:
        return Route(
            dialect=known[0], operation=known[1] if method == "POST" else None, rest=rest, allowed="POST"
        )
    verb = _GEMINI_VERBS.get(rest.rpartition(":")[2])
    if verb is not None and rest.startswith(("/models/", "/tunedModels/")):
        return Route(
            dialect="gemini", operation=verb if method == "POST" else None, rest=rest, allowed="POST"
        )
    dialect = (
        "gemini" if gemini or path.startswith("/v1beta") else "anthropic" if anthropic else "openai_chat"
    )
    if rest == "/models" or rest.startswith("/models/"):
        operation: Operation = "models" if rest == "/models" else "model"
        return Route(
            dialect=dialect, operation=operation if method == "GET" else None, rest=rest, allowed="GET"
        )
    if rest in _ACCOUNT or rest.startswith("/requests/"):
        return Route(
            dialect=dialect, operation="account" if method == "GET" else None, rest=rest, allowed="GET"
        )
    return Route(dialect=dialect, operation=None, rest=rest)
