"""The reader of replies against the traps of its parser, in every slicing: no sockets here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allgate.upstream.reply import (
    HEAD_BYTES_MAX,
    HEADER_COUNT_MAX,
    INFORMATIONAL_MAX,
    OVERHEAD_WINDOW_BYTES,
    TRAILER_BYTES_MAX,
    ReplyBroken,
    ReplyReader,
)
from upstream.peer import slicings

LINE = b"HTTP/1.1 200 OK\r\n"
CHUNKED = LINE + b"transfer-encoding: chunked\r\n\r\n"


class Taken:
    """What a reader hands out for one reply."""

    def __init__(self):
        self.head = None
        self.body = b""

    def head_arrived(self, status, headers):
        assert self.head is None, "a second head"
        self.head = (status, headers)

    def on_body(self, chunk):
        self.body += chunk


def read(slices, until_close_ok=False):
    """(status, body, complete, keep) after all slices; what follows a complete reply is not fed, as on a socket."""
    reader, taken = ReplyReader(), Taken()
    reader.begin(taken, taken.on_body, until_close_ok=until_close_ok)
    for place, piece in enumerate(slices):
        if reader.feed(piece):
            keep = reader.keep and place == len(slices) - 1
            return taken.head[0], taken.body, True, keep
    return taken.head and taken.head[0], taken.body, False, False


def every_slicing(data):
    return [pytest.param(slices, id=name) for name, slices in slicings(data)]


def reason(data, until_close_ok=False):
    """Why `data` is refused; the same in every slicing."""
    reasons = set()
    for _, slices in slicings(data):
        with pytest.raises(ReplyBroken) as broken:
            read(slices, until_close_ok)
        reasons.add(str(broken.value))
    assert len(reasons) == 1, reasons
    return reasons.pop()


ACCEPTED = {
    "length": (LINE + b"Content-Length: 5\r\n\r\nhello", (200, b"hello", True, True)),
    "length zero": (LINE + b"content-length: 0\r\n\r\n", (200, b"", True, True)),
    "chunks": (CHUNKED + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", (200, b"hello", True, True)),
    "chunk extension": (CHUNKED + b"5;a=b\r\nhello\r\n0;c\r\n\r\n", (200, b"hello", True, True)),
    "trailers are dropped": (CHUNKED + b"5\r\nhello\r\n0\r\nx-sum: 1\r\ny: \r\n\r\n", (200, b"hello", True, True)),
    "body of line ends": (LINE + b"content-length: 4\r\n\r\n\r\n\r\n", (200, b"\r\n\r\n", True, True)),
    "no reason phrase": (b"HTTP/1.1 200\r\ncontent-length: 1\r\n\r\nx", (200, b"x", True, True)),
    "204 without length": (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"", True, True)),
    "304 with length": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", (304, b"", True, True)),
    "1xx before": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + LINE
        + b"content-length: 2\r\n\r\nok", (200, b"ok", True, True)),
    "1xx before chunks": (b"HTTP/1.1 103 E\r\na: b\r\n\r\n" + CHUNKED + b"2\r\nok\r\n0\r\n\r\n", (200, b"ok", True, True)),
    "connection close": (LINE + b"connection: close\r\ncontent-length: 2\r\n\r\nok", (200, b"ok", True, False)),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok", (200, b"ok", True, False)),
    "HTTP/1.0 kept": (
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok", (200, b"ok", True, True)),
    "unasked upgrade offer": (
        LINE + b"connection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\nok", (200, b"ok", True, True)),
    "short body": (LINE + b"content-length: 5\r\n\r\nhell", (200, b"hell", False, False)),
    "missing last chunk": (CHUNKED + b"5\r\nhello\r\n", (200, b"hello", False, False)),
    "cut last chunk": (CHUNKED + b"5\r\nhello\r\n0\r\n\r", (200, b"hello", False, False)),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_reply_reads_the_same_in_every_slicing(name):
    data, expected = ACCEPTED[name]
    for slicing, slices in slicings(data):
        assert read(slices) == expected, slicing


STRAYS = [
    *[b"\r\n", b"\n", b"\r", b"X", b"H", b" ", b"\r\n\r\n"],
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
]


@pytest.mark.parametrize("stray", STRAYS)
@pytest.mark.parametrize("name", [name for name, (_, result) in ACCEPTED.items() if result[2]])
def test_a_byte_after_the_reply_ends_the_connection_but_not_the_reply(name, stray):
    data, (status, body, _, _) = ACCEPTED[name]
    for slicing, slices in slicings(data + stray):
        assert read(slices) == (status, body, True, False), slicing


def test_a_stray_line_end_after_a_body_that_begins_with_line_ends_is_seen():
    data = LINE + b"content-length: 6\r\n\r\n\r\n\r\nab" + b"\r\n"
    for slicing, slices in slicings(data):
        assert read(slices)[3] is False, slicing


def outcome(slices):
    try:
        return read(slices)
    except ReplyBroken:
        return "refused"


@given(data=st.data())
def test_any_bytes_read_the_same_in_every_slicing(data):
    """Replies with pieces changed, dropped, doubled or cut: whatever comes out, slicing does not decide it."""
    reply, _ = ACCEPTED[data.draw(st.sampled_from(sorted(ACCEPTED)))]
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(reply)))
        stop = data.draw(st.integers(start, min(len(reply), start + 12)))
        middle = data.draw(
            st.sampled_from(
                [b"", b"\r\n", b"\r", b"\n", b"0", b"5", b":", b" ", b"HTTP/1.1 ", b"\0", b"\xff"]
            )
        )
        reply = reply[:start] + middle + data.draw(st.sampled_from([b"", reply[start:stop]])) + reply[stop:]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(reply)), max_size=8)))
    sliced = [reply[a:b] for a, b in zip([0, *cuts], [*cuts, len(reply)], strict=True) if a < b]
    expected = outcome([reply] if reply else [])
    assert outcome(sliced) == expected
    assert outcome([bytes([byte]) for byte in reply]) == expected


REFUSED = {
    "length and chunks": (LINE + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n", "can't be present"),
    "chunks and length": (LINE + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n", "can't be present"),
    "two lengths": (LINE + b"content-length: 2\r\ncontent-length: 2\r\n\r\nok", "Duplicate Content-Length"),
    "list of lengths": (LINE + b"content-length: 2, 2\r\n\r\nok", "Content-Length"),
    "signed length": (LINE + b"content-length: +2\r\n\r\nok", "Content-Length"),
    "huge length": (LINE + b"content-length: 99999999999999999999\r\n\r\nok", "overflow"),
    "unknown coding": (LINE + b"transfer-encoding: gzip, chunked\r\n\r\n", "not chunked alone"),
    "chunked not last": (LINE + b"transfer-encoding: chunked, gzip\r\n\r\n", "not chunked alone"),
    "coding identity": (LINE + b"transfer-encoding: identity\r\n\r\nok", "not chunked alone"),
    "two codings": (LINE + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", "not chunked alone"),
    "101": (b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", "101"),
    "bare 101": (b"HTTP/1.1 101 Switching\r\n\r\n", "101"),
    "status 099": (b"HTTP/1.1 099 Low\r\ncontent-length: 0\r\n\r\n", "below 100"),
    "HTTP/2.0": (b"HTTP/2.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n", "not HTTP/1.1"),
    "HTTP/0.9": (b"HTTP/0.9 200 OK\r\ncontent-length: 0\r\n\r\n", "not HTTP/1.1"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "malformed"),
    "line feeds": (b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok", "malformed"),
    "folded field": (LINE + b"a: b\r\n c\r\n\r\n", "malformed"),
    "space before colon": (LINE + b"content-length : 2\r\n\r\nok", "malformed"),
    "NUL": (LINE + b"a: b\0c\r\n\r\n", "malformed"),
    "negative chunk": (CHUNKED + b"-2\r\nok\r\n", "malformed"),
    "hex prefix": (CHUNKED + b"0x2\r\nok\r\n", "malformed"),
    "huge chunk": (CHUNKED + b"fffffffffffffffff\r\n", "malformed"),
    "chunk longer than it says": (CHUNKED + b"2\r\nokay\r\n0\r\n\r\n", "malformed"),
    "length in trailers": (CHUNKED + b"2\r\nok\r\n0\r\ncontent-length: 5\r\n\r\n", "can't be present"),
    "neither length nor chunks": (LINE + b"\r\nok", "neither a length nor chunks"),
    "line end before": (b"\r\n" + LINE + b"content-length: 2\r\n\r\nok", "where a reply must begin"),
    "line end after a 1xx": (b"HTTP/1.1 100 Continue\r\n\r\n\r\n" + LINE, "where a reply must begin"),
    "too many 1xx": (b"HTTP/1.1 102 Wait\r\n\r\n" * (INFORMATIONAL_MAX + 1), "informational"),
    "too many fields": (LINE + b"a: b\r\n" * (HEADER_COUNT_MAX + 1) + b"\r\n", "header fields"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_reply_is_refused_with_the_same_reason_in_every_slicing(name):
    data, words = REFUSED[name]
    assert words in reason(data)


def head_of(size):
    """A head of exactly `size` bytes."""
    frame = LINE + b"x: \r\ncontent-length: 2\r\n\r\n"
    return LINE + b"x: " + b"v" * (size - len(frame)) + b"\r\ncontent-length: 2\r\n\r\n"


@pytest.mark.parametrize("slice_bytes", [1_000_000, 65_536, 4_099, 7])
def test_the_limit_of_a_head_holds_to_the_byte(slice_bytes):
    for size, fits in [(HEAD_BYTES_MAX, True), (HEAD_BYTES_MAX + 1, False)]:
        data = head_of(size) + b"ok"
        slices = [data[place : place + slice_bytes] for place in range(0, len(data), slice_bytes)]
        if fits:
            assert read(slices) == (200, b"ok", True, True)
        else:
            with pytest.raises(ReplyBroken, match="head is longer"):
                read(slices)


def test_the_heads_of_1xx_count_towards_the_limit():
    early = LINE.replace(b"200 OK", b"103 Early") + b"x: " + b"v" * 40_000 + b"\r\n\r\n"
    with pytest.raises(ReplyBroken, match="head is longer"):
        read([early, early])


def test_two_hundred_fields_are_accepted():
    data = LINE + b"a: b\r\n" * (HEADER_COUNT_MAX - 1) + b"content-length: 2\r\n\r\nok"
    for _, slices in slicings(data):
        assert read(slices) == (200, b"ok", True, True)


@pytest.mark.parametrize("slice_bytes", [1_000_000, 65_536, 1_000])
def test_a_flood_of_chunk_extensions_is_refused(slice_bytes):
    reader, taken = ReplyReader(), Taken()
    reader.begin(taken, taken.on_body, until_close_ok=False)
    reader.feed(CHUNKED + b"2;")

    def flood():
        for _ in range(0, 2 * OVERHEAD_WINDOW_BYTES, slice_bytes):
            reader.feed(b"x" * slice_bytes)

    with pytest.raises(ReplyBroken, match="framing"):
        flood()


def test_extensions_that_alternate_with_honest_chunks_are_refused_in_their_window():
    honest = b"8000\r\n" + b"y" * 0x8000 + b"\r\n"
    flood = b"1;" + b"x" * 40_000 + b"\r\nz\r\n"
    with pytest.raises(ReplyBroken, match="framing"):
        read([CHUNKED, *[honest] * 20, flood, flood])


def test_a_quarter_of_framing_is_accepted_for_as_long_as_it_lasts():
    window = b"c000;" + b"x" * 15_000 + b"\r\n" + b"y" * 0xC000 + b"\r\n"
    assert read([CHUNKED, *[window] * 20, b"0\r\n\r\n"]) == (200, b"y" * 0xC000 * 20, True, True)


def test_tiny_chunks_of_an_event_stream_are_no_overhead():
    data = CHUNKED + b"1\r\ny\r\n" * 50_000 + b"0\r\n\r\n"
    status, body, complete, keep = read([data[place : place + 1_500] for place in range(0, len(data), 1_500)])
    assert (status, len(body), complete, keep) == (200, 50_000, True, True)


@pytest.mark.parametrize("slice_bytes", [100_000, 900])
def test_trailers_over_their_limit_are_refused(slice_bytes):
    data = CHUNKED + b"2\r\nok\r\n0\r\nx: " + b"v" * TRAILER_BYTES_MAX + b"\r\n\r\n"
    with pytest.raises(ReplyBroken, match="trailers"):
        read([data[place : place + slice_bytes] for place in range(0, len(data), slice_bytes)])


def test_endless_trailers_are_refused():
    slices = [CHUNKED, b"2\r\nok\r\n0\r\n", *[b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n"] * 4_000]
    with pytest.raises(ReplyBroken):
        read(slices)


@pytest.mark.parametrize("trailer", [b"connection: close", b"transfer-encoding: chunked", b"x: y"])
def test_trailers_do_not_reach_into_the_next_reply(trailer):
    reader = ReplyReader()
    for _ in range(2):
        taken = Taken()
        reader.begin(taken, taken.on_body, until_close_ok=False)
        assert reader.feed(CHUNKED + b"2\r\nok\r\n0\r\n" + trailer + b"\r\n\r\n")
        assert reader.keep
        assert taken.head == (200, ((b"transfer-encoding", b"chunked"),))
        assert taken.body == b"ok"
    taken = Taken()
    reader.begin(taken, taken.on_body, until_close_ok=False)
    assert reader.feed(LINE + b"content-length: 1\r\n\r\nx")
    assert taken.head == (200, ((b"content-length", b"1"),))


def test_header_names_are_lower_case_and_duplicates_kept():
    reader, taken = ReplyReader(), Taken()
    reader.begin(taken, taken.on_body, until_close_ok=False)
    assert reader.feed(LINE + b"Set-Cookie: a\r\nX-Empty:\r\nset-cookie: b \r\nContent-Length: 0\r\n\r\n")
    assert taken.head == (
        200,
        ((b"set-cookie", b"a"), (b"x-empty", b""), (b"set-cookie", b"b"), (b"content-length", b"0")),
    )


def test_a_body_may_end_with_the_connection_where_that_is_allowed():
    for _, slices in slicings(LINE + b"\r\nsome text"):
        assert read(slices, until_close_ok=True) == (200, b"some text", False, False)
    reader, taken = ReplyReader(), Taken()
    reader.begin(taken, taken.on_body, until_close_ok=True)
    assert not reader.feed(LINE + b"\r\nsome text")
    assert reader.ends_with_connection


@pytest.mark.parametrize(
    ("field", "seconds"),
    [(b"timeout=30", 30.0), (b"max=5, Timeout = 12", 12.0), (b"max=5", None), (b"timeout=x", None)],
)
def test_the_servers_keep_alive_is_read(field, seconds):
    reader, taken = ReplyReader(), Taken()
    reader.begin(taken, taken.on_body, until_close_ok=False)
    assert reader.feed(LINE + b"Keep-Alive: " + field + b"\r\ncontent-length: 0\r\n\r\n")
    assert reader.keep_alive_s == seconds


def test_what_a_callback_raises_comes_out_as_it_is():
    class Fault(Exception):
        pass

    def fault(chunk):
        raise Fault(chunk)

    reader = ReplyReader()
    reader.begin(Taken(), fault, until_close_ok=False)
    with pytest.raises(Fault, match="ok"):
        reader.feed(LINE + b"content-length: 2\r\n\r\nok")


def test_a_deaf_reader_hands_out_nothing_more():
    reader, taken = ReplyReader(), Taken()

    def once(chunk):
        taken.on_body(chunk)
        reader.deafen()

    reader.begin(taken, once, until_close_ok=False)
    reader.feed(CHUNKED + b"2\r\nok\r\n2\r\nno\r\n0\r\n\r\n")
    assert taken.body == b"ok"


def test_a_limited_body_is_refused_beyond_its_limit():
    reader, taken = ReplyReader(), Taken()
    reader.begin(taken, taken.on_body, until_close_ok=False)
    reader.feed(CHUNKED)
    reader.limit_body(3)
    reader.feed(b"3\r\nabc\r\n")
    with pytest.raises(ReplyBroken, match="more than 3 bytes"):
        reader.feed(b"1\r\nd\r\n")
    assert taken.body == b"abc"
