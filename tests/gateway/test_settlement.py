"""What a request costs, however it ends: each row of docs/money.md, through the real gateway, to the nano-USD.

The price is $3 a million tokens in and $15 out: 3,000 and 15,000 nano-USD a token. A scene that reports 1,000 tokens in and
100 out costs 4,500,000.
"""

import asyncio
import json

import pytest

from allgate.gateway.exchange import DRAIN_TICKS, Exchange
from stand import ASK, BALANCE_USD, Reply, Stand, connection, stand

IN, OUT = 3_000, 15_000
REPORTED = "input=1000,output=100"
COST = 1_000 * IN + 100 * OUT
DOORS = pytest.mark.parametrize("dialect", list(ASK))


def charged(s: Stand) -> int:
    """What left the account, in nano-USD. Also: the log says the same, in one line."""
    balance = s.gateway.state.ledger.balance_nano_usd("test")
    spent = int(BALANCE_USD) * 10**9 - balance
    assert [row.charged_nano_usd for row in s.rows] == [spent]
    return spent


def tokens(text: str | bytes) -> int:
    """As we count: four bytes a token, rounded up."""
    return -(-len(text.encode() if isinstance(text, str) else text) // 4)


async def asked(s: Stand, dialect: str) -> Reply:
    path, body = ASK[dialect]
    return await s.post(path, body)


@DOORS
async def test_a_success_costs_what_the_provider_reports(dialect: str):
    async with stand({"m": [f"sim-echo,{REPORTED}"]}) as s:
        assert (await asked(s, dialect)).status == 200
        await s.settled()
        assert charged(s) == COST
        assert not s.rows[0].usage.estimated


async def test_a_unary_success_says_its_cost_in_a_header():
    async with stand({"m": [f"sim-echo,{REPORTED}"]}) as s:
        assert (await s.chat("m")).headers["x-allgate-cost-usd"] == "0.0045"
        assert charged(s) == COST


@DOORS
@pytest.mark.parametrize(
    "scene", ["sim-error", "sim-rate_limit", "sim-overloaded", "sim-html", "sim-reset_after"]
)
async def test_an_error_before_output_is_free(scene: str, dialect: str):
    async with stand({"m": [scene]}) as s:
        await asked(s, dialect)
        await s.settled()
        assert charged(s) == 0
        assert s.rows[0].outcome == "failed"


@DOORS
async def test_an_error_in_band_before_output_is_free(dialect: str):
    async with stand({"m": ["sim-error_frame,error_at=0"]}) as s:
        await asked(s, dialect)
        await s.settled()
        assert charged(s) == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_an_empty_answer_is_free(stream: bool):
    async with stand({"m": ["sim-empty,output=0"]}) as s:
        assert (await s.chat("m", stream=stream)).status == 200
        await s.settled()
        assert charged(s) == 0


@DOORS
@pytest.mark.parametrize("how", ["close", "reset", "end"])
async def test_a_cut_answer_costs_what_was_delivered_and_is_marked_estimated(how: str, dialect: str):
    async with stand({"m": [f"sim-paced,words=50,delay_ms=0,cut=12,how={how}"]}) as s:
        await asked(s, dialect)
        await s.settled()
        row = s.rows[0]
        assert (row.outcome, row.usage.estimated) == ("cut", True)
        usage = row.usage
        assert 0 < usage.output_tokens < 50
        assert charged(s) == usage.input_tokens * IN + usage.output_tokens * OUT


async def test_a_cut_answer_is_counted_by_its_bytes():
    async with stand({"m": ["sim-paced,words=50,delay_ms=0,cut=12"]}) as s:
        _, body = ASK["openai_chat"]
        reply = await asked(s, "openai_chat")
        await s.settled()
        assert charged(s) == tokens(json.dumps(body)) * IN + tokens(reply.text) * OUT


async def test_a_cut_answer_costs_the_larger_of_what_was_reported_and_what_was_delivered():
    async with stand({"m": ["sim-usage_every,words=50,cut=12,input=1000,output=1"]}) as s:
        reply = await asked(s, "openai_chat")
        await s.settled()
        assert tokens(reply.text) > 1
        assert charged(s) == 1_000 * IN + tokens(reply.text) * OUT


async def test_a_client_that_leaves_before_output_pays_nothing():
    async with stand({"m": ["sim-echo,hold=h"]}) as s:
        async with connection(s.gateway.url) as line:
            await line.send(*ASK["openai_chat"])
            await s.sim.wait_for(lambda line: line.holding == "h")
        await s.sim.wait_for(lambda line: line.peer_closed)
        await s.settled()
        assert charged(s) == 0


async def test_a_client_that_leaves_pays_for_what_was_relayed_and_the_provider_is_hung_up():
    async with stand({"m": ["sim-paced,words=50,delay_ms=0,hold=h,hold_at=12"]}) as s:
        async with connection(s.gateway.url) as line:
            await line.send(*ASK["openai_chat"])
            await line.read_head()
            await line.read_chunk()
            await s.sim.wait_for(lambda line: line.holding == "h")
        await s.sim.wait_for(lambda line: line.peer_closed)
        await s.settled()
        usage = s.rows[0].usage
        assert (s.rows[0].outcome, usage.estimated) == ("client_gone", True)
        assert 0 < usage.output_tokens < 50
        assert charged(s) == usage.input_tokens * IN + usage.output_tokens * OUT


def policy(word: str) -> str:
    return f'drain_s = 0\n[stream]\nclient_gone = "{word}"\n'


async def left_in_the_middle(s: Stand) -> Exchange:
    """A client that leaves a stream of which some has reached it. The exchange that goes on without it, if any."""
    async with connection(s.gateway.url) as line:
        await line.send(*ASK["openai_chat"])
        await line.read_head()
        await line.read_chunk()
        await s.sim.wait_for(lambda line: line.holding == "h")
        (exchange,) = s.gateway.services.exchanges._open
    while not (exchange._drain_until or exchange.ended.done()):  # noqa: ASYNC110  its client's end is noticed by then
        await asyncio.sleep(0)
    return exchange


HELD = "words=50,delay_ms=0,hold=h,hold_at=12"


async def test_where_the_policy_is_drain_an_answer_is_read_on_and_costs_what_is_reported():
    async with stand({"m": [f"sim-paced,{HELD},{REPORTED}"]}, settings=policy("drain")) as s:
        await left_in_the_middle(s)
        s.sim.release("h")
        await s.settled()
        assert charged(s) == COST
        assert (s.rows[0].outcome, s.rows[0].usage.estimated) == ("client_gone", False)


async def test_where_the_policy_is_drain_it_ends_after_half_a_minute_and_costs_what_was_relayed():
    async with stand({"m": [f"sim-paced,{HELD},{REPORTED}"]}, settings=policy("drain")) as s:
        exchange = await left_in_the_middle(s)
        for _ in range(DRAIN_TICKS - 1):
            s.gateway.services.exchanges.tick()
        assert not exchange.ended.done()
        s.gateway.services.exchanges.tick()
        assert exchange.ended.done()
        await s.sim.wait_for(lambda line: line.peer_closed)
        await s.settled()
        usage = s.rows[0].usage
        assert (s.rows[0].outcome, usage.estimated) == ("client_gone", True)
        assert charged(s) == usage.input_tokens * IN + usage.output_tokens * OUT > 0


async def test_where_the_policy_is_none_a_client_that_leaves_pays_nothing():
    async with stand({"m": [f"sim-paced,{HELD},{REPORTED}"]}, settings=policy("none")) as s:
        await left_in_the_middle(s)
        await s.sim.wait_for(lambda line: line.peer_closed)
        await s.settled()
        assert charged(s) == 0
        assert s.rows[0].outcome == "client_gone"


@pytest.mark.parametrize("stream", [False, True])
async def test_usage_that_is_missing_is_counted_by_us_and_marked_estimated(stream: bool):
    async with stand({"m": ["sim-no_usage"]}) as s:
        body = {"model": "m", "messages": [{"role": "user", "content": "hello there"}], "stream": stream}
        reply = await s.post("/v1/chat/completions", body)
        await s.settled()
        assert s.rows[0].usage.estimated
        assert charged(s) == tokens(json.dumps(body)) * IN + tokens(reply.text) * OUT


@DOORS
async def test_cumulative_usage_blocks_are_not_added_up(dialect: str):
    async with stand({"m": [f"sim-usage_every,words=20,{REPORTED}"]}) as s:
        await asked(s, dialect)
        await s.settled()
        assert charged(s) == COST


async def test_a_response_that_is_incomplete_costs_what_it_reports():
    async with stand({"m": [f"sim-length,{REPORTED}"]}) as s:
        reply = await asked(s, "openai_responses")
        await s.settled()
        assert reply.frames[-1]["type"] == "response.incomplete"
        assert (charged(s), s.rows[0].outcome) == (COST, "ok")


@pytest.mark.parametrize("stream", [False, True])
async def test_an_explicit_zero_is_zero_and_not_estimated(stream: bool):
    async with stand({"m": ["sim-echo,input=0,output=0"]}) as s:
        assert (await s.chat("m", stream=stream)).text
        await s.settled()
        assert charged(s) == 0
        assert (s.rows[0].outcome, s.rows[0].usage.estimated) == ("ok", False)


@DOORS
async def test_a_fallback_is_charged_once_for_the_candidate_that_answered(dialect: str):
    async with stand({"m": ["sim-error", f"sim-echo,{REPORTED}"]}) as s:
        assert (await asked(s, dialect)).status == 200
        await s.settled()
        assert (charged(s), s.rows[0].attempts) == (COST, 2)


async def test_more_than_was_held_is_charged_in_full():
    async with stand({"m": [f"sim-echo,{REPORTED}"]}) as s:
        await s.chat("m", max_tokens=1)
        assert s.rows[0].hold_nano_usd < COST
        assert charged(s) == COST


async def test_what_the_balance_cannot_cover_is_the_houses_and_the_account_ends_at_zero():
    async with stand({"m": [f"sim-echo,{REPORTED}"]}, balance_usd="0.002") as s:
        reply = await s.chat("m", max_tokens=1)
        ledger = s.gateway.state.ledger
        assert ledger.balance_nano_usd("test") == 0
        assert ledger.balance_nano_usd("house:uncollected") == 2_000_000 - COST
        receipt = (await s.get(f"/v1/requests/{reply.headers['x-request-id']}")).json
        assert (receipt["charged_usd"], receipt["uncollected_usd"]) == ("0.0045", "0.0025")


async def test_a_hosted_tool_without_a_price_is_refused_before_anybody_is_asked():
    async with stand({"m": ["gpt-5.5"]}) as s:
        body = {"model": "m", "input": "hi", "tools": [{"type": "web_search"}]}
        reply = await s.post("/v1/responses", body)
        assert (reply.status, reply.error["code"]) == (503, "price_missing")
        assert "no price for web_search" in reply.error["message"]
        assert s.rows == []


async def test_the_hold_covers_ten_calls_of_each_hosted_tool_that_is_asked_for():
    price = '{ input = "3", output = "15", web_search = "0.01" }'
    async with stand({"m": ["gpt-5.5"]}, price=price) as s:
        body = {"model": "m", "input": "hi", "max_output_tokens": 1000, "tools": [{"type": "web_search"}]}
        assert (await s.post("/v1/responses", body)).status == 200
        await s.settled()
        assert s.rows[0].hold_nano_usd == len(json.dumps(body)) * IN + 1_000 * OUT + 10 * 10_000_000


async def test_long_prompts_and_groups_have_prices_of_their_own_and_the_receipt_shows_them():
    price = '{ input = "3", output = "15", variants = [{ above_input_tokens = 999, input = "6" }] }'
    group = 'drain_s = 0\n[[groups]]\nname = "vip"\nratio = "2"\nmodel_ratios = { m = "0.8" }\n'
    async with stand(
        {"m": [f"sim-echo,{REPORTED}"]}, price=price, settings=group, account='group = "vip"\n'
    ) as s:
        reply = await s.chat("m")
        assert charged(s) == (1_000 * 2 * IN + 100 * OUT) * 8 // 10
        receipt = (await s.get(f"/v1/requests/{reply.headers['x-request-id']}")).json
    assert receipt["charged_usd"] == "0.006"
    assert receipt["price_sheet"].startswith("m@")
    assert receipt["price_sheet"].endswith("*0.8")
    assert (receipt["variants"], receipt["ratio"]) == (["above 999 input tokens"], "0.8")
    assert receipt["lines"] == [
        {"unit": "input", "quantity": 1000, "price_usd": "6", "per": 1_000_000},
        {"unit": "output", "quantity": 100, "price_usd": "15", "per": 1_000_000},
    ]
    assert receipt["price_valid_from"].startswith("20")
