import pytest

from allgate.core.usage import Usage
from allgate.dialects.anthropic.usage import (
    decode_usage,
    delta_usage,
    encode_usage,
    estimated_input_tokens,
    unnamed_members,
    updated,
)
from dialects.anthropic.exchange import assistant, decoded, result, use, user

FULL = {
    "input_tokens": 10, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 30, "output_tokens": 40,
    "cache_creation": {"ephemeral_5m_input_tokens": 25, "ephemeral_1h_input_tokens": 5},
    "output_tokens_details": {"thinking_tokens": 15},
    "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
}  # fmt: skip


def test_regression_41_totals_are_inclusive():
    assert decode_usage(FULL) == Usage(
        input_tokens=60, output_tokens=40, cache_read_tokens=20, cache_write_5m_tokens=25, cache_write_1h_tokens=5,
        reasoning_tokens=15, web_search_calls=2, web_fetch_calls=1,
    )  # fmt: skip


def test_counts_survive_the_way_in_and_out():
    assert encode_usage(decode_usage(FULL)) == FULL


def test_regression_49_the_split_by_time_to_live_wins_over_the_flat_count():
    usage = decode_usage(
        {**FULL, "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 30}}
    )
    assert (usage.cache_write_5m_tokens, usage.cache_write_1h_tokens, usage.cache_write_tokens) == (
        0,
        30,
        None,
    )
    flat = decode_usage({"input_tokens": 1, "cache_creation_input_tokens": 30})
    assert (flat.cache_write_5m_tokens, flat.cache_write_tokens, flat.input_tokens) == (None, 30, 31)


def test_regression_45_cached_tokens_are_taken_out_of_the_input():
    assert encode_usage(Usage(input_tokens=100, cache_read_tokens=80, output_tokens=1))["input_tokens"] == 20
    assert encode_usage(Usage(input_tokens=10, cache_read_tokens=80))["input_tokens"] == 0


@pytest.mark.parametrize("raw", [{}, {"input_tokens": None}, {"input_tokens": "9", "output_tokens": -1}])
def test_what_is_not_reported_is_unknown_and_not_zero(raw):
    assert decode_usage(raw) == Usage()
    assert decode_usage({"input_tokens": 0}).input_tokens == 0


def test_a_later_report_replaces_field_by_field():
    start = {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1}
    assert updated(start, {"output_tokens": 9, "input_tokens": None}) == {**start, "output_tokens": 9}


@pytest.mark.parametrize(
    ("split", "grown"),
    [
        ((100, 0), {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 0}),
        ((0, 100), {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 300}),
        ((60, 40), None),
    ],
)
def test_a_sum_that_grew_keeps_its_split_only_where_it_is_certain(split, grown):
    creation = {"ephemeral_5m_input_tokens": split[0], "ephemeral_1h_input_tokens": split[1]}
    start = {"cache_creation_input_tokens": 100, "cache_creation": creation}
    result = updated(start, {"cache_creation_input_tokens": 300})
    assert result["cache_creation"] == grown
    assert (decode_usage({**result, "input_tokens": 1}).input_tokens) == 301


def test_members_without_a_word_of_ours_are_told_apart():
    assert unnamed_members({**FULL, "inference_geo": "us", "speed": None}) == {"inference_geo": "us"}


def test_the_last_report_of_a_stream_leaves_an_unknown_input_out():
    assert delta_usage(None) == {"output_tokens": 0}
    assert delta_usage(Usage(output_tokens=3)) == {"output_tokens": 3}
    assert encode_usage(None) == {"input_tokens": 0, "output_tokens": 0}


def test_the_guess_counts_every_text_of_the_request():
    request = decoded(
        system="x" * 40,
        messages=[user("y" * 40), assistant("z" * 40, use(name="f" * 20)), user(result(content="r" * 40))],
    )
    assert estimated_input_tokens(request) == (4 * 40 + 20 + 2) // 4 + 1
