"""Errors in OpenAI's words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.errors import ErrorKind, Failure
from allgate.dialects.openai_chat.errors import encode_stream_error, error_in_frame
from allgate.dialects.passes.openai_errors import decode_error, encode_error


def reply_of(failure: Failure) -> tuple[int, dict, dict]:
    reply = encode_error(failure, "req_1")
    return reply.status, dict(reply.headers), json.loads(reply.body)["error"]


@pytest.mark.parametrize(
    ("kind", "status", "type_", "code"),
    [
        (ErrorKind.BAD_REQUEST, 400, "invalid_request_error", None),
        (ErrorKind.CONTEXT_LENGTH, 400, "invalid_request_error", "context_length_exceeded"),
        (ErrorKind.CONTENT_POLICY, 400, "invalid_request_error", "content_policy_violation"),
        (ErrorKind.AUTH, 401, "invalid_request_error", "invalid_api_key"),
        (ErrorKind.BILLING, 429, "insufficient_quota", "insufficient_quota"),
        (ErrorKind.PERMISSION, 403, "permission_error", None),
        (ErrorKind.NOT_FOUND, 404, "invalid_request_error", None),
        (ErrorKind.METHOD, 405, "invalid_request_error", None),
        (ErrorKind.TIMEOUT, 504, "server_error", "timeout"),
        (ErrorKind.CONFLICT, 409, "conflict", None),
        (ErrorKind.TOO_LARGE, 413, "invalid_request_error", "request_too_large"),
        (ErrorKind.UNPROCESSABLE, 422, "invalid_request_error", None),
        (ErrorKind.UPGRADE, 426, "invalid_request_error", None),
        (ErrorKind.RATE_LIMIT, 429, "rate_limit_error", "rate_limit_exceeded"),
        (ErrorKind.CANCELLED, 499, "server_error", "cancelled"),
        (ErrorKind.INTERNAL, 500, "server_error", None),
        (ErrorKind.UNSUPPORTED, 400, "invalid_request_error", "unsupported_parameter"),
        (ErrorKind.UPSTREAM, 502, "server_error", "upstream_error"),
        (ErrorKind.OVERLOADED, 503, "server_error", "overloaded"),
    ],
)
def test_every_kind_has_its_status_and_words(kind, status, type_, code):
    found, headers, error = reply_of(Failure(kind=kind, message="why", param="p"))
    assert (found, error) == (status, {"message": "why", "type": type_, "param": "p", "code": code})
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"x-request-id"] == headers[b"request-id"] == b"req_1"


def test_a_used_up_balance_stops_the_client_after_one_request():
    """Ruling 15."""
    status, headers, error = reply_of(
        Failure(kind=ErrorKind.BILLING, message="no", status_override=402, retry_after_s=9)
    )
    assert (status, error["code"], headers[b"x-should-retry"]) == (429, "insufficient_quota", b"false")
    assert b"retry-after" not in headers


def test_a_wait_is_told_in_seconds_and_milliseconds():
    _, headers, _ = reply_of(Failure(kind=ErrorKind.RATE_LIMIT, message="slow", retry_after_s=1.2))
    assert (headers[b"retry-after"], headers[b"retry-after-ms"]) == (b"2", b"1200")
    assert b"x-should-retry" not in headers


def test_anthropic_s_529_is_a_503_here():
    assert reply_of(Failure(kind=ErrorKind.OVERLOADED, message="busy", status_override=529))[0] == 503


def test_a_code_that_the_failure_names_is_kept():
    assert (
        reply_of(Failure(kind=ErrorKind.NOT_FOUND, message="no", code="model_not_found"))[2]["code"]
        == "model_not_found"
    )


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"error": {"message": "m", "type": "invalid_request_error"}}, ErrorKind.BAD_REQUEST, "m"),
        (400, {"error": {"message": "m", "code": "context_length_exceeded"}}, ErrorKind.CONTEXT_LENGTH, "m"),
        (
            400,
            {"error": {"message": "This model's maximum context length is 8192 tokens"}},
            ErrorKind.CONTEXT_LENGTH,
            None,
        ),
        (400, {"error": {"message": "m", "code": "content_filter"}}, ErrorKind.CONTENT_POLICY, "m"),
        (401, {"error": {"message": "m", "code": "invalid_api_key"}}, ErrorKind.AUTH, "m"),
        (402, {"error": {"message": "Insufficient Balance"}}, ErrorKind.BILLING, "Insufficient Balance"),
        (
            429,
            {"error": {"message": "m", "type": "tokens", "code": "rate_limit_exceeded"}},
            ErrorKind.RATE_LIMIT,
            "m",
        ),
        (429, {"error": {"message": "m", "type": "requests"}}, ErrorKind.RATE_LIMIT, "m"),
        (429, {"error": {"message": "m", "type": "insufficient_quota"}}, ErrorKind.BILLING, "m"),
        (404, {"detail": "Not Found"}, ErrorKind.NOT_FOUND, "Not Found"),
        (422, {"detail": [{"loc": ["body"]}]}, ErrorKind.UNPROCESSABLE, '[{"loc":["body"]}]'),
        (400, {"object": "error", "message": "m", "type": "BadRequestError"}, ErrorKind.BAD_REQUEST, "m"),
        (
            400,
            [{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}],
            ErrorKind.BAD_REQUEST,
            "m",
        ),
        (500, {"error": "broken"}, ErrorKind.INTERNAL, "broken"),
        (418, {"error": {"message": "m"}}, ErrorKind.BAD_REQUEST, "m"),
        (
            520,
            b"<html>cloudflare</html>",
            ErrorKind.UPSTREAM,
            "The upstream answered with status 520 and no readable error",
        ),
        (503, b"", ErrorKind.OVERLOADED, "The upstream answered with status 503 and no readable error"),
        (503, b"no backend", ErrorKind.OVERLOADED, "no backend"),
        (529, {"error": {"message": "m", "type": "overloaded_error"}}, ErrorKind.OVERLOADED, "m"),
    ],
)
def test_a_provider_s_error_has_its_kind(status, body, kind, message):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    failure = decode_error(status, (), raw)
    assert failure.kind is kind
    assert failure.upstream
    assert failure.status == status
    assert message is None or failure.message == message


def test_a_provider_s_headers_are_read():
    headers = ((b"retry-after", b"7"), (b"x-request-id", b"up_1"), (b"x-should-retry", b"false"))
    failure = decode_error(429, headers, b'{"error":{"message":"m"}}')
    assert (failure.retry_after_s, failure.request_id, failure.final) == (7.0, "up_1", True)
    assert decode_error(429, ((b"retry-after-ms", b"250"), (b"retry-after", b"1")), b"").retry_after_s == 0.25
    assert decode_error(429, ((b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT"),), b"").retry_after_s is None


@pytest.mark.parametrize(
    ("frame", "kind"),
    [
        (b'{"error":{"message":"m","code":"server_is_overloaded"}}', ErrorKind.OVERLOADED),
        (b'{"error":{"message":"m","code":429}}', ErrorKind.RATE_LIMIT),
        (b'{"error":"m"}', ErrorKind.UPSTREAM),
        (b'{"object":"error","message":"m","code":40303}', ErrorKind.UPSTREAM),
        (b'{"message":"m"}', ErrorKind.UPSTREAM),
    ],
)
def test_an_error_in_a_stream_is_recognised(frame, kind):
    failure = error_in_frame(frame)
    assert failure is not None
    assert (failure.kind, failure.message) == (kind, "m")


@pytest.mark.parametrize(
    "frame", [b'{"choices":[],"usage":{}}', b"{}", b'{"prompt_filter_results":[]}', b"nonsense"]
)
def test_a_frame_without_choices_is_not_an_error_by_itself(frame):
    assert error_in_frame(frame) is None


def test_an_error_event_is_an_error_whatever_its_data():
    """Groq ends a broken stream with `event: error`."""
    assert error_in_frame(b"{}", b"error") is not None


def test_the_frame_of_an_error_has_no_terminator():
    frame = encode_stream_error(Failure(kind=ErrorKind.UPSTREAM, message="gone"))
    assert frame.startswith(b'data: {"error":{"message":"gone"')
    assert frame.endswith(b"\n\n")


@given(st.integers(400, 599), st.binary(max_size=80))
def test_no_error_body_breaks_the_reader(status, body):
    failure = decode_error(status, (), body)
    assert failure.status == status
    assert failure.message
