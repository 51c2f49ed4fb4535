"""The judge of answers by a client's schema: every keyword, bounded work, and nothing fetched."""

import pytest

from allgate.core.errors import WireError
from allgate.dialects.passes.answer_schema import COMPARISONS_MAX, SCHEMA_BYTES_MAX, AnswerSchema

BOOK = {
    "type": "object",
    "properties": {"title": {"type": "string", "minLength": 1}, "year": {"type": "integer", "minimum": 1400}},
    "required": ["title", "year"],
    "additionalProperties": False,
}
BOOKS = {
    "type": "object",
    "properties": {"books": {"type": "array", "items": {"$ref": "#/$defs/book"}}},
    "required": ["books"],
    "$defs": {"book": BOOK},
}
DUNE = {"title": "Dune", "year": 1965}


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"books": [DUNE]}, None),
        ({}, "at its root (required)"),
        ([], "at its root (type)"),
        ({"books": [{"title": "Dune", "year": "1965"}]}, "at $defs/book/properties/year (type)"),
        ({"books": [DUNE, {"title": "", "year": 1965}]}, "at $defs/book/properties/title (minLength)"),
        ({"books": [{**DUNE, "price": 9}]}, "at $defs/book (additionalProperties)"),
    ],
)
def test_a_fault_is_told_by_its_place_in_the_schema(answer: object, fault: str | None) -> None:
    assert AnswerSchema(BOOKS).fault(answer) == fault


def test_a_fault_quotes_nothing_of_the_answer() -> None:
    """The sentence goes to the request log, which holds no content."""
    assert "secret" not in str(AnswerSchema(BOOKS).fault({"books": ["my secret"], "secret": 1}))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "strin"},
        {"properties": 5},
        {"pattern": "("},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.com/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/%24defs/a", "%24defs": {"a": {}}, "$defs": {"a": {}}},
        {"$defs": {"a": {"$id": "https://example.com/a"}}},
        {"$defs": {"a": {"$anchor": "there"}}, "$ref": "#there"},
        {"$dynamicRef": "#/$defs/a", "$defs": {"a": {}}},
        {"$schema": "http://json-schema.org/draft-04/schema#"},
        {"description": "x" * SCHEMA_BYTES_MAX},
    ],
)
def test_a_schema_that_is_none_or_leads_elsewhere_is_a_400(schema: dict) -> None:
    with pytest.raises(WireError, match="schema of the answer"):
        AnswerSchema(schema)


@pytest.mark.parametrize("draft", ["http://json-schema.org/draft-07/schema#", None])
def test_the_drafts_that_clients_write_are_understood(draft: str | None) -> None:
    schema = {**BOOKS, "$id": "https://example.com/books"} | ({"$schema": draft} if draft else {})
    assert AnswerSchema(schema).fault({"books": [DUNE]}) is None


def doubling(levels: int, **last: object) -> dict:
    """Thirty-one lines that mean 2³⁰ comparisons."""
    definitions = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**definitions, f"d{levels}": last}, "$ref": "#/$defs/d0"}


def test_what_would_take_too_many_comparisons_is_not_begun() -> None:
    assert AnswerSchema(doubling(30, type="object")).fault({}) == (
        f"anywhere: comparing the two would take more than {COMPARISONS_MAX} steps"
    )
    assert AnswerSchema(doubling(10, type="object")).fault({}) is None


def test_a_reference_beside_another_counts_with_all_it_leads_to() -> None:
    chain = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}", "not": {"$ref": f"#/$defs/d{n + 1}"}} for n in range(40)}
    schema = {"$defs": {**chain, "d40": {}}, "$ref": "#/$defs/d0"}
    assert "more than" in str(AnswerSchema(schema).fault({}))


def test_a_pattern_that_never_ends_is_given_up() -> None:
    schema = {"type": "string", "pattern": "^(a+)+(?=b)$"}
    assert AnswerSchema(schema).fault("a" * 40_000) == "at its root (pattern)"


def test_a_schema_may_lead_back_to_itself() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}
    assert AnswerSchema(node).fault({"next": {"next": {}}}) is None
    assert AnswerSchema(node).fault({"next": {"net": {}}}) == "at its root (additionalProperties)"
