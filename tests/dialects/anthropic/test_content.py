from allgate.dialects.anthropic.content import plain_text, texts_in


def test_a_plain_text_block_is_a_type_and_a_text_and_nothing_else():
    assert plain_text({"type": "text", "text": "a"}) == "a"
    for other in ({"type": "text", "text": 1}, {"type": "x", "text": "a"}, {"type": "text"}, "a", None, []):
        assert plain_text(other) is None
    assert plain_text({"type": "text", "text": "a", "citations": None}) is None


def test_the_text_of_a_content_is_a_string_or_that_of_its_blocks():
    assert texts_in("a") == "a"
    assert texts_in([{"type": "text", "text": "a"}, {"type": "image"}, {"text": "b"}]) == "a\nb"
    assert texts_in(None) == ""
