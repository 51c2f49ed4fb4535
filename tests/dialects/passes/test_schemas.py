"""Golden pairs: what a client declares, what each target gets. Numbers are those of the list of peers' bugs."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allgate.core.errors import WireError
from allgate.dialects.passes.schemas import (
    for_anthropic_input,
    for_anthropic_output,
    for_gemini_json,
    for_gemini_proto,
    for_gemini_proto_output,
    for_openai,
    is_strict,
)

PLAIN = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": "Where"},
        "days": {"type": "integer", "minimum": 1},
    },
    "required": ["city"],
}
NODE = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/Node"}},
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {"next": {"$ref": "#/$defs/Node"}, "name": {"type": "string"}},
        }
    },
}
ADAPTERS = [
    lambda schema: for_openai(schema, None),
    lambda schema: for_openai(schema, True),
    for_anthropic_input,
    for_anthropic_output,
    for_gemini_json,
    for_gemini_proto,
    for_gemini_proto_output,
]


def paths(notes):
    return {note.path for note in notes}


def test_a_plain_schema_goes_to_every_target_as_it_is():
    for adapt in (ADAPTERS[0], for_anthropic_input, for_gemini_json, for_gemini_proto):
        assert adapt(PLAIN) == (PLAIN, ())


def test_the_clients_schema_is_never_changed_in_place():
    schemas = [NODE, PLAIN, {"oneOf": [{"const": 1}, {"allOf": [{"enum": [None]}]}]}]
    before = json.dumps(schemas)
    for adapt in ADAPTERS:
        for schema in schemas:
            if not (adapt is for_anthropic_output and schema is NODE):
                adapt(schema)
    assert json.dumps(schemas) == before


# --- OpenAI


def test_a_function_without_parameters_gets_an_empty_object():
    """Regression 83."""
    assert for_openai({}, None) == ({"type": "object", "properties": {}}, ())
    assert for_openai({"type": "object"}, None)[0] == {"type": "object", "properties": {}}


def test_a_boolean_in_the_place_of_a_schema_becomes_an_object_but_additional_properties_stays():
    schema = {"type": "object", "properties": {"any": True}, "additionalProperties": False}
    assert for_openai(schema, None)[0] == {**schema, "properties": {"any": {}}}


def test_a_root_that_is_no_object_is_wrapped_with_a_note():
    schema, notes = for_openai({"type": "array", "items": {"type": "string"}}, None)
    assert schema["properties"]["value"] == {"type": "array", "items": {"type": "string"}}
    assert paths(notes) == {"schema.type"}


def test_strict_is_only_for_a_schema_that_meets_its_rules_as_it_is():
    strict = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    closed = {**strict, "additionalProperties": False}
    assert is_strict(closed)
    assert for_openai(closed, True) == (closed, ())
    for schema in (
        strict,
        {**closed, "required": []},
        {**closed, "properties": {"a": {"type": "string", "minLength": 2}}},
        {**closed, "properties": {"a": {"type": "object", "properties": {}}}},
    ):
        assert not is_strict(schema)
        assert for_openai(schema, True)[0] == schema
        assert paths(for_openai(schema, True)[1]) == {"schema.strict"}


# --- Anthropic


def test_alternatives_at_the_root_are_folded_into_one_object_and_told_in_words():
    schema, notes = for_anthropic_input(
        {
            "anyOf": [
                {
                    "type": "object",
                    "properties": {"id": {"type": "string"}, "n": {}},
                    "required": ["id", "n"],
                },
                {
                    "type": "object",
                    "properties": {"url": {"type": "string"}, "n": {}},
                    "required": ["url", "n"],
                },
            ]
        }
    )
    assert schema["type"] == "object"
    assert list(schema["properties"]) == ["id", "n", "url"]
    assert schema["required"] == ["n"]
    assert '["id","n"] or ["url","n"]' in schema["description"]
    assert paths(notes) == {"schema.anyOf"}


def test_all_of_at_the_root_is_merged_through_references():
    schema, _ = for_anthropic_input(
        {
            "allOf": [{"$ref": "#/$defs/Base"}, {"properties": {"b": {"minimum": 2}}, "required": ["b"]}],
            "$defs": {"Base": {"properties": {"a": {}, "b": {"minimum": 1}}, "required": ["a"]}},
        }
    )
    assert schema["properties"] == {"a": {}, "b": {"minimum": 2}}
    assert schema["required"] == ["a", "b"]
    assert schema["type"] == "object"


def test_a_root_that_is_a_reference_is_entered():
    schema, _ = for_anthropic_input({"$ref": "#/$defs/A", "$defs": {"A": PLAIN}})
    assert schema == {**PLAIN, "$defs": {"A": PLAIN}}


def test_not_at_the_root_is_dropped_with_a_note():
    schema, notes = for_anthropic_input({**PLAIN, "not": {"required": ["x"]}})
    assert schema == PLAIN
    assert paths(notes) == {"schema.not"}


def test_output_schemas_are_closed_and_limits_move_into_the_description():
    schema, notes = for_anthropic_output(
        {
            "type": "object",
            "properties": {
                "age": {"type": "integer", "minimum": 3, "description": "Years"},
                "tags": {"type": "array", "items": {"type": "string", "maxLength": 9}, "minItems": 1},
                "pair": {"oneOf": [{"type": "string", "pattern": "^(?=a)"}, {"type": "null"}]},
            },
        }
    )
    assert schema["additionalProperties"] is False
    assert schema["properties"]["age"] == {"type": "integer", "description": "Years\nNote: minimum value: 3"}
    assert schema["properties"]["tags"]["minItems"] == 1
    assert schema["properties"]["tags"]["items"]["description"] == "Note: maximum length: 9"
    assert schema["properties"]["pair"]["anyOf"][0] == {
        "type": "string",
        "description": "Note: pattern: ^(?=a)",
    }
    assert paths(notes) == {"schema.minimum", "schema.maxLength", "schema.oneOf", "schema.pattern"}


def test_a_recursive_output_schema_is_refused_for_anthropic():
    with pytest.raises(WireError, match="recursive"):
        for_anthropic_output(NODE)


def test_definitions_used_twice_are_not_taken_for_a_circle():
    schema, _ = for_anthropic_output(
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/P"}, "b": {"$ref": "#/$defs/P", "title": "gone"}},
            "$defs": {"P": {"type": "object", "properties": {}}},
        }
    )
    assert schema["properties"] == {"a": {"$ref": "#/$defs/P"}, "b": {"$ref": "#/$defs/P"}}
    assert schema["$defs"]["P"]["additionalProperties"] is False


# --- Gemini, JSON Schema


def test_regression_26_keywords_that_gemini_rejects_are_adapted():
    schema, notes = for_gemini_json(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "type": "object",
            "properties": {
                "kind": {"const": "a"},
                "list": {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "default": []},
                "map": {"type": "object", "propertyNames": {"pattern": "x"}, "patternProperties": {"^x": {}}},
            },
        }
    )
    assert schema["properties"] == {
        "kind": {"type": "string", "enum": ["a"]},
        "list": {"type": "array", "items": {"type": "string"}},
        "map": {"type": "object"},
    }
    assert "$schema" not in schema
    assert paths(notes) == {
        "schema.$schema",
        "schema.const",
        "schema.uniqueItems",
        "schema.default",
        "schema.propertyNames",
        "schema.patternProperties",
    }


@pytest.mark.parametrize("adapt", [for_gemini_json, for_gemini_proto])
def test_regression_25_an_exclusive_bound_inside_a_branch_becomes_inclusive(adapt):
    schema, _ = adapt(
        {"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "number", "exclusiveMaximum": 1.5}]}
    )
    assert schema["anyOf"] == [{"type": "integer", "minimum": 1}, {"type": "number", "maximum": 1.5}]


def test_references_stay_and_only_dollar_members_stand_beside_them():
    schema, notes = for_gemini_json(
        {
            "type": "object",
            "properties": {"a": {"$ref": "#/definitions/A", "description": "x"}},
            "definitions": {"A": PLAIN},
        }
    )
    assert schema["properties"]["a"] == {"$ref": "#/$defs/A"}
    assert schema["$defs"] == {"A": PLAIN}
    assert paths(notes) == {"schema.description"}


def test_regression_27_a_recursive_schema_stays_a_reference_in_json_schema():
    assert for_gemini_json(NODE) == (NODE, ())


# --- Gemini, proto


def test_regression_24_additional_properties_is_stripped_at_every_level():
    schema, notes = for_gemini_proto(
        {
            "type": "object",
            "properties": {
                "a": {
                    "type": "object",
                    "properties": {"b": {"type": "string"}},
                    "additionalProperties": False,
                }
            },
            "additionalProperties": False,
        }
    )
    assert "additionalProperties" not in json.dumps(schema)
    assert paths(notes) == {"schema.additionalProperties"}


def test_regression_27_a_recursive_schema_is_cut_to_a_plain_object_in_proto():
    schema, notes = for_gemini_proto(NODE)
    assert schema["properties"]["root"]["properties"] == {
        "next": {"type": "object"},
        "name": {"type": "string"},
    }
    assert "$defs" not in schema
    assert paths(notes) == {"schema.$ref"}


def test_references_that_double_at_each_level_are_cut():
    levels = {
        f"L{n}": {"properties": {"a": {"$ref": f"#/$defs/L{n + 1}"}, "b": {"$ref": f"#/$defs/L{n + 1}"}}}
        for n in range(24)
    }
    schema, notes = for_gemini_proto(
        {"type": "object", "properties": {"x": {"$ref": "#/$defs/L0"}}, "$defs": levels}
    )
    assert len(json.dumps(schema)) < 300_000
    assert "schema.$ref" in paths(notes)


def test_branches_that_refer_to_themselves_end():
    schema = {
        "$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/A"}], "type": "string"}},
        "$ref": "#/$defs/A",
    }
    for adapt in (for_gemini_proto, for_gemini_json, for_anthropic_input, ADAPTERS[0]):
        adapt(schema)


def test_null_among_types_or_branches_becomes_nullable():
    schema, _ = for_gemini_proto(
        {
            "type": "object",
            "properties": {
                "a": {"type": ["string", "null"]},
                "b": {"anyOf": [{"type": "integer"}, {"type": "null"}], "description": "b"},
                "c": {"type": ["string", "integer"], "description": "c"},
            },
        }
    )
    assert schema["properties"] == {
        "a": {"type": "string", "nullable": True},
        "b": {"type": "integer", "nullable": True, "description": "b"},
        "c": {"description": "c", "anyOf": [{"type": "string"}, {"type": "integer"}]},
    }


def test_proto_enums_are_text_and_others_are_told_in_words():
    schema, _ = for_gemini_proto(
        {
            "type": "object",
            "properties": {
                "n": {"type": "integer", "enum": [1, 2]},
                "s": {"type": "string", "enum": ["", "x"]},
            },
        }
    )
    assert schema["properties"] == {
        "n": {"type": "integer", "description": "One of: [1,2]"},
        "s": {"type": "string", "enum": ["x"]},
    }


def test_what_stands_beside_any_of_goes_into_each_branch():
    schema, _ = for_gemini_proto(
        {"description": "d", "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
         "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    )  # fmt: skip
    assert schema.keys() == {"description", "anyOf"}
    assert [branch["required"] for branch in schema["anyOf"]] == [["a"], ["b"]]
    assert all(branch["properties"].keys() == {"a", "b"} for branch in schema["anyOf"])


def test_odd_arrays_objects_formats_and_required_names_are_made_to_fit():
    schema, notes = for_gemini_proto(
        {
            "type": "object",
            "properties": {
                "bare": {"type": "array"},
                "tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
                "empty": {"type": "object", "properties": {}},
                "mail": {"type": "string", "format": "email"},
            },
            "required": ["bare", "gone"],
        }
    )
    assert schema["properties"]["bare"] == {"type": "array", "items": {"type": "string"}}
    assert schema["properties"]["tuple"]["minItems"] == schema["properties"]["tuple"]["maxItems"] == 2
    assert schema["properties"]["tuple"]["items"] == {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    assert schema["properties"]["empty"] == {"type": "object"}
    assert schema["properties"]["mail"] == {"type": "string"}
    assert schema["required"] == ["bare"]
    assert paths(notes) == {"schema.prefixItems", "schema.format", "schema.required"}


def test_a_response_schema_says_the_order_of_its_properties():
    assert for_gemini_proto_output(PLAIN)[0]["propertyOrdering"] == ["city", "days"]


# --- whatever comes

KEYWORDS = st.sampled_from(
    ["type", "properties", "items", "anyOf", "oneOf", "allOf", "$ref", "$defs", "enum", "const", "required", "not", "format",
     "prefixItems", "additionalProperties", "minimum", "exclusiveMinimum", "minItems", "nullable", "description", "x"]
)  # fmt: skip
LEAVES = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        1.5,
        "object",
        "array",
        "null",
        "string",
        "",
        "#",
        "#/$defs/x",
        "#/properties/type",
        ["a"],
        [1],
        [],
    ]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYWORDS, SCHEMAS, max_size=6))
def test_any_object_is_adapted_or_refused_as_a_wire_error(schema):
    for adapt in ADAPTERS:
        try:
            json.dumps(adapt(schema)[0])
        except WireError:
            assert adapt is for_anthropic_output


def test_a_schema_as_deep_as_json_may_be_is_adapted():
    schema: dict = {"type": "string"}
    for _ in range(190):
        schema = {"items": schema, "type": "array"}
    for adapt in ADAPTERS:
        adapt({"type": "object", "items": schema})
