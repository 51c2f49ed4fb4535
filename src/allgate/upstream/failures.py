"""Every way in which an exchange can fail, by name, and the exception that says so.

The name travels in `Failure.native`, for metrics and logs; the message is for people and names the origin, never a
key. Phases: NOT_SENT while no byte of the request has left, UNKNOWN afterwards. Whether output has reached the client
(STARTED) is known to the gateway alone.
"""

from enum import StrEnum

from allgate.core.errors import AttemptFailed, ErrorKind, Failure, Phase


class Cause(StrEnum):
    """What ended the exchange."""

    POOL_FULL = "pool_full"  # too many requests wait for a connection to this origin
    POOL_CLOSED = "pool_closed"  # we are shutting down
    CONNECT_DEADLINE = "connect_deadline"
    DNS = "dns_failed"
    CONNECT = "connect_failed"  # refused, unreachable, reset
    TLS = "tls_failed"  # handshake or certificate
    PROXY = "proxy_failed"
    STALE = "stale_connection"  # a kept connection ended before the first byte of the reply
    NO_REPLY = "no_reply"  # a fresh one did
    FIRST_BYTE_DEADLINE = "first_byte_deadline"
    IDLE_DEADLINE = "idle_deadline"
    TOTAL_DEADLINE = "total_deadline"
    REPLY_CUT = "reply_cut"  # the connection ended inside the reply
    REPLY_BROKEN = "reply_broken"  # not HTTP as we accept it, or over a limit
    SINK = "sink_failed"  # our own reader of the reply raised


_KINDS = {
    Cause.POOL_FULL: ErrorKind.OVERLOADED,
    Cause.POOL_CLOSED: ErrorKind.OVERLOADED,
    Cause.CONNECT_DEADLINE: ErrorKind.TIMEOUT,
    Cause.FIRST_BYTE_DEADLINE: ErrorKind.TIMEOUT,
    Cause.IDLE_DEADLINE: ErrorKind.TIMEOUT,
    Cause.TOTAL_DEADLINE: ErrorKind.TIMEOUT,
    Cause.SINK: ErrorKind.INTERNAL,
}


def not_sent(cause: Cause, message: str) -> AttemptFailed:
    """No byte of the request left: free to repeat."""
    return AttemptFailed(_failure(cause, message), Phase.NOT_SENT)


def unknown(cause: Cause, message: str) -> AttemptFailed:
    """The request, or a part of it, left."""
    return AttemptFailed(_failure(cause, message), Phase.UNKNOWN, stale=cause is Cause.STALE)


def _failure(cause: Cause, message: str) -> Failure:
    return Failure(kind=_KINDS.get(cause, ErrorKind.UPSTREAM), message=message, native=cause)
