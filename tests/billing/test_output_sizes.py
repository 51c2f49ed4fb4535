"""What 99 of 100 answers stay below, from a histogram that is never too low."""

import random

import pytest

from allgate.billing.output_sizes import (
    EXPECTED_TOKENS_MIN,
    MODELS_MAX,
    SAMPLES_MAX,
    SAMPLES_MIN,
    TOKENS_MAX,
    OutputSizes,
)


def seen(*tokens: int) -> OutputSizes:
    sizes = OutputSizes()
    for count in tokens:
        sizes.observe("m", count)
    return sizes


def test_too_few_answers_are_no_expectation_and_say_how_many_they_are():
    assert OutputSizes().expected("m") == (None, 0)
    assert seen(*[5_000] * (SAMPLES_MIN - 1)).expected("m") == (None, SAMPLES_MIN - 1)
    assert seen(*[5_000] * SAMPLES_MIN).expected("m").tokens is not None


def test_short_answers_are_held_for_at_the_floor():
    assert seen(*[3] * SAMPLES_MIN).expected("m").tokens == EXPECTED_TOKENS_MIN == 1_000


@pytest.mark.parametrize("scale", [2_000, 9_000, 300_000])
def test_it_is_never_below_the_99th_percentile_and_at_most_an_eighth_above(scale: int):
    dice = random.Random(scale)
    lengths = [int(scale * dice.paretovariate(1.5)) for _ in range(5_000)]
    exact = sorted(lengths)[-51]  # 50 of 5,000 are longer
    found = seen(*lengths).expected("m").tokens
    assert found is not None
    assert exact <= found <= exact * 9 / 8 + 1


@pytest.mark.parametrize("tokens", [0, 1, 15, 16, 17, 1_023, 1_024, TOKENS_MAX, TOKENS_MAX + 1, 2**40])
def test_every_length_has_a_bucket_that_ends_at_or_above_it(tokens: int):
    found = seen(*[tokens] * SAMPLES_MIN).expected("m").tokens
    assert found is not None
    assert found >= min(tokens, TOKENS_MAX)


def test_one_in_a_hundred_may_be_longer_and_two_may_not():
    short, long = [2_000] * 990, 100_000
    assert seen(*short, *[long] * 10).expected("m").tokens == 2_047
    assert (seen(*short, *[long] * 11).expected("m").tokens or 0) >= long


def test_what_was_seen_long_ago_is_forgotten():
    sizes = seen(*[50_000] * SAMPLES_MAX)
    for _ in range(10 * SAMPLES_MAX):
        sizes.observe("m", 10)
    assert sizes.expected("m").tokens == EXPECTED_TOKENS_MIN
    assert sizes.expected("m").samples <= SAMPLES_MAX


def test_what_was_seen_elsewhere_is_added_by_model():
    sizes, other = seen(*[2_000] * 200), seen(*[2_000] * 200)
    other.observe("n", 7)
    sizes.add(other)
    assert sizes.expected("m") == (2_047, 400)
    assert sizes.expected("n") == (None, 1)


def test_the_number_of_models_is_bounded():
    sizes = OutputSizes()
    for number in range(MODELS_MAX + 1):
        sizes.observe(f"m{number}", 1)
    assert sizes.expected(f"m{MODELS_MAX - 1}").samples == 1
    assert sizes.expected(f"m{MODELS_MAX}").samples == 0
