"""An instance of a JSON Schema, the same for the same schema and prompt.

Enough of the standard for what tools and response formats declare: types (also lists of them), properties, items and
prefixItems, enum, const, anyOf, oneOf, allOf, `$ref` into the same document, and the bounds of numbers, strings and arrays. Optional
properties are filled too, down to `OPTIONAL_DEPTH`, so that an answer exercises every branch once. `pattern` is not
solved: a string with one gets what its `examples` or `default` say, else the plain text.
"""

import math
from collections.abc import Mapping
from typing import cast

from allgate.simulator.reading import items, part
from allgate.wire.json import Json, JsonObject

OPTIONAL_DEPTH = 3
"""Levels down to which optional properties are filled; below it only required ones, so that recursive schemas end."""

DEPTH_MAX = 40
"""Levels at which a schema that requires itself is given up with null; no honest schema is this deep."""

STRING_CHARS = 40
"""Characters of the prompt put into a string."""

_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_NUMBER = ((int, float), "number")
_SHAPES: Mapping[str, tuple[tuple[type, ...], str]] = (
    {"type": ((str, list), "string, array"), "$ref": ((str,), "string"), "pattern": ((str,), "string")}
    | dict.fromkeys(("properties", "$defs", "definitions"), ((dict,), "object"))
    | dict.fromkeys(
        ("required", "enum", "anyOf", "oneOf", "allOf", "prefixItems", "examples"), ((list,), "array")
    )
    | dict.fromkeys(("minItems", "maxItems", "minLength", "maxLength"), ((int,), "integer"))
    | dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), _NUMBER)
    | {"items": ((dict, bool), "object, boolean"), "format": ((str,), "string")}
)
_FORMATS = {
    "date": "2026-11-20", "date-time": "2026-11-20T12:00:00Z", "time": "12:00:00Z", "duration": "PT1H",
    "email": "ada@example.com", "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
    "uri": "https://example.com/", "uuid": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip


def instance(root: JsonObject, prompt: str) -> Json:
    """A value that is valid against `root`.

    >>> instance({"type": "object", "properties": {"city": {"type": "string"}}}, "Paris?")
    {'city': 'Paris?'}
    """
    return _value(root, root, prompt, 0)


def flaw(schema: Json, depth: int = 0) -> str | None:
    """What keeps `schema` from being a JSON Schema at all, in the words of validators; None for a sound one.

    >>> flaw({"type": "object", "properties": True})
    "True is not of type 'object'"
    """
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, dict) or depth > DEPTH_MAX:
        return f"{schema!r} is not of type 'object', 'boolean'"
    node = cast(JsonObject, schema)
    for keyword, kind in _SHAPES.items():
        value: Json = node.get(keyword)
        boolean = isinstance(value, bool) and bool not in kind[0]
        if keyword in node and (boolean or not isinstance(value, kind[0])):
            return f"{value!r} is not of type '{kind[1]}'"
    types: list[Json] = [node["type"]] if isinstance(node.get("type"), str) else items(node, "type")
    for name in types if "type" in node else ():
        if not isinstance(name, str) or name.lower() not in _TYPES:
            return f"{name!r} is not valid under any of the given schemas"
    if any(not isinstance(name, str) for name in items(node, "required")):
        return "required must be an array of strings"
    children = [
        child for keyword in ("properties", "$defs", "definitions") for child in part(node, keyword).values()
    ]
    children += [
        child for keyword in ("anyOf", "oneOf", "allOf", "prefixItems") for child in items(node, keyword)
    ]
    children += [node[keyword] for keyword in ("items", "additionalProperties") if keyword in node]
    return next((found for child in children if (found := flaw(child, depth + 1))), None)


def _value(schema: Json, root: JsonObject, prompt: str, depth: int) -> Json:
    if not isinstance(schema, dict) or depth > DEPTH_MAX:
        return None
    node = _resolved(cast(JsonObject, schema), root)
    if "const" in node:
        return node["const"]
    if node.get("enum"):
        return node["enum"][0]
    match _type(node):
        case "object":
            return _object(node, root, prompt, depth)
        case "array":
            return _array(node, root, prompt, depth)
        case "string":
            return _string(node, prompt)
        case "integer":
            return _number(node, 1)
        case "number":
            return _number(node, 0.5)
        case "boolean":
            return True
        case _:
            return None


