"""A question to a provider beside the requests: sent, and its whole reply awaited within a deadline.

Nothing is reserved, charged or logged for it, and no client reads it: what went wrong is told to the caller, who can do
without the answer. It is repeated only where a kept connection turned out to be closed.
"""

import asyncio

from allgate.core.errors import AttemptFailed, ErrorKind, Failure, Phase
from allgate.dialects.contract import ChatDialect, UpstreamCall
from allgate.gateway.encoding import request_headers
from allgate.gateway.services import Services
from allgate.routing.plan import Candidate
from allgate.wire.headers import Headers

REPLY_BYTES_MAX = 1024 * 1024
"""A count is 30 bytes, an error page a few thousand: what is longer is neither."""


class _Reply:
    """Collects one reply. Implements `ports.ReplySink`."""

    def __init__(self, dialect: ChatDialect, ended: "asyncio.Future[bytes]") -> None:
        self._dialect, self._ended = dialect, ended
        self._status = 0
        self._headers: Headers = ()
        self._body = bytearray()

    def on_head(self, status: int, headers: Headers) -> None:
        self._status, self._headers = status, headers

    def on_body(self, chunk: bytes) -> None:
        if len(self._body) <= REPLY_BYTES_MAX:
            self._body += chunk

    def on_end(self) -> None:
        body = bytes(self._body)
        if len(body) > REPLY_BYTES_MAX:
            self.on_failure(_refusal(f"The provider's answer is longer than {REPLY_BYTES_MAX} bytes."))
        elif 200 <= self._status < 300:
            if not self._ended.done():
                self._ended.set_result(body)
        else:
            failure = self._dialect.decode_error(self._status, self._headers, body)
            self.on_failure(AttemptFailed(failure, Phase.REFUSED))

    def on_failure(self, error: AttemptFailed) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)


async def inquire(services: Services, candidate: Candidate, call: UpstreamCall, deadline_s: float) -> bytes:
    """The body of the provider's reply. Raises: AttemptFailed: there was none, none in time, or an error."""
    try:
        return await _asked(services, candidate, call, deadline_s, fresh=False)
    except AttemptFailed as failed:
        if not failed.stale:
            raise
        return await _asked(services, candidate, call, deadline_s, fresh=True)


async def _asked(
    services: Services, candidate: Candidate, call: UpstreamCall, deadline_s: float, *, fresh: bool
) -> bytes:
    ended: asyncio.Future[bytes] = services.loop.create_future()
    sink = _Reply(services.dialects[candidate.speaks.dialect], ended)
    path = candidate.speaks.path_prefix + call.path
    connection = None
    try:
        async with asyncio.timeout(deadline_s):
            connection = await services.transport.send(
                candidate.deployment.upstream,
                path,
                request_headers(candidate, call),
                call.body,
                sink,
                fresh=fresh,
            )
            return await ended
    except TimeoutError:
        raise _refusal(f"The provider did not answer within {deadline_s:g} s.") from None
    finally:
        if connection is not None:
            connection.close()  # harmless after the end


def _refusal(message: str) -> AttemptFailed:
    return AttemptFailed(Failure(kind=ErrorKind.UPSTREAM, message=message, upstream=True), Phase.UNKNOWN)
