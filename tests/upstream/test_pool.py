"""Who gets which connection, who waits, and who is turned away."""

import asyncio

import pytest

from allgate.core.errors import AttemptFailed, ErrorKind, Phase
from allgate.upstream.failures import Cause
from allgate.upstream.message import Deadlines, UpstreamRequest
from allgate.upstream.pool import PoolLimits
from upstream.peer import OK, POST, Heard, Peer, always, answering, outbound

ONE = PoolLimits(connections_per_origin_max=1)


class Gate:
    """A peer that answers only when told, one request at a time, and remembers the order in which they came."""

    def __init__(self):
        self.order = []
        self._answers = asyncio.Semaphore(0)
        self.arrived = asyncio.Condition()

    async def __call__(self, call):
        while True:
            _, body = await call.request()
            self.order.append(body)
            async with self.arrived:
                self.arrived.notify_all()
            await self._answers.acquire()
            call.send(OK)

    def answer(self, count=1):
        for _ in range(count):
            self._answers.release()

    async def until(self, count):
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.order) >= count)


def post(number):
    return UpstreamRequest(path=b"/", body=(b"%d" % number,))


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_try_send_needs_an_idle_connection():
    async with Peer(always(OK)) as peer, outbound() as out:
        assert out.pool.try_send(peer.target(), POST, Heard()) is None
        await (await out.post(peer.target())).success()
        heard = Heard()
        assert out.pool.try_send(peer.target(), POST, heard) is not None
        assert out.pool.try_send(peer.target(), POST, Heard()) is None
        assert await heard.success() == b"ok"


async def test_requests_at_once_get_a_connection_each_and_leave_them_for_later():
    async with Peer(always(OK)) as peer, outbound() as out:
        await asyncio.gather(*(out.post(peer.target()) for _ in range(10)))
        assert peer.connections == 10
        assert out.counts() == (10, 10, 0)
        await asyncio.gather(*(out.post(peer.target()) for _ in range(10)))
        assert peer.connections == 10


async def test_the_connection_used_last_is_used_first():
    served = []

    async def handler(call):
        while True:
            await call.request()
            served.append(call.number)
            call.send(OK)

    async with Peer(handler) as peer, outbound() as out:
        await asyncio.gather(*(out.post(peer.target()) for _ in range(3)))
        del served[:]
        for _ in range(4):
            await out.post(peer.target())
        assert len(set(served)) == 1
        out.pass_time(3)
        await out.post(peer.target())
        out.pass_time(2)
        assert out.counts() == (1, 1, 0), "the two that were not used again are closed"


async def test_a_fresh_connection_on_demand_ends_the_idle_ones():
    """After a stale one: what is idle beside it is as old."""
    async with Peer(always(OK)) as peer, outbound() as out:
        await asyncio.gather(*(out.post(peer.target()) for _ in range(3)))
        heard = Heard()
        await out.pool.send(peer.target(), POST, heard, fresh=True)
        assert await heard.success() == b"ok"
        assert peer.connections == 4
        assert out.counts() == (1, 1, 0)


async def test_different_targets_share_nothing():
    async with Peer(always(OK)) as peer, outbound() as out:
        await out.post(peer.target())
        await out.post(peer.target(close_delimited_ok=True))
        assert peer.connections == 2
        assert len(out.pool.snapshot()) == 2


async def test_waiters_are_served_in_order_on_the_same_connection():
    gate = Gate()
    async with Peer(gate) as peer, outbound(ONE) as out:
        tasks = []
        for number in range(5):
            tasks.append(asyncio.create_task(out.post(peer.target(), post(number))))
            await turns(2)
        await gate.until(1)
        assert out.counts() == (1, 0, 4)
        (row,) = out.pool.snapshot()
        assert (row.open, row.idle, row.in_use, row.waiting) == (1, 0, 1, 4)
        assert row.origin == f"http://127.0.0.1:{peer.port}"
        gate.answer(5)
        for task in tasks:
            assert await (await task).success() == b"ok"
        assert gate.order == [b"0", b"1", b"2", b"3", b"4"]
        assert peer.connections == 1


async def test_a_newcomer_does_not_overtake_a_waiter():
    gate = Gate()
    async with Peer(gate) as peer, outbound(ONE) as out:
        first = asyncio.create_task(out.post(peer.target(), post(1)))
        await gate.until(1)
        second = asyncio.create_task(out.post(peer.target(), post(2)))
        await turns()
        gate.answer(3)
        await first
        assert out.pool.try_send(peer.target(), post(3), Heard()) is None
        await out.post(peer.target(), post(3))
        await second
        assert gate.order == [b"1", b"2", b"3"]


