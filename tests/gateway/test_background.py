from stand import ASK, stand


async def test_a_background_response_is_refused_before_it_is_sent() -> None:
    async with stand({"m": ["gpt-4o"]}, dialects=["openai_responses"]) as s:
        path, body = ASK["openai_responses"]
        reply = await s.post(path, {**body, "background": True})
        assert reply.status == 400
        assert "does not support background" in reply.error["message"]
        assert not s.sim.ledger.lines
