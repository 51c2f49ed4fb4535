"""JSON schemas for Gemini's older grammar, the proto Schema of `parameters` and `responseSchema`.

No references, no null types (`nullable` instead), text as the only enumerated values, and a parser that rejects the
whole request on the first member it does not know: only known members leave here. References are expanded within
`_NODES_MAX` and never around a circle. Enumerated values of another kind go into the description.
"""

from allgate.dialects.passes.schema_gemini_json import in_common_words
from allgate.dialects.passes.schema_tree import (
    DEFINITIONS,
    Losses,
    as_schema,
    listed,
    members,
    merged,
    names,
    referred,
    schemas,
    types_of,
    with_children,
    without_all_of,
)
from allgate.wire.json import JsonObject, encode_text

# The members of google.ai.generativelanguage.v1beta.Schema, less those it documents as ignored.
_PROTO_KEYWORDS = frozenset(
    {
        "type", "format", "title", "description", "nullable", "enum", "items", "minItems", "maxItems", "properties",
        "required", "propertyOrdering", "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "anyOf",
        "minimum", "maximum",
    }
)  # fmt: skip
_PROTO_FORMATS = frozenset({"enum", "date-time", "int32", "int64", "float", "double"})
_BESIDE_ANY_OF = frozenset({"title", "description", "nullable"})

_NODES_MAX = 2_000
"""Nodes of one expanded schema: the largest tool schemas seen have 300; a schema of references that double at each
level would otherwise fill memory."""
_DEPTH_MAX = 32  # levels of an expanded schema; the proto parser itself stops at 64 levels of JSON


def gemini_proto(schema: JsonObject, losses: Losses, *, ordered: bool = False) -> JsonObject:
    """`schema` as a proto Schema; `ordered` adds propertyOrdering, by which constrained output keeps the order."""
    return _Expansion(schema, losses, ordered).node(schema, ())


class _Expansion:
    """One expansion of references: which schema is the root, how many nodes are left."""

    __slots__ = ("_losses", "_nodes_left", "_ordered", "_root")

    def __init__(self, root: JsonObject, losses: Losses, ordered: bool) -> None:
        self._root = root
        self._losses = losses
        self._ordered = ordered
        self._nodes_left = _NODES_MAX

    def node(self, node: JsonObject, within: tuple[str, ...], depth: int = 0) -> JsonObject:
        """`node` in the proto grammar; `within` are the references it stands in."""
        self._nodes_left -= 1
        if self._nodes_left < 0 or depth > _DEPTH_MAX:
            self._losses.converted("$ref", "expanded too far, cut to a plain object")
            return {"type": "object"}
        if "$ref" in node:
            return self._expanded(node, within, depth)
        node = _nullable(in_common_words(without_all_of(node, self._root, self._losses), self._losses))
        if len(types_of(node)) > 1:
            node = _one_branch_per_type(node)
        if "anyOf" in node:
            return self._alternatives(node, within, depth)
        self._fit(node)
        kept = {key: value for key, value in node.items() if key in _PROTO_KEYWORDS}
        for keyword in node.keys() - kept.keys() - {"$defs"}:
            self._losses.dropped(keyword)
        return with_children(kept, lambda child: self.node(child, within, depth + 1))

    def _expanded(self, node: JsonObject, within: tuple[str, ...], depth: int) -> JsonObject:
        reference = str(node["$ref"])
        beside = {key: value for key, value in node.items() if key != "$ref" and key not in DEFINITIONS}
        target = referred(self._root, reference)
        if target is None or reference in within:
            self._losses.converted("$ref", "a circle of references cut to a plain object")
            return {
                "type": "object",
                **{key: beside[key] for key in ("title", "description") if key in beside},
            }
        self._losses.converted("$ref", "references expanded")
        target = {key: value for key, value in target.items() if key not in DEFINITIONS}
        return self.node(merged(beside, target), (*within, reference), depth)

    def _alternatives(self, node: JsonObject, within: tuple[str, ...], depth: int) -> JsonObject:
        """Only title, description and nullable may stand beside anyOf: the rest goes into each branch."""
        outside = {key: value for key, value in node.items() if key in _BESIDE_ANY_OF}
        shared = {
            k: v for k, v in node.items() if k not in _BESIDE_ANY_OF and k != "anyOf" and k not in DEFINITIONS
        }
        branches = [merged(branch, shared) for branch in schemas(node["anyOf"])]
        if len(branches) == 1:
            return self.node(merged(outside, branches[0]), within, depth)
        return {**outside, "anyOf": [self.node(branch, within, depth + 1) for branch in branches]}

    def _fit(self, node: JsonObject) -> None:
        """Make the members of one node, which is the caller's copy, what the proto grammar takes."""
        if node.get("type") == "null":
            node.update(type="string", nullable=True)
        _strings_only(node, self._losses)
        if "format" in node and str(node["format"]) not in _PROTO_FORMATS:
            self._losses.dropped("format")
            del node["format"]
        if "prefixItems" in node:
            _items_for_tuple(node, self._losses)
        if node.get("type") == "array" and not isinstance(node.get("items"), dict):
            node["items"] = {"type": "string"}
        self._fit_properties(node)

    def _fit_properties(self, node: JsonObject) -> None:
        properties = members(node.pop("properties", None))
        if properties:
            node["properties"] = properties
            if self._ordered and "propertyOrdering" not in node:
                node["propertyOrdering"] = list(properties)
        wanted = listed(node.pop("required", None))
        if known := [name for name in names(wanted) if name in properties]:
            node["required"] = known
        if len(known) < len(wanted):
            self._losses.dropped("required")


