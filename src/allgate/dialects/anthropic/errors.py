"""Errors in Anthropic's words: `{"type": "error", "error": {type, message}, "request_id"}`.

Clients decide by status, `error.type`, the message and `x-should-retry`. Claude Code repeats a 401 eleven times over
three minutes unless that header says false; it reads the message of a 400 to learn which beta to leave out, so an
upstream's message stays as it is, and it compacts its history when it reads "prompt is too long: N tokens > M maximum",
so a context error of any provider is worded that way. A page of HTML is no message: it names proxies and hosts.
"""

import re
from math import ceil

from allgate.core.errors import ErrorKind, Failure, WireError
from allgate.dialects.passes.lenient import object_of, objects_of, text_of, text_or_none
from allgate.wire import json
from allgate.wire.headers import Headers, text
from allgate.wire.json import Json, JsonObject
from allgate.wire.message import WireReply
from allgate.wire.sse import named_frame

MESSAGE_CHARACTERS_MAX = 4_000
"""A validation error may list every offending field; the longest recorded one has 2,900 characters."""

# kind → (status, type)
_WORDS: dict[ErrorKind, tuple[int, str]] = {
    ErrorKind.BAD_REQUEST: (400, "invalid_request_error"),
    ErrorKind.CONTEXT_LENGTH: (400, "invalid_request_error"),
    ErrorKind.CONTENT_POLICY: (400, "invalid_request_error"),
    ErrorKind.AUTH: (401, "authentication_error"),
    ErrorKind.BILLING: (402, "billing_error"),
    ErrorKind.PERMISSION: (403, "permission_error"),
    ErrorKind.NOT_FOUND: (404, "not_found_error"),
    ErrorKind.METHOD: (405, "invalid_request_error"),
    ErrorKind.TIMEOUT: (504, "timeout_error"),
    ErrorKind.CONFLICT: (409, "conflict_error"),
    ErrorKind.TOO_LARGE: (413, "request_too_large"),
    ErrorKind.UNPROCESSABLE: (422, "invalid_request_error"),
    ErrorKind.UPGRADE: (426, "invalid_request_error"),
    ErrorKind.RATE_LIMIT: (429, "rate_limit_error"),
    ErrorKind.CANCELLED: (499, "api_error"),
    ErrorKind.INTERNAL: (500, "api_error"),
    ErrorKind.UNSUPPORTED: (400, "invalid_request_error"),
    ErrorKind.UPSTREAM: (502, "api_error"),
    ErrorKind.OVERLOADED: (529, "overloaded_error"),
}

# Kinds that no repetition mends. A 400 is not among them: Claude Code mends its own request and tries again.
_FINAL = frozenset(
    {ErrorKind.AUTH, ErrorKind.BILLING, ErrorKind.PERMISSION, ErrorKind.NOT_FOUND, ErrorKind.CONTEXT_LENGTH}
)

_PASSING = frozenset({ErrorKind.INTERNAL, ErrorKind.TIMEOUT})
"""A provider's, which mend themselves as overload does; the gateway's own do not."""

_BY_STATUS: dict[int, ErrorKind] = {
    400: ErrorKind.BAD_REQUEST, 401: ErrorKind.AUTH, 402: ErrorKind.BILLING, 403: ErrorKind.PERMISSION,
    404: ErrorKind.NOT_FOUND, 405: ErrorKind.METHOD, 408: ErrorKind.TIMEOUT, 409: ErrorKind.CONFLICT,
    413: ErrorKind.TOO_LARGE, 422: ErrorKind.UNPROCESSABLE, 426: ErrorKind.UPGRADE, 429: ErrorKind.RATE_LIMIT,
    499: ErrorKind.CANCELLED, 500: ErrorKind.INTERNAL, 501: ErrorKind.UNSUPPORTED, 503: ErrorKind.OVERLOADED,
    504: ErrorKind.TIMEOUT, 529: ErrorKind.OVERLOADED,
}  # fmt: skip

