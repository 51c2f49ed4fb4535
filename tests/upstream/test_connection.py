"""One socket under real, and really misbehaving, servers."""

import asyncio
import socket

import pytest

from allgate.core.errors import ErrorKind, Phase
from allgate.upstream.connection import (
    AGE_S_MAX,
    EARLY_BODY_BYTES_MAX,
    IDLE_KEEP_S,
    IDLE_KEEP_S_MAX,
    ONE_WRITE_BYTES_MAX,
)
from allgate.upstream.failures import Cause
from allgate.upstream.message import UpstreamRequest
from upstream.peer import CHUNKED, OK, POST, Heard, Peer, always, answering, outbound, slicings

HEAD = b"HTTP/1.1 200 OK\r\n"


async def test_a_request_leaves_as_written_and_its_reply_arrives():
    seen = []

    async def handler(call):
        seen.append(await call.request())
        call.send(OK)
        await call.hung_up()

    async with Peer(handler) as peer, outbound() as out:
        request = UpstreamRequest(
            path=b"/v1/x?a=1", headers=((b"a", b"b"), (b"a", b"c")), body=(b"he", b"llo")
        )
        heard = await out.post(peer.target(), request)
        assert await heard.success() == b"ok"
        assert (heard.status, heard.headers) == (200, ((b"content-length", b"2"),))
        assert heard.told == ["head", "body", "end"]
        head = (
            b"POST /v1/x?a=1 HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept-encoding: identity\r\na: b\r\na: c\r\n"
            b"content-length: 5\r\n\r\n" % peer.port
        )
        assert seen == [(head, b"hello")]


async def test_a_clean_connection_is_used_again():
    async with Peer(always(OK)) as peer, outbound() as out:
        for _ in range(3):
            assert await (await out.post(peer.target())).success() == b"ok"
        assert peer.connections == 1
        assert out.counts() == (1, 1, 0)


REUSED = {
    "chunks": CHUNKED + b"2\r\nok\r\n0\r\n\r\n",
    "trailers": CHUNKED + b"2\r\nok\r\n0\r\nx: y\r\n\r\n",
    "1xx": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\na: b\r\n\r\n" + OK,
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304 with a length": b"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n",
    "error": b"HTTP/1.1 500 Oops\r\ncontent-length: 4\r\n\r\noops",
}
NOT_REUSED = {
    "connection: close": HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\nok",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "body after 204": b"HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok",
    "a byte behind": OK + b"X",
    "line end behind": OK + b"\r\n",
    "a second reply": OK + OK,
    "body longer than its length": HEAD + b"content-length: 2\r\n\r\nokay",
    "line end behind chunks": CHUNKED + b"2\r\nok\r\n0\r\n\r\n\r\n",
}


@pytest.mark.parametrize("name", REUSED | NOT_REUSED)
@pytest.mark.parametrize("slicing", [0, 1, 2])
async def test_only_a_clean_connection_is_kept(name, slicing):
    """Whatever follows a reply, in one packet with it or in a later one, never meets the next request."""
    reply = (REUSED | NOT_REUSED)[name]
    slices = list(slicings(reply))[slicing][1]

    async def handler(call):
        while True:
            await call.request()
            await call.send_sliced(slices)

    async with Peer(handler) as peer, outbound() as out:
        status = (await out.post(peer.target())).status
        for _ in range(len(reply) * 2):  # turns in which the rest of a sliced reply arrives
            await asyncio.sleep(0)
        second = await out.post(peer.target())
        assert second.error is None
        assert second.status == status
        assert peer.connections == (1 if name in REUSED else 2)


CUT = {
    "short length": HEAD + b"content-length: 5\r\n\r\nhell",
    "no last chunk": CHUNKED + b"5\r\nhello\r\n",
    "inside a chunk": CHUNKED + b"5\r\nhel",
    "inside the last chunk": CHUNKED + b"5\r\nhello\r\n0\r\n\r",
    "inside the head": HEAD + b"content-le",
    "after a 1xx": b"HTTP/1.1 100 Continue\r\n\r\n",
}


