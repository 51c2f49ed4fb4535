"""Open a connection to a target: resolve, connect, and sign the line over to a `Connection`."""

import asyncio

from allgate.core.errors import AttemptFailed
from allgate.upstream.failures import Cause, not_sent
from allgate.upstream.message import Target


class Dialer:
    """Opens connections. Has no deadline of its own: whoever dials brings one."""

    async def dial(self, target: Target, protocol: asyncio.Protocol) -> None:
        """Connect `protocol`. Raises: AttemptFailed(NOT_SENT)."""
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: protocol, target.address or target.host, target.port)
        except OSError as error:
            raise _connect_failed(target, error) from error


def _connect_failed(target: Target, error: OSError) -> AttemptFailed:
    return not_sent(Cause.CONNECT, f"Could not connect to {target.origin}: {error.strerror or error}")
