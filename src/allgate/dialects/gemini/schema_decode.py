"""A client's schema as plain JSON Schema.

`parameters` and `responseSchema` are proto Schemas: `nullable`, snake_case as well as camelCase, counts as strings
(int64). `parametersJsonSchema` and `responseJsonSchema` are JSON Schema already, except that clients write the type names
in capitals (Gemini CLI's router does), which no other vendor takes. The schema as the client wrote it stays in `extra`,
so that a Gemini provider gets exactly that.
"""

import re
from typing import cast

from allgate.dialects.gemini.members import members_of
from allgate.dialects.passes.schema_tree import types_of, with_children
from allgate.wire.json import Json, JsonObject, encode, object_at

_CAPITAL_TYPE = re.compile(rb'"type":\[?"[A-Z]')
_COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
_PROTO_ONLY = ("nullable", "propertyOrdering", "example")


def from_json_schema(schema: Json, path: str) -> JsonObject:
    """A JSON Schema with its type names in lower case. Raises: WireError: not an object."""
    source = object_at(schema, path)
    return _lower(source) if _CAPITAL_TYPE.search(encode(source)) else source


def from_proto(schema: Json, path: str) -> JsonObject:
    """A proto Schema in the words of JSON Schema. Raises: WireError: not an object."""
    return _plain(object_at(schema, path))


def _lower(node: JsonObject) -> JsonObject:
    return _with_lower_type(with_children(node, _lower))


def _plain(node: JsonObject) -> JsonObject:
    node = _with_lower_type(with_children(members_of(node, "schema"), _plain))
    plain = {key: value for key, value in node.items() if key not in _PROTO_ONLY}
    for keyword in _COUNTS:
        count = plain.get(keyword)
        if isinstance(count, str) and count.isdecimal():
            plain[keyword] = int(count)
    if plain.get("type") == "type_unspecified":
        del plain["type"]
    if node.get("nullable") is True:
        if "type" in plain:
            plain["type"] = [*types_of(plain), "null"]
        if isinstance(plain.get("enum"), list):
            plain["enum"] = [*cast(list[Json], plain["enum"]), None]
    return plain


def _with_lower_type(node: JsonObject) -> JsonObject:
    types = node.get("type")
    if isinstance(types, str):
        return node if types.islower() else {**node, "type": types.lower()}
    if isinstance(types, list):
        return {**node, "type": [str(one).lower() for one in cast(list[Json], types)]}
    return node
