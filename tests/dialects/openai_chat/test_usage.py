"""Usage in OpenAI's words and in its imitators'."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.core.usage import Usage
from allgate.dialects.openai_chat.usage import decode_usage
from allgate.dialects.openai_chat.usage_encode import encode_usage
from allgate.wire import json


def test_openai_s_own_shape():
    wire = {
        "prompt_tokens": 100,
        "completion_tokens": 40,
        "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 20, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 30,
            "accepted_prediction_tokens": 1,
            "rejected_prediction_tokens": 2,
        },
    }
    assert decode_usage(wire) == Usage(
        input_tokens=100,
        output_tokens=40,
        cache_read_tokens=60,
        cache_write_tokens=20,
        input_audio_tokens=0,
        reasoning_tokens=30,
        accepted_prediction_tokens=1,
        rejected_prediction_tokens=2,
    )


@pytest.mark.parametrize(
    "wire",
    [
        {
            "prompt_tokens": 10,
            "completion_tokens": 1,
            "prompt_cache_hit_tokens": 8,
            "prompt_cache_miss_tokens": 2,
        },
        {"prompt_tokens": 10, "completion_tokens": 1, "cached_tokens": 8},
        {"prompt_tokens": 10, "completion_tokens": 1, "cache_read_input_tokens": 8},
        {"input_tokens": 10, "output_tokens": 1, "input_tokens_details": {"cached_tokens": 8}},
        {"prompt_tokens": 10.0, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 8}},
    ],
)
def test_cached_tokens_are_found_wherever_a_vendor_puts_them(wire):
    """Regression 41: they are part of the input, in every vendor's shape of this dialect."""
    assert decode_usage(wire) == Usage(input_tokens=10, output_tokens=1, cache_read_tokens=8)


@pytest.mark.parametrize(
    "name", ["cache_write_tokens", "cache_creation_tokens", "cache_creation_input_tokens"]
)
def test_cache_writes_have_three_names(name):
    inside = decode_usage({"prompt_tokens": 9, "prompt_tokens_details": {name: 4}})
    beside = decode_usage({"prompt_tokens": 9, name: 4})
    assert inside == beside == Usage(input_tokens=9, cache_write_tokens=4)


def test_reasoning_counted_beside_the_completion_is_added():
    """xAI: 12 + 3 ≠ 115, and 12 + 3 + 100 = 115."""
    wire = {
        "prompt_tokens": 12,
        "completion_tokens": 3,
        "total_tokens": 115,
        "completion_tokens_details": {"reasoning_tokens": 100},
    }
    assert decode_usage(wire) == Usage(input_tokens=12, output_tokens=103, reasoning_tokens=100)


def test_without_a_total_caps_say_whether_reasoning_is_beside():
    wire = {"prompt_tokens": 1, "completion_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 2}}
    included, beside = decode_usage(wire), decode_usage(wire, excludes_reasoning=True)
    assert included is not None
    assert beside is not None
    assert (included.output_tokens, beside.output_tokens) == (3, 5)


@pytest.mark.parametrize(
    "wire", [None, {}, [], "x", {"prompt_tokens": None}, {"prompt_tokens": "7"}, {"prompt_tokens": -1}]
)
def test_what_reports_nothing_is_none(wire):
    assert decode_usage(wire) is None


def test_zero_is_not_the_same_as_unknown():
    assert decode_usage({"prompt_tokens": 0, "completion_tokens": 0}) == Usage(
        input_tokens=0, output_tokens=0
    )


def test_the_two_times_to_live_of_a_write_are_one_number_here():
    """Regression 49: the parts are added, and not once more as the whole."""
    wire = encode_usage(
        Usage(input_tokens=50, output_tokens=1, cache_write_5m_tokens=10, cache_write_1h_tokens=5)
    )
    assert json.encode(wire).endswith(b'"prompt_tokens_details":{"cache_write_tokens":15}}')


def test_a_total_that_is_not_known_is_written_as_zero_and_what_else_is_not_known_is_left_out():
    wire = json.encode(encode_usage(Usage(output_tokens=2, web_search_calls=0)))
    assert wire == b'{"prompt_tokens":0,"completion_tokens":2,"total_tokens":2,"num_search_queries":0}'


COUNT = st.none() | st.integers(0, 10**9)


@given(
    st.builds(
        Usage,
        input_tokens=st.integers(0, 10**9),
        output_tokens=st.integers(0, 10**9),
        cache_read_tokens=COUNT,
        cache_write_tokens=COUNT,
        reasoning_tokens=COUNT,
        input_audio_tokens=COUNT,
        output_image_tokens=COUNT,
        web_search_calls=COUNT,
    )
)
def test_what_is_written_is_read_back(usage):
    assert decode_usage(json.decode(json.encode(encode_usage(usage)))) == usage