@pytest.mark.parametrize("ending", ["hang_up", "reset"])
@pytest.mark.parametrize("name", CUT)
async def test_a_cut_reply_is_a_failure_never_a_short_answer(name, ending):
    async def handler(call):
        await call.request()
        await call.send_sliced([CUT[name]])
        getattr(call, ending)()

    async with Peer(handler) as peer, outbound() as out:
        error = await (await out.post(peer.target())).failure()
        assert (error.failure.native, error.phase, error.stale) == (Cause.REPLY_CUT, Phase.UNKNOWN, False)
        assert f"http://127.0.0.1:{peer.port} ended the connection inside its reply" in error.failure.message
        assert out.counts() == (0, 0, 0)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (HEAD + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n", "can't be present"),
        (HEAD + b"\r\nno length", "neither a length nor chunks"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "101"),
        (b"SSH-2.0-OpenSSH\r\n", "malformed"),
        (HEAD + b"a: b\r\n" * 201 + b"\r\n", "header fields"),
        (HEAD + b"a: " + b"b" * 70_000 + b"\r\n\r\n", "head is longer"),
        (CHUNKED + b"2\r\nokay\r\n0\r\n\r\n", "malformed"),
    ],
)
async def test_a_broken_reply_fails_and_closes(reply, words):
    async with Peer(answering(reply)) as peer, outbound() as out:
        error = await (await out.post(peer.target())).failure()
        assert (error.failure.native, error.phase) == (Cause.REPLY_BROKEN, Phase.UNKNOWN)
        assert words in error.failure.message
        assert error.failure.kind is ErrorKind.UPSTREAM
        await peer.all_gone.wait()
        assert out.counts() == (0, 0, 0)


@pytest.mark.parametrize("ending", ["hang_up", "reset"])
async def test_a_fresh_connection_that_ends_without_an_answer_is_not_stale(ending):
    async def handler(call):
        await call.request()
        getattr(call, ending)()

    async with Peer(handler) as peer, outbound() as out:
        error = await (await out.post(peer.target())).failure()
        assert (error.failure.native, error.phase, error.stale) == (Cause.NO_REPLY, Phase.UNKNOWN, False)


@pytest.mark.parametrize("ending", ["hang_up", "reset"])
async def test_a_kept_connection_that_ends_without_an_answer_is_stale(ending):
    async def handler(call):
        await call.request()
        call.send(OK)
        await call.request()
        getattr(call, ending)()

    async with Peer(handler) as peer, outbound() as out:
        await (await out.post(peer.target())).success()
        error = await (await out.post(peer.target())).failure()
        assert (error.failure.native, error.phase, error.stale) == (Cause.STALE, Phase.UNKNOWN, True)


async def test_a_kept_connection_that_answers_half_is_not_stale():
    async def handler(call):
        await call.request()
        call.send(OK)
        await call.request()
        call.send(b"HTTP/1.1 2")
        call.hang_up()

    async with Peer(handler) as peer, outbound() as out:
        await (await out.post(peer.target())).success()
        error = await (await out.post(peer.target())).failure()
        assert (error.failure.native, error.stale) == (Cause.REPLY_CUT, False)


