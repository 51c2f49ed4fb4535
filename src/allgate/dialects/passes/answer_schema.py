"""Does an answer match the JSON schema that the client wrote? Asked where no vendor has seen to it.

The schema comes from a client and the answer from a model that the client may lead, so both are hostile:
- nothing is fetched: a reference is a JSON pointer into the schema itself, or the schema is refused;
- a pattern is given up after `BACKTRACKS_MAX` steps of its engine;
- a few lines of nested `allOf` mean 2³⁰ comparisons (measured: 13 s on the loop for a schema of 31 definitions). So the
  comparisons that schema and answer make together are counted first, without making them, up to `COMPARISONS_MAX`.
The judge is a library (`jsonschema_rs`, loaded with the first answer that needs it). What it says is not passed on: it
quotes the answer, and this sentence goes to the request log. The place in the client's own schema says enough.
"""

import re
from collections.abc import Iterator
from typing import cast

from allgate.core.errors import wire_error
from allgate.dialects.passes.schema_tree import as_schema, listed, members, pointed, schemas
from allgate.wire.json import Json, JsonObject, encode

SCHEMA_BYTES_MAX = 128 * 1024
"""What OpenAI takes for all schemas of a request (120,000 characters). Reading so much takes 30 ms."""

COMPARISONS_MAX = 20_000
"""A list of 1,000 books with title and year takes 4,001 and 4 ms; the longest answer of any model about 15,000. Counting all
the way takes 70 ms where every step is a branch, which only an attack has."""

BACKTRACKS_MAX = 10_000
"""Of one pattern over one string: 2 ms. A pattern that needs more is taken for one that never ends."""

PATTERN_BYTES_MAX = 1024 * 1024
"""What one compiled pattern may take in memory."""

PLACE_CHARACTERS_MAX = 200

_HERE = ("allOf", "anyOf", "oneOf")
_HERE_ALONE = ("not", "if", "then", "else")
_EVERY_MEMBER = ("additionalProperties", "unevaluatedProperties")
_EVERY_ITEM = ("items", "additionalItems", "unevaluatedItems", "contains")
_REFERENCES = frozenset({"$ref", "$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef"})
_POINTER = re.compile(r"#(/[^%]*)?")
"""The one form that is followed. Names of places, and bases that move, would need the library's own resolver."""


class AnswerSchema:
    """A client's schema, ready to judge. Raises: WireError: it is none that a JSON schema's grammar allows."""

    __slots__ = ("_schema", "_validator")

    def __init__(self, schema: JsonObject) -> None:
        if len(encode(schema)) > SCHEMA_BYTES_MAX:
            raise wire_error(f"The schema of the answer is longer than {SCHEMA_BYTES_MAX} bytes")
        _check_references(schema)
        import jsonschema_rs  # 20 ms and 15 MB, for those alone whose models have no schemas

        options = jsonschema_rs.FancyRegexOptions(
            BACKTRACKS_MAX, size_limit=PATTERN_BYTES_MAX, dfa_size_limit=PATTERN_BYTES_MAX
        )
        try:
            self._validator = jsonschema_rs.validator_for(schema, pattern_options=options, offline=True)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise wire_error(
                f"The schema of the answer is not a JSON schema: {_first_line(error)}"
            ) from error
        self._schema = schema

    def fault(self, answer: Json) -> str | None:
        """Where in the schema the answer first fails, as `properties/year (type)`; None: it matches."""
        if not _can_be_compared(self._schema, answer):
            return f"anywhere: comparing the two would take more than {COMPARISONS_MAX} steps"
        found = next(iter(self._validator.iter_errors(answer)), None)
        if found is None:
            return None
        place = "/".join(str(step) for step in found.schema_path[:-1]) or "its root"
        return (
            f"at {place[:PLACE_CHARACTERS_MAX]} ({found.schema_path[-1] if found.schema_path else 'false'})"
        )


def _check_references(schema: JsonObject) -> None:
    """Only such references as the count below can follow. Raises: WireError."""
    if re.search(r"draft-0[0-4]", str(schema.get("$schema"))):
        raise wire_error("The schema of the answer is of an old draft: write it as draft 6 or later")
    waiting: list[Json] = [{key: value for key, value in schema.items() if key != "$id"}]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += cast(list[Json], node)
        elif isinstance(node, dict):
            found = cast(JsonObject, node)
            for key in found.keys() & _REFERENCES:
                value = found[key]
                if isinstance(value, str) and not (key == "$ref" and _is_inside(schema, value)):
                    raise wire_error(
                        f"The schema of the answer has a {key} that is no JSON pointer into itself"
                    )
            waiting += found.values()


def _is_inside(schema: JsonObject, reference: str) -> bool:
    return _POINTER.fullmatch(reference) is not None and pointed(schema, reference) is not None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:PLACE_CHARACTERS_MAX]


def _can_be_compared(schema: JsonObject, answer: Json) -> bool:
    """Whether the pairs of a schema and a value that stand against each other are at most `COMPARISONS_MAX`."""
    waiting: list[tuple[JsonObject, Json]] = [(schema, answer)]
    for _ in range(COMPARISONS_MAX):
        if not waiting:
            return True
        node, value = waiting.pop()
        waiting += ((child, value) for child in _on_the_same(node))
        if "$ref" in node:
            waiting.append((pointed(schema, node["$ref"]) or {}, value))
        if isinstance(value, dict):
            waiting += _on_members(node, cast(JsonObject, value))
        elif isinstance(value, list):
            waiting += _on_items(node, cast(list[Json], value))
    return False


def _on_the_same(node: JsonObject) -> Iterator[JsonObject]:
    """The schemas inside `node` that are held against the same value."""
    for keyword in _HERE:
        if keyword in node:
            yield from schemas(node[keyword])
    for keyword in _HERE_ALONE:
        if isinstance(node.get(keyword), dict):
            yield node[keyword]
    if "dependentSchemas" in node:
        yield from members(node["dependentSchemas"]).values()


def _on_members(node: JsonObject, value: JsonObject) -> Iterator[tuple[JsonObject, Json]]:
    declared = members(node.get("properties"))
    every = [
        *members(node.get("patternProperties")).values(),
        *(as_schema(node[keyword]) for keyword in _EVERY_MEMBER if isinstance(node.get(keyword), dict)),
    ]
    for name, member in value.items():
        if name in declared:
            yield declared[name], member
        for schema in every:
            yield schema, member


def _on_items(node: JsonObject, value: list[Json]) -> Iterator[tuple[JsonObject, Json]]:
    placed = [schema for keyword in ("prefixItems", "items") for schema in schemas(listed(node.get(keyword)))]
    yield from zip(placed, value, strict=False)
    every = [as_schema(node[keyword]) for keyword in _EVERY_ITEM if isinstance(node.get(keyword), dict)]
    for item in value:
        for schema in every:
            yield schema, item
