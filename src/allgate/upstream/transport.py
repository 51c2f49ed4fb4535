"""The gateway's `Transport` port on the pool: from an operator's upstream to a target, and the POST itself."""

from base64 import b64encode
from functools import lru_cache
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from allgate.core.secret import Secret
from allgate.gateway.ports import ReplySink
from allgate.routing.catalogue import Upstream
from allgate.upstream.exchange import Exchange
from allgate.upstream.message import (
    DEADLINES,
    LINE_CHARACTERS,
    PORTS,
    Deadlines,
    Proxy,
    Target,
    UpstreamRequest,
    fields_for,
    request_head,
)
from allgate.upstream.pool import Pool
from allgate.wire.headers import Headers

PROXY_PORT = 3128  # where a proxy's URL names none: Squid's, which most proxies took over


UPSTREAMS_MAX = 1_024  # remembered with their targets; a changed configuration brings new ones


class PooledTransport:
    """Sends to upstreams through one pool. An upstream is a frozen value, so its target is worked out once."""

    def __init__(self, pool: Pool, deadlines: Deadlines = DEADLINES) -> None:
        self._pool = pool
        self._deadlines = deadlines
        self._targets: dict[int, tuple[Upstream, Target, str]] = {}

    def try_send(
        self, upstream: Upstream, path: str, headers: Headers, body: bytes, sink: ReplySink
    ) -> Exchange | None:
        """POST on a kept connection, now; None: there is none. Raises: ValueError."""
        _, target, base_path = self._targets.get(id(upstream)) or self._remembered(upstream)
        request = UpstreamRequest(path=_path_bytes(base_path + path), headers=headers, body=(body,))
        return self._pool.try_send(target, request, sink, self._deadlines)

    async def send(
        self,
        upstream: Upstream,
        path: str,
        headers: Headers,
        body: bytes,
        sink: ReplySink,
        *,
        fresh: bool = False,
    ) -> Exchange:
        """POST to the upstream's base URL followed by `path`. Raises: AttemptFailed(NOT_SENT), ValueError."""
        _, target, base_path = self._targets.get(id(upstream)) or self._remembered(upstream)
        request = UpstreamRequest(path=_path_bytes(base_path + path), headers=headers, body=(body,))
        return await self._pool.send(target, request, sink, self._deadlines, fresh=fresh)

    def written(self, upstream: Upstream, path: str, headers: Headers, body_bytes: int) -> tuple[str, bytes]:
        """The URL, and the head as it would leave with a body of that length. Raises: ValueError."""
        _, target, base_path = self._targets.get(id(upstream)) or self._remembered(upstream)
        request = UpstreamRequest(path=_path_bytes(base_path + path), headers=headers)
        url = f"{target.scheme}://{target.host_field.decode()}{request.path.decode()}"
        return url, request_head(request, fields_for(target), body_bytes)

    def _remembered(self, upstream: Upstream) -> tuple[Upstream, Target, str]:
        """By identity; the entry holds the value, so its id is nobody else's."""
        if len(self._targets) >= UPSTREAMS_MAX:
            self._targets.clear()
        target, base_path = target_of(
            upstream.base_url,
            proxy=upstream.proxy,
            ca_file=upstream.ca_file,
            close_delimited_ok=upstream.provider.close_delimited,
        )
        entry = self._targets[id(upstream)] = (upstream, target, base_path)
        return entry


def target_of(
    base_url: str, *, proxy: str | None = None, ca_file: str | None = None, close_delimited_ok: bool = False
) -> tuple[Target, str]:
    """The target of a base URL, and the path that every request to it begins with.

    Raises: ValueError: not http(s)://host[:port][/path]. Credentials belong in `credentials`, not in the URL.

    >>> target_of("https://api.example.com/v1/")[1]
    '/v1'
    """
    scheme, host, port, path = _parts(base_url, "base URL")
    target = Target(
        scheme=scheme,
        host=host,
        port=port or PORTS[scheme],
        ca_file=ca_file,
        proxy=None if proxy is None else proxy_of(proxy),
        close_delimited_ok=close_delimited_ok,
    )
    return target, path.rstrip("/")


def proxy_of(url: str) -> Proxy:
    """The proxy of `http://[user:password@]host[:port]`. Raises: ValueError, without the password."""
    scheme, _, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    scheme, host, port, _ = _parts(f"{scheme}://{place}", "proxy URL")
    if scheme != "http":
        raise ValueError("a proxy is reached by http://")
    authorization = None
    if at:
        authorization = Secret("Basic " + b64encode(unquote(credentials).encode()).decode("ascii"))
    return Proxy(host=host, port=port or PROXY_PORT, authorization=authorization)


def _parts(url: str, what: str) -> tuple[Literal["http", "https"], str, int | None, str]:
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise ValueError(f"the {what} is not http://host or https://host")
    if "@" in split.netloc or split.query or split.fragment:
        raise ValueError(f"the {what} of {split.hostname} holds credentials, a query or a fragment")
    return split.scheme, split.hostname.encode("idna").decode("ascii"), split.port, split.path


@lru_cache(maxsize=UPSTREAMS_MAX)
def _path_bytes(path: str) -> bytes:
    plain = path.isascii() and path.isprintable() and " " not in path
    return (path if plain else quote(path, safe=LINE_CHARACTERS)).encode("ascii")
