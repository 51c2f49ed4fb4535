"""Errors in OpenAI's words: `{"error": {message, type, param, code}}`, and what others send in its place.

Clients decide by status, `type`, `code` and the `x-should-retry` header, so those four are exact; the message says what
was wrong. An upstream's own message is kept, because clients read it (context length, unknown parameters), but a page
of HTML is not a message: it names proxies and hosts.
"""

import re
from math import ceil

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.dialects.passes.lenient import list_of, object_of
from allgate.wire import json
from allgate.wire.headers import Headers, text
from allgate.wire.json import Json, JsonObject
from allgate.wire.message import WireReply
from allgate.wire.sse import SseFrame, data_frame

MESSAGE_CHARACTERS_MAX = 4_000
"""Validation errors list every offending field; the longest recorded one has 2,900 characters."""

# kind → (status, type, code)
_WORDS: dict[ErrorKind, tuple[int, str, str | None]] = {
    ErrorKind.BAD_REQUEST: (400, "invalid_request_error", None),
    ErrorKind.CONTEXT_LENGTH: (400, "invalid_request_error", "context_length_exceeded"),
    ErrorKind.CONTENT_POLICY: (400, "invalid_request_error", "content_policy_violation"),
    ErrorKind.AUTH: (401, "invalid_request_error", "invalid_api_key"),
    ErrorKind.BILLING: (429, "insufficient_quota", "insufficient_quota"),
    ErrorKind.PERMISSION: (403, "permission_error", None),
    ErrorKind.NOT_FOUND: (404, "invalid_request_error", None),
    ErrorKind.METHOD: (405, "invalid_request_error", None),
    ErrorKind.TIMEOUT: (504, "server_error", "timeout"),
    ErrorKind.CONFLICT: (409, "conflict", None),
    ErrorKind.TOO_LARGE: (413, "invalid_request_error", "request_too_large"),
    ErrorKind.UNPROCESSABLE: (422, "invalid_request_error", None),
    ErrorKind.UPGRADE: (426, "invalid_request_error", None),
    ErrorKind.RATE_LIMIT: (429, "rate_limit_error", "rate_limit_exceeded"),
    ErrorKind.CANCELLED: (499, "server_error", "cancelled"),
    ErrorKind.INTERNAL: (500, "server_error", None),
    ErrorKind.UNSUPPORTED: (400, "invalid_request_error", "unsupported_parameter"),
    ErrorKind.UPSTREAM: (502, "server_error", "upstream_error"),
    ErrorKind.OVERLOADED: (503, "server_error", "overloaded"),
}

_BY_STATUS: dict[int, ErrorKind] = {
    400: ErrorKind.BAD_REQUEST,
    401: ErrorKind.AUTH,
    402: ErrorKind.BILLING,
    403: ErrorKind.PERMISSION,
    404: ErrorKind.NOT_FOUND,
    405: ErrorKind.METHOD,
    408: ErrorKind.TIMEOUT,
    409: ErrorKind.CONFLICT,
    413: ErrorKind.TOO_LARGE,
    422: ErrorKind.UNPROCESSABLE,
    426: ErrorKind.UPGRADE,
    429: ErrorKind.RATE_LIMIT,
    499: ErrorKind.CANCELLED,
    500: ErrorKind.INTERNAL,
    501: ErrorKind.UNSUPPORTED,
    503: ErrorKind.OVERLOADED,
    504: ErrorKind.TIMEOUT,
    529: ErrorKind.OVERLOADED,
}

# Words of `code` and `type` that say more than the status; lower case.
_BY_WORD: dict[str, ErrorKind] = {
    "context_length_exceeded": ErrorKind.CONTEXT_LENGTH,
    "string_above_max_length": ErrorKind.CONTEXT_LENGTH,
    "content_policy_violation": ErrorKind.CONTENT_POLICY,
    "content_filter": ErrorKind.CONTENT_POLICY,
    "responsibleaipolicyviolation": ErrorKind.CONTENT_POLICY,
    "moderation_blocked": ErrorKind.CONTENT_POLICY,
    "data_inspection_failed": ErrorKind.CONTENT_POLICY,
    "insufficient_quota": ErrorKind.BILLING,
    "billing_hard_limit_reached": ErrorKind.BILLING,
    "billing_error": ErrorKind.BILLING,
    "insufficient_balance": ErrorKind.BILLING,
    "arrearage": ErrorKind.BILLING,
    "invalid_api_key": ErrorKind.AUTH,
    "model_not_found": ErrorKind.NOT_FOUND,
    "rate_limit_exceeded": ErrorKind.RATE_LIMIT,
    "rate_limit_error": ErrorKind.RATE_LIMIT,
    "resource_exhausted": ErrorKind.RATE_LIMIT,
    "overloaded_error": ErrorKind.OVERLOADED,
    "overloaded": ErrorKind.OVERLOADED,
    "server_is_overloaded": ErrorKind.OVERLOADED,
    "unsupported_parameter": ErrorKind.UNSUPPORTED,
    "unsupported_value": ErrorKind.UNSUPPORTED,
}

