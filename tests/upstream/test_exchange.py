"""What the caller holds: pausing, closing, and every deadline."""

import asyncio

import pytest

from allgate.core.errors import ErrorKind, Phase
from allgate.upstream.failures import Cause
from allgate.upstream.message import Deadlines, UpstreamRequest
from upstream.peer import CHUNKED, OK, POST, Heard, Peer, always, outbound

HEAD = b"HTTP/1.1 200 OK\r\n"
SHORT = Deadlines(first_byte_s=20, idle_s=5, total_s=60)


async def test_a_paused_exchange_stops_the_peer_and_goes_on_later():
    sent = 0

    async def handler(call):
        nonlocal sent
        await call.request()
        call.send(HEAD + b"content-length: 30000000\r\n\r\n")
        for _ in range(300):
            call.send(b"y" * 100_000)
            await call.writer.drain()
            sent += 100_000
        await call.hung_up()

    async with Peer(handler) as peer, outbound() as out:
        exchange = None
        heard = Heard(on_body=lambda chunk: exchange.pause_reading())
        exchange = await out.pool.send(peer.target(), POST, heard)
        await heard.began.wait()
        before = -1
        while sent != before:  # until the peer is stuck
            before = sent
            for _ in range(100):
                await asyncio.sleep(0)
        assert sent < 20_000_000
        arrived = len(heard.body)
        assert arrived <= 256 * 1024
        heard._on_body = None
        exchange.resume_reading()
        assert len(await heard.success()) == 30_000_000


async def test_a_connection_paused_in_its_last_piece_serves_the_next_request():
    async with Peer(always(OK)) as peer, outbound() as out:
        exchange = None
        heard = Heard(on_body=lambda chunk: exchange.pause_reading())
        exchange = await out.pool.send(peer.target(), POST, heard)
        await heard.success()
        assert await (await out.post(peer.target())).success() == b"ok"
        assert peer.connections == 1
        exchange.resume_reading()
        exchange.pause_reading()
        assert await (await out.post(peer.target())).success() == b"ok"


@pytest.mark.parametrize("ending", ["hang_up", "reset"])
async def test_pausing_and_resuming_around_the_end_of_the_connection_is_harmless(ending):
    """Between the end of a socket and the news of it, callers still pause and resume."""

    async def handler(call):
        await call.request()
        call.send(CHUNKED + b"1\r\na\r\n")
        getattr(call, ending)()

    async with Peer(handler) as peer, outbound() as out:
        exchange = None

        def restless(chunk):
            for _ in range(2):
                exchange.pause_reading()
                exchange.resume_reading()

        heard = Heard(on_body=restless)
        exchange = await out.pool.send(peer.target(), POST, heard)
        await heard.began.wait()
        exchange.pause_reading()
        await peer.all_gone.wait()
        exchange.resume_reading()
        assert (await heard.failure()).failure.native == Cause.REPLY_CUT
        restless(b"")
        exchange.close()


@pytest.mark.parametrize("moment", ["before the head", "in on_head", "in on_body", "in a later piece"])
async def test_close_is_silent_and_immediate(moment):
    more = asyncio.Event()

    async def handler(call):
        await call.request()
        if moment != "before the head":
            call.send(CHUNKED + b"1\r\na\r\n1\r\nb\r\n")
            if moment == "in a later piece":
                await more.wait()
                call.send(b"1\r\nc\r\n0\r\n\r\n")
        await call.hung_up()

    async with Peer(handler) as peer, outbound() as out:
        heard = Heard()
        if moment == "in on_body":
            heard = Heard(on_body=lambda chunk: exchange.close())
        if moment == "in on_head":
            heard.on_head = lambda status, headers: (heard.told.append("head"), exchange.close())
        exchange = await out.pool.send(peer.target(), POST, heard)
        if moment == "before the head":
            exchange.close()
        elif moment == "in a later piece":
            await heard.began.wait()
            exchange.close()
            more.set()
        await peer.all_gone.wait()
        expected = {
            "before the head": [],
            "in on_head": ["head"],
            "in on_body": ["head", "body"],
            "in a later piece": ["head", "body", "body"],
        }
        assert heard.told == expected[moment]
        assert out.counts() == (0, 0, 0)
        exchange.close()


async def test_closing_a_finished_exchange_leaves_the_next_one_alone():
    async with Peer(always(OK)) as peer, outbound() as out:
        heard = Heard()
        first = await out.pool.send(peer.target(), POST, heard)
        await heard.success()
        second = Heard()
        await out.pool.send(peer.target(), POST, second)
        first.close()
        first.pause_reading()
        assert await second.success() == b"ok"
        assert peer.connections == 1


async def silent(call):
    await call.request()
    await call.hung_up()


