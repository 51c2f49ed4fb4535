"""The client's JSON schema, as each target takes it.

One function per grammar that a target speaks. All are pure and give the adapted schema with notes of what was changed;
what a target takes as it is comes back equal. An agent sends the same thirty tools with every request, so results are
remembered by the schema's own bytes. The rules of each target are in the module named after it.
"""

from collections.abc import Callable
from functools import lru_cache

from allgate.dialects.passes.schema_anthropic import input_schema, output_schema
from allgate.dialects.passes.schema_gemini_json import gemini_json
from allgate.dialects.passes.schema_gemini_proto import gemini_proto
from allgate.dialects.passes.schema_openai import is_strict, openai_schema
from allgate.dialects.passes.schema_tree import Losses
from allgate.operations.chat.notes import Note
from allgate.wire.json import JsonObject, decode_object, encode

__all__ = [
    "for_anthropic_input", "for_anthropic_output", "for_gemini_json", "for_gemini_proto",
    "for_gemini_proto_output", "for_openai", "is_strict",
]  # fmt: skip

Adapted = tuple[JsonObject, tuple[Note, ...]]

_REMEMBERED = 512  # schemas per grammar: some ten agents' tool sets
_REMEMBERED_BYTES_MAX = 16 * 1024  # of one schema, so that what is remembered stays below 8 MB per grammar


def _remembering(adapt: Callable[[JsonObject], Adapted]) -> Callable[[JsonObject], Adapted]:
    @lru_cache(_REMEMBERED)
    def remembered(schema_json: bytes) -> Adapted:
        return adapt(decode_object(schema_json, "schema"))

    def adapted(schema: JsonObject) -> Adapted:
        schema_json = encode(schema)
        return remembered(schema_json) if len(schema_json) <= _REMEMBERED_BYTES_MAX else adapt(schema)

    return adapted


def for_openai(schema: JsonObject, strict: bool | None) -> Adapted:
    """For `parameters` and `json_schema.schema`. Send `strict` only where `is_strict(schema)`; a note says when not."""
    return _for_openai_strict(schema) if strict else _for_openai_plain(schema)


@_remembering
def _for_openai_plain(schema: JsonObject) -> Adapted:
    losses = Losses("openai")
    return openai_schema(schema, None, losses), losses.notes()


@_remembering
def _for_openai_strict(schema: JsonObject) -> Adapted:
    losses = Losses("openai")
    return openai_schema(schema, True, losses), losses.notes()


@_remembering
def for_anthropic_input(schema: JsonObject) -> Adapted:
    """For a tool's `input_schema`: one plain object at the root."""
    losses = Losses("anthropic")
    return input_schema(schema, losses), losses.notes()


@_remembering
def for_anthropic_output(schema: JsonObject) -> Adapted:
    """For `output_config.format` and strict tools. Raises: WireError: a recursive schema."""
    losses = Losses("anthropic")
    return output_schema(schema, losses), losses.notes()


@_remembering
def for_gemini_json(schema: JsonObject) -> Adapted:
    """For `parametersJsonSchema` and `responseJsonSchema`."""
    losses = Losses("gemini")
    return gemini_json(schema, losses), losses.notes()


@_remembering
def for_gemini_proto(schema: JsonObject) -> Adapted:
    """For `parameters`, the proto Schema. Leave the member out where the result has no properties."""
    losses = Losses("gemini")
    return gemini_proto(schema, losses), losses.notes()


@_remembering
def for_gemini_proto_output(schema: JsonObject) -> Adapted:
    """For `responseSchema`: as `for_gemini_proto`, with propertyOrdering."""
    losses = Losses("gemini")
    return gemini_proto(schema, losses, ordered=True), losses.notes()
