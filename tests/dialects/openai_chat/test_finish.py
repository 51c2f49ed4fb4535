"""Vendors' words for the end of an answer, and ours."""

import typing

import pytest

from allgate.dialects.openai_chat.finish import finish_of, finish_word
from allgate.operations.chat.response import Finish, FinishReason

OPENAI_WORDS = {"stop", "length", "tool_calls", "content_filter", "function_call"}


@pytest.mark.parametrize(
    ("native", "called", "reason"),
    [
        ("stop", False, "stop"),
        ("length", False, "length"),
        ("length", True, "length"),  # regression 53: a call cut by the limit stays a limit
        ("tool_calls", True, "tool_calls"),
        ("function_call", True, "tool_calls"),
        ("stop", True, "tool_calls"),  # regressions 18, 52 and 84
        ("tool_calls", False, "stop"),  # only hosted calls
        ("content_filter", False, "content_filter"),
        ("sensitive", False, "content_filter"),
        ("SAFETY", False, "content_filter"),
        ("end_turn", False, "stop"),
        ("eos", False, "stop"),
        ("max_tokens", False, "length"),
        ("model_length", False, "context_length"),
        ("insufficient_system_resource", False, "error"),
        ("something_new", False, "other"),
    ],
)
def test_a_native_word_has_one_meaning(native, called, reason):
    assert finish_of(native, called=called) == Finish(reason=reason, native=native)


@pytest.mark.parametrize("reason", typing.get_args(FinishReason))
def test_every_reason_has_a_word_of_openai(reason):
    assert finish_word(Finish(reason=reason), refused=False, legacy=False) in OPENAI_WORDS


def test_a_refusal_is_a_stop_where_its_text_says_so():
    assert finish_word(Finish(reason="refusal"), refused=True, legacy=False) == "stop"
    assert finish_word(Finish(reason="refusal"), refused=False, legacy=False) == "content_filter"


def test_clients_of_the_legacy_functions_read_function_call():
    assert finish_word(Finish(reason="tool_calls"), refused=False, legacy=True) == "function_call"
    assert finish_word(Finish(reason="length"), refused=False, legacy=True) == "length"


def test_a_refusal_that_chat_ends_with_stop_is_a_refusal():
    assert finish_of("stop", called=False, refused=True).reason == "refusal"
    assert finish_of("length", called=False, refused=True).reason == "length"
