import pytest

from allgate.core.errors import AttemptFailed, ErrorKind, Failure, Phase
from allgate.routing.retry import for_client, may_try_another


def failed(phase: Phase, kind: ErrorKind = ErrorKind.UPSTREAM) -> AttemptFailed:
    return AttemptFailed(Failure(kind=kind, message="x", upstream=True), phase)


@pytest.mark.parametrize("safe", [True, False])
def test_the_phase_decides(safe: bool) -> None:
    legal = {phase: may_try_another(failed(phase), safe_to_repeat=safe) for phase in Phase}
    assert legal == {Phase.NOT_SENT: True, Phase.REFUSED: True, Phase.UNKNOWN: safe, Phase.STARTED: False}


@pytest.mark.parametrize("kind", [ErrorKind.BAD_REQUEST, ErrorKind.CONTEXT_LENGTH, ErrorKind.TOO_LARGE])
def test_a_fault_of_the_request_is_not_repeated_elsewhere(kind: ErrorKind) -> None:
    assert not may_try_another(failed(Phase.REFUSED, kind), safe_to_repeat=True)


@pytest.mark.parametrize(
    "kind", [ErrorKind.AUTH, ErrorKind.NOT_FOUND, ErrorKind.RATE_LIMIT, ErrorKind.OVERLOADED]
)
def test_trouble_of_ours_or_of_the_provider_is(kind: ErrorKind) -> None:
    assert may_try_another(failed(Phase.REFUSED, kind), safe_to_repeat=True)


def test_the_client_never_sees_our_key_being_refused_as_its_own() -> None:
    shown = for_client(Failure(kind=ErrorKind.AUTH, message="Incorrect API key: sk-operators", upstream=True))
    assert shown.kind is ErrorKind.UPSTREAM
    assert "sk-operators" not in shown.message


def test_a_refusal_of_our_own_is_told_as_it_is() -> None:
    failure = Failure(kind=ErrorKind.AUTH, message="no key")
    assert for_client(failure) is failure
