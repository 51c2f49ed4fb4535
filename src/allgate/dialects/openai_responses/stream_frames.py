"""One event of the stream as a typed value. Nearly every frame is a delta: those are read without building a dict.

A chunk that is one text delta goes an even shorter way: where nothing is pending the splitter need not see it. A frame
whose members have other types than they should is read once more without complaint; what is no JSON object at all is a
WireError.
"""

from typing import Literal

import msgspec

from allgate.core.errors import Failure
from allgate.dialects.passes.lenient import count_of, list_of, object_of, text_of
from allgate.dialects.passes.openai_errors import failure_of
from allgate.wire.json import Json, JsonObject, decode_lenient, object_at

FRAME_END = b"\n\n"
"""As nearly every server of this format writes it; to the splitter others are known too."""

_TEXT_DELTA = b"event: response.output_text.delta\ndata: "
_TEXT_DELTA_LENGTH = len(_TEXT_DELTA)
_LINE_END = 10  # a number, because bytes would have to be made to be compared


class TextDelta(msgspec.Struct, gc=False):
    """The event that nearly every chunk is."""

    delta: str
    output_index: int
    content_index: int
    logprobs: list[Json] = []
    type: Literal["response.output_text.delta"] = (
        "response.output_text.delta"  # counts more than the frame's name
    )


class Frame(msgspec.Struct, gc=False):
    """The members that a decoder reads. Absent texts are empty; absent objects None."""

    type: str = ""
    delta: str = ""
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    item_id: str = ""
    text: str = ""
    arguments: str = ""
    input: str = ""
    code: str | None = None
    message: str | None = None
    refusal: str = ""
    logprobs: list[Json] | None = None
    annotation: JsonObject | None = None
    item: JsonObject | None = None
    part: JsonObject | None = None
    response: JsonObject | None = None
    error: Json = None
    param: str | None = None


_decoder = msgspec.json.Decoder(Frame)
_decode_text_delta = msgspec.json.Decoder(TextDelta).decode


def is_several(chunk: bytes) -> bool:
    """Whether more than one frame ends in a chunk. Most chunks are one of two lines, which is found out twenty times as fast
    as frames are counted: a terminal event repeats the whole answer."""
    second_end = chunk.find(_LINE_END, chunk.find(_LINE_END) + 1)
    return second_end != len(chunk) - 2 and chunk.count(FRAME_END) > 1


def cut(chunk: bytes) -> list[bytes]:
    """A chunk of several frames, which arrive together where we were busy, cut behind each of them: any slicing of a stream
    means the same."""
    *frames, rest = chunk.split(FRAME_END)
    return [*(frame + FRAME_END for frame in frames), rest]


def read_text_delta(chunk: bytes) -> TextDelta | None:
    """The event of a chunk that is exactly one text delta as OpenAI writes it; None for any other bytes."""
    if chunk[:_TEXT_DELTA_LENGTH] != _TEXT_DELTA or chunk[-1] != _LINE_END:
        return None
    if chunk.find(_LINE_END, _TEXT_DELTA_LENGTH) != len(chunk) - 2:  # one memchr, which a count is not
        return None
    try:
        return _decode_text_delta(chunk[_TEXT_DELTA_LENGTH:])
    except (msgspec.DecodeError, ValueError):
        return None


def read_frame(data: bytes) -> Frame:
    """The event in a frame's data. Raises: WireError: no JSON object."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _read_again(object_at(decode_lenient(data, "event"), "event"))


def _read_again(source: JsonObject) -> Frame:
    return Frame(
        type=text_of(source.get("type")),
        delta=text_of(source.get("delta")),
        output_index=count_of(source.get("output_index")) or 0,
        content_index=count_of(source.get("content_index")) or 0,
        summary_index=count_of(source.get("summary_index")) or 0,
        item_id=text_of(source.get("item_id")),
        text=text_of(source.get("text")),
        arguments=text_of(source.get("arguments")),
        input=text_of(source.get("input")),
        code=text_of(source.get("code")) or None,
        message=text_of(source.get("message")) or None,
        refusal=text_of(source.get("refusal")),
        logprobs=list_of(source.get("logprobs")) or None,
        annotation=object_of(source.get("annotation")) or None,
        item=object_of(source.get("item")) or None,
        part=object_of(source.get("part")) or None,
        response=object_of(source.get("response")) or None,
        error=source.get("error"),
        param=text_of(source.get("param")) or None,
    )


def failure_in(frame: Frame) -> Failure:
    """The error inside the response, beside it, nested in an `error` event, or flat in one."""
    inside = object_of((frame.response or {}).get("error"))
    error = inside or object_of(frame.error)
    if not error:
        message = frame.message or (frame.error if isinstance(frame.error, str) else "")
        error = {"message": message, "code": frame.code, "param": frame.param}
    return failure_of(error)
