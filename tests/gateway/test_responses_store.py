"""Kept responses through the real gateway, asked for with OpenAI's own SDK.

That conversations with tools and thinking go on at every vendor is in `tests/conversations`, whose `KeptTalker` names
the last answer and sends nothing of the history.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import openai
import pytest

from stand import KEY, Stand, stand

DIALECTS = ("openai_chat", "openai_responses", "anthropic", "gemini")
OTHERS_KEY = "sk-allgate-other-0123456789abcdef0123456789abcdef"
OTHERS = f'[[accounts]]\nname = "other"\nkeys = [{{ name = "k", secret = "{OTHERS_KEY}" }}]\n'


@asynccontextmanager
async def asking(s: Stand, key: str = KEY) -> AsyncGenerator[openai.AsyncOpenAI]:
    client = openai.AsyncOpenAI(base_url=f"{s.gateway.url}/v1", api_key=key, max_retries=0)
    try:
        yield client
    finally:
        await client.close()


async def created(client: openai.AsyncOpenAI, *, stream: bool, **asked):
    if not stream:
        return await client.responses.create(model="m", **asked)
    async with client.responses.stream(model="m", **asked) as events:
        return await events.get_final_response()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_answer_is_kept_whatever_the_upstream_speaks(dialect: str, stream: bool) -> None:
    async with stand({"m": ["sim-echo"]}, dialects=[dialect]) as s, asking(s) as client:
        first = await created(client, stream=stream, input="my name is Ada")
        second = await created(
            client, stream=stream, input="what is it?", instructions="be brief", previous_response_id=first.id
        )
        sent = str(s.sim.ledger.body(s.sim.ledger.last))
        for said in ("my name is Ada", first.output_text, "what is it?"):
            assert sent.count(said) >= 1
        assert first.id not in sent
        assert [item.id for item in (await client.responses.retrieve(first.id)).output] == [
            item.id for item in first.output
        ]
        kept = await client.responses.retrieve(second.id)
        assert (kept.output_text, kept.previous_response_id) == (second.output_text, first.id)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_translated_answer_names_what_it_continues(stream: bool) -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s, asking(s) as client:
        first = await created(client, stream=stream, input="one")
        second = await created(client, stream=stream, input="two", previous_response_id=first.id)
        assert second.previous_response_id == first.id
        kept = await client.responses.retrieve(second.id)
        assert (kept.status, kept.usage, kept.tools) == (second.status, second.usage, second.tools)


async def test_an_answer_that_asks_not_to_be_kept_is_not() -> None:
    async with stand({"m": ["sim-echo"]}) as s, asking(s) as client:
        first = await client.responses.create(model="m", input="one", store=False)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(first.id)
        with pytest.raises(openai.BadRequestError) as refused:
            await client.responses.create(model="m", input="two", previous_response_id=first.id)
        assert (refused.value.code, refused.value.param) == (
            "previous_response_not_found",
            "previous_response_id",
        )
        assert len(s.sim.ledger.lines) == 1


async def test_instructions_are_not_carried_over() -> None:
    async with stand({"m": ["sim-echo"]}) as s, asking(s) as client:
        first = await client.responses.create(model="m", input="one", instructions="speak like a pirate")
        await client.responses.create(model="m", input="two", previous_response_id=first.id)
        assert "pirate" not in str(s.sim.ledger.body(s.sim.ledger.last))


async def test_an_answer_that_was_cut_is_not_kept() -> None:
    async with stand({"m": ["sim-cut"]}, dialects=["anthropic"]) as s:
        reply = await s.post("/v1/responses", {"model": "m", "input": "one two three four", "stream": True})
        ids = {frame["response"]["id"] for frame in reply.frames if "response" in frame}
        assert len(ids) == 1
        assert (await s.get(f"/v1/responses/{ids.pop()}")).status == 404


async def test_a_conversation_may_branch_and_change_models() -> None:
    async with stand({"m": ["sim-echo"], "n": [(0, "sim-tools")]}) as s, asking(s) as client:
        root = await client.responses.create(model="m", input="the root")
        left = await client.responses.create(model="m", input="to the left", previous_response_id=root.id)
        await client.responses.create(model="n", input="to the right", previous_response_id=root.id)
        sent = str(s.sim.ledger.body(s.sim.ledger.last))
        assert "the root" in sent
        assert "to the left" not in sent
        assert left.id != root.id


async def test_an_item_that_is_only_named_is_put_in_its_place() -> None:
    """The AI SDK sends an `item_reference` for every item of an answer that was kept."""
    async with stand({"m": ["sim-echo"]}, dialects=["anthropic"]) as s, asking(s) as client:
        first = await client.responses.create(model="m", input="one")
        named = {"type": "item_reference", "id": first.output[-1].id}
        asked = [{"role": "user", "content": "one"}, named, {"role": "user", "content": "two"}]
        await client.responses.create(model="m", input=asked, store=False)
        assert [turn["role"] for turn in s.sim.ledger.body(s.sim.ledger.last)["messages"]] == [
            "user",
            "assistant",
            "user",
        ]
        assert first.output_text in str(s.sim.ledger.body(s.sim.ledger.last))
        with pytest.raises(openai.NotFoundError, match="Item with id 'msg_x' not found"):
            await client.responses.create(model="m", input=[{"type": "item_reference", "id": "msg_x"}])


async def test_a_continued_conversation_is_counted_whole() -> None:
    async with stand({"m": ["sim-echo"]}, dialects=["openai_responses"]) as s, asking(s) as client:
        first = await client.responses.create(model="m", input="my name is Ada " * 20)
        asked = {"model": "m", "input": "what is it?"}
        alone = await client.responses.input_tokens.count(**asked)
        whole = await client.responses.input_tokens.count(**asked, previous_response_id=first.id)
        assert whole.input_tokens > alone.input_tokens + 50
        assert first.id not in str(s.sim.ledger.body(s.sim.ledger.last))


async def test_a_response_that_is_too_long_says_so_when_it_is_asked_for() -> None:
    settings = "drain_s = 0\n[responses]\nbytes_max = 500"
    async with stand({"m": ["sim-echo"]}, settings=settings) as s, asking(s) as client:
        raw = await client.responses.with_raw_response.create(model="m", input="one " * 200)
        assert "dropped store (it has" in raw.headers["x-allgate-notes"]
        first = raw.parse()
        with pytest.raises(openai.NotFoundError, match="bytes, and at most 500 are kept"):
            await client.responses.retrieve(first.id)
        with pytest.raises(openai.BadRequestError, match="at most 500 are kept"):
            await client.responses.create(model="m", input="two", previous_response_id=first.id)


async def test_an_operator_may_keep_nothing() -> None:
    settings = "drain_s = 0\n[responses]\nkeep_hours = 0"
    async with stand({"m": ["sim-echo"]}, settings=settings) as s, asking(s) as client:
        first = await client.responses.create(model="m", input="one")
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(first.id)