@pytest.mark.parametrize(
    "what", [b"X", b"\r\n", b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n", None]
)
async def test_a_byte_or_the_end_on_an_idle_connection_closes_it(what):
    speak = asyncio.Event()

    async def handler(call):
        await call.request()
        call.send(OK)
        if call.number == 1:
            await speak.wait()
            if what is None:
                call.hang_up()
            else:
                call.send(what)
        await call.hung_up()

    async with Peer(handler) as peer, outbound() as out:
        await (await out.post(peer.target())).success()
        speak.set()
        await peer.all_gone.wait()
        await (await out.post(peer.target())).success()
        assert peer.connections == 2


@pytest.mark.parametrize(
    ("field", "kept_s"),
    [
        (b"", IDLE_KEEP_S),
        (b"keep-alive: timeout=20\r\n", 19),
        (b"keep-alive: timeout=3\r\n", 2),
        (b"keep-alive: timeout=86400\r\n", IDLE_KEEP_S_MAX),
    ],
)
async def test_an_idle_connection_is_closed_at_its_limit(field, kept_s):
    async with Peer(always(HEAD + field + b"content-length: 2\r\n\r\nok")) as peer, outbound() as out:
        await (await out.post(peer.target())).success()
        out.pass_time(kept_s - 0.01)
        assert out.counts() == (1, 1, 0)
        out.pass_time(0.02)
        assert out.counts() == (0, 0, 0)
        await peer.all_gone.wait()


async def test_a_server_that_keeps_for_a_second_is_not_used_again():
    async with (
        Peer(always(HEAD + b"keep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok")) as peer,
        outbound() as out,
    ):
        await (await out.post(peer.target())).success()
        assert out.counts() == (0, 0, 0)


async def test_an_idle_connection_past_its_limit_is_not_used_even_before_the_sweep():
    async with Peer(always(OK)) as peer, outbound() as out:
        await (await out.post(peer.target())).success()
        out.clock.now_s += IDLE_KEEP_S
        await (await out.post(peer.target())).success()
        assert peer.connections == 2
        assert out.counts() == (1, 1, 0)


async def test_an_old_connection_is_not_kept():
    async with Peer(always(OK)) as peer, outbound() as out:
        await (await out.post(peer.target())).success()
        for _ in range(int(AGE_S_MAX / 3) + 1):
            out.clock.now_s += 3
            await (await out.post(peer.target())).success()
        assert peer.connections == 1
        await (await out.post(peer.target())).success()
        assert peer.connections == 2


# ---- long requests ---------------------------------------------------------------------------------------------------

LONG = UpstreamRequest(path=b"/", body=(b"a" * 3_000_001, b"b" * 70_000, b"", b"c" * 1_000_000))


async def test_a_long_body_arrives_whole_and_the_connection_is_kept():
    bodies = []

    async def handler(call):
        while True:
            bodies.append((await call.request())[1])
            call.send(OK)

    async with Peer(handler) as peer, outbound() as out:
        await (await out.post(peer.target(), LONG)).success()
        await (await out.post(peer.target())).success()
        assert bodies == [b"".join(LONG.body), b"{}"]
        assert peer.connections == 1


@pytest.mark.parametrize("size", [ONE_WRITE_BYTES_MAX, ONE_WRITE_BYTES_MAX + 1])
async def test_a_body_at_the_limit_of_one_write_arrives_whole(size):
    bodies = []

    async def handler(call):
        bodies.append((await call.request())[1])
        call.send(OK)
        await call.hung_up()

    body = bytes(place % 251 for place in range(size))
    async with Peer(handler) as peer, outbound() as out:
        await (await out.post(peer.target(), UpstreamRequest(path=b"/", body=(body,)))).success()
        assert bodies == [body]


async def test_a_peer_that_reads_slowly_holds_the_writer_back():
    """The socket's buffers take some megabytes; the rest of the body stays where it is until the peer reads."""
    go = asyncio.Event()

    async def handler(call):
        call.writer.transport.pause_reading()
        await go.wait()
        call.writer.transport.resume_reading()
        await call.request()
        call.send(OK)
        await call.hung_up()

    async with Peer(handler) as peer, outbound() as out:
        heard = Heard()
        request = UpstreamRequest(path=b"/", body=(b"x" * 30_000_000,))
        exchange = await out.pool.send(peer.target(), request, heard)
        for _ in range(50):
            await asyncio.sleep(0)
        assert exchange.step.value == "sending"
        assert exchange.line._transport.get_write_buffer_size() < 1_000_000
        go.set()
        assert await heard.success() == b"ok"


async def test_a_reply_before_the_request_is_sent_stops_the_sending():
    received = []

    async def handler(call):
        head = await call.reader.readuntil(b"\r\n\r\n")
        call.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 4\r\n\r\nbig!")
        received.append(len(head) + len(await call.hung_up()))

    async with Peer(handler) as peer, outbound() as out:
        heard = await out.post(peer.target(), UpstreamRequest(path=b"/", body=(b"x" * 200_000_000,)))
        assert (heard.status, await heard.success()) == (413, b"big!")
        assert out.counts() == (0, 0, 0)
        await peer.all_gone.wait()
        assert received[0] < 100_000_000


async def test_a_long_reply_before_the_request_is_sent_is_cut_off():
    async def handler(call):
        await call.reader.readuntil(b"\r\n\r\n")
        call.send(HEAD + b"content-length: 99999999\r\n\r\n" + b"y" * (EARLY_BODY_BYTES_MAX + 1))
        await call.hung_up()

    async with Peer(handler) as peer, outbound() as out:
        heard = await out.post(peer.target(), UpstreamRequest(path=b"/", body=(b"x" * 50_000_000,)))
        error = await heard.failure()
        assert error.failure.native == Cause.REPLY_BROKEN
        assert len(heard.body) <= EARLY_BODY_BYTES_MAX


async def test_a_connection_with_a_request_still_in_its_buffer_is_not_kept():
    """The peer has answered without reading; whatever it takes the rest for, it is not the next request."""

    async def handler(call):
        raw = call.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        await call.request()
        call.send(OK)
        await call.reader.readuntil(b"\r\n\r\n")
        call.writer.transport.pause_reading()
        call.send(OK)
        await asyncio.Event().wait()

    async with Peer(handler) as peer, outbound() as out:
        heard = Heard()
        exchange = await out.pool.send(peer.target(), POST, heard)
        raw = exchange.line._transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)
        await heard.success()
        body = (b"x" * ONE_WRITE_BYTES_MAX,)
        heard = await out.post(peer.target(), UpstreamRequest(path=b"/", body=body))
        assert (await heard.success(), peer.connections) == (b"ok", 1)
        assert out.counts() == (0, 0, 0)


