from hypothesis import given
from hypothesis import strategies as st

from allgate.core.usage import Usage, merged, summed

COUNTS = st.none() | st.integers(0, 10**6)
USAGES = st.builds(
    Usage, input_tokens=COUNTS, output_tokens=COUNTS, cache_read_tokens=COUNTS, reasoning_tokens=COUNTS
)


def test_a_newer_snapshot_replaces_what_it_reports_and_keeps_the_rest() -> None:
    older = Usage(input_tokens=9, output_tokens=1, cache_read_tokens=3)
    newer = Usage(output_tokens=40)
    assert merged(older, newer) == Usage(input_tokens=9, output_tokens=40, cache_read_tokens=3)


def test_zero_replaces_and_unknown_does_not() -> None:
    assert merged(Usage(cache_read_tokens=5), Usage(cache_read_tokens=0)).cache_read_tokens == 0
    assert merged(Usage(cache_read_tokens=5), Usage()).cache_read_tokens == 5


@given(USAGES, USAGES)
def test_merging_is_never_adding(older: Usage, newer: Usage) -> None:
    result = merged(older, newer)
    for name in ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens"):
        assert getattr(result, name) in (getattr(older, name), getattr(newer, name))


@given(USAGES)
def test_the_same_snapshot_twice_changes_nothing(usage: Usage) -> None:
    assert merged(usage, usage) == usage


def test_two_requests_are_summed_and_what_neither_reports_stays_unknown() -> None:
    first = Usage(input_tokens=9, output_tokens=1, cache_read_tokens=3, web_search_calls=1, estimated=True)
    second = Usage(input_tokens=20, output_tokens=4, service_tier="priority", web_search_calls=2)
    assert summed(first, second) == Usage(
        input_tokens=29,
        output_tokens=5,
        cache_read_tokens=3,
        web_search_calls=3,
        service_tier="priority",
        estimated=True,
    )
    assert summed(None, first) == summed(first, None) == first
    assert summed(None, None) is None


@given(USAGES, USAGES)
def test_a_sum_has_all_tokens_of_both(one: Usage, other: Usage) -> None:
    both = summed(one, other)
    assert both is not None
    assert both.total_tokens == one.total_tokens + other.total_tokens
