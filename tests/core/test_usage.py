from hypothesis import given
from hypothesis import strategies as st

from allgate.core.usage import Usage, merged

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
