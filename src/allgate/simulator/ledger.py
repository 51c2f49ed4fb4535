"""What was served: one line per request, readable in process and at `GET /ledger`.

A gateway's books are checked against this ledger, so it is written from what left the socket, not from what was
planned: `frames_sent` counts frames handed to the operating system, `complete` is set after the last byte of an
undamaged answer. Lines are frozen and replaced as the request goes on; whoever waits for something to happen waits
for a line that looks a certain way (`wait_for`), never for a time.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable

from allgate.core.value import Value, changed
from allgate.wire.json import Json, JsonObject

LINES_MAX = 200_000
"""Lines kept, oldest dropped first: two soak runs of 100,000 requests; about 100 MB."""

BODIES_MAX = 1_000
"""Request bodies kept: more than one test sends; bodies of 1 MB are common in media tests."""

BODY_BYTES_MAX = 4_000_000
"""A longer body is not kept, so that `BODIES_MAX` of them stay below the memory of a small machine."""


class Line(Value, frozen=True, kw_only=True):
    """One request. Token counts are what the reply reported or would have reported; None where it never came to that.

    `request_id` is the gateway's (`x-allgate-request-id`, else `x-request-id`, as received), `credential` the last
    four characters of the key. `seals`: signatures and sealed reasoning of its own that the request brought back, each
    verified. `peer_closed`: the client went away before the reply was whole.
    """

    serial: int
    id: str
    request_id: str | None
    credential: str | None
    connection: int
    method: str
    path: str
    dialect: str | None = None
    model: str | None = None
    scene: str | None = None
    stream: bool = False
    status: int | None = None
    error: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    seals: int = 0
    frames_sent: int = 0
    holding: str | None = None
    complete: bool = False
    peer_closed: bool = False
    done: bool = False


class Ledger:
    """The lines, newest last."""

    def __init__(self) -> None:
        self._lines: OrderedDict[int, Line] = OrderedDict()
        self._bodies: OrderedDict[int, Json] = OrderedDict()
        self._headers: OrderedDict[int, dict[str, str]] = OrderedDict()
        self._waiting: list[tuple[Callable[[Line], bool], asyncio.Future[Line]]] = []
        self.connections = 0
        self.requests = 0
        self.malformed = 0

    @property
    def lines(self) -> list[Line]:
        """Every line kept, oldest first."""
        return list(self._lines.values())

    @property
    def last(self) -> Line:
        """The newest line. Raises: LookupError: nothing was served yet."""
        if not self._lines:
            raise LookupError("the simulator has served nothing yet")
        return next(reversed(self._lines.values()))

    def body(self, line: Line) -> Json:
        """The parsed request body of a line; None if it was not JSON, too long, or too long ago."""
        return self._bodies.get(line.serial)

    def headers(self, line: Line) -> dict[str, str]:
        """The request headers of a line, lower-case, credentials blanked."""
        return self._headers.get(line.serial, {})

    def open(self, line: Line, headers: dict[str, str]) -> None:
        """A request has come in."""
        self.requests += 1
        self._lines[line.serial] = line
        self._headers[line.serial] = headers
        if len(self._lines) > LINES_MAX:
            self._lines.popitem(last=False)
        if len(self._headers) > BODIES_MAX:
            self._headers.popitem(last=False)
        self._tell(line)

    def keep_body(self, serial: int, body: Json, size_bytes: int) -> None:
        """Keep the parsed body of the request `serial`, if it is not too long."""
        if size_bytes <= BODY_BYTES_MAX:
            self._bodies[serial] = body
        if len(self._bodies) > BODIES_MAX:
            self._bodies.popitem(last=False)

    def note(self, serial: int, **fields: object) -> None:
        """Replace fields of the line `serial`, if it is still kept."""
        line = self._lines.get(serial)
        if line is not None:
            self._lines[serial] = line = changed(line, **fields)
            if self._waiting:
                self._tell(line)

    def sent(self, serial: int) -> None:
        """One more frame of the reply `serial` has left."""
        line = self._lines.get(serial)
        if line is not None:
            self.note(serial, frames_sent=line.frames_sent + 1)

    async def wait_for(self, wanted: Callable[[Line], bool], timeout_s: float = 10) -> Line:
        """The first line, kept or to come, for which `wanted` is true. Raises: TimeoutError."""
        for line in self._lines.values():
            if wanted(line):
                return line
        future: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
        entry = (wanted, future)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        finally:
            self._waiting.remove(entry)

    def document(self, *, request_id: str | None = None, since: int = 0, bodies: bool = False) -> JsonObject:
        """The ledger as JSON: whole, or of one gateway request id, or what has a greater serial than `since`."""
        lines = [
            line
            for line in self._lines.values()
            if request_id in (None, line.request_id, line.id) and line.serial > since
        ]
        return {
            "requests": self.requests,
            "connections": self.connections,
            "malformed": self.malformed,
            "lines": [
                {name: getattr(line, name) for name in Line.__struct_fields__}
                | ({"body": self.body(line)} if bodies else {})
                for line in lines
            ],
        }

    def _tell(self, line: Line) -> None:
        for wanted, future in self._waiting:
            if not future.done() and wanted(line):
                future.set_result(line)
