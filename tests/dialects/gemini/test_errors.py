import json

import pytest

from allgate.core.errors import ErrorKind, Failure
from allgate.dialects.gemini import GEMINI
from allgate.dialects.gemini.errors import BALANCE_QUOTA

TYPE = "type.googleapis.com/google.rpc."


def told(failure: Failure) -> tuple[int, dict, dict]:
    """Status, headers and error object of our reply."""
    reply = GEMINI.encode_error(failure, "req-1")
    return (
        reply.status,
        {name.decode(): value.decode() for name, value in reply.headers},
        json.loads(reply.body)["error"],
    )


def read(status: int, body, headers=()) -> Failure:
    return GEMINI.decode_error(
        status, headers, body if isinstance(body, bytes) else json.dumps(body).encode()
    )


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        (ErrorKind.BAD_REQUEST, 400, "INVALID_ARGUMENT"),
        (ErrorKind.CONTEXT_LENGTH, 400, "INVALID_ARGUMENT"),
        (ErrorKind.CONTENT_POLICY, 400, "INVALID_ARGUMENT"),
        (ErrorKind.AUTH, 401, "UNAUTHENTICATED"),
        (ErrorKind.BILLING, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind.PERMISSION, 403, "PERMISSION_DENIED"),
        (ErrorKind.NOT_FOUND, 404, "NOT_FOUND"),
        (ErrorKind.TIMEOUT, 504, "DEADLINE_EXCEEDED"),
        (ErrorKind.CONFLICT, 409, "ABORTED"),
        (ErrorKind.TOO_LARGE, 413, "INVALID_ARGUMENT"),
        (ErrorKind.RATE_LIMIT, 429, "RESOURCE_EXHAUSTED"),
        (ErrorKind.CANCELLED, 499, "CANCELLED"),
        (ErrorKind.INTERNAL, 500, "INTERNAL"),
        (ErrorKind.UPSTREAM, 502, "INTERNAL"),
        (ErrorKind.OVERLOADED, 503, "UNAVAILABLE"),
    ],
)
def test_every_kind_has_its_status_and_word(kind, status, word):
    found, headers, error = told(Failure(kind=kind, message="why"))
    assert (found, error["code"], error["status"], error["message"]) == (status, status, word, "why")
    assert (headers["x-request-id"], headers["request-id"]) == ("req-1", "req-1")
    assert headers["content-type"].startswith("application/json")
    assert read(found, {"error": error}).kind in (
        kind,
        ErrorKind.BAD_REQUEST,
        ErrorKind.RATE_LIMIT,
        ErrorKind.INTERNAL,
        ErrorKind.TOO_LARGE,
    )


def test_every_kind_can_be_told():
    for kind in ErrorKind:
        told(Failure(kind=kind, message="m", param="p", code="c", retry_after_s=1.5))


def test_a_balance_that_is_used_up_stops_gemini_cli_at_once():
    """Ruling 15: it stops on a quota of a day, and on nothing else."""
    status, headers, error = told(
        Failure(kind=ErrorKind.BILLING, message="empty", retry_after_s=9, final=True)
    )
    assert (status, error["status"]) == (429, "RESOURCE_EXHAUSTED")
    assert error["details"][0]["@type"] == TYPE + "QuotaFailure"
    assert error["details"][0]["violations"][0]["quotaId"] == BALANCE_QUOTA
    assert "PerDay" in BALANCE_QUOTA
    assert headers["x-should-retry"] == "false"
    assert "retry-after" not in headers


def test_a_rate_limit_says_when_to_come_back():
    _, headers, error = told(Failure(kind=ErrorKind.RATE_LIMIT, message="slow", retry_after_s=1.5))
    assert error["details"] == [{"@type": TYPE + "RetryInfo", "retryDelay": "1.5s"}]
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("2", "1500")
    assert "x-should-retry" not in headers
    assert "PerDay" not in json.dumps(error)


