"""Everything that can go wrong, as one table of kinds and one small tree of exceptions.

A `Failure` is the value that travels: it is decoded from a provider's error reply, made by the gateway itself, and
encoded into the caller's dialect. An exception carries exactly one Failure, so nothing is lost between `raise` and
the reply. Which HTTP status and which vendor words a kind becomes is the dialect's business; the status here is the
one of plain routes.

`retryable` answers: may the same request succeed elsewhere or later? `Phase` answers: may *we* try again? Both are
needed, and neither is derived from the other.
"""

from enum import Enum, StrEnum

from allgate.core.value import Value


class ErrorKind(StrEnum):
    """What went wrong, in the field's words (wire-format table of error kinds)."""

    BAD_REQUEST = "bad_request"
    CONTEXT_LENGTH = "context_length"
    CONTENT_POLICY = "content_policy"
    AUTH = "auth"
    BILLING = "billing"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    METHOD = "method_not_allowed"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNPROCESSABLE = "unprocessable"
    UPGRADE = "upgrade_required"
    RATE_LIMIT = "rate_limit"
    CANCELLED = "cancelled"
    INTERNAL = "internal"
    UNSUPPORTED = "unsupported"
    UPSTREAM = "upstream"
    OVERLOADED = "overloaded"


# kind → (status on plain routes, could the same request succeed elsewhere or later?)
_KINDS: dict[ErrorKind, tuple[int, bool]] = {
    ErrorKind.BAD_REQUEST: (400, False),
    ErrorKind.CONTEXT_LENGTH: (400, False),
    ErrorKind.CONTENT_POLICY: (400, False),
    ErrorKind.AUTH: (401, False),
    ErrorKind.BILLING: (402, False),
    ErrorKind.PERMISSION: (403, False),
    ErrorKind.NOT_FOUND: (404, False),
    ErrorKind.METHOD: (405, False),
    ErrorKind.TIMEOUT: (504, True),
    ErrorKind.CONFLICT: (409, False),
    ErrorKind.TOO_LARGE: (413, False),
    ErrorKind.UNPROCESSABLE: (422, False),
    ErrorKind.UPGRADE: (426, False),
    ErrorKind.RATE_LIMIT: (429, True),
    ErrorKind.CANCELLED: (499, False),
    ErrorKind.INTERNAL: (500, True),
    ErrorKind.UNSUPPORTED: (400, False),
    ErrorKind.UPSTREAM: (502, True),
    ErrorKind.OVERLOADED: (503, True),
}


class Failure(Value, frozen=True, kw_only=True):
    """One error as a value.

    `param` names the offending request field, `code` the caller-visible code where a vendor's word is fixed
    (`model_not_found`, `insufficient_quota`); `status` overrides the kind's own where an upstream's exact status
    must be kept. `upstream` is true when a provider, not the gateway, said so. `request_id` is the provider's.
    `final` forces `x-should-retry: false` although the status alone would invite a retry.
    """

    kind: ErrorKind
    message: str
    param: str | None = None
    code: str | None = None
    native: str | None = None
    status_override: int | None = None
    retry_after_s: float | None = None
    request_id: str | None = None
    upstream: bool = False
    final: bool = False

    @property
    def status(self) -> int:
        return self.status_override if self.status_override is not None else _KINDS[self.kind][0]

    @property
    def retryable(self) -> bool:
        return _KINDS[self.kind][1] and not self.final


class AllgateError(Exception):
    """Base of our errors: carries one Failure."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure


class WireError(AllgateError):
    """Bytes that are not what their format says. The only thing a codec raises; the gateway decides whose fault it was."""


class Refused(AllgateError):
    """The gateway will not do this: key, permission, balance, limits, unknown model. Nothing was sent upstream."""


class Phase(Enum):
    """How far an attempt came when it failed; decides whether another one is legal."""

    NOT_SENT = "not_sent"  # no byte of the request left: free to repeat
    REFUSED = "refused"  # answered 4xx/5xx before doing work: elsewhere, honouring Retry-After
    UNKNOWN = "unknown"  # sent, no answer: only if repeating is safe for this operation
    STARTED = "started"  # output reached the client: never


class AttemptFailed(AllgateError):
    """One attempt at one candidate failed.

    `stale` marks a reused connection that ended before the first response byte: repeating it once on a fresh
    connection is legal for operations that are safe to repeat.
    """

    def __init__(self, failure: Failure, phase: Phase, *, stale: bool = False) -> None:
        super().__init__(failure)
        self.phase = phase
        self.stale = stale


def wire_error(message: str, *, param: str | None = None, code: str | None = None) -> WireError:
    """A WireError for a malformed or unacceptable request or reply body."""
    return WireError(Failure(kind=ErrorKind.BAD_REQUEST, message=message, param=param, code=code))


def unsupported(message: str, *, param: str | None = None) -> WireError:
    """A WireError for something well-formed that the target cannot do, where silence would change the meaning."""
    return WireError(
        Failure(kind=ErrorKind.UNSUPPORTED, message=message, param=param, code="unsupported_parameter")
    )


def refused(kind: ErrorKind, message: str, *, param: str | None = None, code: str | None = None) -> Refused:
    """A Refused of this kind."""
    return Refused(Failure(kind=kind, message=message, param=param, code=code))
