"""JSON schemas for Gemini's newer grammar, `parametersJsonSchema` and `responseJsonSchema`.

It takes a subset of JSON Schema, references included. Each keyword it lacks is turned into one that says the same, or
left out with a note. What the older grammar (`schema_gemini_proto`) needs as well is `in_common_words`.
"""

from typing import cast

from allgate.dialects.passes.schema_tree import (
    DEFINITIONS,
    Losses,
    schemas,
    types_of,
    with_children,
    without_all_of,
)
from allgate.wire.json import Json, JsonObject

# "JSON Schema" of the Gemini API reference, GenerationConfig.responseJsonSchema (2026).
_JSON_KEYWORDS = frozenset(
    {
        "type", "format", "title", "description", "enum", "items", "prefixItems", "minItems", "maxItems", "minimum",
        "maximum", "anyOf", "properties", "additionalProperties", "required", "propertyOrdering", "$ref", "$defs",
        "$anchor",
    }
)  # fmt: skip


def gemini_json(schema: JsonObject, losses: Losses) -> JsonObject:
    """`schema` in the JSON Schema subset."""
    return _json_node(schema, schema, losses)


def _json_node(node: JsonObject, root: JsonObject, losses: Losses) -> JsonObject:
    if "$ref" in node:
        node = _bare_reference(node, losses)
    else:
        node = in_common_words(without_all_of(node, root, losses), losses)
    kept: JsonObject = {}
    for keyword, value in node.items():
        if keyword in _JSON_KEYWORDS:
            kept[keyword] = value
        else:
            losses.dropped(keyword)
    return with_children(kept, lambda child: _json_node(child, root, losses))


def _bare_reference(node: JsonObject, losses: Losses) -> JsonObject:
    """Beside `$ref` only members that begin with `$` are allowed; `definitions` goes by its newer name."""
    bare: JsonObject = {}
    for keyword, value in node.items():
        if keyword == "$ref" and isinstance(value, str):
            bare["$ref"] = value.replace("#/definitions/", "#/$defs/", 1)
        elif keyword in DEFINITIONS:
            bare["$defs"] = value
        else:
            losses.dropped(keyword)
    return bare


def in_common_words(node: JsonObject, losses: Losses) -> JsonObject:
    """What both grammars need: enum for const, anyOf for oneOf, inclusive bounds, one name for definitions."""
    node = dict(node)
    if "definitions" in node:
        node["$defs"] = node.pop("definitions")
    if "oneOf" in node:
        losses.converted("oneOf", "sent as anyOf")
        either = schemas(node.pop("oneOf"))
        node["anyOf"] = [*schemas(node["anyOf"]), *either] if "anyOf" in node else either
    if isinstance(node.get("items"), list):
        node["prefixItems"] = node.pop("items")
    if "const" in node:
        losses.converted("const", "sent as enum")
        node["enum"] = [node.pop("const")]
    _fit_enum(node, losses)
    _include_bound(node, "exclusiveMinimum", "minimum", 1, losses)
    _include_bound(node, "exclusiveMaximum", "maximum", -1, losses)
    if node.pop("nullable", None) is True and types_of(node) and "null" not in types_of(node):
        node["type"] = [*types_of(node), "null"]
    return node


def _fit_enum(node: JsonObject, losses: Losses) -> None:
    """Keep strings and numbers as enum values; a missing type is that of the values."""
    if not isinstance(node.get("enum"), list):
        return
    values = cast(list[Json], node.pop("enum"))
    if "type" not in node and (types := list(dict.fromkeys(_type_of(value) for value in values))):
        node["type"] = types[0] if len(types) == 1 else types
    fitting = [
        value for value in values if isinstance(value, (str, int, float)) and not isinstance(value, bool)
    ]
    if any(value is not None and value not in fitting for value in values):
        losses.converted("enum", "values that are neither text nor numbers left to the type")
    if fitting:
        node["enum"] = fitting


def _type_of(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case str():
            return "string"
        case int():
            return "integer"
        case float():
            return "number"
        case list():
            return "array"
        case _:
            return "object"


def _include_bound(node: JsonObject, exclusive: str, inclusive: str, step: int, losses: Losses) -> None:
    """`exclusiveMinimum: 0` of an integer is `minimum: 1`; of a number it is `minimum: 0`, the nearest there is."""
    bound = node.pop(exclusive, None)
    if bound is None or bound is False:
        return
    losses.converted(exclusive, f"sent as {inclusive}")
    if bound is True:  # draft 4: a flag beside the bound
        bound = node.pop(inclusive, None)
    if not isinstance(bound, (int, float)):
        return
    if "integer" in types_of(node) and float(bound).is_integer():
        bound = int(bound) + step
    there = node.get(inclusive)
    node[inclusive] = bound if not isinstance(there, (int, float)) else sorted((bound, there))[step > 0]
