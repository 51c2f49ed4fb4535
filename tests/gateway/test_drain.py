"""Stopping: what runs may finish, what is new is turned away, what does not finish is told and charged."""

import asyncio

from stand import connection, stand

BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}


async def test_a_stream_under_way_finishes_and_a_new_request_is_turned_away() -> None:
    async with stand({"m": ["sim-paced,words=5,delay_ms=0,hold=h,hold_at=3"]}, settings="drain_s = 30") as s:
        async with connection(s.gateway.url) as line:
            await line.send("/v1/chat/completions", BODY)
            await s.sim.wait_for(lambda line: line.holding == "h")
            draining = asyncio.create_task(s.gateway.services.exchanges.drain(30))
            await asyncio.sleep(0)
            late = await s.chat("m")
            assert (late.status, late.error["type"]) == (503, "server_error")
            assert (await s.get("/readyz")).status == 503
            s.sim.release("h")
            reply = await line.read()
            assert reply.terminated
            assert await draining == 0
        assert [row.outcome for row in s.rows] == ["ok"]


async def test_a_stream_that_does_not_finish_in_time_ends_with_an_error_and_is_charged() -> None:
    async with stand({"m": ["sim-paced,words=5,delay_ms=0,hold=h,hold_at=4"]}) as s:
        async with connection(s.gateway.url) as line:
            await line.send("/v1/chat/completions", BODY)
            await s.sim.wait_for(lambda line: line.holding == "h")
            await line.read_head()
            await line.read_chunk()
            assert await s.gateway.services.exchanges.drain(0) == 1
            reply = await line.read_rest()
            assert b"restarting" in reply
        await s.sim.wait_for(lambda line: line.peer_closed)
        assert [(row.outcome, row.charged_nano_usd > 0) for row in s.rows] == [("cut", True)]
