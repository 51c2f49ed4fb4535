"""Errors in the words that OpenAI's two formats share: `{"error": {message, type, param, code}}`.

Reading takes what compatible servers send in its place too: a string, a list, bare members, HTML. Clients decide by
status, `type`, `code` and `x-should-retry`, so those are exact; a provider's own message is kept, because clients read it
(context length, the name of a parameter), unless it is a page, which would name proxies and hosts.

Two words never pass on: `usage_limit_reached` and `usage_not_included` are about somebody's subscription at OpenAI, and
make Codex advertise it.
"""

import re
from math import ceil

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.dialects.passes.lenient import list_of, object_of
from allgate.wire import headers as fields
from allgate.wire import json
from allgate.wire.headers import Headers
from allgate.wire.json import Json, JsonObject
from allgate.wire.message import WireReply

MESSAGE_CHARACTERS_MAX = 4_000
"""A validation error lists every offending member; the longest recorded one has 2,900 characters."""

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
    400: ErrorKind.BAD_REQUEST, 401: ErrorKind.AUTH, 402: ErrorKind.BILLING, 403: ErrorKind.PERMISSION,
    404: ErrorKind.NOT_FOUND, 405: ErrorKind.METHOD, 408: ErrorKind.TIMEOUT, 409: ErrorKind.CONFLICT,
    413: ErrorKind.TOO_LARGE, 422: ErrorKind.UNPROCESSABLE, 426: ErrorKind.UPGRADE, 429: ErrorKind.RATE_LIMIT,
    499: ErrorKind.CANCELLED, 500: ErrorKind.INTERNAL, 501: ErrorKind.UNSUPPORTED, 503: ErrorKind.OVERLOADED,
    504: ErrorKind.TIMEOUT, 529: ErrorKind.OVERLOADED,
}  # fmt: skip

# Words of `code`, `type` and `status` that say more than the HTTP status; lower case.
_BY_WORD: dict[str, ErrorKind] = {
    "context_length_exceeded": ErrorKind.CONTEXT_LENGTH,
    "string_above_max_length": ErrorKind.CONTEXT_LENGTH,
    "content_policy_violation": ErrorKind.CONTENT_POLICY,
    "content_filter": ErrorKind.CONTENT_POLICY,
    "invalid_prompt": ErrorKind.CONTENT_POLICY,
    "moderation_blocked": ErrorKind.CONTENT_POLICY,
    "responsibleaipolicyviolation": ErrorKind.CONTENT_POLICY,
    "data_inspection_failed": ErrorKind.CONTENT_POLICY,
    "insufficient_quota": ErrorKind.BILLING,
    "insufficient_balance": ErrorKind.BILLING,
    "billing_hard_limit_reached": ErrorKind.BILLING,
    "billing_error": ErrorKind.BILLING,
    "usage_limit_reached": ErrorKind.BILLING,
    "usage_not_included": ErrorKind.BILLING,
    "arrearage": ErrorKind.BILLING,
    "invalid_api_key": ErrorKind.AUTH,
    "model_not_found": ErrorKind.NOT_FOUND,
    "rate_limit_exceeded": ErrorKind.RATE_LIMIT,
    "rate_limit_error": ErrorKind.RATE_LIMIT,
    "resource_exhausted": ErrorKind.RATE_LIMIT,
    "overloaded": ErrorKind.OVERLOADED,
    "overloaded_error": ErrorKind.OVERLOADED,
    "server_is_overloaded": ErrorKind.OVERLOADED,
    "slow_down": ErrorKind.OVERLOADED,
    "unsupported_parameter": ErrorKind.UNSUPPORTED,
    "unsupported_value": ErrorKind.UNSUPPORTED,
    "server_error": ErrorKind.INTERNAL,
    "internal_server_error": ErrorKind.INTERNAL,
}
_ONLY_WITHOUT_STATUS = frozenset({"server_error", "internal_server_error"})

