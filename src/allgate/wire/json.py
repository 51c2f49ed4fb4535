"""JSON in and out. The only module where a value's type is not known to the type checker.

Rules kept here:
- Decoding is strict for what clients send (`decode`): invalid UTF-8, NaN, trailing bytes and nesting beyond
  `DEPTH_MAX` are WireErrors. It is lenient for what providers send (`decode_lenient`): a lone surrogate (an emoji cut
  in half by a provider) becomes U+FFFD instead of breaking a stream; msgspec and orjson both reject it.
- `encode` writes compact UTF-8 and never fails on a lone surrogate either.
- The readers (`text_at`, `object_at`, …) turn "wrong type" into an error that names the path. Decoded values have exact
  types, so `dict is type(value)` asks for one without the call of a `cast`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import msgspec

from allgate.core.errors import wire_error

Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]

DEPTH_MAX = 200
"""Levels of nesting: the vendors stop between 64 (proto) and 100 (OpenAI schemas); Python's C decoders near 1,000."""

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


def decode(body: bytes | memoryview | str, what: str = "body") -> Json:
    """The JSON value of a client's bytes. Raises: WireError: with what is wrong and where."""
    try:
        value = _decoder.decode(body)
    except (msgspec.DecodeError, ValueError) as error:
        value = _with_lone_surrogates(body)
        if value is None:
            raise wire_error(f"The {what} is not valid JSON: {error}") from error
    except RecursionError as error:
        raise wire_error(f"The {what} is nested too deeply") from error
    if len(body) > DEPTH_MAX and _may_be_deep(body):
        _check_depth(value, what)
    return value


def decode_object(body: bytes | memoryview | str, what: str = "body") -> JsonObject:
    """Like `decode`, and the value must be an object."""
    value = decode(body, what)
    if dict is not type(value):
        raise wire_error(f"The {what} must be a JSON object, not {_name(value)}")
    return value


def decode_lenient(body: bytes | memoryview | str, what: str = "reply") -> Json:
    """The JSON value of a provider's bytes; lone surrogates and invalid UTF-8 become U+FFFD. Raises: WireError."""
    try:
        value = _decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _decode_patiently(body, what)
    if len(body) > DEPTH_MAX and _may_be_deep(body):
        _check_depth(value, what)
    return value


def _decode_patiently(body: bytes | memoryview | str, what: str) -> Json:
    """What `decode_lenient` does with bytes that a strict decoder refuses; 20 times slower, and seldom needed."""
    text = body if isinstance(body, str) else bytes(body).decode("utf-8", "replace")
    try:
        value = json.loads(text)
        _check_depth(value, what)
        return _scrubbed(value)
    except (ValueError, RecursionError) as error:
        raise wire_error(f"The {what} is not valid JSON: {error}") from error


def encode(value: Json) -> bytes:
    """Compact JSON bytes."""
    try:
        return _encoder.encode(value)
    except (UnicodeEncodeError, ValueError):
        return _encoder.encode(_scrubbed(value))


def encode_text(value: Json) -> str:
    """Compact JSON as text, for fields that hold JSON in a string."""
    return encode(value).decode("utf-8")


def _with_lone_surrogates(body: bytes | memoryview | str) -> Json:
    """The value of JSON whose only fault is half an emoji in an escape, which JavaScript clients do send; else None."""
    try:
        text = body if isinstance(body, str) else bytes(body).decode("utf-8")
        return _scrubbed(json.loads(text, parse_constant=_no_constant)) if "\\u" in text else None
    except (ValueError, RecursionError):
        return None


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _may_be_deep(body: bytes | memoryview | str) -> bool:
    """False where there are not brackets enough to be nested too deeply.

    Looked for one by one, because `find` passes over text between them with memchr, and `count` looks at each byte: 2 µs
    against 60 for a question of 120 KB.
    """
    if isinstance(body, str):
        return body.count("{") + body.count("[") > DEPTH_MAX
    octets = body if type(body) is bytes else bytes(body)
    found = 0
    for bracket in (b"{", b"["):
        place = octets.find(bracket)
        while place >= 0:
            found += 1
            if found > DEPTH_MAX:
                return True
            place = octets.find(bracket, place + 1)
    return False


def _check_depth(value: Json, what: str) -> None:
    """Walks level by level, in one comprehension a level: this is half of what reading a long request costs."""
    level: list[Json] = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEPTH_MAX):
        if not level:
            return
        level = [
            member
            for node in level
            for member in (node.values() if dict is type(node) else node)
            if dict is type(member) or list is type(member)
        ]
    raise wire_error(f"The {what} is nested more than {DEPTH_MAX} levels deep")


def _scrubbed(value: Json) -> Json:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_scrubbed(key): _scrubbed(item) for key, item in cast(Mapping[str, Any], value).items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_scrubbed(item) for item in cast(Sequence[Any], value)]
    return value


def _name(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _wrong(path: str, wanted: str, value: Json) -> Exception:
    return wire_error(f"Invalid type for '{path}': expected {wanted}, got {_name(value)}", param=path)


def object_at(value: Json, path: str) -> JsonObject:
    """`value` if it is an object. Raises: WireError naming `path`."""
    if dict is not type(value):
        raise _wrong(path, "an object", value)
    return value


def list_at(value: Json, path: str) -> list[Json]:
    """`value` if it is an array. Raises: WireError naming `path`."""
    if list is not type(value):
        raise _wrong(path, "an array", value)
    return value


def text_at(value: Json, path: str) -> str:
    """`value` if it is a string. Raises: WireError naming `path`."""
    if not isinstance(value, str):
        raise _wrong(path, "a string", value)
    return value


def optional_text(source: JsonObject, key: str, path: str = "") -> str | None:
    """The string under `key`; None where absent or null."""
    value = source.get(key)
    if value is None or isinstance(value, str):
        return value
    raise _wrong(path or key, "a string", value)


def optional_int(source: JsonObject, key: str, path: str = "") -> int | None:
    """The integer under `key` (5.0 counts as 5; true does not); None where absent or null."""
    value = source.get(key)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise _wrong(path or key, "an integer", value)


def optional_number(source: JsonObject, key: str, path: str = "") -> float | int | None:
    """The number under `key`, kept as int or float as written; None where absent or null."""
    value = source.get(key)
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    raise _wrong(path or key, "a number", value)


def optional_bool(source: JsonObject, key: str, path: str = "") -> bool | None:
    """The boolean under `key`; None where absent or null."""
    value = source.get(key)
    if value is None or isinstance(value, bool):
        return value
    raise _wrong(path or key, "a boolean", value)


def optional_object(source: JsonObject, key: str, path: str = "") -> JsonObject | None:
    """The object under `key`; None where absent or null."""
    value = source.get(key)
    if value is None or dict is type(value):
        return value
    raise _wrong(path or key, "an object", value)


def optional_list(source: JsonObject, key: str, path: str = "") -> list[Json] | None:
    """The array under `key`; None where absent or null."""
    value = source.get(key)
    if value is None or list is type(value):
        return value
    raise _wrong(path or key, "an array", value)
