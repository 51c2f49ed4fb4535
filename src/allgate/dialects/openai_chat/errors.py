"""What chat adds to the errors that OpenAI's two formats share: an error as a frame of a stream."""

from allgate.core.errors import Failure, WireError
from allgate.dialects.passes.lenient import object_of
from allgate.dialects.passes.openai_errors import error_in, error_object, failure_of
from allgate.wire import json
from allgate.wire.sse import SseFrame, data_frame


def error_in_frame(frame: SseFrame) -> Failure | None:
    """The failure that a frame without choices tells; None where it is an ordinary chunk (usage, a content filter)."""
    try:
        source = object_of(json.decode_lenient(frame.data))
    except WireError:
        source = {}
    is_error = source.get("error") is not None or source.get("object") == "error" or frame.event == b"error"
    if not is_error and ("choices" in source or "usage" in source or "message" not in source):
        return None
    return failure_of(error_in(frame.data) or {})


def encode_stream_error(failure: Failure) -> bytes:
    """The frame that ends a stream with an error; no `[DONE]` follows it."""
    return data_frame(json.encode({"error": error_object(failure)}))
