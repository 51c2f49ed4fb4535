"""Read one HTTP/1.1 reply after another from the bytes of a connection; say when one is broken, over a limit, or ended.

llhttp (through httptools) tokenizes; what it leaves open is decided here. Each of these was seen on httptools 0.9:
- 1xx replies come like any other, "message complete" included: they are skipped, at most `INFORMATIONAL_MAX`; a 101
  answers an upgrade that nobody asked for;
- trailers come as header fields: they are dropped, at most `TRAILER_BYTES_MAX`;
- a head of any length and a chunk extension of any length pass: `HEAD_BYTES_MAX` holds to the byte however the bytes
  are sliced, and of each `OVERHEAD_WINDOW_BYTES` of a body, `OVERHEAD_BYTES_MAX` may be framing;
- a transfer coding that it does not know turns the reply into one that ends with the connection: refused;
- HTTP/0.9 and 2.0 in the status line pass: refused;
- a second reply in the same bytes, and line ends after the first one, pass unseen: where the reply ended is counted
  here, and the connection is not kept (`keep` is false) if anything follows;
- there is no call for the end of the connection: whoever owns the socket asks `ends_with_connection`;
- a reply to HEAD cannot be announced, and would swallow the next reply: HEAD is not spoken (`message.py`).

Not done here: deadlines, sockets, and what a failure means for the attempt.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import Protocol

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpResponseParser

from allgate.wire.headers import Headers

HEAD_BYTES_MAX = 64 * 1024  # 1xx heads included; the largest of real providers has 8 KB, of security policies
HEADER_COUNT_MAX = 200  # real replies carry up to 40
INFORMATIONAL_MAX = 8  # nobody sends more than a 100 and a 103
TRAILER_BYTES_MAX = 16 * 1024
OVERHEAD_WINDOW_BYTES = 64 * 1024
OVERHEAD_BYTES_MAX = 16 * 1024  # of each window, as a rate where several windows come at once
CHUNK_FRAMING_BYTES = 12  # a size and two line ends: honest framing of a piece, however tiny, is no overhead

_LINES_END = b"\r\n\r\n"
_LINE_ENDS = (b"\r", b"\n")
_BODILESS = (204, 304)
_VERSIONS = ("1.1", "1.0")
_TIMEOUT = re.compile(rb"timeout\s*=\s*(\d{1,6})", re.IGNORECASE)


class ReplyBroken(Exception):
    """The bytes are no reply that we accept. The text says why, without any of the reply's own words."""


class HeadTaker(Protocol):
    """Who is told that the head is there."""

    def head_arrived(self, status: int, headers: Headers) -> None: ...


class State(Enum):
    """Where in a reply we are."""

    HEAD = "head"
    BODY = "body"
    DONE = "done"


# A global is found in half the time of an attribute, and this is asked ten times per reply.
_HEAD, _BODY, _DONE = State.HEAD, State.BODY, State.DONE