_TOO_LONG = re.compile(
    r"context[ _]length|context window|maximum context|prompt is too long|input token count.{0,40}exceeds|"
    r"too many (?:input )?tokens|exceeds? the (?:max|available context)",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(r"(?:incorrect|invalid) api.key|api.key (?:is )?(?:not valid|invalid)", re.IGNORECASE)
"""xAI and Google say so with status 400."""
_PAGE = re.compile(r"\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)
_STATUS_WORD = re.compile(r"[45]\d\d")
_SECONDS = re.compile(r"\d{1,9}(\.\d+)?")
_NO_MESSAGE = "The upstream reported an error without a message"


def decode_error(status: int, headers: Headers, body: bytes) -> Failure:
    """The failure that an error reply tells. Never fails: any body has a status."""
    error = error_in(body)
    failure = failure_of(error, status) if error else _told_by_status(status, body)
    return Failure(
        kind=failure.kind,
        message=failure.message,
        param=failure.param,
        code=failure.code,
        native=failure.native,
        status_override=status if 400 <= status < 600 else None,
        retry_after_s=_retry_after_s(headers),
        request_id=fields.text(headers, "x-request-id") or fields.text(headers, "request-id"),
        upstream=True,
        final=fields.text(headers, "x-should-retry") == "false",
    )


def failure_of(error: JsonObject, status: int | None = None) -> Failure:
    """The failure in an `error` object; of one in the middle of a stream, where there is no status."""
    code, kind_word = _word(error.get("code")), _word(error.get("type")) or _word(error.get("status"))
    if status is None:
        numbers = (word for word in (code, kind_word) if word and _STATUS_WORD.fullmatch(word))
        status = next((int(word) for word in numbers), None)
    message = _message(error)
    kind = _kind(status, (code, kind_word), message)
    return Failure(
        kind=kind,
        message=message,
        param=_word(error.get("param")),
        code=code if kind is not ErrorKind.BILLING else "insufficient_quota",
        native=kind_word or code,
        upstream=True,
    )


def encode_error(failure: Failure, request_id: str) -> WireReply:
    """The whole reply: status, headers, body."""
    status = _WORDS[failure.kind][0]
    is_billing = failure.kind is ErrorKind.BILLING
    if failure.status_override is not None and not is_billing:
        status = 503 if failure.status_override == 529 else failure.status_override
    identity = request_id.encode("latin-1", "replace")
    found = [(b"content-type", b"application/json"), (b"x-request-id", identity), (b"request-id", identity)]
    if failure.retry_after_s is not None and not is_billing:
        wait_s = max(0.0, failure.retry_after_s)
        found += [(b"retry-after", b"%d" % ceil(wait_s)), (b"retry-after-ms", b"%d" % ceil(wait_s * 1000))]
    if not failure.retryable:
        found.append((b"x-should-retry", b"false"))
    return WireReply(status=status, headers=tuple(found), body=json.encode({"error": error_object(failure)}))


def error_object(failure: Failure) -> JsonObject:
    """The four members of an error."""
    _, kind_word, code = _WORDS[failure.kind]
    if failure.kind is not ErrorKind.BILLING and failure.code is not None:
        code = failure.code
    return {"message": failure.message, "type": kind_word, "param": failure.param, "code": code}


def error_in(body: bytes) -> JsonObject | None:
    """`{"error": {…}}`, `{"error": "…"}`, `[{"error": {…}}]`, or the bare members."""
    try:
        value = json.decode_lenient(body)
    except WireError:
        return None
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
            text = value if isinstance(value, str) else json.encode_text(value)
            return text[:MESSAGE_CHARACTERS_MAX]
    return _NO_MESSAGE


def _word(value: Json) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _kind(status: int | None, words: tuple[str | None, ...], message: str) -> ErrorKind:
    for word in (word.lower() for word in words if word):
        if word in _BY_WORD and (status is None or word not in _ONLY_WITHOUT_STATUS):
            return _BY_WORD[word]
    kind = _BY_STATUS.get(status or 0)
    if kind is None:
        kind = ErrorKind.BAD_REQUEST if status and status < 500 else ErrorKind.UPSTREAM
    if kind in (ErrorKind.BAD_REQUEST, ErrorKind.TOO_LARGE) and _TOO_LONG.search(message):
        return ErrorKind.CONTEXT_LENGTH
    return ErrorKind.AUTH if kind is ErrorKind.BAD_REQUEST and _BAD_KEY.search(message) else kind


def _told_by_status(status: int, body: bytes) -> Failure:
    shown = body[:MESSAGE_CHARACTERS_MAX].decode("utf-8", "replace").strip()
    if not shown or _PAGE.match(shown):
        shown = f"The upstream answered with status {status} and no readable error"
    return Failure(kind=_kind(status, (), shown), message=shown)


def _retry_after_s(headers: Headers) -> float | None:
    """Seconds to wait. A date is not read: there is no clock here."""
    for name, per_s in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = (fields.text(headers, name) or "").strip()
        if _SECONDS.fullmatch(value):
            return float(value) / per_s
    return None
