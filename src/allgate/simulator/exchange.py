"""The shape that every door has: a Request comes in, an Ask is read or Rejected, frames or a whole body go out.

A `Dialect` is a record of plain functions. Nothing here knows a vendor's words.
"""

from collections.abc import Callable, Iterator

from allgate.core.value import Value
from allgate.simulator.answer import Answer, Ask
from allgate.simulator.scenes import Scene
from allgate.wire.headers import Headers
from allgate.wire.json import Json, JsonObject

EVENT_STREAM = b"text/event-stream; charset=utf-8"

BAD_KEY_PREFIX = "sk-bad"
"""Keys that begin so are refused at every door."""

STARTED_S = 1_790_000_000
"""The creation time in every reply, seconds since 1970 (September 2026): replies are the same on every run."""


class Request(Value, frozen=True, kw_only=True):
    """One HTTP request. `serial` counts the requests of this simulator from 1; header names are lower-case."""

    serial: int
    method: str
    path: str
    query: dict[str, str]
    headers: Headers
    body: bytes = b""

    @property
    def request_id(self) -> str:
        """The vendor's id for this request."""
        return f"req_sim{self.serial:08d}"


class Rejected(Exception):
    """The vendor says no. Each dialect writes it in its own shape; `kind` is the vendor's error type, if unusual."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        param: str | None = None,
        code: str | None = None,
        kind: str | None = None,
        details: list[Json] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.param = param
        self.code = code
        self.kind = kind
        self.details = details


class Dialect(Value, frozen=True, kw_only=True):
    """One vendor's format.

    `read` raises Rejected for what the vendor refuses. `frames` yields the events of a stream. `rejection` is the
    error body; `fault` gives the vendor's words for an error status; `failure` is the in-band error of a stream
    (at the given frame), `idle` its keep-alive. `headers` are what the vendor puts on every reply, `retry_headers` what
    it adds to an error of this status.
    """

    name: str
    key: Callable[[Request], str]
    read: Callable[[Request, JsonObject, bytes], Ask]
    whole: Callable[[Ask, tuple[Answer, ...], Scene, Request, bytes], JsonObject]
    frames: Callable[[Ask, tuple[Answer, ...], Scene, Request, bytes], Iterator[bytes]]
    headers: Callable[[Request], Headers]
    rejection: Callable[[Rejected, Request], Json]
    fault: Callable[[int, str | None], Rejected]
    failure: Callable[[Ask, Request, int], bytes]
    idle: bytes
    retry_headers: Callable[[int], Headers]
    stream_type: Callable[[Request], bytes]
