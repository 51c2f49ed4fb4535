"""Budgets of keys and groups through the gateway: told in each dialect's words, charged and kept across a restart."""

import asyncio
from pathlib import Path

import pytest

from allgate.wiring.build import gateway
from allgate.wiring.settings_file import load
from gateway.test_shared_responses import MASTER_KEY
from stand import ASK, KEY, Stand, connection, serving, simulator, stand, toml

# $3 and $15 a million tokens: what the scene reports costs $0.0045
PROMPT = "!scene echo input=1000 output=100\nhello"
COST = 4_500_000


async def asked(s: Stand) -> int:
    return (await s.chat("m", PROMPT, max_tokens=100)).status


async def test_a_key_that_has_spent_its_budget_is_refused_and_the_account_is_not_touched():
    async with stand({"m": ["gpt-5.5"]}, key=', budget = { total = "0.01" }') as s:
        statuses = [await asked(s) for _ in range(4)]
        assert statuses == [200, 200, 429, 429]  # 0.009 is spent, and a hold of 0.0018 more is too much
        assert s.gateway.state.ledger.balance_nano_usd("test") == 1_000 * 10**9 - 2 * COST


@pytest.mark.parametrize(
    ("dialect", "status", "word"),
    [
        ("openai_chat", 429, "insufficient_quota"),
        ("openai_responses", 429, "insufficient_quota"),
        ("anthropic", 402, "billing_error"),
        ("gemini", 429, "AllgateBalancePerDay"),
    ],
)
async def test_a_budget_is_refused_in_the_words_of_each_dialect(dialect: str, status: int, word: str):
    path, body = ASK[dialect]
    async with stand({"m": ["gpt-5.5"]}, key=', budget = { daily = "0.000001" }') as s:
        reply = await s.post(path, body)
        assert reply.status == status
        assert word in reply.body.decode()
        assert "The daily budget of the key test/k is $0.000001: $0 is spent" in reply.body.decode()


async def test_a_failure_gives_its_part_of_the_budget_back():
    async with stand({"m": ["sim-error"]}, key=', budget = { total = "0.003" }') as s:
        assert [await asked(s) for _ in range(3)] == [500, 500, 500]


async def test_a_group_of_accounts_has_one_budget():
    group = 'drain_s = 0\n[[groups]]\nname = "team"\nbudget = { monthly = "0.005" }\n'
    async with stand({"m": ["gpt-5.5"]}, settings=group, account='group = "team"\n') as s:
        assert [await asked(s), await asked(s)] == [200, 429]


async def test_parallel_requests_do_not_overspend_a_budget():
    async with stand({"m": ["sim-echo,hold=h"]}, key=', budget = { total = "0.01" }') as s:
        requests = [asyncio.create_task(s.chat("m", "hello", max_tokens=200)) for _ in range(20)]
        while s.held + sum(one.done() for one in requests) < len(requests):  # noqa: ASYNC110  every one is decided then
            await asyncio.sleep(0)
        held = sum(one.amount_nano_usd for one in s.gateway.state.ledger.book.open_holds())
        assert 0 < held <= 10**7
        s.sim.release("h")
        replies = await asyncio.gather(*requests)
        assert {reply.status for reply in replies} == {200, 429}


async def test_what_was_spent_is_known_after_a_restart_and_to_a_budget_that_comes_later(tmp_path: Path):
    path = tmp_path / "allgate.toml"

    async def statuses(sim_url: str, key: str, count: int) -> list[int]:
        path.write_text(toml(sim_url, {"m": ["gpt-5.5"]}, settings="drain_s = 0", key=key))
        body = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": PROMPT}]}
        async with gateway(load(path, {})) as running:
            found = []
            for _ in range(count):
                async with connection(running.url) as line:
                    await line.send("/v1/chat/completions", body, {"authorization": f"Bearer {KEY}"})
                    found.append((await line.read()).status)
            return found

    async with stand({"m": ["gpt-5.5"]}) as s:
        assert await statuses(s.sim.url, "", 2) == [200, 200]
        assert await statuses(s.sim.url, ', budget = { total = "0.015" }', 1) == [200]
        assert await statuses(s.sim.url, ', budget = { total = "0.015" }', 1) == [429]
        assert await statuses(s.sim.url, ', budget = { daily = "0.014" }', 1) == [429]
        assert await statuses(s.sim.url, "", 1) == [200]


async def test_nodes_share_one_budget(postgres_url: str):
    """What fails gives its part back, what is charged counts on every node, and a restart knows it."""
    settings = f'drain_s = 0\n[database]\nurl = "{postgres_url}"\n{MASTER_KEY}'
    async with await simulator.start() as sim:
        models = {"m": ["gpt-5.5"], "broken": ["sim-error"]}
        text = toml(sim.url, models, settings=settings, key=', budget = { total = "0.01" }')
        async with serving(text) as one, serving(text) as other:
            first, second = Stand(one, sim), Stand(other, sim)
            failed = [await first.chat("broken", PROMPT, max_tokens=400) for _ in range(3)]
            assert [reply.status for reply in failed] == [500] * 3
            assert [await asked(first), await asked(second)] == [200, 200]
            assert [await asked(first), await asked(second)] == [429, 429]
        async with serving(text) as again:
            reply = await Stand(again, sim).chat("m", PROMPT, max_tokens=100)
            assert reply.status == 429
            assert b"The total budget of the key test/k is $0.01: $0.009 is spent" in reply.body
