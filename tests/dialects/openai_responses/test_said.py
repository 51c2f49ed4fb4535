import pytest

from allgate.core.errors import WireError
from allgate.dialects.openai_responses.said import KNOWN, Said, said_in


def test_what_is_not_said_is_absent_and_what_is_unknown_is_left() -> None:
    assert said_in({"model": "m", "client_metadata": 1}) == Said(model="m")
    assert "client_metadata" not in KNOWN


def test_a_whole_number_may_be_written_as_a_fraction() -> None:
    assert said_in({"max_output_tokens": 5.0, "temperature": 1}) == Said(max_output_tokens=5, temperature=1)


@pytest.mark.parametrize(
    ("member", "odd", "wanted"),
    [
        ("model", 7, "a string"),
        ("store", 1, "a boolean"),
        ("max_output_tokens", True, "an integer"),
        ("temperature", "hot", "a number"),
        ("metadata", [], "an object"),
    ],
)
def test_a_wrong_type_is_named(member: str, odd: object, wanted: str) -> None:
    with pytest.raises(WireError, match=f"'{member}': expected {wanted}") as caught:
        said_in({"user": "u", member: odd})
    assert caught.value.failure.param == member
