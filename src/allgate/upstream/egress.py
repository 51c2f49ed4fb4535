"""Fetch what a user's URL points to, without becoming the user's way into the operator's network (ruling 7).

The rules, each of which has been somebody's hole:
- http and https only, no credentials in the URL;
- the name is resolved once, here, and the connection goes to that very address: a name that answers differently the
  second time gains nothing. TLS still has to prove the name;
- every address is checked (`addresses.py`), for each redirect again, of which there are at most `REDIRECTS_MAX`;
- at most `BYTES_MAX` and `SECONDS_MAX` in all, DNS and redirects included.
No proxy is used: it would resolve the name itself. Errors never say what answered inside, only that we do not go.
"""

import asyncio
from collections.abc import Sequence
from typing import Literal, cast
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from allgate.core.errors import AttemptFailed, ErrorKind, Refused, refused
from allgate.core.value import Value
from allgate.upstream.addresses import Network, why_refused
from allgate.upstream.exchange import Exchange
from allgate.upstream.message import LINE_CHARACTERS, PORTS, Deadlines, Target, UpstreamRequest
from allgate.upstream.pool import Pool
from allgate.upstream.resolve import Resolver
from allgate.wire.headers import Headers, first

REDIRECTS_MAX = 3
BYTES_MAX = 20 * 1024 * 1024  # the largest picture or document that a vendor takes
SECONDS_MAX = 10.0  # a request waits for this before its first attempt
URL_CHARACTERS_MAX = 8_192

_REDIRECTS = (301, 302, 303, 307, 308)
_FIELDS: Headers = ((b"user-agent", b"allgate"), (b"accept", b"*/*"))


class Fetched(Value, frozen=True, kw_only=True):
    """What was there. `content_type` is what the server said, lower-case and without parameters; "" if nothing."""

    body: bytes
    content_type: str
    url: str


class EgressLimits(Value, frozen=True, kw_only=True):
    """How far a fetch goes. `allowed`: networks that the operator opens although they are not public."""

    bytes_max: int = BYTES_MAX
    seconds_max: float = SECONDS_MAX
    redirects_max: int = REDIRECTS_MAX
    ca_file: str | None = None
    allowed: tuple[Network, ...] = ()


class Egress:
    """Fetches on a pool, one connection per address and name."""

    def __init__(self, pool: Pool, resolver: Resolver, limits: EgressLimits | None = None) -> None:
        self._pool = pool
        self._resolver = resolver
        self._limits = limits or EgressLimits()

    async def fetch(self, url: str) -> Fetched:
        """GET `url`. Raises: Refused(BAD_REQUEST): the URL, where it leads, or what is there, in words for its user."""
        seconds = self._limits.seconds_max
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(url)
        except TimeoutError:
            raise _bad(f"The URL did not answer completely within {seconds:g} s") from None

    async def _follow(self, url: str) -> Fetched:
        for _ in range(self._limits.redirects_max + 1):
            download = await self._get(url)
            if download.status not in _REDIRECTS:
                return download.fetched(url)
            location = first(download.headers, b"location")
            if location is None:
                raise _bad(f"The URL redirects (status {download.status}) to nowhere")
            url = urljoin(url, location.decode("latin-1"))
        raise _bad(f"The URL redirects more than {self._limits.redirects_max} times")

    async def _get(self, url: str) -> "_Download":
        parts, host = _checked(url)
        scheme = cast(Literal["http", "https"], parts.scheme)
        target = Target(
            scheme=scheme,
            host=host,
            port=parts.port or PORTS[scheme],
            ca_file=self._limits.ca_file,
            address=await self._public_address(host),
            close_delimited_ok=True,
        )
        path = quote(parts.path or "/", safe=LINE_CHARACTERS)
        if parts.query:
            path += "?" + quote(parts.query, safe=LINE_CHARACTERS)
        request = UpstreamRequest(path=path.encode("ascii"), method="GET", headers=_FIELDS)
        seconds = self._limits.seconds_max
        deadlines = Deadlines(connect_s=seconds, first_byte_s=seconds, idle_s=seconds, total_s=seconds)
        download = _Download(self._limits.bytes_max)
        try:
            download.exchange = await self._pool.send(target, request, download, deadlines)
            await download.done
        except AttemptFailed as error:
            raise _bad(f"The URL could not be fetched: {error.failure.message}") from error
        finally:
            download.stop()
        return download

    async def _public_address(self, host: str) -> str:
        try:
            addresses = await self._resolver.resolve(host)
        except OSError as error:
            raise _bad(f"The host of the URL cannot be resolved: {host}") from error
        return _permitted(host, addresses, self._limits.allowed)


class _Download:
    """The sink of one fetch: gathers, and stops at the limit."""

    def __init__(self, bytes_max: int) -> None:
        self.exchange: Exchange | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.status = 0
        self.headers: Headers = ()
        self._bytes_max = bytes_max
        self._body = bytearray()

    def on_head(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers
        if status in _REDIRECTS or not 200 <= status < 300:
            self._finish(None)
            return
        length = first(headers, b"content-length")
        if length is not None and int(length) > self._bytes_max:
            self._finish(_too_large(self._bytes_max))

    def on_body(self, chunk: bytes) -> None:
        self._body += chunk
        if len(self._body) > self._bytes_max:
            self._finish(_too_large(self._bytes_max))

    def on_end(self) -> None:
        self._finish(None)

    def on_failure(self, error: AttemptFailed) -> None:
        self._finish(error)

    def stop(self) -> None:
        """Whatever else comes is not wanted."""
        self.done.cancel()
        if self.exchange is not None:
            self.exchange.close()

    def fetched(self, url: str) -> Fetched:
        if not 200 <= self.status < 300:
            raise _bad(f"The URL answered with status {self.status}")
        coding = first(self.headers, b"content-encoding")
        if coding is not None and coding.lower() != b"identity":
            raise _bad("The URL answered compressed although it was asked not to")
        kind = (first(self.headers, b"content-type") or b"").decode("latin-1")
        return Fetched(
            body=bytes(self._body), content_type=kind.partition(";")[0].strip().lower(), url=_shown(url)
        )

    def _finish(self, error: AttemptFailed | Refused | None) -> None:
        if self.exchange is not None:
            self.exchange.close()
        if self.done.done():
            return
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


def _checked(url: str) -> tuple[SplitResult, str]:
    """The parts of a URL that we may follow, and its host as DNS wants it."""
    if len(url) > URL_CHARACTERS_MAX:
        raise _bad(f"The URL is longer than {URL_CHARACTERS_MAX} characters")
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        _ = parts.port
    except ValueError as error:
        raise _bad("The URL is not valid") from error
    if parts.scheme not in ("http", "https"):
        raise _bad("Only http and https URLs are fetched")
    if "@" in parts.netloc:
        raise _bad("A URL with credentials is not fetched")
    if not host:
        raise _bad("The URL names no host")
    return parts, host


def _permitted(host: str, addresses: Sequence[str], allowed: Sequence[Network]) -> str:
    """The first address that we may connect to. With DNS64, a public name has a NAT64 address beside its own."""
    reasons = [why_refused(address, allowed) for address in addresses]
    if None not in reasons:
        raise _bad(f"The host of the URL is not on the public internet ({reasons[0]}): {host}")
    return addresses[reasons.index(None)]


def _shown(url: str) -> str:
    return urlsplit(url)._replace(fragment="").geturl()


def _too_large(bytes_max: int) -> Refused:
    return _bad(f"What the URL points to is larger than {bytes_max} bytes")


def _bad(message: str) -> Refused:
    return refused(ErrorKind.BAD_REQUEST, message)