# `error.type` where it says more than the status, or stands in a stream without one.
_BY_TYPE: dict[str, ErrorKind] = {
    "invalid_request_error": ErrorKind.BAD_REQUEST, "authentication_error": ErrorKind.AUTH,
    "billing_error": ErrorKind.BILLING, "permission_error": ErrorKind.PERMISSION,
    "not_found_error": ErrorKind.NOT_FOUND, "conflict_error": ErrorKind.CONFLICT,
    "request_too_large": ErrorKind.TOO_LARGE, "rate_limit_error": ErrorKind.RATE_LIMIT,
    "timeout_error": ErrorKind.TIMEOUT, "overloaded_error": ErrorKind.OVERLOADED, "api_error": ErrorKind.INTERNAL,
    "insufficient_quota": ErrorKind.BILLING, "context_length_exceeded": ErrorKind.CONTEXT_LENGTH,
    "content_policy_violation": ErrorKind.CONTENT_POLICY, "server_error": ErrorKind.INTERNAL,
}  # fmt: skip

_TOO_LONG = re.compile(
    r"prompt is too long|exceed(?:s|ed)? (?:the )?context|context[ _](?:length|window)|maximum context|"
    r"input token count.{0,40}exceeds|too many (?:input )?tokens",
    re.IGNORECASE,
)
_CREDIT = re.compile(r"credit balance is too low|insufficient (?:balance|credit|quota)", re.IGNORECASE)
_POLICY = re.compile(r"content filtering policy|usage policy", re.IGNORECASE)
_WORDED = re.compile(r"prompt is too long", re.IGNORECASE)
_NUMBER = re.compile(r"\d[\d,_]{2,}")
_MARKUP = re.compile(r"\s*<(?:!doctype|html|\?xml|head|body)", re.IGNORECASE)
_SECONDS = re.compile(r"\d{1,9}(?:\.\d+)?")


def encode_error(failure: Failure, request_id: str) -> WireReply:
    """The whole reply: status, headers, body."""
    identity = request_id.encode("latin-1", "replace")
    fields = [(b"content-type", b"application/json"), (b"request-id", identity), (b"x-request-id", identity)]
    if failure.retry_after_s is not None and failure.kind is not ErrorKind.BILLING:
        wait_s = max(0.0, failure.retry_after_s)
        fields += [(b"retry-after", b"%d" % ceil(wait_s)), (b"retry-after-ms", b"%d" % ceil(wait_s * 1000))]
    if failure.final or failure.kind in _FINAL:
        fields.append((b"x-should-retry", b"false"))
    body = json.encode(_error_body(failure, request_id))
    return WireReply(status=_status(failure), headers=tuple(fields), body=body)


def encode_stream_error(failure: Failure, request_id: str) -> bytes:
    """The frame that ends a stream with an error; no message_stop follows it."""
    return named_frame(b"error", json.encode(_error_body(failure, request_id)))


def _status(failure: Failure) -> int:
    kind = _told_as(failure)
    given = failure.status_override
    if given is None or kind in (ErrorKind.BILLING, ErrorKind.OVERLOADED):
        return _WORDS[kind][0]
    return given


def _told_as(failure: Failure) -> ErrorKind:
    """What a provider could not do this time is told as overload, where a repetition may help.

    Claude Code repeats a 500, 502 or 503 ten times in three minutes, each time with its whole conversation, and a 529 twice
    (measured); then it turns to the model that its user named for that case.
    """
    passing = failure.kind is ErrorKind.UPSTREAM or (failure.upstream and failure.kind in _PASSING)
    return ErrorKind.OVERLOADED if passing and not failure.final else failure.kind


def _error_body(failure: Failure, request_id: str) -> JsonObject:
    message = _worded(failure.message) if failure.kind is ErrorKind.CONTEXT_LENGTH else failure.message
    error: JsonObject = {"type": _WORDS[_told_as(failure)][1], "message": message}
    return {"type": "error", "error": error, "request_id": request_id}


