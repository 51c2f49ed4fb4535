"""Members of a reply read without complaint."""

import pytest

from allgate.dialects.passes.lenient import (
    count_of,
    list_of,
    object_of,
    objects_of,
    text_of,
    text_or_none,
    texts_of,
)


@pytest.mark.parametrize("odd", [None, 5, "x", True, [1], {"a": 1}])
def test_a_value_of_another_type_counts_as_absent(odd):
    assert object_of(odd) == (odd if isinstance(odd, dict) else {})
    assert list_of(odd) == (odd if isinstance(odd, list) else [])
    assert text_of(odd) == (odd if isinstance(odd, str) else "")
    assert count_of(odd) == (5 if odd == 5 else None)


def test_arrays_give_what_fits():
    assert objects_of([{"a": 1}, 5, None, {}]) == [{"a": 1}, {}]
    assert texts_of(["a", 5, ""]) == ("a", "")


def test_counts_are_whole_and_not_negative():
    assert [count_of(value) for value in (0, 5.0, 5.5, -1, True)] == [0, 5, None, None, None]


def test_an_empty_text_is_none():
    assert [text_or_none(value) for value in ("a", "", None)] == ["a", None, None]
