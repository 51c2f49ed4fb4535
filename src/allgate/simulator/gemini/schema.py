"""The two kinds of schema that Gemini takes, and what it refuses in each.

`parameters` and `responseSchema` are a proto message: unknown keywords are already gone by the parser, and what is
left must be complete (items of arrays, properties of objects, enums of strings only). `parametersJsonSchema` and
`responseJsonSchema` are JSON Schema without its logic: a list of keywords is refused. Source: wire-format notes §3.4
and the error texts quoted in §5, 24–27.
"""

from typing import cast

from allgate.simulator.exchange import Rejected
from allgate.simulator.reading import items, part
from allgate.simulator.schema import flaw
from allgate.wire.json import Json, JsonObject

_REFUSED = frozenset(
    {
        "const", "exclusiveMinimum", "exclusiveMaximum", "allOf", "not", "if", "then", "else", "patternProperties",
        "propertyNames", "uniqueItems", "contains", "minContains", "maxContains", "dependentRequired", "multipleOf",
        "dependentSchemas", "unevaluatedProperties", "unevaluatedItems", "contentEncoding", "contentMediaType",
    }
)  # fmt: skip
_FORMATS = {
    "STRING": ("enum", "date-time"),
    "INTEGER": ("int32", "int64"),
    "NUMBER": ("float", "double"),
}


def check_proto_schema(schema: JsonObject, path: str) -> None:
    """A `Schema` message. Raises: Rejected."""
    kind = schema.get("type")
    if kind == "ARRAY" and "items" not in schema:
        raise Rejected(f"* {path}.items: missing field.\n")
    if kind == "OBJECT" and "properties" in schema and not schema["properties"]:
        raise Rejected(f"* {path}.properties: should be non-empty for OBJECT type\n")
    if "enum" in schema:
        if kind != "STRING":
            raise Rejected(f"* {path}.enum: only allowed for STRING type\n")
        if "" in schema["enum"]:
            raise Rejected(f"* {path}.enum[{schema['enum'].index('')}]: cannot be empty\n")
    allowed = _FORMATS.get(str(kind))
    if schema.get("format") and allowed and schema["format"] not in allowed:
        listed = " and ".join(f"'{name}'" for name in allowed)
        raise Rejected(f"* {path}.format: only {listed} are supported for {kind} type\n")
    if "anyOf" in schema and set(schema) - {"anyOf", "description", "title", "nullable"}:
        raise Rejected(f"* {path}.any_of: when using any_of, it must be the only field set\n")
    properties = part(schema, "properties")
    for place, name in enumerate(items(schema, "required")):
        if properties and name not in properties:
            raise Rejected(f"* {path}.required[{place}]: property is not defined\n")
    for name, child in properties.items():
        check_proto_schema(child, f"{path}.properties[{name}]")
    if "items" in schema:
        check_proto_schema(schema["items"], f"{path}.items")
    for place, child in enumerate(items(schema, "anyOf")):
        check_proto_schema(child, f"{path}.any_of[{place}]")


def check_json_schema(schema: Json, path: str) -> None:
    """A JSON Schema; absent is fine. Raises: Rejected."""
    broken = flaw(schema) if schema is not None else None
    if broken is not None:
        raise Rejected(f"* {path}: invalid JSON schema: {broken}\n")
    if not isinstance(schema, dict):
        return
    found = cast(JsonObject, schema)
    refused = sorted(_REFUSED & set(found))
    if refused:
        raise Rejected(f"* {path}: unsupported keyword '{refused[0]}' in JSON schema\n")
    beside = [keyword for keyword in found if "$ref" in found and not keyword.startswith("$")]
    if beside:
        raise Rejected(f"* {path}: '{beside[0]}' is not allowed beside '$ref'\n")
    for keyword in ("properties", "$defs", "definitions"):
        for name, child in part(found, keyword).items():
            check_json_schema(child, f"{path}.{keyword}[{name}]")
    for keyword in ("items", "additionalProperties"):
        check_json_schema(found.get(keyword), f"{path}.{keyword}")
    for keyword in ("anyOf", "oneOf", "prefixItems"):
        for place, child in enumerate(items(found, keyword)):
            check_json_schema(child, f"{path}.{keyword}[{place}]")