async def test_a_connection_that_is_not_kept_leaves_its_place_to_a_waiter():
    async with Peer(answering(OK, then_hang_up=True)) as peer, outbound(ONE) as out:
        replies = await asyncio.gather(*(out.post(peer.target()) for _ in range(4)), return_exceptions=True)
        assert all(reply.error is None or reply.error.stale for reply in replies)


async def test_too_many_waiters_are_turned_away():
    gate = Gate()
    limits = PoolLimits(connections_per_origin_max=1, waiting_per_origin_max=2)
    async with Peer(gate) as peer, outbound(limits) as out:
        tasks = [asyncio.create_task(out.post(peer.target(), post(number))) for number in range(3)]
        await gate.until(1)
        with pytest.raises(AttemptFailed) as caught:
            await out.post(peer.target())
        assert (caught.value.failure.native, caught.value.phase) == (Cause.POOL_FULL, Phase.NOT_SENT)
        assert caught.value.failure.kind is ErrorKind.OVERLOADED
        assert f"2 requests already wait for a connection to http://127.0.0.1:{peer.port}" in str(
            caught.value
        )
        gate.answer(3)
        await asyncio.gather(*tasks)


async def test_a_waiter_gives_up_at_the_connect_deadline():
    gate = Gate()
    async with Peer(gate) as peer, outbound(ONE) as out:
        first = asyncio.create_task(out.post(peer.target()))
        await gate.until(1)
        with pytest.raises(AttemptFailed) as caught:
            await out.post(peer.target(), POST, Deadlines(connect_s=0.01))
        assert (caught.value.failure.native, caught.value.phase) == (Cause.CONNECT_DEADLINE, Phase.NOT_SENT)
        assert caught.value.failure.kind is ErrorKind.TIMEOUT
        assert "became free within 0.01 s (connect deadline)" in str(caught.value)
        assert out.counts() == (1, 0, 0)
        gate.answer()
        await first


async def test_a_cancelled_waiter_leaves_its_turn_to_the_next():
    gate = Gate()
    async with Peer(gate) as peer, outbound(ONE) as out:
        first = asyncio.create_task(out.post(peer.target(), post(1)))
        await gate.until(1)
        second = asyncio.create_task(out.post(peer.target(), post(2)))
        await turns()
        third = asyncio.create_task(out.post(peer.target(), post(3)))
        await turns()
        second.cancel()
        gate.answer(2)
        await first
        await third
        assert gate.order == [b"1", b"3"]
        assert out.counts() == (1, 1, 0)


async def test_a_waiter_cancelled_in_the_moment_of_its_turn_passes_the_connection_on():
    gate = Gate()
    async with Peer(gate) as peer, outbound(ONE) as out:
        heard = Heard()
        await out.pool.send(peer.target(), post(1), heard)
        await gate.until(1)
        second = asyncio.create_task(out.post(peer.target(), post(2)))
        await turns()
        third = asyncio.create_task(out.post(peer.target(), post(3)))
        await turns()
        heard.on_end = second.cancel  # the connection has just been handed to the second
        gate.answer(2)
        await third
        assert second.cancelled()
        assert gate.order == [b"1", b"3"]
        assert peer.connections == 1


async def test_a_connection_that_dies_while_it_is_handed_over_is_replaced():
    async with Peer(always(OK)) as peer, outbound(ONE) as out:
        heard = Heard()
        exchange = await out.pool.send(peer.target(), POST, heard)
        heard.on_end = exchange.line.retire
        second = asyncio.create_task(out.post(peer.target()))
        assert await (await second).success() == b"ok"
        assert peer.connections == 2


async def test_the_total_limit_closes_the_connection_idle_longest_of_another_origin():
    limits = PoolLimits(connections_max=2)
    async with (
        Peer(always(OK)) as one,
        Peer(always(OK)) as two,
        Peer(always(OK)) as three,
        outbound(limits) as out,
    ):
        await out.post(one.target())
        out.clock.now_s += 1
        await out.post(two.target())
        assert out.counts() == (2, 2, 0)
        await (await out.post(three.target())).success()
        assert {row.origin for row in out.pool.snapshot()} == {two.target().origin, three.target().origin}
        await one.all_gone.wait()


