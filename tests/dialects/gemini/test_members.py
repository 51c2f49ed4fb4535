import pytest

from allgate.core.errors import WireError
from allgate.dialects.gemini.members import members_of


def test_both_spellings_read_alike():
    assert members_of({"max_output_tokens": 1}, "x") == members_of({"maxOutputTokens": 1}, "x")
    assert members_of({"_responseJsonSchema": {}}, "x") == {"responseJsonSchema": {}}


def test_camel_case_wins_where_both_are_given():
    assert members_of({"topP": 1, "top_p": 2}, "x") == {"topP": 1}
    assert members_of({"top_p": 2, "topP": 1}, "x") == {"topP": 1}


def test_an_object_in_one_spelling_is_not_copied():
    source = {"topP": 1}
    assert members_of(source, "x") is source


def test_what_is_no_object_is_an_error_that_names_the_path():
    with pytest.raises(WireError, match="generationConfig"):
        members_of([], "generationConfig")