_TOO_LONG = re.compile(
    r"context[ _]length|context window|maximum context|prompt is too long|input token count.{0,40}exceeds|"
    r"too many (?:input )?tokens|exceeds? the (?:max|available context)",
    re.IGNORECASE,
)
_MARKUP = re.compile(r"\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)


def decode_error(status: int, headers: Headers, body: bytes) -> Failure:
    """The failure that a provider's error reply tells. Never fails: any body has a status."""
    source = _error_object(_decoded(body))
    failure = failure_of(source, status) if source else _without_body(status, body)
    return Failure(
        kind=failure.kind,
        message=failure.message,
        param=failure.param,
        code=failure.code,
        native=failure.native,
        status_override=status if 400 <= status < 600 else None,
        retry_after_s=_retry_after_s(headers),
        request_id=text(headers, "x-request-id") or text(headers, "request-id"),
        upstream=True,
        final=text(headers, "x-should-retry") == "false",
    )


def failure_of(error: JsonObject, status: int | None = None) -> Failure:
    """The failure inside an `error` object, also of one in the middle of a stream (no status)."""
    code, kind_word = _word(error.get("code")), _word(error.get("type")) or _word(error.get("status"))
    if status is None:
        status = next(
            (int(word) for word in (code, kind_word) if word and re.fullmatch(r"[45]\d\d", word)), None
        )
    message = _message(error)
    return Failure(
        kind=_kind(status, code, kind_word, message),
        message=message,
        param=_word(error.get("param")),
        code=code,
        native=kind_word or code,
        upstream=True,
    )


def error_in_frame(frame: SseFrame) -> Failure | None:
    """The failure that a frame without choices tells; None where it is an ordinary chunk (usage, a content filter)."""
    source = object_of(_decoded(frame.data))
    is_error = source.get("error") is not None or source.get("object") == "error" or frame.event == b"error"
    if not is_error and ("choices" in source or "usage" in source or "message" not in source):
        return None
    return failure_of(_error_object(source) or {})


def encode_error(failure: Failure, request_id: str) -> WireReply:
    """The whole reply: status, headers, body."""
    status = _WORDS[failure.kind][0]
    if failure.status_override is not None and failure.kind is not ErrorKind.BILLING:
        status = 503 if failure.status_override == 529 else failure.status_override
    fields = [
        (b"content-type", b"application/json"),
        (b"x-request-id", request_id.encode("latin-1", "replace")),
        (b"request-id", request_id.encode("latin-1", "replace")),
    ]
    if failure.retry_after_s is not None and failure.kind is not ErrorKind.BILLING:
        wait_s = max(0.0, failure.retry_after_s)
        fields += [
            (b"retry-after", b"%d" % ceil(wait_s)),
            (b"retry-after-ms", b"%d" % ceil(wait_s * 1000)),
        ]
    if not failure.retryable:
        fields.append((b"x-should-retry", b"false"))
    return WireReply(status=status, headers=tuple(fields), body=json.encode(_error_body(failure)))


def encode_stream_error(failure: Failure) -> bytes:
    """The frame that ends a stream with an error; no `[DONE]` follows it."""
    return data_frame(json.encode(_error_body(failure)))


def _error_body(failure: Failure) -> JsonObject:
    _, kind_word, code = _WORDS[failure.kind]
    if failure.kind is not ErrorKind.BILLING and failure.code is not None:
        code = failure.code
    return {"error": {"message": failure.message, "type": kind_word, "param": failure.param, "code": code}}


def _decoded(body: bytes) -> Json:
    try:
        return json.decode_lenient(body)
    except WireError:
        return None


def _error_object(value: Json) -> JsonObject | None:
    """`{"error": {…}}`, `{"error": "…"}`, `[{"error": {…}}]` (Google), or the bare members (vLLM, Mistral, FastAPI)."""
    if isinstance(value, str) and value:
        return {"message": value}
    source = object_of(next(iter(list_of(value)), value))
    inner: Json = source.get("error")
    if isinstance(inner, str) and inner:
        return {**source, "message": inner}
    if members := object_of(inner):
        return members
    return source if any(source.get(key) for key in ("message", "detail", "msg")) else None


def _message(error: JsonObject) -> str:
    for key in ("message", "detail", "msg"):
        value: Json = error.get(key)
        if value:
            found = value if isinstance(value, str) else json.encode_text(value)
            return found[:MESSAGE_CHARACTERS_MAX]
    return "The upstream reported an error without a message"


def _word(value: Json) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _kind(status: int | None, code: str | None, kind_word: str | None, message: str) -> ErrorKind:
    for word in (code, kind_word):
        if word and (found := _BY_WORD.get(word.lower())):
            return found
    kind = _BY_STATUS.get(status or 0)
    if kind is None:
        kind = ErrorKind.BAD_REQUEST if status and status < 500 else ErrorKind.UPSTREAM
    if kind in (ErrorKind.BAD_REQUEST, ErrorKind.TOO_LARGE) and _TOO_LONG.search(message):
        return ErrorKind.CONTEXT_LENGTH
    return kind


def _without_body(status: int, body: bytes) -> Failure:
    shown = body[:MESSAGE_CHARACTERS_MAX].decode("utf-8", "replace").strip()
    if not shown or _MARKUP.match(shown):
        shown = f"The upstream answered with status {status} and no readable error"
    return Failure(kind=_kind(status, None, None, shown), message=shown)


def _retry_after_s(headers: Headers) -> float | None:
    """Seconds to wait; a date is not read, because a codec has no clock."""
    for name, per_s in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = (text(headers, name) or "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
            return float(value) / per_s
    return None
