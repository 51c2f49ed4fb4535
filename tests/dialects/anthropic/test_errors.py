import json

import pytest

from allgate.core.errors import ErrorKind, Failure
from allgate.dialects.anthropic import ANTHROPIC
from dialects.anthropic.exchange import frames_of


def encoded(kind: ErrorKind, message: str = "because", **members):
    reply = ANTHROPIC.encode_error(Failure(kind=kind, message=message, **members), "req_1")
    return reply.status, json.loads(reply.body), dict(reply.headers)


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        (ErrorKind.BAD_REQUEST, 400, "invalid_request_error"),
        (ErrorKind.AUTH, 401, "authentication_error"),
        (ErrorKind.BILLING, 402, "billing_error"),
        (ErrorKind.PERMISSION, 403, "permission_error"),
        (ErrorKind.NOT_FOUND, 404, "not_found_error"),
        (ErrorKind.CONFLICT, 409, "conflict_error"),
        (ErrorKind.TOO_LARGE, 413, "request_too_large"),
        (ErrorKind.RATE_LIMIT, 429, "rate_limit_error"),
        (ErrorKind.INTERNAL, 500, "api_error"),
        (ErrorKind.UNSUPPORTED, 400, "invalid_request_error"),
        (ErrorKind.UPSTREAM, 529, "overloaded_error"),
        (ErrorKind.TIMEOUT, 504, "timeout_error"),
        (ErrorKind.OVERLOADED, 529, "overloaded_error"),
    ],
)
def test_every_kind_has_a_status_and_a_type(kind, status, word):
    got, body, headers = encoded(kind)
    assert (got, body) == (
        status, {"type": "error", "error": {"type": word, "message": "because"}, "request_id": "req_1"},
    )  # fmt: skip
    assert headers[b"request-id"] == headers[b"x-request-id"] == b"req_1"
    assert headers[b"content-type"] == b"application/json"


def test_no_kind_is_missing():
    for kind in ErrorKind:
        assert encoded(kind)[0] >= 400


def test_a_status_of_the_upstream_is_kept_but_for_overload_and_billing():
    assert encoded(ErrorKind.BAD_REQUEST, status_override=422)[0] == 422
    assert encoded(ErrorKind.OVERLOADED, status_override=503)[0] == 529
    assert encoded(ErrorKind.BILLING, status_override=429)[0] == 402


@pytest.mark.parametrize(
    "kind", [ErrorKind.INTERNAL, ErrorKind.UPSTREAM, ErrorKind.TIMEOUT, ErrorKind.OVERLOADED]
)
def test_what_a_provider_could_not_do_this_time_is_told_as_overload(kind):
    """Claude Code repeats a 500, 502 or 503 ten times over three minutes and a 529 twice."""
    for status in (None, 500, 502, 503, 504):
        got, body, headers = encoded(kind, status_override=status, upstream=True)
        assert (got, body["error"]["type"]) == (529, "overloaded_error")
        assert b"x-should-retry" not in headers
    failure = Failure(kind=kind, message="because", upstream=True)
    assert b"overloaded_error" in ANTHROPIC.encode_stream_error(failure, "req_1")


def test_what_a_repetition_would_not_mend_is_no_overload():
    refused = encoded(ErrorKind.UPSTREAM, upstream=True, final=True)
    assert (refused[0], refused[1]["error"]["type"]) == (502, "api_error")
    assert refused[2][b"x-should-retry"] == b"false"
    ours = encoded(ErrorKind.INTERNAL)
    assert (ours[0], ours[1]["error"]["type"]) == (500, "api_error")


def test_what_no_repetition_mends_says_so():
    """Claude Code repeats a 401 eleven times without this header."""
    for kind in (
        ErrorKind.AUTH,
        ErrorKind.BILLING,
        ErrorKind.PERMISSION,
        ErrorKind.NOT_FOUND,
        ErrorKind.CONTEXT_LENGTH,
    ):
        assert encoded(kind)[2][b"x-should-retry"] == b"false"
    for kind in (ErrorKind.BAD_REQUEST, ErrorKind.RATE_LIMIT, ErrorKind.OVERLOADED, ErrorKind.INTERNAL):
        assert b"x-should-retry" not in encoded(kind)[2]
    assert encoded(ErrorKind.RATE_LIMIT, final=True)[2][b"x-should-retry"] == b"false"


def test_ruling_15_an_empty_balance_stops_a_client_at_once():
    status, body, headers = encoded(ErrorKind.BILLING, retry_after_s=3)
    assert (status, body["error"]["type"], headers[b"x-should-retry"]) == (402, "billing_error", b"false")
    assert b"retry-after" not in headers


def test_the_time_to_wait_is_told_in_both_units():
    headers = encoded(ErrorKind.RATE_LIMIT, retry_after_s=1.25)[2]
    assert (headers[b"retry-after"], headers[b"retry-after-ms"]) == (b"2", b"1250")


