"""Prompt caching that a client need not ask for: marks by the policy, and cached tokens told in every dialect."""

import json

import pytest

from stand import Reply, Stand, Vendor, stand

LONG = "You are a patient librarian. " * 200
PROMPT = "Which book?"
ASKS = {
    "openai_chat": (
        "/v1/chat/completions",
        {
            "model": "m",
            "messages": [{"role": "system", "content": LONG}, {"role": "user", "content": PROMPT}],
        },
    ),
    "openai_responses": ("/v1/responses", {"model": "m", "instructions": LONG, "input": PROMPT}),
    "anthropic": (
        "/v1/messages",
        {"model": "m", "max_tokens": 99, "system": LONG, "messages": [{"role": "user", "content": PROMPT}]},
    ),
    "gemini": (
        "/v1beta/models/m:generateContent",
        {
            "systemInstruction": {"parts": [{"text": LONG}]},
            "contents": [{"role": "user", "parts": [{"text": PROMPT}]}],
        },
    ),
}
MARK = {"type": "ephemeral"}


def claude(policy: str) -> Vendor:
    return Vendor("anthropic", own_caps=f"{{ anthropic = {{ cache_policy = '{policy}' }} }}")


def cached(reply: Reply, client: str) -> tuple[int, int]:
    """(all input tokens, those read from the cache) as each vendor tells them."""
    body = reply.json
    match client:
        case "openai_chat":
            return body["usage"]["prompt_tokens"], body["usage"]["prompt_tokens_details"]["cached_tokens"]
        case "openai_responses":
            return body["usage"]["input_tokens"], body["usage"]["input_tokens_details"]["cached_tokens"]
        case "anthropic":
            usage = body["usage"]
            read, written = usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]
            return usage["input_tokens"] + read + written, read
        case _:
            usage = body["usageMetadata"]
            return usage["promptTokenCount"], usage["cachedContentTokenCount"]


async def sent(s: Stand) -> dict:
    await s.settled()
    return s.sim.ledger.body(s.sim.ledger.last)


@pytest.mark.parametrize("policy", ["client", "system", "conversation"])
@pytest.mark.parametrize("client", ASKS)
async def test_marks_are_set_by_the_policy_whatever_the_client_speaks(client: str, policy: str) -> None:
    async with stand({"m": ["claude-sonnet-4-6"]}, vendors=[claude(policy)]) as s:
        s.sim.script("input=1000 cached=700 cache_write=200")
        reply = await s.post(*ASKS[client])
        assert reply.status == 200, reply.body
        body = await sent(s)
        on_system = isinstance(body["system"], list) and body["system"][-1].get("cache_control") == MARK
        assert on_system == (policy != "client")
        content = body["messages"][-1]["content"]
        on_turn = isinstance(content, list) and content[-1].get("cache_control") == MARK
        assert on_turn == (policy == "conversation")
        assert reply.headers.get("x-allgate-notes", "").count("by the cache policy") == on_system + on_turn
        assert cached(reply, client) == (1000, 700)
        assert s.rows[0].passthrough == (client == "anthropic")


async def test_marks_of_the_client_win() -> None:
    """Four of its own, which is all that the vendor takes: not one is added, moved or taken away."""
    block = {"type": "text", "text": LONG, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    body = {
        "model": "m",
        "max_tokens": 99,
        "system": [block, block],
        "messages": [{"role": "user", "content": [block, block, {"type": "text", "text": PROMPT}]}],
    }
    async with stand({"m": ["claude-sonnet-4-6"]}, vendors=[claude("conversation")]) as s:
        assert (await s.post("/v1/messages", body)).status == 200
        assert await sent(s) == {**body, "model": "claude-sonnet-4-6"}


async def test_marks_that_a_chat_client_borrows_win_too() -> None:
    """The vendor's habit behind Chat: `cache_control` on a part."""
    parts = [{"type": "text", "text": LONG, "cache_control": MARK}, {"type": "text", "text": PROMPT}]
    async with stand({"m": ["claude-sonnet-4-6"]}, vendors=[claude("conversation")]) as s:
        reply = await s.post(
            "/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": parts}]}
        )
        assert reply.status == 200, reply.body
        assert json.dumps(await sent(s)).count("cache_control") == 1


@pytest.mark.parametrize("client", ["openai_chat", "anthropic"])
async def test_cached_tokens_are_told_in_streams_and_charged_at_their_price(client: str) -> None:
    price = '{ input = "3", output = "15", cache_read = "0.3", cache_write_5m = "3.75" }'
    async with stand({"m": ["claude-sonnet-4-6"]}, vendors=[claude("conversation")], price=price) as s:
        s.sim.script("input=1000 cached=700 cache_write=200 output=10")
        path, body = ASKS[client]
        options = {"stream_options": {"include_usage": True}} if client == "openai_chat" else {}
        reply = await s.post(path, {**body, "stream": True, **options})
        await s.settled()
        told = [frame["usage"] for frame in reply.frames if frame.get("usage")][-1]
        if client == "openai_chat":
            assert told["prompt_tokens_details"]["cached_tokens"] == 700
        else:
            assert (told["cache_read_input_tokens"], told["cache_creation_input_tokens"]) == (700, 200)
        assert s.rows[0].charged_nano_usd == 100 * 3000 + 700 * 300 + 200 * 3750 + 10 * 15000
