"""Errors: google.rpc.Status as JSON ↔ Failure.

    {"error": {"code": 429, "message": "…", "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "…RetryInfo", …}]}}

Clients act on `status` and on details: RetryInfo says when to come back; a QuotaFailure whose quotaId names a day makes
Gemini CLI stop at once, which we use for exactly one thing, a balance that is used up. Google itself answers a bad key
with 400 and the reason API_KEY_INVALID, and a prompt that is too long with nothing but words.
"""

import math
import re

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.core.value import changed
from allgate.dialects.gemini.members import members_of
from allgate.dialects.passes.lenient import list_of, object_of, objects_of, text_of, text_or_none
from allgate.wire.headers import Headers, safe_value, text
from allgate.wire.json import Json, JsonObject, decode_lenient, encode
from allgate.wire.message import WireReply

BALANCE_QUOTA = "AllgateBalancePerDay"
_TYPE = "type.googleapis.com/google.rpc."
_BODY_CHARACTERS_MAX = 300  # of a reply that is no JSON, in a message

# kind → (status on the wire, google.rpc.Code)
_STATUSES: dict[ErrorKind, tuple[int, str]] = {
    ErrorKind.BAD_REQUEST: (400, "INVALID_ARGUMENT"),
    ErrorKind.CONTEXT_LENGTH: (400, "INVALID_ARGUMENT"),
    ErrorKind.CONTENT_POLICY: (400, "INVALID_ARGUMENT"),
    ErrorKind.AUTH: (401, "UNAUTHENTICATED"),
    ErrorKind.BILLING: (429, "RESOURCE_EXHAUSTED"),
    ErrorKind.PERMISSION: (403, "PERMISSION_DENIED"),
    ErrorKind.NOT_FOUND: (404, "NOT_FOUND"),
    ErrorKind.METHOD: (405, "UNIMPLEMENTED"),
    ErrorKind.TIMEOUT: (504, "DEADLINE_EXCEEDED"),
    ErrorKind.CONFLICT: (409, "ABORTED"),
    ErrorKind.TOO_LARGE: (413, "INVALID_ARGUMENT"),
    ErrorKind.UNPROCESSABLE: (422, "INVALID_ARGUMENT"),
    ErrorKind.UPGRADE: (426, "FAILED_PRECONDITION"),
    ErrorKind.RATE_LIMIT: (429, "RESOURCE_EXHAUSTED"),
    ErrorKind.CANCELLED: (499, "CANCELLED"),
    ErrorKind.INTERNAL: (500, "INTERNAL"),
    ErrorKind.UNSUPPORTED: (400, "INVALID_ARGUMENT"),
    ErrorKind.UPSTREAM: (502, "INTERNAL"),
    ErrorKind.OVERLOADED: (503, "UNAVAILABLE"),
}

_KINDS: dict[str, ErrorKind] = {
    "INVALID_ARGUMENT": ErrorKind.BAD_REQUEST,
    "FAILED_PRECONDITION": ErrorKind.BAD_REQUEST,
    "OUT_OF_RANGE": ErrorKind.BAD_REQUEST,
    "UNAUTHENTICATED": ErrorKind.AUTH,
    "PERMISSION_DENIED": ErrorKind.PERMISSION,
    "NOT_FOUND": ErrorKind.NOT_FOUND,
    "ABORTED": ErrorKind.CONFLICT,
    "ALREADY_EXISTS": ErrorKind.CONFLICT,
    "RESOURCE_EXHAUSTED": ErrorKind.RATE_LIMIT,
    "CANCELLED": ErrorKind.CANCELLED,
    "UNIMPLEMENTED": ErrorKind.UNSUPPORTED,
    "UNAVAILABLE": ErrorKind.OVERLOADED,
    "DEADLINE_EXCEEDED": ErrorKind.TIMEOUT,
    "INTERNAL": ErrorKind.INTERNAL,
    "UNKNOWN": ErrorKind.UPSTREAM,
    "DATA_LOSS": ErrorKind.UPSTREAM,
}
_KINDS_BY_STATUS: dict[int, ErrorKind] = {
    400: ErrorKind.BAD_REQUEST, 401: ErrorKind.AUTH, 402: ErrorKind.BILLING, 403: ErrorKind.PERMISSION,
    404: ErrorKind.NOT_FOUND, 405: ErrorKind.METHOD, 408: ErrorKind.TIMEOUT, 409: ErrorKind.CONFLICT,
    413: ErrorKind.TOO_LARGE, 422: ErrorKind.UNPROCESSABLE, 429: ErrorKind.RATE_LIMIT, 499: ErrorKind.CANCELLED,
    500: ErrorKind.INTERNAL, 503: ErrorKind.OVERLOADED, 504: ErrorKind.TIMEOUT, 529: ErrorKind.OVERLOADED,
}  # fmt: skip
_TOO_LONG = re.compile(r"token count.*exceed|exceeds the maximum number of tokens", re.IGNORECASE)
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_WHOLE_SECONDS = re.compile(r"\d{1,9}")  # more digits are no wait but an infinity


