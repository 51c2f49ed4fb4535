import pytest

from allgate.core.errors import WireError
from allgate.dialects.gemini.schema_decode import from_json_schema, from_proto


def test_a_json_schema_in_lower_case_is_not_copied():
    schema = {"type": "object", "properties": {"Type": {"type": ["string", "null"]}}}
    assert from_json_schema(schema, "x") is schema


def test_capital_types_are_lower_case_at_every_level_and_names_are_not():
    schema = {
        "type": "OBJECT",
        "properties": {"STRING": {"anyOf": [{"type": "STRING"}, {"type": ["NUMBER", "null"]}]}},
    }
    assert from_json_schema(schema, "x") == {
        "type": "object",
        "properties": {"STRING": {"anyOf": [{"type": "string"}, {"type": ["number", "null"]}]}},
    }


def test_an_unspecified_type_is_none():
    assert from_proto({"type": "TYPE_UNSPECIFIED", "description": "d"}, "x") == {"description": "d"}


def test_property_names_with_underscores_are_the_clients():
    assert from_proto({"properties": {"max_items": {"max_items": "3"}}}, "x") == {
        "properties": {"max_items": {"maxItems": 3}}
    }


@pytest.mark.parametrize("read", [from_json_schema, from_proto])
def test_a_schema_must_be_an_object(read):
    with pytest.raises(WireError, match="parameters"):
        read([], "parameters")
