import pytest

from allgate.dialects.gemini.finish import finish_of, finish_word
from allgate.operations.chat.response import Finish


@pytest.mark.parametrize(
    ("native", "reason"),
    [
        ("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"), ("SPII", "content_filter"), ("MODEL_ARMOR", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"), ("LANGUAGE", "content_filter"), ("RECITATION", "recitation"),
        ("MALFORMED_FUNCTION_CALL", "malformed_tool_call"), ("UNEXPECTED_TOOL_CALL", "malformed_tool_call"),
        ("MISSING_THOUGHT_SIGNATURE", "malformed_tool_call"), ("CONTINUATION", "pause"), ("OTHER", "other"),
        ("NO_IMAGE", "other"), ("SOMETHING_NEW", "other"), (1, "stop"), (2, "length"), (99, "other"),
    ],
)  # fmt: skip
def test_every_word_of_gemini_has_its_meaning(native, reason):
    assert finish_of(native).reason == reason


def test_stop_after_a_call_means_tool_calls_and_length_stays_length():
    assert finish_of("STOP", calls=True).reason == "tool_calls"
    assert finish_of("MAX_TOKENS", calls=True).reason == "length"


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "STOP"), ("tool_calls", "STOP"), ("stop_sequence", "STOP"), ("length", "MAX_TOKENS"),
        ("context_length", "MAX_TOKENS"), ("content_filter", "SAFETY"), ("refusal", "SAFETY"),
        ("recitation", "RECITATION"), ("malformed_tool_call", "MALFORMED_FUNCTION_CALL"), ("cancelled", "OTHER"),
        ("error", "OTHER"), ("compaction", "STOP"),
    ],
)  # fmt: skip
def test_every_reason_has_a_word(reason, word):
    assert finish_word(Finish(reason=reason, native="end_turn")) == word


def test_gemini_gets_its_own_word_back():
    assert finish_word(finish_of("SPII")) == "SPII"
