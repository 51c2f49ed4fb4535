"""Gemini's error bodies and keys.

The body is `{"error": {code, message, status, details?}}`; a stream asked for as a JSON array answers an array with
that one element. Source: recordings/google.
"""

from allgate.simulator.exchange import BAD_KEY_PREFIX, Rejected, Request
from allgate.wire.headers import Headers, text
from allgate.wire.json import Json

STATUSES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 402: "FAILED_PRECONDITION", 403: "PERMISSION_DENIED",
    404: "NOT_FOUND", 408: "DEADLINE_EXCEEDED", 409: "ABORTED", 413: "INVALID_ARGUMENT", 422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 502: "UNAVAILABLE", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED", 529: "UNAVAILABLE",
}  # fmt: skip

_MESSAGES = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials.",
    402: "Billing is not enabled for this project.",
    403: "The caller does not have permission",
    404: "Requested entity was not found.",
    413: "Request payload size exceeds the limit: 104857600 bytes.",
    429: "Resource has been exhausted (e.g. check quota).",
    500: "An internal error has occurred. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
    503: "The model is overloaded. Please try again later.",
    504: "Deadline expired before operation could complete.",
}
_RPC = "type.googleapis.com/google.rpc."
_CODES = {
    "context_length_exceeded": "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "insufficient_quota": "You exceeded your current quota, please check your plan and billing details.",
}


def key(request: Request) -> str:
    """The key in `x-goog-api-key`, `?key=` or the Bearer token. Raises: Rejected: as Google words it."""
    found = text(request.headers, "x-goog-api-key") or request.query.get("key")
    if not found:
        scheme, _, token = (text(request.headers, "authorization") or "").partition(" ")
        found = token.strip() if scheme.lower() == "bearer" else ""
    if not found:
        raise Rejected(
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or "
            "other form of API consumer identity to call this API.",
            status=403,
        )
    if found.startswith(BAD_KEY_PREFIX):
        told = "API key not valid. Please pass a valid API key."
        reason = {
            "@type": f"{_RPC}ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        }
        localized = {"@type": f"{_RPC}LocalizedMessage", "locale": "en-US", "message": told}
        raise Rejected(told, details=[reason, localized])
    return found


def fault(status: int, code: str | None) -> Rejected:
    """Google's words for a status; quota errors say which quota, and when to try again."""
    told = _CODES.get(code or "") or _MESSAGES.get(status, _MESSAGES[400 if status < 500 else 503])
    details: list[Json] | None = None
    if status == 429:
        daily = code == "insufficient_quota"
        quota = f"GenerateRequestsPer{'Day' if daily else 'Minute'}PerProjectPerModel"
        details = [{"@type": f"{_RPC}QuotaFailure", "violations": [{"quotaId": quota}]}]
        if not daily:
            told += "\nPlease retry in 1s."
            details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": "1s"})
    return Rejected(told, status=status, details=details)


def rejection(rejected: Rejected, request: Request) -> Json:
    """The error body."""
    error: dict[str, Json] = {
        "code": rejected.status,
        "message": rejected.message,
        "status": STATUSES.get(rejected.status, "UNKNOWN"),
    }
    if rejected.details:
        error["details"] = rejected.details
    return [{"error": error}] if is_array(request) else {"error": error}


def is_array(request: Request) -> bool:
    """Is this a stream asked for as a JSON array, that is, without `alt=sse`?"""
    return request.path.endswith(":streamGenerateContent") and request.query.get("alt") != "sse"


def headers(_request: Request) -> Headers:
    """What Google puts on every reply."""
    return (
        (b"vary", b"Origin, X-Origin, Referer"),
        (b"server", b"scaffolding on HTTPServer2"),
        (b"x-content-type-options", b"nosniff"),
        (b"server-timing", b"gfet4t7; dur=12"),
    )


def retry_headers(_status: int) -> Headers:
    """Google says in the body when to try again."""
    return ()
