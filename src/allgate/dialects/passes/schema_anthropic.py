"""JSON schemas for Anthropic: a tool's `input_schema`, and the narrower one of `output_config.format` and strict tools.

`input_schema` takes JSON Schema 2020-12, but its root must be a plain object: alternatives at the root are folded into
one object that admits each of them, and described in words, because the model reads the description.

Structured output knows a subset. Limits outside it move into the description, as the vendor's own SDK does, so the model
still hears of them; whether it kept them is then the client's check, as it is with any model.
"""

import re

from allgate.core.errors import unsupported
from allgate.dialects.passes.schema_tree import (
    DEFINITIONS,
    Losses,
    is_recursive,
    members,
    merged,
    names,
    referred,
    schemas,
    types_of,
    with_children,
    without_all_of,
)
from allgate.wire.json import Json, JsonObject, encode_text

_AT_ROOT_ONLY_IN_WORDS = ("not", "if", "then", "else")

# Structured outputs, "JSON Schema limitations" (2026-01).
_LIMITS_IN_WORDS = {
    "minimum": "minimum value", "maximum": "maximum value", "exclusiveMinimum": "greater than",
    "exclusiveMaximum": "less than", "multipleOf": "multiple of", "minLength": "minimum length",
    "maxLength": "maximum length", "maxItems": "maximum items", "uniqueItems": "unique items",
    "minProperties": "minimum properties", "maxProperties": "maximum properties",
}  # fmt: skip
_UNKNOWN = frozenset(
    {
        "prefixItems", "contains", "minContains", "maxContains", "propertyNames", "patternProperties", "if", "then",
        "else", "not", "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties",
        "unevaluatedItems", "additionalItems", "contentEncoding", "contentMediaType", "contentSchema",
    }
)  # fmt: skip
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_PATTERN_BEYOND = re.compile(
    r"\(\?(?!:)|\\[bB1-9]"
)  # lookaround, word boundaries and back-references are refused


def input_schema(schema: JsonObject, losses: Losses) -> JsonObject:
    """A schema whose root is one plain object."""
    root = without_all_of(_entered(schema), schema, losses)
    for keyword in _AT_ROOT_ONLY_IN_WORDS:
        if keyword in root:
            losses.dropped(keyword)
            root = {key: value for key, value in root.items() if key != keyword}
    for keyword in ("anyOf", "oneOf"):
        if keyword in root:
            root = _one_object(root, keyword, schema, losses)
    if types_of(root) == ("object",):
        return root
    if root.get("type") is None or "object" in types_of(root):
        return {**root, "type": "object"}
    losses.converted("type", "the root must be an object: wrapped as its property `value`")
    return {"type": "object", "properties": {"value": root}, "required": ["value"]}


def _entered(schema: JsonObject) -> JsonObject:
    """A root that is only a reference, replaced by what it refers to; its definitions stay at the root."""
    if "$ref" not in schema:
        return schema
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return merged(beside, referred(schema, schema["$ref"]) or {})


def _one_object(root: JsonObject, keyword: str, whole: JsonObject, losses: Losses) -> JsonObject:
    """`root` with its alternatives folded: all their properties, and as required only what each of them requires."""
    losses.converted(keyword, "alternatives at the root folded into one object")
    rest = {key: value for key, value in root.items() if key != keyword}
    branches = [without_all_of(_entered({**whole, **branch}) if "$ref" in branch else branch, whole, losses)
                for branch in schemas(root[keyword])]  # fmt: skip
    properties: dict[str, JsonObject] = members(rest.get("properties"))
    for branch in branches:
        for name, child in members(branch.get("properties")).items():
            properties.setdefault(name, child)
    required = names(branches[0].get("required")) if branches else []
    for branch in branches:
        required = [name for name in required if name in names(branch.get("required"))]
    folded = {**rest, "properties": properties}
    if wanted := list(dict.fromkeys([*names(rest.get("required")), *required])):
        folded["required"] = wanted
    return _described(folded, _alternatives(branches))


def _alternatives(branches: list[JsonObject]) -> str:
    sets = [names(branch.get("required")) or list(members(branch.get("properties"))) for branch in branches]
    return "Exactly one of these sets of properties: " + " or ".join(encode_text(one) for one in sets)


def output_schema(schema: JsonObject, losses: Losses) -> JsonObject:
    """A schema of the subset that constrained decoding takes. Raises: WireError: a recursive schema."""
    if is_recursive(schema):
        raise unsupported("A recursive JSON schema cannot be used for structured output here", param="schema")
    return _output_node(schema, schema, losses)


def _output_node(node: JsonObject, root: JsonObject, losses: Losses) -> JsonObject:
    if "$ref" in node:
        return _reference(node, root, losses)
    node = without_all_of(node, root, losses)
    if "oneOf" in node:
        losses.converted("oneOf", "sent as anyOf")
        node = {("anyOf" if key == "oneOf" else key): value for key, value in node.items()}
    node = with_children(_within_subset(node, losses), lambda child: _output_node(child, root, losses))
    if "object" in types_of(node) or "properties" in node:
        if node.get("additionalProperties") not in (None, False):
            losses.dropped("additionalProperties")
        return {**node, "additionalProperties": False}
    return node


def _reference(node: JsonObject, root: JsonObject, losses: Losses) -> JsonObject:
    """Only definitions may stand beside `$ref`."""
    kept: JsonObject = {"$ref": node["$ref"]}
    for keyword, value in node.items():
        if keyword in DEFINITIONS:
            kept[keyword] = {
                name: _output_node(child, root, losses) for name, child in members(value).items()
            }
        elif keyword != "$ref":
            losses.dropped(keyword)
    return kept


def _within_subset(node: JsonObject, losses: Losses) -> JsonObject:
    kept: JsonObject = {}
    words: list[str] = []
    for keyword, value in node.items():
        if keyword in _UNKNOWN:
            losses.dropped(keyword)
        elif (told := _in_words(keyword, value)) is not None:
            losses.converted(keyword, "moved into the description")
            words.append(told)
        elif keyword == "items" and isinstance(value, list):
            losses.dropped("items")
            kept["items"] = {"anyOf": schemas(value)}
        else:
            kept[keyword] = value
    return _described(kept, f"Note: {', '.join(words)}") if words else kept


def _in_words(keyword: str, value: Json) -> str | None:
    """How a limit is said in a description; None for a keyword that may stay."""
    if keyword in _LIMITS_IN_WORDS:
        return f"{_LIMITS_IN_WORDS[keyword]}: {encode_text(value)}"
    if keyword == "minItems" and value not in (0, 1):
        return f"minimum items: {encode_text(value)}"
    if keyword == "format" and str(value) not in _FORMATS:
        return f"format: {encode_text(value)}"
    if keyword == "pattern" and isinstance(value, str) and _PATTERN_BEYOND.search(value):
        return f"pattern: {value}"
    return None


def _described(schema: JsonObject, words: str) -> JsonObject:
    before = schema.get("description")
    return {**schema, "description": f"{before}\n{words}" if isinstance(before, str) and before else words}
