from allgate.core.errors import AllgateError, ErrorKind, Failure, refused, unsupported, wire_error


def test_every_kind_has_a_status_and_says_whether_a_retry_can_help() -> None:
    for kind in ErrorKind:
        failure = Failure(kind=kind, message="x")
        assert 400 <= failure.status < 600
        assert isinstance(failure.retryable, bool)


def test_a_final_failure_is_never_retryable() -> None:
    assert Failure(kind=ErrorKind.OVERLOADED, message="x").retryable
    assert not Failure(kind=ErrorKind.OVERLOADED, message="x", final=True).retryable


def test_an_upstream_status_wins_over_the_kind() -> None:
    assert Failure(kind=ErrorKind.UPSTREAM, message="x", status_override=529).status == 529


def test_every_error_carries_its_failure() -> None:
    for error in (
        wire_error("a", param="messages"),
        unsupported("b", param="n"),
        refused(ErrorKind.AUTH, "c", code="invalid_api_key"),
    ):
        assert isinstance(error, AllgateError)
        assert error.failure.message in str(error)