def decode_error(status: int, headers: Headers, body: bytes) -> Failure:
    """A provider's error reply, whatever its body is."""
    try:
        reply = decode_lenient(body)
    except WireError:
        reply = None
    if isinstance(reply, list):
        reply = next(iter(objects_of(reply)), None)
    error = object_of(reply).get("error")
    failure = failure_of(error if error is not None else _words(body, status), status)
    after = text(headers, "retry-after")
    if failure.retry_after_s is None and after is not None and (wait := _WHOLE_SECONDS.fullmatch(after)):
        return changed(failure, retry_after_s=float(wait[0]))
    return failure


def _words(body: bytes, status: int) -> str:
    """What a body without JSON says, if it is not a page."""
    words = body[: _BODY_CHARACTERS_MAX * 4].decode("utf-8", "replace").strip()
    if not words or words.startswith("<"):
        return f"The provider answered with status {status}"
    return words[:_BODY_CHARACTERS_MAX]


def failure_of(error: Json, status: int | None) -> Failure:
    """The failure that an `error` member tells; `status` is that of the reply, None inside a stream."""
    if isinstance(error, str):
        kind = _kind("", status, "", error)
        return Failure(kind=kind, message=error, status_override=None, upstream=True)
    source = members_of(object_of(error), "error")
    code = source.get("code")
    number = status if status is not None else code if isinstance(code, int) else None
    details = [members_of(detail, "details") for detail in objects_of(source.get("details"))]
    message = text_of(source.get("message")) or f"The provider answered with status {number}"
    reason = next((text_of(detail.get("reason")) for detail in details if detail.get("reason")), "")
    word = text_of(source.get("status")) or (code if isinstance(code, str) else "")
    return Failure(
        kind=_kind(word, number, reason, message),
        message=message,
        param=_field(details),
        native=word or None,
        retry_after_s=_retry_after(details),
        upstream=True,
    )


def _kind(word: str, status: int | None, reason: str, message: str) -> ErrorKind:
    if reason in ("API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "ACCESS_TOKEN_EXPIRED"):
        return ErrorKind.AUTH
    by_status = _KINDS_BY_STATUS.get(status or 0)
    kind = (
        _KINDS.get(word)
        or by_status
        or (ErrorKind.UPSTREAM if not status or status >= 500 else ErrorKind.BAD_REQUEST)
    )
    if kind is ErrorKind.BAD_REQUEST and _TOO_LONG.search(message):
        return ErrorKind.CONTEXT_LENGTH
    return by_status if kind is ErrorKind.BAD_REQUEST and by_status is not None else kind


def _retry_after(details: list[JsonObject]) -> float | None:
    for detail in details:
        match = _SECONDS.fullmatch(text_of(detail.get("retryDelay")))
        if match:
            return float(match.group(1))
    return None


def _field(details: list[JsonObject]) -> str | None:
    for detail in details:
        for violation in list_of(detail.get("fieldViolations")):
            if field := text_or_none(object_of(violation).get("field")):
                return field
    return None


def status_body(failure: Failure) -> JsonObject:
    """The `error` object and its wrapper."""
    status, word = status_of(failure)
    error: JsonObject = {"code": status, "message": failure.message, "status": word}
    if details := _details(failure):
        error["details"] = details
    return {"error": error}


def status_of(failure: Failure) -> tuple[int, str]:
    """(HTTP status, google.rpc.Code). Another vendor's own numbers (529) become the ones Google has."""
    status, word = _STATUSES[failure.kind]
    if failure.status_override in _KINDS_BY_STATUS and failure.kind not in (
        ErrorKind.BILLING,
        ErrorKind.OVERLOADED,
    ):
        return failure.status_override, word
    return status, word


def _details(failure: Failure) -> list[JsonObject]:
    details: list[JsonObject] = []
    if failure.kind is ErrorKind.BILLING:
        violation = {"quotaMetric": "allgate/balance", "quotaId": BALANCE_QUOTA}
        details.append({"@type": _TYPE + "QuotaFailure", "violations": [violation]})
    elif failure.kind is ErrorKind.RATE_LIMIT and failure.retry_after_s is not None:
        details.append({"@type": _TYPE + "RetryInfo", "retryDelay": f"{failure.retry_after_s:g}s"})
    if failure.kind is ErrorKind.AUTH:
        reason: JsonObject = {"reason": "API_KEY_INVALID", "domain": "allgate"}
        details.append({"@type": _TYPE + "ErrorInfo", **reason})
    elif failure.code is not None:
        details.append({"@type": _TYPE + "ErrorInfo", "reason": failure.code.upper(), "domain": "allgate"})
    if failure.param is not None:
        violation = {"field": failure.param, "description": failure.message}
        details.append({"@type": _TYPE + "BadRequest", "fieldViolations": [violation]})
    return details


def encode_error(failure: Failure, request_id: str) -> WireReply:
    """A whole error reply."""
    status, _ = status_of(failure)
    headers: Headers = (
        (b"content-type", b"application/json; charset=UTF-8"),
        (b"x-request-id", safe_value(request_id)),
        (b"request-id", safe_value(request_id)),
    )
    if not failure.retryable:
        headers = (*headers, (b"x-should-retry", b"false"))
    if failure.retry_after_s is not None and failure.kind is not ErrorKind.BILLING:
        seconds, milliseconds = math.ceil(failure.retry_after_s), math.ceil(failure.retry_after_s * 1000)
        headers = (*headers, (b"retry-after", b"%d" % seconds), (b"retry-after-ms", b"%d" % milliseconds))
    return WireReply(status=status, headers=headers, body=encode(status_body(failure)))