async def test_a_peer_that_half_closes_inside_the_request_is_not_waited_for():
    async def handler(call):
        call.writer.transport.pause_reading()
        call.writer.write_eof()
        await asyncio.Event().wait()

    async with Peer(handler) as peer, outbound() as out:
        heard = await out.post(peer.target(), UpstreamRequest(path=b"/", body=(b"x" * 30_000_000,)))
        assert (await heard.failure()).failure.native == Cause.NO_REPLY


# ---- what the sink does --------------------------------------------------------------------------------------------


async def test_the_next_request_may_be_sent_from_on_end():
    async with Peer(always(OK)) as peer, outbound() as out:
        second = Heard()
        heard = Heard()

        def on_end():
            assert out.pool.try_send(peer.target(), POST, second) is not None

        heard.on_end = on_end
        await out.pool.send(peer.target(), POST, heard)
        assert await second.success() == b"ok"
        assert peer.connections == 1


@pytest.mark.parametrize("method", ["on_head", "on_body"])
async def test_a_sink_that_raises_gets_a_failure_and_the_loop_is_told(method):
    told = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))

    def fault(*_):
        raise ZeroDivisionError("in the sink")

    async with Peer(always(OK)) as peer, outbound() as out:
        heard = Heard()
        setattr(heard, method, fault)
        await out.pool.send(peer.target(), POST, heard)
        error = await heard.failure()
        assert (error.failure.native, error.failure.kind) == (Cause.SINK, ErrorKind.INTERNAL)
        assert heard.told[-1] == "failure"
        await peer.all_gone.wait()
        assert out.counts() == (0, 0, 0)
    assert [type(error) for error in told] == [ZeroDivisionError]


# ---- bodies that end with the connection -----------------------------------------------------------------------------


async def test_a_body_ends_with_the_connection_where_the_target_says_so():
    async def handler(call):
        await call.request()
        await call.send_sliced([HEAD + b"\r\n", b"all of", b" it"])
        call.hang_up()

    async with Peer(handler) as peer, outbound() as out:
        heard = await out.post(peer.target(close_delimited_ok=True))
        assert await heard.success() == b"all of it"
        assert out.counts() == (0, 0, 0)


async def test_a_reset_is_not_the_end_of_a_body():
    async def handler(call):
        await call.request()
        await call.send_sliced([HEAD + b"\r\n", b"all of"])
        call.reset()

    async with Peer(handler) as peer, outbound() as out:
        heard = await out.post(peer.target(close_delimited_ok=True))
        assert (await heard.failure()).failure.native == Cause.REPLY_CUT