@pytest.mark.parametrize(
    ("message", "worded"),
    [
        ("prompt is too long: 9 tokens > 8 maximum", "prompt is too long: 9 tokens > 8 maximum"),
        (
            "This model's maximum context length is 128000 tokens. However, your messages resulted in 130,500 tokens.",
            "prompt is too long: 130500 tokens > 128000 maximum",
        ),
        (
            "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
            "prompt is too long: 1200000 tokens > 1048576 maximum",
        ),
        (
            "Your input exceeds the context window",
            "prompt is too long: Your input exceeds the context window",
        ),
    ],
)
def test_a_context_error_is_worded_so_that_claude_code_compacts(message, worded):
    assert encoded(ErrorKind.CONTEXT_LENGTH, message)[1]["error"]["message"] == worded


def test_an_error_in_a_stream_is_an_error_event():
    raw = ANTHROPIC.encode_stream_error(Failure(kind=ErrorKind.INTERNAL, message="boom"), "req_1")
    assert frames_of(raw) == [
        {"type": "error", "error": {"type": "api_error", "message": "boom"}, "request_id": "req_1"}
    ]


def read(status: int, body: dict | bytes, *headers: tuple[bytes, bytes]) -> Failure:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ANTHROPIC.decode_error(status, headers, raw)


def error(word: str, message: str = "m", **more) -> dict:
    return {"type": "error", "error": {"type": word, "message": message, **more}, "request_id": "req_up"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, error("invalid_request_error"), ErrorKind.BAD_REQUEST),
        (
            400,
            error("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
            ErrorKind.CONTEXT_LENGTH,
        ),
        (400, error("invalid_request_error", "Your credit balance is too low to access"), ErrorKind.BILLING),
        (
            400,
            error("invalid_request_error", "Output blocked by content filtering policy"),
            ErrorKind.CONTENT_POLICY,
        ),
        (401, error("authentication_error"), ErrorKind.AUTH),
        (403, error("permission_error"), ErrorKind.PERMISSION),
        (404, error("not_found_error"), ErrorKind.NOT_FOUND),
        (413, error("request_too_large"), ErrorKind.TOO_LARGE),
        (422, error("invalid_request_error"), ErrorKind.UNPROCESSABLE),
        (429, error("rate_limit_error"), ErrorKind.RATE_LIMIT),
        (500, error("api_error"), ErrorKind.INTERNAL),
        (529, error("overloaded_error"), ErrorKind.OVERLOADED),
        (503, {"error": {"message": "busy", "code": "x"}}, ErrorKind.OVERLOADED),
        (429, {"error": {"message": "m", "type": "insufficient_quota"}}, ErrorKind.BILLING),
        (502, b"<html>bad gateway</html>", ErrorKind.UPSTREAM),
        (418, b"teapot", ErrorKind.BAD_REQUEST),
    ],
)
def test_every_error_reply_has_a_kind(status, body, kind):
    failure = read(status, body)
    assert (failure.kind, failure.status, failure.upstream) == (kind, status, True)


def test_an_upstream_s_message_is_kept_verbatim():
    """Claude Code reads it to learn which beta to leave out."""
    message = "Unexpected value(s) `per-turn-control-2026-07-01` for the `anthropic-beta` header."
    assert read(400, error("invalid_request_error", message)).message == message


def test_a_page_of_html_and_an_empty_body_are_no_messages():
    for body in (b"<html><body>proxy-7.internal</body></html>", b"", b"{}", b"{broken"):
        assert read(502, body).message == "The upstream answered with status 502 and no readable error"
    assert read(502, b"upstream timed out").message == "upstream timed out"


def test_ids_waits_and_finality_come_from_the_headers():
    failure = read(
        429,
        error("rate_limit_error"),
        (b"request-id", b"req_h"),
        (b"retry-after", b"7"),
        (b"x-should-retry", b"false"),
    )
    assert (failure.request_id, failure.retry_after_s, failure.final) == ("req_h", 7.0, True)
    assert read(429, error("rate_limit_error"), (b"retry-after-ms", b"250")).retry_after_s == 0.25
    assert read(429, error("rate_limit_error"), (b"retry-after", b"Fri, 20 Nov 2026")).retry_after_s is None
    assert read(429, error("rate_limit_error")).request_id == "req_up"


def test_a_precise_code_is_kept():
    failure = read(400, error("invalid_request_error", details={"error_code": "compaction_unavailable"}))
    assert (failure.code, failure.native) == ("compaction_unavailable", "invalid_request_error")


@pytest.mark.parametrize(
    "body", [{"error": "boom"}, {"message": "boom"}, [{"error": {"message": "boom"}}], {"detail": "boom"}]
)
def test_errors_of_compatible_servers_are_read(body):
    assert read(500, body).message == "boom"
