"""Ask an HTTP proxy for a tunnel (RFC 9110 §9.3.6). Plain and TLS targets alike: what is inside is our business."""

import re

from allgate.upstream.failures import Cause, not_sent
from allgate.upstream.line import Line
from allgate.upstream.message import Proxy, Target

REPLY_BYTES_MAX = 16 * 1024  # most proxies answer 40 bytes; the page that comes with a refusal is not read

_HEAD_END = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r]")


async def open_tunnel(line: Line, target: Target, proxy: Proxy) -> None:
    """CONNECT to the target over `line`. Raises: AttemptFailed(NOT_SENT): the proxy will not, or cannot."""
    place = f"the proxy {proxy.host}:{proxy.port}"
    line.transport.write(_connect_request(target, proxy))
    try:
        head = await line.read_until(_HEAD_END, REPLY_BYTES_MAX)
    except ConnectionError as error:
        raise not_sent(Cause.PROXY, f"No tunnel to {target.origin} from {place}: {error}") from error
    status = _STATUS.match(head)
    if status is None:
        raise not_sent(Cause.PROXY, f"No tunnel to {target.origin}: {place} does not speak HTTP")
    if not status.group(1).startswith(b"2"):
        raise not_sent(
            Cause.PROXY, f"No tunnel to {target.origin}: {place} answered {status.group(1).decode()}"
        )
    if line.received:
        raise not_sent(Cause.PROXY, f"No tunnel to {target.origin}: {place} sent bytes before it was asked")


def _connect_request(target: Target, proxy: Proxy) -> bytes:
    host = target.address or target.host
    authority = f"[{host}]:{target.port}" if ":" in host else f"{host}:{target.port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.authorization is not None:
        lines.append(f"Proxy-Authorization: {proxy.authorization.reveal()}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