def test_a_bad_key_and_a_bad_field_are_named_in_details():
    assert told(Failure(kind=ErrorKind.AUTH, message="m"))[2]["details"][0]["reason"] == "API_KEY_INVALID"
    details = told(Failure(kind=ErrorKind.BAD_REQUEST, message="m", param="contents[0]"))[2]["details"]
    assert details[0]["fieldViolations"] == [{"field": "contents[0]", "description": "m"}]
    assert (
        told(Failure(kind=ErrorKind.NOT_FOUND, message="m", code="model_not_found"))[2]["details"][0][
            "reason"
        ]
        == "MODEL_NOT_FOUND"
    )


def test_another_vendors_numbers_become_googles():
    assert told(Failure(kind=ErrorKind.OVERLOADED, message="m", status_override=529))[0] == 503
    assert told(Failure(kind=ErrorKind.BAD_REQUEST, message="m", status_override=422))[0] == 422


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, {"status": "INVALID_ARGUMENT", "message": "no"}, ErrorKind.BAD_REQUEST),
        (400, {"status": "INVALID_ARGUMENT", "message": "The input token count (9) exceeds the maximum number of tokens allowed (5)."}, ErrorKind.CONTEXT_LENGTH),
        (400, {"status": "INVALID_ARGUMENT", "details": [{"reason": "API_KEY_INVALID"}]}, ErrorKind.AUTH),
        (403, {"status": "PERMISSION_DENIED"}, ErrorKind.PERMISSION),
        (404, {"status": "NOT_FOUND"}, ErrorKind.NOT_FOUND),
        (429, {"status": "RESOURCE_EXHAUSTED"}, ErrorKind.RATE_LIMIT),
        (500, {"status": "INTERNAL"}, ErrorKind.INTERNAL),
        (503, {"status": "UNAVAILABLE"}, ErrorKind.OVERLOADED),
        (504, {"status": "DEADLINE_EXCEEDED"}, ErrorKind.TIMEOUT),
        (413, {"status": "INVALID_ARGUMENT"}, ErrorKind.TOO_LARGE),
        (418, {}, ErrorKind.BAD_REQUEST),
        (599, {}, ErrorKind.UPSTREAM),
    ],
)  # fmt: skip
def test_a_providers_error_has_its_kind(status, error, kind):
    failure = read(status, {"error": error})
    assert (failure.kind, failure.upstream) == (kind, True)


def test_the_wait_and_the_field_are_read_from_details():
    error = {
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": TYPE + "RetryInfo", "retryDelay": "34.4s"},
            {"fieldViolations": [{"field": "contents"}]},
        ],
    }
    failure = read(429, [{"error": error}])
    assert (failure.retry_after_s, failure.param) == (34.4, "contents")
    assert read(429, {"error": {}}, ((b"retry-after", b"7"),)).retry_after_s == 7
    endless = b"9" * 400
    assert read(429, {"error": {}}, ((b"retry-after", endless),)).retry_after_s is None
    error["details"] = [{"retryDelay": endless.decode() + "s"}]
    assert read(429, {"error": error}).retry_after_s is None, "an infinity cannot be told to a client"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>Bad Gateway</html>", "The provider answered with status 502"),
        (b"", "The provider answered with status 502"),
        (b"upstream connect error", "upstream connect error"),
        (b'{"error": "plain"}', "plain"),
        (b'{"error": null}', '{"error": null}'),
        (b"[]", "[]"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_an_error_of_any_shape_is_read(body, message):
    failure = read(502, body)
    assert (failure.kind, failure.message) == (ErrorKind.UPSTREAM, message)


def test_an_error_in_a_stream_is_one_data_line():
    framed = GEMINI.encode_stream_error(Failure(kind=ErrorKind.OVERLOADED, message="busy"), "req-1")
    assert framed.startswith(b'data: {"error":')
    assert framed.endswith(b"}\n\n")
    assert framed.count(b"\n") == 2
