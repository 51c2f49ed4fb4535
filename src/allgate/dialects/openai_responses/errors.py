"""Errors in the middle of a stream, in the forms that this dialect's clients understand.

After `response.created` there is `response.failed` with the error inside the response. Where no frame of ours has named a
response yet, a lone `error` event comes first, flat and nested, because the SDKs raise on the nested form; Codex
ignores that event and reads the failed response behind it.
"""

import re

from allgate.core.errors import ErrorKind, Failure
from allgate.core.value import changed
from allgate.dialects.passes.openai_errors import error_object
from allgate.wire import json
from allgate.wire.json import JsonObject
from allgate.wire.sse import named_frame

RETRY_AFTER_S_DEFAULT = 5.0
"""Told where a provider limits the rate and does not say for how long: Codex repeats at once unless it reads a delay."""

_DELAY = re.compile(r"try again in", re.IGNORECASE)


def failed_answer(failure: Failure) -> Failure:
    """The failure as a stream tells it: Codex reads how long to wait from the message of a rate limit."""
    if failure.kind is not ErrorKind.RATE_LIMIT:
        return failure
    message = failure.message
    if not _DELAY.search(message):
        wait_s = RETRY_AFTER_S_DEFAULT if failure.retry_after_s is None else failure.retry_after_s
        message = f"{message.rstrip('. ')}. Please try again in {wait_s:g}s."
    return changed(failure, message=message, code="rate_limit_exceeded")


def lone_error(failure: Failure, response_id: str) -> bytes:
    """The frames that end a stream of which nothing is known."""
    error = error_object(failed_answer(failure))
    flat: JsonObject = {"code": error["code"] or "server_error", "message": error["message"]}
    first: JsonObject = {
        "type": "error",
        "sequence_number": 0,
        **flat,
        "param": error["param"],
        "error": {**error, **flat},
    }
    response: JsonObject = {"id": response_id, "object": "response", "status": "failed"}
    response |= {"error": flat, "output": []}
    last: JsonObject = {"type": "response.failed", "sequence_number": 1, "response": response}
    return named_frame(b"error", json.encode(first)) + named_frame(b"response.failed", json.encode(last))


def encode_stream_error(failure: Failure, request_id: str) -> bytes:
    """The error that ends a stream which was passed through."""
    return lone_error(failure, f"resp_{request_id}")
