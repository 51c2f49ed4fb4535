"""Who may ask for what, and whether the money is there: all of it before a single upstream byte."""

import asyncio

import pytest

from allgate.core.money import usd
from stand import KEY, stand

CHAT = "/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer  {KEY} "},
        {"authorization": "", "x-api-key": KEY},
        {"authorization": "Basic x", "x-goog-api-key": KEY},
        {"authorization": "", "api-key": KEY},
    ],
)
async def test_every_form_of_key_is_taken(headers: dict[str, str]) -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        assert (await s.post(CHAT, BODY, headers)).status == 200


async def test_a_key_in_the_query_is_taken() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        assert (await s.post(f"{CHAT}?key={KEY}", BODY, {"authorization": ""})).status == 200


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer sk-wrong", f"Bearer {KEY}x", f"Token {KEY}"])
async def test_a_wrong_key_is_a_401_and_nothing_is_sent(key: str) -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        reply = await s.post(CHAT, BODY, {"authorization": key})
        assert reply.status == 401
        assert reply.json["error"]["code"] == "invalid_api_key"
        assert not s.sim.ledger.lines


async def test_an_unknown_model_is_told_in_the_words_of_the_requirements() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        reply = await s.chat("M")  # names are case-sensitive
        assert reply.status == 404
        assert reply.json == {
            "error": {
                "message": "The model 'M' does not exist",
                "type": "invalid_request_error",
                "param": "model",
                "code": "model_not_found",
            }
        }


async def test_a_model_without_a_price_is_refused() -> None:
    async with stand({"m": ["sim-echo"]}, price="") as s:
        reply = await s.chat("m")
        assert reply.json["error"]["code"] == "price_missing"
        assert not s.sim.ledger.lines


async def test_a_request_that_the_balance_does_not_cover_is_refused_before_it_is_sent() -> None:
    async with stand({"m": ["sim-echo"]}, balance_usd="0.0001") as s:
        reply = await s.chat("m", max_tokens=1000)
        assert reply.status == 429
        assert reply.json["error"]["code"] == "insufficient_quota"
        assert reply.headers["x-should-retry"] == "false"
        assert "retry-after" not in reply.headers
        assert not s.sim.ledger.lines


async def test_of_200_parallel_requests_exactly_those_that_the_balance_affords_run() -> None:
    """Balance for 50 worst cases; every charge equals its hold; all 200 are sent before the first answer."""
    async with stand({"m": ["sim-echo,hold=h"]}, price=PER_CALL, balance_usd="50") as s:
        asking = [asyncio.create_task(s.chat("m", "x")) for _ in range(200)]
        await s.sim.wait_for(lambda _: sum(line.holding == "h" for line in s.sim.ledger.lines) == 50)
        done, _ = await asyncio.wait(asking, timeout=None, return_when=asyncio.FIRST_COMPLETED)
        assert all(task.result().status == 429 for task in done)
        s.sim.release("h")
        replies = await asyncio.gather(*asking)
        assert sorted(reply.status for reply in replies) == [200] * 50 + [429] * 150
        assert s.gateway.state.ledger.available_nano_usd("test") == 0


async def test_the_cost_is_in_the_header_and_is_what_the_account_pays() -> None:
    async with stand({"m": ["sim-echo,input=1000,output=200"]}) as s:
        reply = await s.chat("m")
        assert reply.headers["x-allgate-cost-usd"] == "0.006"  # 1000 × 3 $/M + 200 × 15 $/M
        assert s.gateway.state.ledger.available_nano_usd("test") == usd("1000") - usd("0.006")


async def test_the_model_list_needs_a_key_and_shows_what_it_may_use() -> None:
    async with stand({"a": ["sim-echo"], "b": ["sim-echo"]}) as s:
        assert [model["id"] for model in (await s.get("/v1/models")).json["data"]] == ["a", "b"]
        assert (await s.get("/v1/models/b")).json["id"] == "b"
        assert (await s.get("/v1/models/c")).status == 404
        assert (await s.get("/v1/models", {"authorization": ""})).status == 401


async def test_health_and_metrics_answer_without_a_key() -> None:
    async with stand({"m": ["sim-echo"]}) as s:
        await s.chat("m")
        for path in ("/livez", "/readyz"):
            assert (await s.get(path, {"authorization": ""})).body == b"ok\n"
        metrics = (await s.get("/metrics", {"authorization": ""})).body.decode()
        assert 'gen_ai_request_model="m"' in metrics
        assert "allgate_holds_open 0" in metrics


PER_CALL = '{ input = "0", output = "0", call = "1" }'
