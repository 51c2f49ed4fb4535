"""Reasoning written into the text is split off, in any slicing."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.dialects.passes.think_tags import ThinkTags


def split(*texts: str, open_implicit: bool = False) -> tuple[str, str]:
    """(thinking, text) of an answer that arrives in these pieces."""
    tags = ThinkTags(open_implicit=open_implicit)
    pieces = [piece for text in texts for piece in tags.feed(text)] + tags.close()
    thinking = "".join(text for kind, text in pieces if kind == "thinking")
    return thinking, "".join(text for kind, text in pieces if kind == "text")


@pytest.mark.parametrize("name", ["think", "thinking", "thought", "reasoning"])
def test_a_leading_block_is_thinking(name):
    assert split(f"\n<{name}>\nhm\n</{name}>\n\nYes.") == ("hm\n", "Yes.")


def test_the_kimi_tags_are_known():
    assert split("◁think▷hm◁/think▷Yes.") == ("hm", "Yes.")


def test_a_tag_later_in_the_text_stays_text():
    assert split("Write <think>x</think> like this") == ("", "Write <think>x</think> like this")


def test_a_second_block_stays_text():
    assert split("<think>a</think>b<think>c</think>") == ("a", "b<think>c</think>")


def test_text_that_only_begins_like_a_tag_is_text():
    assert split("<thin", "g>") == ("", "<thing>")
    assert split("<th") == ("", "<th")


def test_an_implicit_opening_starts_inside():
    assert split("hm</think>Yes.", open_implicit=True) == ("hm", "Yes.")
    assert split("<think>hm</think>Yes.", open_implicit=True) == ("hm", "Yes.")


def test_thinking_that_never_closes_stays_thinking():
    assert split("<think>hm</thi") == ("hm</thi", "")


def test_an_empty_block_leaves_no_thinking():
    tags = ThinkTags()
    assert tags.feed("<think>\n\n</think>\n\nYes.") == [("text", "Yes.")]


def test_thinking_leaves_before_its_block_is_complete():
    tags = ThinkTags()
    assert tags.feed("<think>one ") == [("thinking", "one ")]
    assert tags.feed("two<") == [("thinking", "two")]


@given(
    st.text("<>/thinko \n", max_size=12),
    st.sampled_from(("", "<think>", " <think>", "<thinking>")),
    st.sampled_from(("", "</think>", "</thinking>\n")),
    st.booleans(),
    st.lists(st.integers(0, 60), max_size=8),
)
def test_any_slicing_gives_the_same(body, opening, closing, implicit, cuts):
    answer = opening + body + closing + body
    ends = sorted({0, len(answer), *(min(cut, len(answer)) for cut in cuts)})
    pieces = [answer[start:end] for start, end in pairwise(ends)]
    assert split(*pieces, open_implicit=implicit) == split(answer, open_implicit=implicit)
    assert split(*answer, open_implicit=implicit) == split(answer, open_implicit=implicit)
