import pytest

from allgate.core.value import changed
from allgate.dialects.anthropic.finish import finish_members, finish_of
from allgate.operations.chat.response import Finish
from dialects.anthropic.exchange import REQUEST


@pytest.mark.parametrize(
    ("native", "called", "reason"),
    [
        ("end_turn", False, "stop"),
        ("end_turn", True, "tool_calls"),
        ("max_tokens", True, "length"),
        ("stop_sequence", False, "stop_sequence"),
        ("tool_use", True, "tool_calls"),
        ("tool_use", False, "stop"),
        ("pause_turn", False, "pause"),
        ("refusal", False, "refusal"),
        ("model_context_window_exceeded", False, "context_length"),
        ("compaction", False, "compaction"),
        ("", False, "stop"),
        ("novel", False, "other"),
    ],
)
def test_the_vendor_s_words_are_read(native, called, reason):
    assert finish_of(native, {}, called=called) == Finish(reason=reason, native=native)


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "end_turn"), ("stop_sequence", "stop_sequence"), ("length", "max_tokens"), ("tool_calls", "tool_use"),
        ("content_filter", "refusal"), ("refusal", "refusal"), ("recitation", "refusal"), ("pause", "pause_turn"),
        ("compaction", "compaction"), ("malformed_tool_call", "end_turn"), ("cancelled", "end_turn"),
        ("error", "end_turn"), ("other", "end_turn"), ("context_length", "max_tokens"),
    ],
)  # fmt: skip
def test_every_reason_has_a_word(reason, word):
    assert finish_members(Finish(reason=reason), REQUEST)["stop_reason"] == word


@pytest.mark.parametrize(
    "client", [{"api_version": "2026-10-21"}, {"betas": ("model-context-window-exceeded-2025-08-26",)}]
)
def test_a_full_window_is_named_for_clients_that_know_the_word(client):
    members = finish_members(Finish(reason="context_length"), changed(REQUEST, **client))
    assert members["stop_reason"] == "model_context_window_exceeded"


def test_a_stop_sequence_and_the_details_of_a_refusal_are_carried():
    assert (
        finish_members(Finish(reason="stop_sequence", stop_sequence="END"), REQUEST)["stop_sequence"] == "END"
    )
    delta = {"stop_details": {"type": "refusal", "category": "bio", "explanation": "why"}}
    finish = finish_of("refusal", delta, called=False)
    assert finish_members(finish, REQUEST)["stop_details"] == delta["stop_details"]
