"""OpenAI's error bodies, keys and headers, the same for both of its formats.

The body is `{"error": {message, type, param, code}}`. The type is `invalid_request_error` for what the caller did
and `server_error` for the rest, with exceptions by status below.
"""

from allgate.simulator.exchange import BAD_KEY_PREFIX, Rejected, Request
from allgate.wire.headers import Headers, text
from allgate.wire.json import JsonObject

# status → (message, type, code)
_FAULTS: dict[int, tuple[str, str, str | None]] = {
    400: ("Invalid request.", "invalid_request_error", "invalid_value"),
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    402: ("Payment is required to use this model.", "billing_error", "billing_not_active"),
    403: ("Your organization must be verified to use this model.", "permission_error", "unsupported_country_region_territory"),
    404: ("The model `sim-gone` does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"),
    408: ("The request timed out.", "timeout", None),
    409: ("The resource was changed by another request.", "conflict_error", None),
    413: ("Request body is too large.", "invalid_request_error", "request_too_large"),
    422: ("The request could not be processed.", "invalid_request_error", None),
    429: ("Rate limit reached for requests per min (RPM): Limit 500, Used 500, Requested 1. Please try again in 120ms.", "requests", "rate_limit_exceeded"),
    500: ("The server had an error while processing your request. Sorry about that!", "server_error", None),
    502: ("Bad gateway.", "server_error", None),
    503: ("That model is currently overloaded with other requests.", "server_error", "overloaded"),
    504: ("The upstream timed out.", "server_error", None),
    529: ("The engine is currently overloaded, please try again later.", "server_error", "overloaded"),
}  # fmt: skip

# code of a scene → (message, type)
_CODES: dict[str, tuple[str, str]] = {
    "insufficient_quota": (
        "You exceeded your current quota, please check your plan and billing details.",
        "insufficient_quota",
    ),
    "context_length_exceeded": (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 200000 tokens. "
        "Please reduce the length of the messages.",
        "invalid_request_error",
    ),
    "content_policy_violation": (
        "Your request was rejected as a result of our safety system.",
        "invalid_request_error",
    ),
}


def key(request: Request) -> str:
    """The Bearer key. Raises: Rejected: 401, as OpenAI words it."""
    scheme, _, secret = (text(request.headers, "authorization") or "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret:
        raise Rejected(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using "
            "Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            status=401,
        )
    if secret.startswith(BAD_KEY_PREFIX):
        shown = f"{secret[:6]}****{secret[-4:]}"
        raise Rejected(
            f"Incorrect API key provided: {shown}. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
            status=401,
            code="invalid_api_key",
        )
    return secret


def fault(status: int, code: str | None) -> Rejected:
    """OpenAI's words for a status."""
    message, kind, usual = _FAULTS.get(status, _FAULTS[400 if status < 500 else 500])
    if code in _CODES:
        message, kind = _CODES[code]
    return Rejected(message, status=status, code=code or usual, kind=kind)


def rejection(rejected: Rejected, _request: Request) -> JsonObject:
    """The error body."""
    kind = rejected.kind or ("invalid_request_error" if rejected.status < 500 else "server_error")
    return {
        "error": {
            "message": rejected.message,
            "type": kind,
            "param": rejected.param,
            "code": rejected.code,
        }
    }


def headers(request: Request) -> Headers:
    """What OpenAI puts on every reply."""
    return (
        (b"x-request-id", request.request_id.encode()),
        (b"openai-version", b"2020-10-01"),
        (b"openai-processing-ms", b"12"),
        (b"openai-organization", b"simulator"),
        (b"x-ratelimit-limit-requests", b"10000"),
        (b"x-ratelimit-limit-tokens", b"2000000"),
        (b"x-ratelimit-remaining-requests", b"9999"),
        (b"x-ratelimit-remaining-tokens", b"1999000"),
        (b"x-ratelimit-reset-requests", b"6ms"),
        (b"x-ratelimit-reset-tokens", b"30ms"),
    )


def retry_headers(_status: int) -> Headers:
    """OpenAI says nothing about trying again, unless a scene makes it."""
    return ()