async def test_no_head_within_the_first_byte_deadline():
    async with Peer(silent) as peer, outbound() as out:
        heard = Heard()
        await out.pool.send(peer.target(), POST, heard, SHORT)
        for _ in range(199):
            out.pass_time(0.1)
        assert heard.told == []
        out.pass_time(0.2)
        error = await heard.failure()
        assert (error.failure.native, error.failure.kind) == (Cause.FIRST_BYTE_DEADLINE, ErrorKind.TIMEOUT)
        assert error.phase is Phase.UNKNOWN
        assert "did not begin to answer within 20 s (first-byte deadline)" in error.failure.message
        await peer.all_gone.wait()


async def test_a_head_that_dribbles_does_not_move_the_first_byte_deadline():
    dribble = asyncio.Event()

    async def handler(call):
        await call.request()
        call.send(HEAD + b"x: ")
        while True:
            await dribble.wait()
            dribble.clear()
            call.send(b"y")

    async with Peer(handler) as peer, outbound() as out:
        heard = Heard()
        await out.pool.send(peer.target(), POST, heard, SHORT)
        for _ in range(21):
            dribble.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            out.pass_time(1)
        assert (await heard.failure()).failure.native == Cause.FIRST_BYTE_DEADLINE


async def streaming(call, step):
    await call.request()
    call.send(CHUNKED + b"1\r\na\r\n")
    while True:
        await step.wait()
        step.clear()
        call.send(b"1\r\na\r\n")


async def test_a_reply_that_falls_silent_hits_the_idle_deadline():
    step = asyncio.Event()
    async with Peer(lambda call: streaming(call, step)) as peer, outbound() as out:
        heard = Heard()
        await out.pool.send(peer.target(), POST, heard, SHORT)
        await heard.began.wait()
        for pieces in range(2, 6):  # each piece moves the deadline
            out.pass_time(4.9)
            step.set()
            await heard.have_come(pieces)
        assert not heard.ended.done()
        out.pass_time(5)
        error = await heard.failure()
        assert error.failure.native == Cause.IDLE_DEADLINE
        assert "sent nothing for 5 s inside its reply (idle deadline)" in error.failure.message


async def test_a_late_head_does_not_delay_the_idle_deadline():
    """The first-byte deadline was asked for, and lay farther away than the idle one does after the head."""
    step = asyncio.Event()

    async def handler(call):
        await call.request()
        await step.wait()
        call.send(CHUNKED)
        await call.hung_up()

    async with Peer(handler) as peer, outbound() as out:
        heard = Heard()
        await out.pool.send(peer.target(), POST, heard, SHORT)
        out.pass_time(0.1)
        step.set()
        await heard.began.wait()
        out.pass_time(5)
        assert (await heard.failure()).failure.native == Cause.IDLE_DEADLINE


async def test_a_reply_that_never_ends_hits_the_total_deadline():
    step = asyncio.Event()
    async with Peer(lambda call: streaming(call, step)) as peer, outbound() as out:
        heard = Heard()
        await out.pool.send(peer.target(), POST, heard, SHORT)
        await heard.began.wait()
        for pieces in range(2, 17):
            out.pass_time(4)
            if heard.ended.done():
                break
            step.set()
            await heard.have_come(pieces)
        error = await heard.failure()
        assert error.failure.native == Cause.TOTAL_DEADLINE
        assert "did not finish within 60 s (total deadline), reading" in error.failure.message


async def test_a_client_that_pauses_is_not_the_providers_silence():
    step = asyncio.Event()
    async with Peer(lambda call: streaming(call, step)) as peer, outbound() as out:
        heard = Heard()
        exchange = await out.pool.send(peer.target(), POST, heard, SHORT)
        await heard.began.wait()
        exchange.pause_reading()
        for _ in range(5):
            out.pass_time(9)
        assert not heard.ended.done()
        exchange.resume_reading()
        out.pass_time(4.9)
        assert not heard.ended.done()
        out.pass_time(0.2)
        assert (await heard.failure()).failure.native == Cause.IDLE_DEADLINE


async def test_a_peer_that_takes_no_more_of_the_request_hits_the_idle_deadline():
    async def handler(call):
        call.writer.transport.pause_reading()
        await asyncio.Event().wait()

    async with Peer(handler) as peer, outbound() as out:
        heard = Heard()
        request = UpstreamRequest(path=b"/", body=(b"x" * 30_000_000,))
        await out.pool.send(peer.target(), request, heard, SHORT)
        for _ in range(50):
            await asyncio.sleep(0)
        out.pass_time(5.1)
        error = await heard.failure()
        assert error.failure.native == Cause.IDLE_DEADLINE
        assert "took no more of the request for 5 s" in error.failure.message
