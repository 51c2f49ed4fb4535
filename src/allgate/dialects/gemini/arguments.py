"""A call's arguments, which are text inside, as the object that Gemini's `args` must be.

The text goes out as it stands wherever that is possible: large integers, the order of members and the spelling of
numbers are the model's. Text with line ends or escapes is written anew, because a line end would break a frame of a
stream and half an emoji would break a reader.
"""

from typing import Literal, cast

import msgspec

from allgate.core.errors import WireError
from allgate.wire import json
from allgate.wire.json import Json, JsonObject

Fit = Literal["object", "value", "text"]


def arguments_object(text: str) -> tuple[Json, Fit]:
    """What to write as `args`, and whether the text was an object, another value (put under `value`), or no JSON at all
    (put under `_raw`)."""
    try:
        value = json.decode(text, "arguments")
    except WireError:
        return {"_raw": text}, "text"
    if not isinstance(value, dict):
        return {"value": value}, "value"
    if "\\u" in text or "\n" in text or "\r" in text:
        return cast(JsonObject, value), "object"
    return msgspec.Raw(text.encode()), "object"
