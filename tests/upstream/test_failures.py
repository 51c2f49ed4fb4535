"""What a failure says to those who decide on retries."""

import pytest

from allgate.core.errors import ErrorKind, Phase
from allgate.upstream.failures import Cause, not_sent, unknown


@pytest.mark.parametrize("cause", Cause)
def test_every_failure_may_succeed_elsewhere(cause):
    assert not_sent(cause, "words").failure.retryable
    assert unknown(cause, "words").failure.retryable


@pytest.mark.parametrize("cause", Cause)
def test_a_failure_carries_its_cause_and_phase(cause):
    early, late = not_sent(cause, "words"), unknown(cause, "words")
    assert (early.phase, late.phase) == (Phase.NOT_SENT, Phase.UNKNOWN)
    assert early.failure.native == late.failure.native == cause.value
    assert not early.failure.upstream
    assert late.stale is (cause is Cause.STALE)


@pytest.mark.parametrize("cause", Cause)
def test_a_deadline_is_a_timeout(cause):
    expected = ErrorKind.TIMEOUT if cause.name.endswith("DEADLINE") else unknown(cause, "").failure.kind
    assert unknown(cause, "").failure.kind is expected
    assert (expected is ErrorKind.TIMEOUT) == cause.name.endswith("DEADLINE")