class ReplyReader:
    """begin(), then feed() until it says that the reply is complete; then begin() again, if `keep` allows.

    `heard`: a byte of the reply came. `keep`: the connection may carry another exchange. `keep_alive_s`: how long the
    server says that it keeps an idle connection. `ends_with_connection`: the reply has neither length nor chunks.
    """

    __slots__ = (
        "_before", "_body_bytes", "_check_at", "_chunked", "_data", "_fields", "_head_bytes", "_head_end",
        "_informational", "_on_body", "_overhead_bytes", "_parser", "_pieces", "_raw_bytes", "_skipped", "_state", "_taker",
        "_trailers", "_until_close_ok", "_version_known", "ends_with_connection", "heard", "keep", "keep_alive_s",
    )  # fmt: skip

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._state = _DONE
        self._fields: list[tuple[bytes, bytes]] = []
        self._data = b""
        self._version_known = False
        self._taker: HeadTaker | None = None
        self.keep_alive_s: float | None = None

    def begin(self, taker: HeadTaker, on_body: Callable[[bytes], None], *, until_close_ok: bool) -> None:
        """Expect a reply. `until_close_ok`: its body may end with the connection."""
        self._taker = taker
        self._on_body = on_body
        self._until_close_ok = until_close_ok
        self._before = b""
        self._head_bytes = self._head_end = self._informational = 0
        self._body_bytes = self._pieces = self._raw_bytes = self._overhead_bytes = 0
        self._check_at = OVERHEAD_WINDOW_BYTES
        self._chunked = self._skipped = self._trailers = self.heard = self.ends_with_connection = False
        self.keep = True
        self._state = _HEAD

    def feed(self, data: bytes) -> bool:
        """Take what the connection gave; True: the reply is complete.

        Raises: ReplyBroken, and whatever a callback raised; in both cases the connection is of no more use.
        """
        if self._state is _HEAD:
            return self._feed_head(data)
        self._head_end = 0
        return self._feed_rest(data)

    def deafen(self) -> None:
        """Nobody listens any more: swallow what is left of the bytes being fed."""
        self._on_body = _nothing
        self._taker = None

    def end(self) -> None:
        """The connection is closed: let go of the parser, which points back here, without waiting for the collector."""
        self.deafen()
        del self._parser

    def limit_body(self, bytes_max: int) -> None:
        """From now on, a body longer than this is refused."""
        deliver = self._on_body

        def deliver_within(chunk: bytes) -> None:
            if self._body_bytes > bytes_max:
                raise ReplyBroken(f"more than {bytes_max} bytes answer a request that was not sent whole")
            deliver(chunk)

        self._on_body = deliver_within

    def _feed_head(self, data: bytes) -> bool:
        """Bytes that may hold the end of the head: never more of them than a head may have."""
        if not self.heard or self._skipped:
            self.heard, self._skipped = True, False
            self._check_start(data, 0)
        room = HEAD_BYTES_MAX - self._head_bytes
        if not room:
            raise ReplyBroken(f"the head is longer than {HEAD_BYTES_MAX} bytes")
        if len(data) > room:
            if not self._feed_head(data[:room]):
                return self.feed(data[room:])
            self.keep = False
            return True
        self._head_end = 0
        self._data = data
        complete = self._feed_rest(data)
        if self._state is _HEAD:
            self._head_bytes += len(data)
        return complete

    def _feed_rest(self, data: bytes) -> bool:
        body_bytes = self._body_bytes
        try:
            self._parser.feed_data(data)
        except HttpParserCallbackError as error:
            raise (error.__context__ or error) from None
        except (HttpParserError, HttpParserUpgrade) as error:
            if self._state is not _DONE:
                raise ReplyBroken(f"malformed HTTP: {error}") from None
            self.keep = False
        if self._state is _DONE:
            self._judge_end(data, self._body_bytes - body_bytes)
            return True
        self._before = data if len(data) > 4 else self._before[-4:] + data
        if self._state is _BODY:
            self._raw_bytes += len(data) - self._head_end
            if self._raw_bytes >= self._check_at:
                self._check_overhead()
        return False

    def _judge_end(self, data: bytes, body_bytes: int) -> None:
        """Does anything follow the reply? `data` is what completed it, with `body_bytes` of body in it.

        What is not CR or LF, llhttp has taken for the start of another reply. CR and LF it skips: a length says where
        they begin, and the end of chunks is exactly one empty line.
        """
        if self._chunked:
            tail = data[-5:] if len(data) > 4 else (self._before + data)[-5:]
            clean = tail[1:] == _LINES_END and tail[0] not in b"\r\n"
        else:
            clean = self._head_end + body_bytes == len(data)
        if not clean:
            self.keep = False
        if self._trailers:  # they may have named a length or a coding, which llhttp would remember
            self._parser = HttpResponseParser(self)
        self._before = self._data = b""
        self._taker = None

    def _check_overhead(self) -> None:
        overhead_bytes = self._raw_bytes - self._body_bytes - CHUNK_FRAMING_BYTES * self._pieces
        windows = (self._raw_bytes - self._check_at) / OVERHEAD_WINDOW_BYTES + 1
        if overhead_bytes - self._overhead_bytes > windows * OVERHEAD_BYTES_MAX:
            raise ReplyBroken(
                f"more than {OVERHEAD_BYTES_MAX} of {OVERHEAD_WINDOW_BYTES} bytes are framing, not body"
            )
        self._overhead_bytes = overhead_bytes
        self._check_at = self._raw_bytes + OVERHEAD_WINDOW_BYTES

    # ---- what httptools calls ---------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of a head, or of trailers."""
        self._fields.append((name.lower(), value.strip()))

    def on_headers_complete(self) -> None:
        """The end of a head, of a 1xx too, and of whatever follows the reply."""
        if self._state is not _HEAD:
            self.keep = False
            return
        self._head_end = self._end_of_head()
        headers, self._fields = tuple(self._fields), []
        status = self._parser.get_status_code()
        if status < 200:
            self._skip_informational(status)
            return
        if len(headers) > HEADER_COUNT_MAX:
            raise ReplyBroken(f"more than {HEADER_COUNT_MAX} header fields")
        if not self._version_known:
            self._check_version()
        self._decide_framing(status, headers)
        self._state = _BODY
        if self._taker is not None:
            self._taker.head_arrived(status, headers)

    def on_body(self, chunk: bytes) -> None:
        """A piece of the body."""
        self._body_bytes += len(chunk)
        self._pieces += 1
        self._on_body(chunk)

    def on_message_complete(self) -> None:
        """The end of a reply, of a 1xx too."""
        if self._state is not _BODY:
            return
        if self._fields:
            self._drop_trailers()
        self._state = _DONE
        self._on_body = _nothing

    def _end_of_head(self) -> int:
        """Where in the bytes being fed the head ends that llhttp has just read; strict llhttp wants CRLF CRLF."""
        if not self._head_end and self._before:
            seam = self._before[-3:]
            found = (seam + self._data[:3]).find(_LINES_END)
            if found >= 0:
                return found + len(_LINES_END) - len(seam)
        return self._data.find(_LINES_END, self._head_end) + len(_LINES_END)

    def _check_start(self, data: bytes, place: int) -> None:
        """llhttp skips line ends there, and the count of where a reply ends would be wrong."""
        if data[place : place + 1] in _LINE_ENDS:
            raise ReplyBroken("a line end stands where a reply must begin")

    def _check_version(self) -> None:
        """Of the first reply; a server does not change it on the way."""
        if self._parser.get_http_version() not in _VERSIONS:
            raise ReplyBroken("the reply is not HTTP/1.1 or 1.0")
        self._version_known = True

    def _skip_informational(self, status: int) -> None:
        self._informational += 1
        if status == 101:
            raise ReplyBroken("status 101 answers an upgrade that was not asked for")
        if status < 100:
            raise ReplyBroken("the status is below 100")
        if self._informational > INFORMATIONAL_MAX:
            raise ReplyBroken(f"more than {INFORMATIONAL_MAX} informational replies")
        self._skipped = self._head_end == len(self._data)
        self._check_start(self._data, self._head_end)

    def _decide_framing(self, status: int, headers: Headers) -> None:
        by_name = dict(headers)
        self.keep = self._parser.should_keep_alive()
        coding = by_name.get(b"transfer-encoding")
        if coding is not None:
            codings = [value for name, value in headers if name == b"transfer-encoding"]
            if len(codings) > 1 or coding.lower() != b"chunked":
                raise ReplyBroken("the transfer coding is not chunked alone")
            self._chunked = status not in _BODILESS
        elif b"content-length" not in by_name and status not in _BODILESS:
            if not self._until_close_ok:
                raise ReplyBroken("the reply has neither a length nor chunks")
            self.ends_with_connection = True
        keep_alive = by_name.get(b"keep-alive")
        timeout = _TIMEOUT.search(keep_alive) if keep_alive else None
        self.keep_alive_s = float(timeout.group(1)) if timeout else None

    def _drop_trailers(self) -> None:
        self._trailers = True
        trailer_bytes = sum(len(name) + len(value) + len(b": \r\n") for name, value in self._fields)
        if trailer_bytes > TRAILER_BYTES_MAX or len(self._fields) > HEADER_COUNT_MAX:
            raise ReplyBroken(f"more than {TRAILER_BYTES_MAX} bytes or {HEADER_COUNT_MAX} fields of trailers")
        self._fields = []


def _nothing(chunk: bytes) -> None:
    """Nobody listens."""