def _worded(message: str) -> str:
    """A context error in the words that clients know. The larger of two numbers is what was sent.

    >>> _worded("This model's maximum context length is 8192 tokens, your messages have 9000 tokens")
    'prompt is too long: 9000 tokens > 8192 maximum'
    """
    if _WORDED.search(message):
        return message
    numbers = sorted({int(found.replace(",", "").replace("_", "")) for found in _NUMBER.findall(message)})
    if len(numbers) < 2:
        return f"prompt is too long: {message}"
    return f"prompt is too long: {numbers[-1]} tokens > {numbers[-2]} maximum"


def decode_error(status: int, headers: Headers, body: bytes) -> Failure:
    """The failure that a provider's error reply tells. Never fails: any body has a status."""
    reply = _reply_object(body)
    error = _error_object(reply)
    message = _message(error) or _plain(body, status)
    return Failure(
        kind=_kind(status, error, message),
        message=message,
        code=text_or_none(object_of(error.get("details")).get("error_code")),
        native=text_or_none(error.get("type")),
        status_override=status if 400 <= status < 600 else None,
        retry_after_s=_retry_after_s(headers),
        request_id=text(headers, "request-id") or text_or_none(reply.get("request_id")),
        upstream=True,
        final=text(headers, "x-should-retry") == "false",
    )


def failure_in_stream(event: JsonObject) -> Failure:
    """The failure of an `event: error`."""
    error = _error_object(event)
    message = _message(error) or "The upstream reported an error without a message"
    return Failure(
        kind=_kind(None, error, message),
        message=message,
        native=text_or_none(error.get("type")),
        request_id=text_or_none(event.get("request_id")),
        upstream=True,
    )


def _reply_object(body: bytes) -> JsonObject:
    try:
        value: Json = json.decode_lenient(body)
    except WireError:
        return {}
    listed = objects_of(value)
    return listed[0] if listed else object_of(value)


def _error_object(reply: JsonObject) -> JsonObject:
    """The inner object, also of bodies that are shaped otherwise (a string, the bare members)."""
    inner: Json = reply.get("error")
    if isinstance(inner, str):
        return {**reply, "message": reply.get("message") or inner, "type": None}
    return object_of(inner) or reply


def _message(error: JsonObject) -> str:
    for key in ("message", "detail", "msg"):
        if value := error.get(key):
            return text_of(value)[:MESSAGE_CHARACTERS_MAX] or json.encode_text(value)[:MESSAGE_CHARACTERS_MAX]
    return ""


def _plain(body: bytes, status: int) -> str:
    shown = body[:MESSAGE_CHARACTERS_MAX].decode("utf-8", "replace").strip()
    if not shown or _MARKUP.match(shown) or shown[0] in "{[":
        return f"The upstream answered with status {status} and no readable error"
    return shown


def _kind(status: int | None, error: JsonObject, message: str) -> ErrorKind:
    kind = _BY_TYPE.get(text_of(error.get("type"))) or _BY_TYPE.get(text_of(error.get("code")))
    if kind is None or (kind is ErrorKind.BAD_REQUEST and status is not None):
        kind = _BY_STATUS.get(status or 0, kind)
    if kind is None:
        kind = ErrorKind.BAD_REQUEST if status is not None and status < 500 else ErrorKind.UPSTREAM
    if kind in (ErrorKind.BAD_REQUEST, ErrorKind.TOO_LARGE) and _TOO_LONG.search(message):
        return ErrorKind.CONTEXT_LENGTH
    if kind is ErrorKind.BAD_REQUEST and _CREDIT.search(message):
        return ErrorKind.BILLING
    if kind is ErrorKind.BAD_REQUEST and _POLICY.search(message):
        return ErrorKind.CONTENT_POLICY
    return kind


def _retry_after_s(headers: Headers) -> float | None:
    """Seconds to wait; a date is not read, because a codec has no clock."""
    for name, per_s in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = (text(headers, name) or "").strip()
        if _SECONDS.fullmatch(value):
            return float(value) / per_s
    return None
