"""What OpenAI checks the same way in both of its formats, with the words it uses to refuse.

Source of the words: error bodies under recordings/openai, and the texts that OpenAI's users quote in issue trackers.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias, cast

from allgate.simulator.exchange import Rejected
from allgate.simulator.schema import flaw
from allgate.wire.json import Json, JsonObject

Check: TypeAlias = Callable[[Json, str], None]

NAME = re.compile(r"[a-zA-Z0-9_-]+")
NAME_CHARS_MAX = 64
"""Characters of a function or schema name."""

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
TIERS = ("auto", "default", "flex", "scale", "priority", "fast")


def invalid_type(param: str, wanted: str, value: Json) -> Rejected:
    """Invalid type for 'temperature': expected a decimal, but got a string instead."""
    return Rejected(
        f"Invalid type for '{param}': expected {wanted}, but got {kind_of(value)} instead.",
        param=param,
        code="invalid_type",
    )


def invalid_value(param: str, value: str, supported: tuple[str, ...]) -> Rejected:
    """Invalid value: 'x'. Supported values are: …"""
    quoted = [f"'{word}'" for word in supported]
    listed = " and ".join(quoted) if len(quoted) < 3 else f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    return Rejected(
        f"Invalid value: '{value}'. Supported values are: {listed}.",
        param=param,
        code="invalid_value",
    )


def missing(param: str) -> Rejected:
    """Missing required parameter: 'messages'."""
    return Rejected(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def kind_of(value: Json) -> str:
    """What OpenAI calls a value's type."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def text(value: Json, param: str) -> None:
    if not isinstance(value, str):
        raise invalid_type(param, "a string", value)


def boolean(value: Json, param: str) -> None:
    if not isinstance(value, bool):
        raise invalid_type(param, "a boolean", value)


def mapping(value: Json, param: str) -> None:
    if not isinstance(value, dict):
        raise invalid_type(param, "an object", value)


def array(value: Json, param: str) -> None:
    if not isinstance(value, list):
        raise invalid_type(param, "an array", value)


def anything(_value: Json, _param: str) -> None:
    """For fields whose inside the simulator does not look at."""


def number(low: float, high: float) -> Check:
    """A decimal in [low, high]."""
    return lambda value, param: _bounded(value, param, low, high, "decimal")


def integer(low: int, high: int | None = None) -> Check:
    """An integer in [low, high]."""
    return lambda value, param: _bounded(value, param, low, high, "integer")


def choice(*words: str) -> Check:
    """One of these words."""

    def check(value: Json, param: str) -> None:
        if value not in words:
            raise invalid_value(param, str(value), words)

    return check


def _bounded(value: Json, param: str, low: float, high: float | None, noun: str) -> None:
    whole = isinstance(value, int) or (isinstance(value, float) and noun == "decimal")
    if not whole or isinstance(value, bool):
        raise invalid_type(param, "a decimal" if noun == "decimal" else "an integer", value)
    if value < low:
        told = f"{noun} below minimum value. Expected a value >= {low:g}, but got {value} instead."
        raise Rejected(f"Invalid '{param}': {told}", param=param, code=f"{noun}_below_min_value")
    if high is not None and value > high:
        told = f"{noun} above maximum value. Expected a value <= {high:g}, but got {value} instead."
        raise Rejected(f"Invalid '{param}': {told}", param=param, code=f"{noun}_above_max_value")


def check_fields(body: JsonObject, fields: Mapping[str, Check], unknown: Callable[[str], Rejected]) -> None:
    """Every field of `body` is known and passes its check; null stands for absent."""
    for name, value in body.items():
        if name not in fields:
            raise unknown(name)
        if value is not None:
            fields[name](value, name)


