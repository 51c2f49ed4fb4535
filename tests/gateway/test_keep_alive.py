"""A silent provider: headers leave after a while, keep-alives follow, and none of it spoils what comes after.

The ticker is driven by hand: a tick is a second.
"""

import pytest

from stand import ASK, connection, stand

EARLY = {
    "openai_chat": b": keep-alive\n\n",
    "openai_responses": b": keep-alive\n\n",
    "anthropic": b'event: ping\ndata: {"type": "ping"}\n\n',
    "gemini": b"\n",
}
SETTINGS = "drain_s = 0\n[stream]\ncommit_after_s = 3\nkeepalive_s = 2"


@pytest.mark.parametrize("dialect", ASK)
async def test_headers_leave_without_content_and_a_keep_alive_follows(dialect: str) -> None:
    path, body = ASK[dialect]
    async with stand({"m": ["sim-echo,hold=h"]}, dialects=[dialect], settings=SETTINGS) as s:
        async with connection(s.gateway.url) as line:
            await line.send(path, body)
            await s.sim.wait_for(lambda line: line.holding == "h")
            for _ in range(6):
                s.gateway.services.exchanges.tick()
            status, headers = await line.read_head()
            assert status == 200
            assert "event-stream" in headers["content-type"]
            first = await line.read_chunk()
            assert first.replace(b'"type":"ping"', b'"type": "ping"') == EARLY[dialect]
            s.sim.release("h")
            rest = await line.read_rest()
            assert b"one" in rest
        await s.settled()
        assert [row.outcome for row in s.rows] == ["ok"]


async def test_a_sibling_may_still_answer_after_the_headers_have_left() -> None:
    async with stand({"m": ["sim-error,status=503,hold=h", "sim-echo"]}, settings=SETTINGS) as s:
        async with connection(s.gateway.url) as line:
            await line.send(*ASK["openai_chat"])
            await s.sim.wait_for(lambda line: line.holding == "h")
            for _ in range(4):
                s.gateway.services.exchanges.tick()
            assert (await line.read_head())[0] == 200
            s.sim.release("h")
            assert b"You" in await line.read_rest()
        await s.settled()
        assert [(row.outcome, row.attempts) for row in s.rows] == [("ok", 2)]


async def test_without_a_sibling_the_error_comes_in_band() -> None:
    async with stand({"m": ["sim-error,status=503,hold=h"]}, settings=SETTINGS) as s:
        async with connection(s.gateway.url) as line:
            await line.send(*ASK["anthropic"])
            await s.sim.wait_for(lambda line: line.holding == "h")
            for _ in range(4):
                s.gateway.services.exchanges.tick()
            assert (await line.read_head())[0] == 200
            s.sim.release("h")
            assert b"event: error" in await line.read_rest()
        await s.settled()
        assert [(row.outcome, row.charged_nano_usd) for row in s.rows] == [("failed", 0)]