async def test_at_the_total_limit_origins_wait_for_each_other():
    gate = Gate()
    limits = PoolLimits(connections_max=1)
    async with Peer(gate) as one, Peer(always(OK)) as two, outbound(limits) as out:
        first = asyncio.create_task(out.post(one.target()))
        await gate.until(1)
        second = asyncio.create_task(out.post(two.target()))
        await turns()
        assert out.counts() == (1, 0, 1)
        gate.answer()
        await first
        assert await (await second).success() == b"ok"
        assert {row.origin for row in out.pool.snapshot()} == {two.target().origin}


async def test_a_newcomer_at_the_total_limit_is_not_held_up_by_waiters_of_a_full_origin():
    gate = Gate()
    limits = PoolLimits(connections_per_origin_max=1, connections_max=2)
    async with Peer(gate) as full, Peer(always(OK)) as idle, Peer(always(OK)) as new, outbound(limits) as out:
        tasks = [asyncio.create_task(out.post(full.target())) for _ in range(2)]
        await gate.until(1)
        await out.post(idle.target())
        assert out.counts() == (2, 1, 1)
        assert await (await out.post(new.target())).success() == b"ok"
        gate.answer(2)
        await asyncio.gather(*tasks)


async def test_freed_places_go_to_the_origins_in_turn():
    served = []

    def remembering(name):
        async def handler(call):
            await call.request()
            served.append(name)
            call.send(OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))

        return handler

    limits = PoolLimits(connections_max=1)
    async with Peer(remembering("a")) as a, Peer(remembering("b")) as b, outbound(limits) as out:
        tasks = [asyncio.create_task(out.post(a.target())) for _ in range(4)]
        await turns(2)
        tasks += [asyncio.create_task(out.post(b.target())) for _ in range(2)]
        for heard in await asyncio.gather(*tasks):
            assert heard.error is None
        assert served == ["a", "a", "b", "a", "b", "a"]


async def test_a_refused_connection_gives_its_place_back():
    async with Peer(always(OK)) as peer:
        target = peer.target()
    async with outbound(ONE) as out:
        for _ in range(3):
            with pytest.raises(AttemptFailed) as caught:
                await out.post(target)
            assert (caught.value.failure.native, caught.value.phase) == (Cause.CONNECT, Phase.NOT_SENT)
            assert str(caught.value).endswith(f"Could not connect to {target.origin}: Connection refused")
        assert out.counts() == (0, 0, 0)


async def test_a_request_that_may_not_be_sent_leaves_no_trace():
    async with Peer(always(OK)) as peer, outbound() as out:
        bad = UpstreamRequest(path=b"/", headers=((b"a", b"b\r\nc: d"),))
        with pytest.raises(ValueError, match="line end"):
            await out.pool.send(peer.target(), bad, Heard())
        assert out.pool.snapshot() == ()
        await out.post(peer.target())
        with pytest.raises(ValueError, match="line end"):
            out.pool.try_send(peer.target(), bad, Heard())
        assert out.counts() == (1, 1, 0)


async def test_closing_fails_what_is_under_way_and_refuses_what_comes():
    gate = Gate()
    async with Peer(gate) as peer, outbound(ONE) as out:
        heard = Heard()
        await out.pool.send(peer.target(), POST, heard)
        waiter = asyncio.create_task(out.post(peer.target()))
        await gate.until(1)
        await turns()
        await out.pool.aclose()
        assert (await heard.failure()).failure.native == Cause.POOL_CLOSED
        with pytest.raises(AttemptFailed) as caught:
            await waiter
        assert (caught.value.failure.native, caught.value.phase) == (Cause.POOL_CLOSED, Phase.NOT_SENT)
        with pytest.raises(AttemptFailed, match="shutting down"):
            await out.post(peer.target())
        await out.pool.aclose()


async def test_a_dial_that_ends_after_the_pool_is_closed_is_refused():
    async with Peer(always(OK)) as peer, outbound() as out:
        dialing = asyncio.create_task(out.post(peer.target()))
        await asyncio.sleep(0)
        await out.pool.aclose()
        with pytest.raises(AttemptFailed, match="shutting down"):
            await dialing


async def test_a_thousand_requests_over_a_few_connections_all_get_their_own_answer():
    async def handler(call):
        while True:
            _, body = await call.request()
            if body.endswith(b"7"):
                call.send(
                    b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
                    % (len(body), body)
                )
                return
            call.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    async with Peer(handler) as peer, outbound(PoolLimits(connections_per_origin_max=8)) as out:
        replies = await asyncio.gather(*(out.post(peer.target(), post(number)) for number in range(1_000)))
        assert [reply.body for reply in replies] == [b"%d" % number for number in range(1_000)]
        assert 8 <= peer.connections < 200
