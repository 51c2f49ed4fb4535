"""Open a connection to a target: resolve, connect, ask the proxy for a tunnel, shake hands, and hand the line over.

Every step has the same shape: a plain protocol (`Line`) holds the socket until the line is ready for HTTP, so that
whatever a server says too early is seen and refused. Nothing here has a deadline of its own except one: with several
addresses, none may use up the time of the next (`ADDRESS_S_MAX`). All failures are NOT_SENT.
"""

import asyncio
import ssl
from typing import cast

from allgate.upstream.failures import Cause, not_sent
from allgate.upstream.line import Line
from allgate.upstream.message import Target
from allgate.upstream.proxy import open_tunnel
from allgate.upstream.resolve import Resolver
from allgate.upstream.tls import TlsContexts, complaint

ADDRESS_S_MAX = 3.0  # for one address while others are left: a lost SYN is repeated after 1 s


class Dialer:
    """Opens connections, with the resolver's and the TLS contexts' memory."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver or Resolver()
        self._contexts = TlsContexts()

    async def dial(self, target: Target, protocol: asyncio.Protocol) -> None:
        """Connect `protocol`: its connection_made is called last. Raises: AttemptFailed(NOT_SENT)."""
        line = await self._reach(target)
        try:
            if target.proxy is not None:
                await open_tunnel(line, target, target.proxy)
            transport = line.transport
            if target.scheme == "https":
                transport = await self._shake_hands(line, target)
            if line.received or line.lost or transport.is_closing():
                raise not_sent(Cause.CONNECT, f"{target.origin} spoke or hung up before it was asked")
        except BaseException:
            line.transport.abort()
            raise
        transport.set_protocol(protocol)
        protocol.connection_made(transport)

    async def aclose(self) -> None:
        await self._resolver.aclose()

    async def _reach(self, target: Target) -> Line:
        """A TCP connection to the target, or to its proxy."""
        proxy = target.proxy
        host, port = (proxy.host, proxy.port) if proxy else (target.address or target.host, target.port)
        try:
            addresses = await self._resolver.resolve(host)
        except OSError as error:
            reason = error.strerror or str(error)
            raise not_sent(Cause.DNS, f"The name {host} cannot be resolved: {reason}") from error
        refusal = ""
        for place, address in enumerate(addresses):
            patience_s = ADDRESS_S_MAX if place < len(addresses) - 1 else None
            try:
                async with asyncio.timeout(patience_s):
                    _, line = await asyncio.get_running_loop().create_connection(Line, address, port)
                return line
            except OSError as error:
                refusal = error.strerror or str(error) or "no answer"
        self._resolver.forget(host)
        through = f" through the proxy {host}:{port}" if proxy else ""
        raise not_sent(Cause.CONNECT, f"Could not connect to {target.origin}{through}: {refusal}")

    async def _shake_hands(self, line: Line, target: Target) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        try:
            context = await self._contexts.context(target.ca_file)
            transport = await loop.start_tls(line.transport, line, context, server_hostname=target.host)
        except ssl.SSLError as error:
            raise not_sent(Cause.TLS, f"TLS with {target.origin} failed: {complaint(error)}") from error
        except OSError as error:
            reason = error.strerror or str(error) or "the connection ended"
            raise not_sent(Cause.TLS, f"TLS with {target.origin} failed: {reason}") from error
        return cast(asyncio.Transport, transport)
