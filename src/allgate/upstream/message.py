"""What is sent upstream, where to, and how long each step may take: values, and the one function that writes a head.

The caller names the target, path, fields and body. The fields that frame the message or hold for one hop only
(`FIELDS_SET_HERE`) are written here and refused from the caller, so that no client can smuggle a second length or
a second host through the gateway.

Bodies are tuples of slices: pass-through edits two spans of a client's body and never joins it again.
"""

from functools import lru_cache
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

HEADS_MAX = 1_024
"""Request lines and sets of fields that were checked and written before: most requests differ in the length alone."""


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
    start = _start_line(request.method, request.path)
    fields = _field_lines(request.headers)
    if body_bytes or request.method not in _BODILESS:
        return b"%b%b\r\n%bcontent-length: %d\r\n\r\n" % (start, first_fields, fields, body_bytes)
    return b"%b%b\r\n%b\r\n" % (start, first_fields, fields)


@lru_cache(maxsize=HEADS_MAX)
def _start_line(method: str, path: bytes) -> bytes:
    """With its line end. Raises: ValueError."""
    if path[:1] != b"/" or any(byte <= 32 or byte == 127 for byte in path):
        raise ValueError(f"not a path that can be sent: {path!r}")
    return b"%b %b HTTP/1.1\r\n" % (method.encode("ascii"), path)


@lru_cache(maxsize=HEADS_MAX)
def _field_lines(headers: Headers) -> bytes:
    """Each with its line end. Raises: ValueError."""
    for name, _ in headers:
        if name in FIELDS_SET_HERE:
            raise ValueError(f"the field {name!r} is set by the HTTP client")
    lines = b"".join([b"%b: %b\r\n" % field for field in headers])
    if lines.count(b"\n") != len(headers) or lines.count(b"\r") != len(headers) or b"\0" in lines:
        bad = next(name for name, value in headers if any(byte in b"\r\n\0" for byte in name + value))
        raise ValueError(f"the field {bad!r} holds a line end or a NUL")
    return lines
