"""Tokens: a rule that anyone can compute again."""

from hypothesis import given
from hypothesis import strategies as st

from allgate.simulator import tokens


def test_a_token_is_up_to_four_characters_with_the_space_before_them():
    assert tokens.split("Hello big world ") == ["Hell", "o", " big", " worl", "d", " "]


@given(st.text())
def test_the_tokens_of_a_text_joined_give_the_text(text: str):
    assert "".join(tokens.split(text)) == text
    assert len(tokens.split(text)) == tokens.count(text)


@given(st.text(), st.integers(1, 20))
def test_pieces_joined_give_the_text_and_are_never_empty_nor_more_than_asked_for(text: str, number: int):
    pieces = tokens.pieces(text, number)
    assert "".join(pieces) == text
    assert all(pieces)
    assert len(pieces) == min(number, tokens.count(text))


def test_a_stream_says_a_text_token_by_token_or_in_as_many_pieces_as_asked_for():
    assert tokens.text_deltas("Hello big world", None) == ["Hell", "o", " big", " worl", "d"]
    assert tokens.text_deltas("Hello big world", 2) == ["Hello", " big world"]
    assert len(tokens.argument_deltas("word " * 1000)) == tokens.ARGUMENT_PIECES_MAX
