"""Anthropic's error bodies, keys and headers.

The body is `{"type": "error", "error": {type, message}, "request_id"}`; validation messages begin with the path of
what is wrong (`messages.0.content: …`), in pydantic's words. Source: recordings/anthropic and Anthropic's API
documentation; `x-should-retry` as recorded.
"""

from allgate.simulator.exchange import BAD_KEY_PREFIX, Rejected, Request
from allgate.wire.headers import Headers, text
from allgate.wire.json import JsonObject

# status → (type, message)
_FAULTS: dict[int, tuple[str, str]] = {
    400: ("invalid_request_error", "messages.0.content: Input should be a valid list"),
    401: ("authentication_error", "invalid x-api-key"),
    402: ("billing_error", "Your credit balance is too low to access the Anthropic API."),
    403: ("permission_error", "Your API key does not have permission to use the specified resource."),
    404: ("not_found_error", "model: sim-gone"),
    408: ("timeout_error", "The request timed out."),
    409: ("conflict_error", "The resource was changed by another request."),
    413: ("request_too_large", "Request exceeds the maximum allowed number of bytes."),
    422: ("invalid_request_error", "The request could not be processed."),
    429: (
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute.",
    ),
    500: ("api_error", "Internal server error"),
    502: ("api_error", "Bad gateway"),
    503: ("api_error", "Service unavailable"),
    504: ("timeout_error", "Request timed out. Please try again."),
    529: ("overloaded_error", "Overloaded"),
}

# code of a scene → (type, message)
_CODES: dict[str, tuple[str, str]] = {
    "insufficient_quota": ("rate_limit_error", "You have reached your specified API usage limits."),
    "context_length_exceeded": (
        "invalid_request_error",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ),
    "content_policy_violation": ("invalid_request_error", "Output blocked by content filtering policy"),
}
_RETRIED = frozenset({408, 409, 429})


def key(request: Request) -> str:
    """The key in `x-api-key`, else the Bearer token. Raises: Rejected: 401."""
    found = text(request.headers, "x-api-key")
    if not found:
        scheme, _, token = (text(request.headers, "authorization") or "").partition(" ")
        found = token.strip() if scheme.lower() == "bearer" else ""
    if not found:
        raise Rejected("x-api-key header is required", status=401, kind="authentication_error")
    if found.startswith(BAD_KEY_PREFIX):
        raise Rejected("invalid x-api-key", status=401, kind="authentication_error")
    return found


def fault(status: int, code: str | None) -> Rejected:
    """Anthropic's words for a status."""
    kind, message = _CODES.get(code or "") or _FAULTS.get(status, _FAULTS[400 if status < 500 else 500])
    return Rejected(message, status=status, kind=kind)


def rejection(rejected: Rejected, request: Request) -> JsonObject:
    """The error body."""
    kind = rejected.kind or _FAULTS.get(rejected.status, _FAULTS[400])[0]
    error = {"type": kind, "message": rejected.message}
    return {"type": "error", "error": error, "request_id": request.request_id}


def headers(request: Request) -> Headers:
    """What Anthropic puts on every reply."""
    return (
        (b"request-id", request.request_id.encode()),
        (b"anthropic-organization-id", b"simulator"),
        (b"anthropic-ratelimit-requests-limit", b"4000"),
        (b"anthropic-ratelimit-requests-remaining", b"3999"),
        (b"anthropic-ratelimit-requests-reset", b"2026-11-20T12:00:00Z"),
        (b"anthropic-ratelimit-tokens-limit", b"2000000"),
        (b"anthropic-ratelimit-tokens-remaining", b"1999000"),
        (b"anthropic-ratelimit-tokens-reset", b"2026-11-20T12:00:00Z"),
    )


def retry_headers(status: int) -> Headers:
    """Whether Anthropic says that trying again can help."""
    return ((b"x-should-retry", b"true" if status in _RETRIED or status >= 500 else b"false"),)
