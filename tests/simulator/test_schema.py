"""Instances: checked by a small validator written here, so that the generator does not judge itself."""

import math
import re
from typing import Any

import pytest

from allgate.simulator.schema import flaw, instance


def errors(value: Any, schema: Any, root: Any) -> list[str]:
    """What is wrong with `value`, by the keywords that the generator claims to know."""
    if schema is True or not isinstance(schema, dict):
        return []
    found: list[str] = []
    if "$ref" in schema:
        node = root
        for step in schema["$ref"].removeprefix("#").strip("/").split("/"):
            node = node[step] if step else node
        found += errors(value, node, root)
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    checks = {
        "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "number": (int, float), "integer": int,
    }  # fmt: skip
    if kinds and not any(
        isinstance(value, checks[kind]) and (kind == "boolean" or not isinstance(value, bool))
        for kind in kinds
    ):
        found.append(f"{value!r} is not {kinds}")
    if "enum" in schema and value not in schema["enum"]:
        found.append("enum")
    if "const" in schema and value != schema["const"]:
        found.append("const")
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema and all(errors(value, part, root) for part in schema[keyword]):
            found.append(keyword)
    for part in schema.get("allOf", []):
        found += errors(value, part, root)
    if isinstance(value, dict):
        found += [f"lacks {name}" for name in schema.get("required", []) if name not in value]
        for name, child in value.items():
            if name in schema.get("properties", {}):
                found += errors(child, schema["properties"][name], root)
            elif schema.get("additionalProperties") is False:
                found.append(f"has {name}")
    if isinstance(value, list):
        prefix = schema.get("prefixItems", [])
        for child, part in zip(value, prefix, strict=False):
            found += errors(child, part, root)
        for child in value[len(prefix) :]:
            found += errors(child, schema.get("items", True), root)
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf):
            found.append("items")
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", math.inf):
            found.append("length")
        if schema.get("format") == "date" and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            found.append("date")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf):
            found.append("bounds")
        if not schema.get("exclusiveMinimum", -math.inf) < value < schema.get("exclusiveMaximum", math.inf):
            found.append("exclusive bounds")
        if schema.get("multipleOf") and value % schema["multipleOf"]:
            found.append("multipleOf")
    return found


SCHEMAS: dict[str, dict[str, Any]] = {
    "flat": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"enum": ["c", "f"]}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "numbers": {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "minimum": 5, "maximum": 9},
            "b": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2},
            "c": {"type": "number", "exclusiveMinimum": 0.5, "exclusiveMaximum": 0.75},
            "d": {"type": "number", "maximum": -3},
            "e": {"type": "integer", "multipleOf": 7},
            "f": {"type": "number", "exclusiveMaximum": 0},
            "g": {"type": "integer", "maximum": -2},
        },
        "required": ["a", "b", "c", "d", "e", "f", "g"],
    },
    "strings": {
        "type": "object",
        "properties": {
            "a": {"type": "string", "minLength": 60},
            "b": {"type": "string", "maxLength": 3},
            "c": {"type": "string", "format": "date"},
            "d": {"const": "fixed"},
            "e": {"type": ["null", "string"]},
        },
    },
    "arrays": {
        "type": "object",
        "properties": {
            "a": {"type": "array", "items": {"type": "integer"}, "minItems": 3},
            "b": {"type": "array", "maxItems": 0},
            "c": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "boolean"}]},
            "d": {"type": "array"},
        },
        "required": ["a", "b", "c", "d"],
    },
    "union": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"x": {"type": "number"}}}]},
    "all": {
        "allOf": [
            {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]},
            {"properties": {"y": {"type": "integer"}}, "required": ["y"]},
        ]
    },
    "recursive": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["name"],
    }
    | {"$defs": {}},
    "references": {
        "type": "object",
        "properties": {"place": {"$ref": "#/$defs/place"}, "other": {"anyOf": [{"$ref": "#/$defs/place"}]}},
        "required": ["place"],
        "$defs": {
            "place": {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]}
        },
    },
    "open": {"type": "object", "required": ["unknown"]},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_an_instance_is_valid_against_its_schema(name: str):
    schema = SCHEMAS[name]
    root = schema
    assert errors(instance(schema, "How hot is it?"), schema, root) == []


def test_optional_properties_are_filled_so_that_every_branch_is_exercised():
    value = instance(SCHEMAS["flat"], "Paris?")
    assert value == {"city": "Paris?", "unit": "c"}


def test_a_schema_that_requires_itself_ends():
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert isinstance(instance(schema, ""), dict)


def test_geminis_upper_case_types_are_the_same_types():
    assert instance({"type": "OBJECT", "properties": {"n": {"type": "INTEGER"}}}, "") == {"n": 1}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_sound_schema_has_no_flaw(name: str):
    assert flaw(SCHEMAS[name]) is None


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (None, "not of type 'object', 'boolean'"),
        ({"properties": True}, "True is not of type 'object'"),
        ({"properties": {"x": {"type": "text"}}}, "'text' is not valid under any of the given schemas"),
        ({"required": "x"}, "'x' is not of type 'array'"),
        ({"required": [1]}, "required must be an array of strings"),
        ({"items": {"anyOf": [{"minimum": "1"}]}}, "'1' is not of type 'number'"),
        ({"minItems": True}, "True is not of type 'integer'"),
        ({"$defs": {"a": []}}, "[] is not of type 'object', 'boolean'"),
    ],
)
def test_a_flaw_is_named_wherever_it_stands(schema: Any, words: str):
    assert words in (flaw(schema) or "")
