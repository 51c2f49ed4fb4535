"""Tokens counted before sending: by the provider where it can, else by the gateway, and never for money."""

from itertools import product

import pytest

from stand import BALANCE_USD, WORDS, stand

BODIES = {
    "anthropic": (
        "/v1/messages/count_tokens",
        {"model": "m", "system": "Be brief.", "messages": [{"role": "user", "content": WORDS}]},
        "input_tokens",
    ),
    "openai_responses": (
        "/v1/responses/input_tokens",
        {"model": "m", "instructions": "Be brief.", "input": WORDS},
        "input_tokens",
    ),
    "gemini": (
        "/v1beta/models/m:countTokens",
        {
            "generateContentRequest": {
                "model": "models/m",
                "contents": [{"role": "user", "parts": [{"text": WORDS}]}],
                "systemInstruction": {"parts": [{"text": "Be brief."}]},
            }
        },
        "totalTokens",
    ),
}
PATHS = {
    "anthropic": "/v1/messages/count_tokens",
    "openai_responses": "/v1/responses/input_tokens",
    "gemini": "/v1beta/models/sim-echo:countTokens",
}


@pytest.mark.parametrize(("client", "provider"), list(product(BODIES, BODIES)))
async def test_a_provider_with_a_counter_counts_what_it_would_be_sent(client: str, provider: str) -> None:
    path, body, read = BODIES[client]
    async with stand({"m": ["sim-echo"]}, dialects=[provider]) as s:
        reply = await s.post(path, body)
        assert reply.status == 200, reply.body
        (line,) = s.sim.ledger.lines
        assert line.path == PATHS[provider]
        assert reply.json[read] == line.input_tokens > 6  # the system prompt counts too
        assert reply.headers["x-allgate-upstream"] == "sim0"
        assert "x-allgate-notes" not in reply.headers


async def test_a_deployment_is_asked_in_the_dialect_that_it_counts_in() -> None:
    path, body, _ = BODIES["anthropic"]
    async with stand({"m": ["sim-echo"]}, dialects=["openai_chat", "gemini"]) as s:
        assert (await s.post(path, body)).status == 200
        assert [line.path for line in s.sim.ledger.lines] == [PATHS["gemini"]]


async def test_where_no_provider_counts_the_gateway_does_and_says_so() -> None:
    for path, body, read in BODIES.values():
        async with stand({"m": ["sim-echo"]}, dialects=["openai_chat"]) as s:
            reply = await s.post(path, body)
            assert reply.status == 200
            assert 6 <= reply.json[read] <= 40
            assert reply.headers["x-allgate-notes"].endswith("by the gateway: its provider has no counter)")
            assert not s.sim.ledger.lines


@pytest.mark.parametrize(
    "scene", ["status=500", "status=429 retry_after=9", "reset=read", "length=-3", "page=html status=404"]
)
async def test_where_the_counter_fails_the_gateway_counts(scene: str) -> None:
    path, body, read = BODIES["anthropic"]
    async with stand({"m": ["sim-echo"]}) as s:
        s.sim.script(scene, scene)
        reply = await s.post(path, body)
        assert reply.status == 200
        assert 6 <= reply.json[read] <= 40
        assert "sim0 did not count" in reply.headers["x-allgate-notes"]


async def test_a_counter_that_is_slow_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allgate.gateway.count.DEADLINE_S", 0.05)
    path, body, _ = BODIES["anthropic"]
    async with stand({"m": ["sim-echo"]}) as s:
        s.sim.script("mute")
        reply = await s.post(path, body)
        assert "did not count" in reply.headers["x-allgate-notes"]


async def test_a_connection_that_went_stale_is_no_reason_to_guess() -> None:
    path, body, _ = BODIES["anthropic"]
    async with stand({"m": ["sim-echo"]}) as s:
        s.sim.script("stale=next")
        await s.post(path, body)
        reply = await s.post(path, body)
        assert reply.headers["x-allgate-upstream"] == "sim0"


async def test_counting_is_free() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        for path, body, _ in BODIES.values():
            await s.post(path, body)
        reply = await s.get("/v1/balance")
        assert reply.json["balance_usd"] == BALANCE_USD
        assert s.rows == []


async def test_a_count_of_an_unknown_model_is_not_found() -> None:
    async with stand({"other": ["sim-echo"]}) as s:
        for path, body, _ in BODIES.values():
            assert (await s.post(path, body)).status == 404
