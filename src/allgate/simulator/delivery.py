"""How a reply leaves: a Reply and a Scene become a list of steps, and the steps are all the socket side knows.

The steps are made by a pure generator, so the whole fault table can be read here and tested without a socket. HTTP is
written by hand because it has to be written wrong on demand. A frame is the unit that scenes count in: one SSE event
(or one element of a JSON array) of a stream, the whole body otherwise; each leaves as one HTTP chunk.
"""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Literal, TypeAlias

from allgate.core.value import Value, changed
from allgate.simulator.scenes import How, Scene
from allgate.wire.headers import Headers

Framing: TypeAlias = Literal["chunked", "length", "until_close"]


class Reply(Value, frozen=True, kw_only=True):
    """A reply to be delivered. `frames` of a unary reply is its one body. `failure` is the vendor's
    in-band error, `idle` its keep-alive.
    """

    status: int
    headers: Headers
    frames: Iterable[bytes]
    stream: bool = False
    failure: bytes = b""
    idle: bytes = b""


class Write(Value, frozen=True, kw_only=True):
    """Send these bytes; `frame` if they complete one."""

    data: bytes
    frame: bool = False


class Pause(Value, frozen=True, kw_only=True):
    """Wait."""

    seconds: float


class Hold(Value, frozen=True, kw_only=True):
    """Wait until `name` is released."""

    name: str


class Silence(Value, frozen=True, kw_only=True):
    """Send nothing more; the connection stays open until the peer closes it."""


class Whole(Value, frozen=True, kw_only=True):
    """The answer has been sent as it should be."""


class End(Value, frozen=True, kw_only=True):
    """Close the connection: "close" with FIN (over TLS after close_notify), "drop" with a bare FIN, "reset" with RST."""

    how: How = "close"


Step: TypeAlias = Write | Pause | Hold | Silence | Whole | End


def steps(reply: Reply, scene: Scene) -> Iterator[Step]:
    """Everything that happens on the wire, in order."""
    if scene.reset == "read":
        yield End(how="reset")
        return
    if scene.first_ms:
        yield Pause(seconds=scene.first_ms / 1000)
    if scene.hold is not None and scene.hold_at is None:
        yield Hold(name=scene.hold)
    if scene.mute:
        yield Silence()
        return
    for _ in range(scene.interim):
        line = b"HTTP/1.1 %d %s\r\n" % (scene.interim_status, _reason(scene.interim_status))
        yield Write(data=line + b"link: </style.css>; rel=preload\r\n\r\n")
    framing = _framing(reply, scene)
    if framing == "length":
        reply = changed(reply, frames=tuple(reply.frames))
    yield Write(data=_head(reply, scene, framing))
    yield from _body(reply, scene, framing)


def _framing(reply: Reply, scene: Scene) -> Framing:
    if scene.http10:
        return "until_close"
    if scene.length is not None:
        return "length"
    legal = reply.stream or scene.trailers or scene.extension_bytes or scene.slice
    chunked = legal or scene.two_lengths or scene.malformed in ("chunk_size", "chunk_end")
    return "chunked" if chunked else "length"


def _head(reply: Reply, scene: Scene, framing: Framing) -> bytes:
    version = b"HTTP/1.0" if scene.http10 else b"HTTP/1.1"
    lines = [b"%s %d %s" % (version, reply.status, _reason(reply.status))]
    if scene.malformed == "status_line":
        lines = [b"HTTP/1.1 two hundred"]
    elif scene.malformed == "header":
        lines.append(b"no colon in this line")
    lines += [name + b": " + value for name, value in reply.headers]
    if framing == "chunked":
        lines.append(b"transfer-encoding: chunked")
    if framing == "length" or scene.two_lengths:
        size = 5 if scene.two_lengths else sum(map(len, reply.frames)) + (scene.length or 0)
        lines.append(b"content-length: %d" % max(size, 0))
    if scene.header_bytes:
        lines.append(b"x-sim-padding: " + b"x" * scene.header_bytes)
    lines += [b"x-sim-filler-%d: x" % number for number in range(scene.header_count)]
    if scene.trailers and framing == "chunked":
        lines.append(b"trailer: x-sim-trailer-0")
    if scene.close:
        lines.append(b"connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n"


def _reason(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode()
    except ValueError:
        return b"Unknown"


def _body(reply: Reply, scene: Scene, framing: Framing) -> Iterator[Step]:
    number = 0
    for number, frame in enumerate(reply.frames):
        if scene.hold is not None and scene.hold_at == number:
            yield Hold(name=scene.hold)
        if scene.silence == number:
            yield Silence()
            return
        if scene.cut == number:
            yield from _cut(frame, scene, framing)
            return
        if scene.error_at == number and reply.failure:
            yield Write(data=_wrapped(reply.failure, scene, framing), frame=True)
            yield from _end(scene, framing)
            return
        if number and scene.delay_ms:
            yield Pause(seconds=scene.delay_ms / 1000)
        if scene.comments and number:
            yield Write(data=_wrapped(reply.idle, scene, framing))
        spoiled = _spoiled(frame, scene) if scene.bad is not None and scene.bad_at == number else frame
        yield Write(data=_wrapped(spoiled, scene, framing), frame=True)
    if scene.cut == number + 1:
        yield from _cut(b"", scene, framing)
        return
    if scene.hold is not None and scene.hold_at == number + 1:
        yield Hold(name=scene.hold)
    if scene.silence == number + 1:
        yield Silence()
        return
    yield from _end(scene, framing)


def _wrapped(data: bytes, scene: Scene, framing: Framing) -> bytes:
    """`data` as it goes over the wire: as one HTTP chunk, as several (`slice`), or bare."""
    if framing != "chunked" or not data:
        return data
    size = scene.slice or len(data)
    extension = b";x=" + b"x" * scene.extension_bytes if scene.extension_bytes else b""
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    written = b"".join(b"%x%s\r\n%s\r\n" % (len(chunk), extension, chunk) for chunk in chunks)
    if scene.malformed == "chunk_size":
        return b"zz" + written
    return written.replace(b"\r\n", b"\n\n") if scene.malformed == "chunk_end" else written


def _cut(frame: bytes, scene: Scene, framing: Framing) -> Iterator[Step]:
    half = frame[: len(frame) // 2] if scene.inside else b""
    if half:
        yield Write(data=_wrapped(half, scene, framing))
    if scene.how == "end" and framing == "chunked":
        yield Write(data=b"0\r\n\r\n")
    else:
        yield End(how=scene.how)


def _end(scene: Scene, framing: Framing) -> Iterator[Step]:
    if framing == "chunked":
        trailers = b"".join(b"x-sim-trailer-%d: x\r\n" % number for number in range(scene.trailers))
        yield Write(data=b"0\r\n" + trailers + b"\r\n")
    if scene.garbage:
        yield Write(data=b"HTTP/1.1 999 garbage after the message\r\n")
    yield Whole()
    lied = scene.length is not None and scene.length > 0
    if scene.close or scene.stale == "close" or framing == "until_close" or lied:
        yield End(how=scene.how)


def _spoiled(frame: bytes, scene: Scene) -> bytes:
    """A frame made wrong: the syntax of its JSON, its end missing, no blank line after it, or bytes that are no text."""
    stem = frame.rstrip(b"\r\n")
    match scene.bad:
        case "json":
            return stem.replace(b'":', b'"=', 1) + b"\n\n"
        case "truncated":
            return stem[: len(stem) * 2 // 3] + b"\n\n"
        case "no_blank_line":
            return stem + b"\n"
        case _:
            return stem.replace(b'"', b'"\xff\xfe', 3) + b"\n\n"
