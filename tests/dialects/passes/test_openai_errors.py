"""OpenAI's errors: status, type, code and headers are exact, and whatever else servers send is understood."""

import json

import pytest

from allgate.core.errors import ErrorKind, Failure
from allgate.dialects.passes.openai_errors import decode_error, encode_error, failure_of

TABLE = {
    ErrorKind.BAD_REQUEST: (400, "invalid_request_error", None),
    ErrorKind.CONTEXT_LENGTH: (400, "invalid_request_error", "context_length_exceeded"),
    ErrorKind.CONTENT_POLICY: (400, "invalid_request_error", "content_policy_violation"),
    ErrorKind.AUTH: (401, "invalid_request_error", "invalid_api_key"),
    ErrorKind.BILLING: (429, "insufficient_quota", "insufficient_quota"),
    ErrorKind.PERMISSION: (403, "permission_error", None),
    ErrorKind.NOT_FOUND: (404, "invalid_request_error", None),
    ErrorKind.TOO_LARGE: (413, "invalid_request_error", "request_too_large"),
    ErrorKind.RATE_LIMIT: (429, "rate_limit_error", "rate_limit_exceeded"),
    ErrorKind.INTERNAL: (500, "server_error", None),
    ErrorKind.UNSUPPORTED: (400, "invalid_request_error", "unsupported_parameter"),
    ErrorKind.UPSTREAM: (502, "server_error", "upstream_error"),
    ErrorKind.OVERLOADED: (503, "server_error", "overloaded"),
}


@pytest.mark.parametrize("kind", TABLE)
def test_every_kind_has_its_status_type_and_code_and_comes_back(kind):
    status, kind_word, code = TABLE[kind]
    reply = encode_error(Failure(kind=kind, message="m", param="p"), "req_1")
    assert reply.status == status
    assert json.loads(reply.body) == {
        "error": {"message": "m", "type": kind_word, "param": "p", "code": code}
    }
    assert dict(reply.headers)[b"x-request-id"] == b"req_1"
    assert decode_error(reply.status, reply.headers, reply.body).kind is kind


def test_a_used_up_balance_stops_the_client_after_one_request():
    """Ruling 15: 429 insufficient_quota, no retry, no delay."""
    headers = dict(
        encode_error(
            Failure(kind=ErrorKind.BILLING, message="m", retry_after_s=5, status_override=402), "r"
        ).headers
    )
    assert headers[b"x-should-retry"] == b"false"
    assert b"retry-after" not in headers


def test_waiting_times_go_both_ways():
    reply = encode_error(Failure(kind=ErrorKind.RATE_LIMIT, message="m", retry_after_s=1.5), "r")
    headers = dict(reply.headers)
    assert (headers[b"retry-after"], headers[b"retry-after-ms"]) == (b"2", b"1500")
    assert b"x-should-retry" not in headers
    assert decode_error(429, reply.headers, reply.body).retry_after_s == 1.5
    assert decode_error(429, ((b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT"),), b"").retry_after_s is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (
            400,
            b'{"error":"Incorrect API key provided.","code":"invalid-argument"}',
            ErrorKind.AUTH,
            "Incorrect API key",
        ),
        (
            400,
            b'[{"error":{"code":400,"message":"bad","status":"INVALID_ARGUMENT"}}]',
            ErrorKind.BAD_REQUEST,
            "bad",
        ),
        (422, b'{"detail":[{"msg":"field required"}]}', ErrorKind.UNPROCESSABLE, "field required"),
        (
            400,
            b'{"message":"prompt is too long: 9 tokens > 8 maximum"}',
            ErrorKind.CONTEXT_LENGTH,
            "prompt is too long",
        ),
        (529, b'{"error":{"message":"busy"}}', ErrorKind.OVERLOADED, "busy"),
        (418, b"short and stout", ErrorKind.BAD_REQUEST, "short and stout"),
        (502, b"<html><body>nginx at 10.0.0.1</body></html>", ErrorKind.UPSTREAM, "status 502"),
        (500, b"", ErrorKind.INTERNAL, "status 500"),
        (500, b"\xff\xfe", ErrorKind.INTERNAL, ""),
        (503, b'{"error":{"message":"x","type":"server_error"}}', ErrorKind.OVERLOADED, "x"),
        (429, b'{"error":{"message":"x","type":"usage_limit_reached"}}', ErrorKind.BILLING, "x"),
    ],
)
def test_whatever_a_server_sends_is_understood(status, body, kind, message):
    failure = decode_error(status, (), body)
    assert failure.kind is kind
    assert message in failure.message
    assert "10.0.0.1" not in failure.message
    assert failure.upstream


def test_words_about_a_subscription_elsewhere_never_pass_on():
    failure = decode_error(429, (), b'{"error":{"message":"x","code":"usage_not_included"}}')
    assert b"usage_not_included" not in encode_error(failure, "r").body


def test_an_error_of_a_stream_finds_its_status_in_its_words():
    assert failure_of({"message": "x", "code": 503}).kind is ErrorKind.OVERLOADED
    assert failure_of({"message": "x", "code": "server_error"}).kind is ErrorKind.INTERNAL
    assert failure_of({"message": "x"}).kind is ErrorKind.UPSTREAM
    assert failure_of({}).message