def tool_name(name: Json, param: str) -> str:
    """A function's or schema's name. Raises: Rejected."""
    if name is None:
        raise missing(param)
    if not isinstance(name, str):
        raise invalid_type(param, "a string", name)
    if not NAME.fullmatch(name):
        raise Rejected(
            f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern "
            "'^[a-zA-Z0-9_-]+$'.",
            param=param,
            code="invalid_value",
        )
    if len(name) > NAME_CHARS_MAX:
        raise Rejected(
            f"Invalid '{param}': string too long. Expected a string with maximum length {NAME_CHARS_MAX}, but got "
            f"a string with length {len(name)} instead.",
            param=param,
            code="string_above_max_length",
        )
    return name


def function_schema(schema: Json, name: str, param: str, *, strict: bool) -> JsonObject | None:
    """The parameters of a function: absent, or a schema whose root is an object."""
    if schema is None:
        return None
    if not isinstance(schema, dict):
        raise invalid_type(param, "an object", schema)
    found = cast(JsonObject, schema)
    broken = flaw(found)
    if broken is not None:
        raise Rejected(
            f"Invalid schema for function '{name}': {broken}.",
            param=param,
            code="invalid_function_parameters",
        )
    if found.get("type") != "object":
        raise Rejected(
            f"Invalid schema for function '{name}': schema must be a JSON Schema of 'type: \"object\"', got "
            f"'type: \"{found.get('type')}\"'.",
            param=param,
            code="invalid_function_parameters",
        )
    if strict:
        strict_schema(found, f"function '{name}'", param, "invalid_function_parameters")
    return found


def sound_schema(schema: Json, name: str, param: str) -> JsonObject:
    """The schema of a response format. Raises: Rejected: none, or not a schema."""
    if not isinstance(schema, dict):
        raise missing(param)
    broken = flaw(schema)
    if broken is not None:
        raise Rejected(
            f"Invalid schema for response_format '{name}': {broken}.", param=param, code="invalid_json_schema"
        )
    return cast(JsonObject, schema)


def strict_schema(node: Json, where: str, param: str, code: str | None = None, path: str = "()") -> None:
    """Structured outputs: every object closed, every property required, no keyword outside the subset."""
    if isinstance(node, list):
        for part in cast(list[Json], node):
            strict_schema(part, where, param, code, path)
    if not isinstance(node, dict):
        return
    found = cast(JsonObject, node)

    def refuse(told: str) -> Rejected:
        return Rejected(f"Invalid schema for {where}: In context={path}, {told}", param=param, code=code)

    properties: JsonObject = found.get("properties") or {}
    if found.get("type") == "object" or properties:
        if found.get("additionalProperties") is not False:
            raise refuse("'additionalProperties' is required to be supplied and to be false.")
        lacking = [name for name in properties if name not in (found.get("required") or [])]
        if lacking:
            raise refuse(
                "'required' is required to be supplied and to be an array including every key in properties. "
                f"Missing '{lacking[0]}'."
            )
    for keyword in ("allOf", "oneOf", "not", "if", "patternProperties", "dependentRequired"):
        if keyword in found:
            raise refuse(f"'{keyword}' is not permitted.")
    for name, child in properties.items():
        strict_schema(child, where, param, code, f"('properties', '{name}')")
    for keyword in ("items", "anyOf", "$defs", "definitions"):
        inner: Json = found.get(keyword)
        if keyword in ("$defs", "definitions") and isinstance(inner, dict):
            inner = list(cast(JsonObject, inner).values())
        strict_schema(inner, where, param, code, f"('{keyword}',)")


def sampling_of_reasoning(body: JsonObject, names: Mapping[str, float]) -> None:
    """The o-series and GPT-5 class take only the default of a sampling parameter."""
    for name, default in names.items():
        value = body.get(name)
        if value is not None and value != default:
            raise Rejected(
                f"Unsupported value: '{name}' does not support {value} with this model. Only the default "
                f"({default:g}) value is supported.",
                param=name,
                code="unsupported_value",
            )


def unsupported(name: str, instead: str = "") -> Rejected:
    """Unsupported parameter: 'max_tokens' is not supported with this model. …"""
    return Rejected(
        f"Unsupported parameter: '{name}' is not supported with this model.{instead}",
        param=name,
        code="unsupported_parameter",
    )
