"""A request as it came in and a reply as it goes out: bytes, headers and path, no meaning yet."""

from allgate.core.value import Value
from allgate.wire.headers import Headers


class WireRequest(Value, frozen=True, kw_only=True):
    """What a client sent. `path` is decoded and without query; `query` is raw; header names are lower-case."""

    method: str
    path: str
    query: bytes = b""
    headers: Headers = ()
    body: bytes = b""


class WireReply(Value, frozen=True, kw_only=True):
    """A whole reply: status, headers, body."""

    status: int
    headers: Headers = ()
    body: bytes = b""
