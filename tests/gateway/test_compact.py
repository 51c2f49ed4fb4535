"""Compaction through the real gateway, asked for with OpenAI's own SDK."""

import openai
import pytest

from gateway.test_responses_store import asking
from stand import Vendor, stand

VENDORS = {
    "openai_chat": (Vendor("openai", ["openai_chat"], "/v1"), "gpt-4o"),
    "openai_responses": (Vendor("openai", ["openai_responses"], "/v1"), "gpt-4o"),
    "anthropic": (Vendor("anthropic"), "claude-sonnet-4-6"),
    "gemini": (Vendor("gemini"), "gemini-3-pro-preview"),
}


@pytest.mark.parametrize("upstream", VENDORS)
async def test_any_model_compacts_a_conversation_that_then_goes_on(upstream: str) -> None:
    vendor, model = VENDORS[upstream]
    async with stand({"m": [model]}, vendors=[vendor]) as s, asking(s) as client:
        first = await client.responses.create(model="m", input="my name is Ada")
        asked = [
            {"role": "user", "content": "my name is Ada"},
            *first.output,
            {"role": "user", "content": "and?"},
        ]
        short = await client.responses.compact(model="m", input=asked)
        assert short.object == "response.compaction"
        *users, summary = short.output
        assert [item.content[0].text for item in users] == ["my name is Ada", "and?"]
        assert summary.type == "compaction"
        assert short.usage.input_tokens > 0
        assert s.rows[-1].charged_nano_usd > 0
        items = [
            item.to_dict(warnings=False) for item in short.output
        ]  # the SDK has no type for a user's message here
        await client.responses.create(model="m", input=[*items, {"role": "user", "content": "who am I?"}])
        sent = str(s.sim.ledger.body(s.sim.ledger.last))
        assert "Summary of the conversation" in sent
        assert "who am I?" in sent


async def test_a_kept_conversation_is_compacted_by_its_id() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s, asking(s) as client:
        first = await client.responses.create(model="m", input="my name is Ada")
        short = await client.responses.compact(model="m", previous_response_id=first.id)
        assert short.output[0].content[0].text == "my name is Ada"
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(short.id)


async def test_what_cannot_be_asked_is_refused_before_it_is_sent() -> None:
    async with stand({"m": ["sim-echo"]}) as s, asking(s) as client:
        with pytest.raises(openai.BadRequestError):
            await client.responses.compact(model="m", previous_response_id="resp_x")
        with pytest.raises(openai.NotFoundError):
            await client.responses.compact(model="nobody", input="one")
        assert not s.sim.ledger.lines
        assert (await s.get("/v1/responses/compact")).status == 405
