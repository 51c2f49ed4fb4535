"""Reading JSON that may lack what is looked for: an absent, null or wrongly typed value reads as empty.

For use after a rule has already refused the wrong type, or where the vendor itself does not mind.
"""

from typing import cast

from allgate.wire import json
from allgate.wire.json import Json, JsonObject


def part(source: Json, key: str) -> JsonObject:
    """The object under `key`, else an empty one."""
    value: Json = cast(JsonObject, source).get(key) if isinstance(source, dict) else None
    return cast(JsonObject, value) if isinstance(value, dict) else {}


def items(source: Json, key: str) -> list[Json]:
    """The array under `key`, else an empty one."""
    value: Json = cast(JsonObject, source).get(key) if isinstance(source, dict) else None
    return cast(list[Json], value) if isinstance(value, list) else []


def word(source: Json, key: str) -> str | None:
    """The value under `key` as a word to compare: text as it is, anything else as its JSON; None if there is none."""
    value: Json = cast(JsonObject, source).get(key) if isinstance(source, dict) else None
    return value if value is None or isinstance(value, str) else json.encode_text(value)
