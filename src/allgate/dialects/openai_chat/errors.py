"""What chat adds to the errors that OpenAI's two formats share: an error as a frame of a stream."""

from allgate.core.errors import Failure, WireError, wire_error
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.passes.openai_errors import error_in, error_object, failure_of
from allgate.wire import json
from allgate.wire.sse import data_frame


def error_in_frame(body: bytes, event: bytes = b"") -> Failure | None:
    """The failure that a frame without choices tells, or a reply; None where it is an ordinary chunk (usage, a filter)."""
    try:
        source = object_of(json.decode_lenient(body))
    except WireError:
        source = {}
    is_error = source.get("error") is not None or source.get("object") == "error" or event == b"error"
    if not is_error and ("choices" in source or "usage" in source or "message" not in source):
        return None
    return failure_of(error_in(body) or {})


def no_completion(body: bytes) -> WireError:
    """What is wrong with a reply that has no choices: an error that came with status 200 (some gateways do so), or none."""
    failure = error_in_frame(body)
    if failure is not None:
        return WireError(failure)
    return wire_error("The reply is not a chat completion: it has no choices")


def encode_stream_error(failure: Failure) -> bytes:
    """The frame that ends a stream with an error; no `[DONE]` follows it."""
    return data_frame(json.encode({"error": error_object(failure)}))