def _resolved(schema: JsonObject, root: JsonObject) -> JsonObject:
    """`schema` with its reference, first alternative and all allOf parts merged in."""
    node = dict(schema)
    for _ in range(DEPTH_MAX):
        reference = node.pop("$ref", None)
        if isinstance(reference, str):
            node = {**_pointed(root, reference), **node}
        elif node.get("anyOf") or node.get("oneOf"):
            options = node.pop("anyOf", None) or node.pop("oneOf")
            node = _merged(node, _preferred(options))
        elif node.get("allOf"):
            parts = node.pop("allOf")
            for part in parts:
                node = _merged(node, _resolved(part, root))
        else:
            break
    return node


def _preferred(options: list[JsonObject]) -> JsonObject:
    return next((option for option in options if option.get("type") != "null"), options[0])


def _merged(one: JsonObject, other: JsonObject) -> JsonObject:
    merged = {**one, **other}
    if "properties" in one and "properties" in other:
        merged["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        merged["required"] = [*one["required"], *other["required"]]
    return merged


def _pointed(root: JsonObject, reference: str) -> JsonObject:
    node: Json = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        if key:
            node = part(node, key)
    return cast(JsonObject, node)


def _type(node: JsonObject) -> str:
    kind = node.get("type")
    if isinstance(kind, list):
        kind = next((name for name in cast(list[str], kind) if name != "null"), "null")
    if isinstance(kind, str):
        return kind.lower()  # Gemini writes STRING
    return "object" if "properties" in node else "array" if "items" in node else "string"


def _object(node: JsonObject, root: JsonObject, prompt: str, depth: int) -> JsonObject:
    properties = cast(JsonObject, node.get("properties") or {})
    required = cast(list[str], node.get("required") or [])
    wanted = list(properties) if depth < OPTIONAL_DEPTH else [name for name in properties if name in required]
    found = {name: _value(properties[name], root, prompt, depth + 1) for name in wanted}
    return found | {name: prompt[:STRING_CHARS] for name in required if name not in properties}


def _array(node: JsonObject, root: JsonObject, prompt: str, depth: int) -> list[Json]:
    prefix = cast(list[Json], node.get("prefixItems") or [])
    values = [_value(part, root, prompt, depth + 1) for part in prefix]
    least, most = int(node.get("minItems") or 0), node.get("maxItems")
    number = max(least, 1 if depth < OPTIONAL_DEPTH and not prefix and most != 0 else 0)
    items: Json = node.get("items", {"type": "string"})
    while len(values) < number:
        value = _value(items, root, f"{prompt[:20]} {len(values)}" if values else prompt, depth + 1)
        if node.get("uniqueItems") and value in values:
            break
        values.append(value)
    return values


def _string(node: JsonObject, prompt: str) -> str:
    if node.get("format") in _FORMATS:
        return _FORMATS[node["format"]]
    if "pattern" in node and (node.get("examples") or "default" in node):
        return str(node["examples"][0] if node.get("examples") else node["default"])
    text = prompt[:STRING_CHARS] or "text"
    text = text.ljust(int(node.get("minLength") or 0), "x")
    return text[: int(node["maxLength"])] if "maxLength" in node else text


def _number(node: JsonObject, usual: float) -> float | int:
    """The usual number moved into the bounds (an exclusive one is missed by 1, or by half the way), to a multiple."""
    low, high = node.get("minimum"), node.get("maximum")
    above, below = node.get("exclusiveMinimum"), node.get("exclusiveMaximum")
    step = node.get("multipleOf")
    if (
        not isinstance(usual, int)
        and above is not None
        and (limit := below if below is not None else high) is not None
    ):
        return (above + limit) / 2
    if above is not None:
        low = math.floor(above) + 1
    if below is not None:
        high = math.ceil(below) - 1
    value = usual if low is None or usual >= low else low
    value = value if high is None or value <= high else high
    return value if not step else math.ceil(value / step) * step
