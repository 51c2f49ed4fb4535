"""Members under one name: Gemini takes camelCase and snake_case at every level, as proto-JSON does.

One SDK writes both styles into one body (`thinkingConfig.thinking_level`), so each level is read through
`members_of`. Names inside the client's own objects (a call's arguments, a schema's properties) are never touched,
because nobody reads those with it.
"""

from functools import lru_cache
from typing import cast

from allgate.wire.json import Json, JsonObject, list_at, object_at

_NAMES_REMEMBERED = 1_024  # the format has some two hundred


def members_of(value: Json, path: str) -> JsonObject:
    """The members of an object, named in camelCase. Raises: WireError: not an object.

    >>> members_of({"max_output_tokens": 1, "topP": 1}, "generationConfig")
    {'maxOutputTokens': 1, 'topP': 1}
    """
    source: JsonObject = value
    if type(source) is not dict:
        source = object_at(value, path)
    for key in source:
        if "_" in key:
            return _renamed(source)
    return source


def optional_members(source: JsonObject, key: str, path: str = "") -> JsonObject:
    """The members of the object under `key`; none where absent or null. Raises: WireError: not an object."""
    value = source.get(key)
    return {} if value is None else members_of(value, path or key)


def many_at(value: Json, path: str) -> list[Json]:
    """The items of an array; a lone object counts as an array of one, as Google's own parser has it."""
    items: list[Json] = value
    if type(items) is list:
        return items
    return [cast(JsonObject, value)] if isinstance(value, dict) else list_at(value, path)


def _renamed(source: JsonObject) -> JsonObject:
    named: JsonObject = {}
    for key, value in source.items():
        name = _camel(key)
        if name == key or name not in source:
            named[name] = value
    return named


@lru_cache(_NAMES_REMEMBERED)
def _camel(name: str) -> str:
    first, *rest = name.strip("_").split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)