def _nullable(node: JsonObject) -> JsonObject:
    """Null among the types or the alternatives, said as `nullable`. `node` is the caller's copy."""
    types = [one for one in types_of(node) if one != "null"]
    if types and len(types) < len(types_of(node)):
        node.update(type=types[0] if len(types) == 1 else types, nullable=True)
    branches = schemas(node.get("anyOf"))
    others = [branch for branch in branches if types_of(branch) != ("null",)]
    if others and len(others) < len(branches):
        node.update(anyOf=others, nullable=True)
    return node


def _one_branch_per_type(node: JsonObject) -> JsonObject:
    beside = {key: value for key, value in node.items() if key in _BESIDE_ANY_OF}
    inside = {key: value for key, value in node.items() if key not in _BESIDE_ANY_OF and key != "anyOf"}
    either = schemas(node.get("anyOf")) or [{}]
    return {
        **beside,
        "anyOf": [{**inside, **branch, "type": one} for one in types_of(node) for branch in either],
    }


def _strings_only(node: JsonObject, losses: Losses) -> None:
    """Proto enums are non-empty strings; others are named in the description instead."""
    values = listed(node.pop("enum", None))
    texts = [value for value in values if isinstance(value, str) and value]
    if len(texts) == len(values):
        node.update({"enum": texts} if texts else {})
    elif any(not isinstance(value, str) for value in values):
        losses.converted("enum", "values that are not text moved into the description")
        words = f"One of: {encode_text(values)}"
        before = node.get("description")
        node["description"] = f"{before}\n{words}" if isinstance(before, str) and before else words
    else:
        losses.converted("enum", "the empty value left out")
        node["enum"] = texts


def _items_for_tuple(node: JsonObject, losses: Losses) -> None:
    losses.converted("prefixItems", "sent as alternatives for each item")
    places = schemas(node.pop("prefixItems"))
    rest = node.pop("items", None)
    if places:
        node.setdefault("minItems", len(places))
        if rest is None or rest is False:
            node.setdefault("maxItems", len(places))
        open_ended = [as_schema(rest)] if isinstance(rest, dict) else []
        either = [*places, *open_ended]
        node["items"] = either[0] if len(either) == 1 else {"anyOf": either}
