"""May another candidate be tried? Decided by how far the failed attempt came and whose fault it was.

| phase     | another candidate                                                                 |
|-----------|-----------------------------------------------------------------------------------|
| NOT_SENT  | yes                                                                               |
| REFUSED   | yes, unless the provider said that the request itself is wrong (400, 413, 422, …) |
| UNKNOWN   | only if the operation is safe to repeat                                           |
| STARTED   | never                                                                             |

A provider's 401, 403 and 404 are about *our* key or *our* model name, so another candidate may do better and the
client must never see them as its own.
"""

from allgate.core.errors import AttemptFailed, ErrorKind, Failure, Phase
from allgate.core.value import changed

ATTEMPTS_MAX = 2
"""One retry (the issue's rule): each further one multiplies a client's own retries, which are up to ten already."""

# Kinds that name a fault of the request: every candidate would say the same.
_CLIENTS_FAULT = frozenset(
    {
        ErrorKind.BAD_REQUEST, ErrorKind.CONTEXT_LENGTH, ErrorKind.CONTENT_POLICY, ErrorKind.TOO_LARGE,
        ErrorKind.UNPROCESSABLE, ErrorKind.UNSUPPORTED, ErrorKind.CONFLICT,
    }
)  # fmt: skip

_OUR_FAULT = frozenset(
    {ErrorKind.AUTH, ErrorKind.PERMISSION, ErrorKind.NOT_FOUND, ErrorKind.BILLING, ErrorKind.METHOD}
)


def may_try_another(error: AttemptFailed, *, safe_to_repeat: bool) -> bool:
    """By the table above."""
    match error.phase:
        case Phase.NOT_SENT:
            return True
        case Phase.REFUSED:
            return error.failure.kind not in _CLIENTS_FAULT
        case Phase.UNKNOWN:
            return safe_to_repeat
        case Phase.STARTED:
            return False


def for_client(failure: Failure) -> Failure:
    """A provider's failure in the words the client should read: our key's trouble is not the client's, and is not mended
    by asking again."""
    if failure.upstream and failure.kind in _OUR_FAULT:
        return changed(
            failure,
            kind=ErrorKind.UPSTREAM,
            message="The provider refused the gateway's request. The operator has been informed by the request log.",
            code="upstream_error",
            param=None,
            status_override=None,
            final=True,
        )
    return failure
