"""What is sent upstream, where to, and how long each step may take: values, and the one function that writes a head.

The caller names the target, path, fields and body. The fields that frame the message or hold for one hop only
(`FIELDS_SET_HERE`) are written here and refused from the caller, so that no client can smuggle a second length or
a second host through the gateway.

Bodies are tuples of slices: pass-through edits two spans of a client's body and never joins it again.
"""

from typing import Literal

from allgate.core.secret import Secret
from allgate.core.value import Value
from allgate.wire.headers import HOP_BY_HOP, Headers

FIELDS_SET_HERE = HOP_BY_HOP | {b"accept-encoding"}
"""What a caller leaves to us. The reply must come as it is (`identity`): the relay forwards its bytes untouched."""

CONNECT_S_DEFAULT = 10.0  # waiting, DNS, TCP, proxy and TLS together; around the world they take under 2
FIRST_BYTE_S_DEFAULT = 600.0  # the vendors' SDKs wait ten minutes for an unstreamed answer
IDLE_S_DEFAULT = 300.0  # a reasoning model may think that long between two events without a keep-alive
TOTAL_S_DEFAULT = 3_600.0  # nothing we relay takes an hour; what does is stuck

LINE_CHARACTERS = "".join(map(chr, range(0x21, 0x7F)))
"""What may stand in the path of a request line as it is; anything else is escaped."""

PORTS = {"http": 80, "https": 443}
_BODILESS = ("GET", "DELETE")
_START = {method: method.encode() + b" " for method in ("POST", "GET", "DELETE", "PUT", "PATCH")}


class Proxy(Value, frozen=True, kw_only=True):
    """An HTTP proxy that is asked to CONNECT. `authorization` is the whole value of that field ("Basic …")."""

    host: str
    port: int
    authorization: Secret | None = None


class Target(Value, frozen=True, kw_only=True, cache_hash=True):
    """Where to. Connections are shared between equal targets, and only between them.

    `ca_file`: certificates (PEM) to trust instead of the machine's; verification itself cannot be switched off.
    `address`: connect to this IP address, whatever the name resolves to; the name is still what TLS must prove.
    `close_delimited_ok`: the end of the connection may be the end of a body.
    """

    scheme: Literal["http", "https"]
    host: str
    port: int
    ca_file: str | None = None
    proxy: Proxy | None = None
    address: str | None = None
    close_delimited_ok: bool = False

    @property
    def authority(self) -> str:
        """Host and port, an IPv6 address in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """For people: scheme, host and port. Holds no secret."""
        return f"{self.scheme}://{self.authority}"

    @property
    def host_field(self) -> bytes:
        """The value of the Host field: without the port where it is the scheme's own."""
        authority = self.authority
        if self.port == PORTS[self.scheme]:
            authority = authority.rpartition(":")[0]
        return authority.encode("ascii")


class UpstreamRequest(Value, frozen=True, kw_only=True):
    """One request. `path` is path and query as they go on the wire; names in `headers` are lower-case.

    HEAD and CONNECT are not spoken: httptools cannot be told that no body follows.
    """

    path: bytes
    method: Literal["POST", "GET", "DELETE", "PUT", "PATCH"] = "POST"
    headers: Headers = ()
    body: tuple[bytes, ...] = ()


class Deadlines(Value, frozen=True, kw_only=True):
    """How long each step of an exchange may take, in seconds; kept to a tenth of a second, never fired early.

    connect: until a connection is there. first_byte: from the last byte sent to the head of the reply. idle: between
    two pieces of the reply, and between two pieces that the peer takes of a long request. total: all of it.
    """

    connect_s: float = CONNECT_S_DEFAULT
    first_byte_s: float = FIRST_BYTE_S_DEFAULT
    idle_s: float = IDLE_S_DEFAULT
    total_s: float = TOTAL_S_DEFAULT


DEADLINES = Deadlines()


def fields_for(target: Target) -> bytes:
    """The two lines that follow the request line in every head sent to `target`."""
    return b"host: %b\r\naccept-encoding: identity" % target.host_field


def request_head(request: UpstreamRequest, first_fields: bytes, body_bytes: int) -> bytes:
    """The head as bytes. `first_fields` is what `fields_for` gave for the target.

    Raises: ValueError: a field is ours to set, or something holds a line end, a NUL, or a space in the path. None of
    it may be repaired: whoever let it through is the one to fix. The message names the field, never its value.
    """
    headers, path = request.headers, request.path
    sized = body_bytes or request.method not in _BODILESS
    lines = [
        _START[request.method] + path + b" HTTP/1.1",
        first_fields,
        *map(b": ".join, headers),
        b"content-length: %d\r\n\r\n" % body_bytes if sized else b"\r\n",
    ]
    head = b"\r\n".join(lines)
    line_ends = len(lines) + 2 if sized else len(lines) + 1
    if (
        head.count(b"\n") != line_ends
        or head.count(b"\r") != line_ends
        or b"\0" in head
        or b" " in path
        or path[:1] != b"/"
        or not FIELDS_SET_HERE.isdisjoint([name for name, _ in headers])
    ):
        raise ValueError(_complaint(request))
    return head


def _complaint(request: UpstreamRequest) -> str:
    if not request.path.startswith(b"/") or any(byte <= 32 or byte == 127 for byte in request.path):
        return f"not a path that can be sent: {request.path!r}"
    for name, value in request.headers:
        if name in FIELDS_SET_HERE:
            return f"the field {name!r} is set by the HTTP client"
        if any(byte in b"\r\n\0" for byte in name + value):
            return f"the field {name!r} holds a line end or a NUL"
    return "the head holds a line end or a NUL"
