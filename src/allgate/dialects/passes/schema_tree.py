"""A JSON schema as a tree: walk it, follow its references, merge what must hold together, say what was lost.

The adapters (`schema_openai`, `schema_anthropic`, `schema_gemini_json`, `schema_gemini_proto`) are written with these. A schema is never
changed in place: the client's request keeps its own, because a fallback may encode it again for another target.
`true` and `false` in the place of a schema become `{}` and `{"not": {}}`; beside `additionalProperties` and its like
they stay what they are.
"""

from collections.abc import Callable
from typing import cast

from allgate.operations.chat.notes import Note, converted, dropped
from allgate.wire.json import Json, JsonObject

Visit = Callable[[JsonObject], JsonObject]

_IN_MEMBERS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_IN_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_ALONE = frozenset({"items", "contains", "propertyNames", "not", "if", "then", "else", "contentSchema"})
_ALONE_OR_BOOLEAN = frozenset(
    {"additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems"}
)
DEFINITIONS = ("$defs", "definitions")
_REF_HOPS_MAX = 32  # a reference to a reference to …: real schemas have one or two

_THE_LARGER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_THE_SMALLER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})


class Losses:
    """What an adapter changed, each keyword once, as notes. Property names are the client's and are not repeated."""

    __slots__ = ("_notes", "_target")

    def __init__(self, target: str) -> None:
        self._target = target
        self._notes: dict[Note, None] = {}

    def dropped(self, keyword: str) -> None:
        self._notes[dropped(f"schema.{keyword}", f"not supported by {self._target}")] = None

    def converted(self, keyword: str, how: str) -> None:
        self._notes[converted(f"schema.{keyword}", how)] = None

    def notes(self) -> tuple[Note, ...]:
        return tuple(self._notes)


def as_schema(value: Json) -> JsonObject:
    """`value` as a schema object: `{}` for true and for what is no schema at all, `{"not": {}}` for false."""
    if isinstance(value, dict):
        return cast(JsonObject, value)
    return {"not": {}} if value is False else {}


def schemas(value: Json) -> list[JsonObject]:
    """The members of a list of schemas; none where it is no list."""
    return [as_schema(member) for member in listed(value)]


def members(value: Json) -> dict[str, JsonObject]:
    """Name → schema of a map of schemas; empty where it is no object."""
    if not isinstance(value, dict):
        return {}
    return {name: as_schema(member) for name, member in cast(JsonObject, value).items()}


def names(value: Json) -> list[str]:
    """The strings of a list, such as `required`; none where it is no list."""
    return [one for one in listed(value) if isinstance(one, str)]


def listed(value: Json) -> list[Json]:
    """`value` if it is a list, else nothing."""
    return cast(list[Json], value) if isinstance(value, list) else []


def with_children(schema: JsonObject, visit: Visit) -> JsonObject:
    """A copy of `schema` with `visit` applied to each schema directly inside it."""
    copy = dict(schema)
    for keyword, value in schema.items():
        if keyword in _IN_MEMBERS:
            copy[keyword] = {name: visit(child) for name, child in members(value).items()}
        elif keyword in _IN_LISTS or (keyword == "items" and isinstance(value, list)):
            copy[keyword] = [visit(child) for child in schemas(value)]
        elif keyword in _ALONE or (keyword in _ALONE_OR_BOOLEAN and isinstance(value, dict)):
            copy[keyword] = visit(as_schema(value))
    return copy


def children(schema: JsonObject) -> list[JsonObject]:
    """The schemas directly inside `schema`."""
    found: list[JsonObject] = []

    def seen(child: JsonObject) -> JsonObject:
        found.append(child)
        return child

    with_children(schema, seen)
    return found


def types_of(schema: JsonObject) -> tuple[str, ...]:
    """The types a schema names, in order; empty where it names none."""
    named = schema.get("type")
    if isinstance(named, str):
        return (named,)
    return tuple(str(one) for one in listed(named))


def referred(root: JsonObject, reference: Json) -> JsonObject | None:
    """What a local reference (`#`, `#/$defs/Node`) points to, through further references; None where to nothing."""
    for _ in range(_REF_HOPS_MAX):
        target = pointed(root, reference)
        if target is None or "$ref" not in target:
            return target
        reference = target["$ref"]
    return None


def pointed(root: JsonObject, reference: Json) -> JsonObject | None:
    """What a local reference itself points to, which may be another; None where to nothing."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    node: Json = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list):
            place = int(name) if name.isdecimal() else -1
            node = cast(list[Json], node)[place] if 0 <= place < len(cast(list[Json], node)) else None
        else:
            node = cast(JsonObject, node).get(name) if isinstance(node, dict) else None
    return as_schema(node) if isinstance(node, (dict, bool)) else None


def is_recursive(schema: JsonObject) -> bool:
    """Whether some reference leads back to a schema that it stands in."""
    return _returns(schema, schema, (), set())


def _returns(root: JsonObject, node: JsonObject, above: tuple[int, ...], done: set[int]) -> bool:
    if id(node) in above:
        return True
    if id(node) in done:
        return False
    inside = [child for key in node if key not in DEFINITIONS for child in children({key: node[key]})]
    target = referred(root, node["$ref"]) if "$ref" in node else None
    found = any(
        _returns(root, child, (*above, id(node)), done) for child in (*inside, *((target,) if target else ()))
    )
    done.add(id(node))
    return found


def merged(left: JsonObject, right: JsonObject) -> JsonObject:
    """One schema that demands what both demand, as far as their keywords can say it; `left` is heard first."""
    both = dict(left)
    for keyword, value in right.items():
        both[keyword] = _both(keyword, left[keyword], value) if keyword in left else value
    return both


def _both(keyword: str, left: Json, right: Json) -> Json:
    match keyword:
        case "properties" | "$defs" | "definitions" | "patternProperties":
            named = members(left)
            return named | {n: merged(named[n], s) if n in named else s for n, s in members(right).items()}
        case "required" | "allOf":
            return [*listed(left), *(one for one in listed(right) if one not in listed(left))]
        case "enum":
            return [value for value in listed(left) if value in listed(right)] or left
        case "type":
            shared = [one for one in types_of({"type": left}) if one in types_of({"type": right})]
            return shared[0] if len(shared) == 1 else shared or left
        case "description" if left != right:
            return f"{left}\n{right}"
        case "additionalProperties" if right is False:
            return False
        case _ if keyword in _THE_LARGER and _is_number(left) and _is_number(right):
            return max(left, right)
        case _ if keyword in _THE_SMALLER and _is_number(left) and _is_number(right):
            return min(left, right)
        case _:
            return left


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def without_all_of(schema: JsonObject, root: JsonObject, losses: Losses) -> JsonObject:
    """`schema` with its `allOf` merged into it, references among the branches followed; itself where it has none."""
    followed: set[str] = (
        set()
    )  # a branch merged twice adds nothing, so one that leads back to itself ends here
    while "allOf" in schema:
        losses.converted("allOf", "branches merged")
        branches = schemas(schema["allOf"])
        schema = {key: value for key, value in schema.items() if key != "allOf"}
        for branch in branches:
            schema = merged(schema, _standing_alone(branch, root, followed))
    return schema


def _standing_alone(branch: JsonObject, root: JsonObject, followed: set[str]) -> JsonObject:
    reference = branch.get("$ref")
    if reference is None:
        return branch
    beside = {key: value for key, value in branch.items() if key != "$ref"}
    if str(reference) in followed:
        return beside
    followed.add(str(reference))
    target = referred(root, reference) or {}
    return merged(beside, {key: value for key, value in target.items() if key not in DEFINITIONS})
