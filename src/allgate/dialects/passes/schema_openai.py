"""JSON schemas for OpenAI's two dialects.

Both take ordinary JSON Schema and look closer only in strict mode, whose rules are a contract with the client: every
property required, no further ones, a subset of keywords. A schema that does not meet them is sent with strict off and a
note; making optional properties required and nullable would change what the client's own code then receives.
"""

from allgate.dialects.passes.schema_tree import Losses, children, members, names, types_of, with_children
from allgate.wire.json import JsonObject

# Structured outputs guide, "supported schemas" (2026): anything else is refused with a 400 in strict mode.
_STRICT_KEYWORDS = frozenset(
    {
        "type", "title", "description", "enum", "const", "properties", "required", "additionalProperties", "items",
        "anyOf", "$ref", "$defs", "definitions", "$schema", "pattern", "format", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems",
    }
)  # fmt: skip


def openai_schema(schema: JsonObject, strict: bool | None, losses: Losses) -> JsonObject:
    """`schema` with an object at its root and no bare booleans; otherwise as it was written."""
    if strict and not is_strict(schema):
        losses.converted("strict", "the schema does not meet strict mode's rules, sent with strict off")
    return _with_object_root(_without_booleans(schema), losses)


def is_strict(schema: JsonObject) -> bool:
    """Whether strict mode would take this schema as it is."""
    return types_of(schema) == ("object",) and "anyOf" not in schema and _meets_rules(schema)


def _meets_rules(schema: JsonObject) -> bool:
    if not schema.keys() <= _STRICT_KEYWORDS:
        return False
    if "object" in types_of(schema) or "properties" in schema:
        properties = members(schema.get("properties"))
        if schema.get("additionalProperties") is not False:
            return False
        if set(properties) != set(names(schema.get("required"))):
            return False
    return all(_meets_rules(child) for child in children(schema))


def _without_booleans(schema: JsonObject) -> JsonObject:
    return with_children(schema, _without_booleans)


def _with_object_root(schema: JsonObject, losses: Losses) -> JsonObject:
    types = types_of(schema)
    if types == ("object",) and "properties" in schema:
        return schema
    if "object" in types:
        return {"properties": {}, **schema, "type": "object"}
    if not types:
        return {"type": "object", **({} if _says_shape(schema) else {"properties": {}}), **schema}
    losses.converted("type", "the root must be an object: wrapped as its property `value`")
    return {"type": "object", "properties": {"value": schema}, "required": ["value"]}


def _says_shape(schema: JsonObject) -> bool:
    return any(key in schema for key in ("properties", "anyOf", "oneOf", "allOf", "$ref"))
