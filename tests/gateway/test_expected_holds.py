"""What is held for a group that holds what is expected: through the gateway, on both databases.

The price is $3 a million tokens in and $15 out. The model's own output bound is 4,096 tokens.
"""

import asyncio
import json
from pathlib import Path

import pytest

from allgate.billing.output_sizes import SAMPLES_MIN
from allgate.cli.commands import apply
from allgate.simulator import server as simulator
from allgate.wiring.build import gateway
from allgate.wiring.settings_file import load
from stand import Stand, serving, stand, toml

IN, OUT = 3_000, 15_000
WORST = 4_096
EXPECTING = '[[groups]]\nname = "vip"\nhold = "expected"\n'
WORST_HELD = '[[groups]]\nname = "vip"\n'
MEMBER = 'group = "vip"\n'
AT_ONCE = 50


async def many_answers(s: Stand, prompt: str) -> None:
    """As many as an expectation takes."""
    for _ in range(0, SAMPLES_MIN, AT_ONCE):
        replies = await asyncio.gather(*(s.chat("m", prompt) for _ in range(AT_ONCE)))
        assert {reply.status for reply in replies} == {200}


def said(input_tokens: int, output_tokens: int) -> str:
    return f"!scene echo input={input_tokens} output={output_tokens}\nhello"


async def explained(s: Stand, **fields: object) -> dict:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    return (await s.post("/v1/chat/completions?explain=true", body)).json["money"]["hold"]


async def held(s: Stand, prompt: str = "hi", **fields: object) -> int:
    """Output tokens that a request's hold was for."""
    assert (await s.chat("m", prompt, **fields)).status == 200
    await s.settled()
    body = {
        "model": "m",
        "messages": [{"role": "user", "content": prompt}],
        "stream": False,
        **fields,
    }
    output, rest = divmod(s.rows[-1].hold_nano_usd - len(json.dumps(body)) * IN, OUT)
    assert rest == 0
    return output


async def test_what_99_of_100_answers_stay_within_is_held_once_enough_were_seen():
    async with stand({"m": ["gpt-5.5"]}, settings=f"drain_s = 0\n{EXPECTING}", account=MEMBER) as s:
        assert await held(s) == WORST
        shown = await explained(s)
        assert shown["output_tokens"] == WORST
        assert shown["output_because"].startswith("the worst case: 1 answers of the model were seen, 300")
        await many_answers(s, said(10, 2_000))
        shown = await explained(s)
        assert (shown["output_tokens"], shown["output_tokens_at_most"]) == (2_047, WORST)
        assert shown["output_because"].startswith("expected: what 99 of 100 answers")
        assert await held(s) == 2_047
        assert await held(s, n=1) == 2_047


async def test_short_answers_are_held_for_at_a_floor_of_1000_tokens():
    async with stand({"m": ["gpt-5.5"]}, settings=f"drain_s = 0\n{EXPECTING}", account=MEMBER) as s:
        await many_answers(s, said(10, 5))
        assert await held(s) == 1_000


async def test_what_is_expected_is_never_above_the_worst_case():
    async with stand({"m": ["gpt-5.5"]}, settings=f"drain_s = 0\n{EXPECTING}", account=MEMBER) as s:
        await many_answers(s, said(10, 50_000))
        assert await held(s) == WORST
        assert await held(s, max_tokens=70) == 70
        assert (await explained(s))["output_because"].startswith("the worst case: it is not above")


async def test_what_an_answer_costs_beyond_an_expected_hold_is_an_overage_and_never_a_debt():
    settings = f"drain_s = 0\n{EXPECTING}"
    async with stand({"m": ["gpt-5.5"]}, settings=settings, account=MEMBER, balance_usd="1") as s:
        await many_answers(s, said(10, 5))
        ledger = s.gateway.state.ledger
        before = ledger.balance_nano_usd("test")
        assert await held(s, said(10, 4_000)) == 1_000
        assert before - ledger.balance_nano_usd("test") == 10 * IN + 4_000 * OUT  # four times what was held
        assert await held(s, said(10, 1_000_000)) == 1_000
        assert ledger.balance_nano_usd("test") == 0
        assert ledger.book.balances["house:uncollected"] < 0


async def test_other_groups_hold_the_worst_case_and_nobody_measures_answers_for_them():
    async with stand({"m": ["gpt-5.5"]}, settings=f"drain_s = 0\n{WORST_HELD}", account=MEMBER) as s:
        await many_answers(s, said(10, 5))
        assert await held(s) == WORST
        assert (await explained(s))["output_because"] == "the worst case"
        assert s.gateway.state.recorder.sizes is None


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The settings of an empty database."""
    url = f"sqlite:///{tmp_path}/a.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    return f'[database]\nurl = "{url}"\n[secrets]\nmaster_key = "{"ab" * 32}"\n'


async def test_what_was_answered_before_a_start_is_read_from_the_log(database: str):
    async with await simulator.start() as sim:

        def configured(group: str) -> str:
            return toml(
                sim.url, {"m": ["gpt-5.5"]}, settings=f"drain_s = 0\n{database}{group}", account=MEMBER
            )

        async with serving(configured(WORST_HELD)) as first:
            await many_answers(Stand(first, sim), said(10, 2_000))
        async with serving(configured(EXPECTING)) as second:
            assert (await explained(Stand(second, sim)))["output_tokens"] == 2_047


async def test_a_group_that_begins_to_expect_while_a_server_runs_needs_no_restart(tmp_path: Path):
    path = tmp_path / "allgate.toml"
    async with await simulator.start() as sim:

        def write(group: str) -> None:
            path.write_text(
                toml(sim.url, {"m": ["gpt-5.5"]}, settings=f"drain_s = 0\n{group}", account=MEMBER)
            )

        write(WORST_HELD)
        async with gateway(load(path, {})) as running:
            s = Stand(running, sim)
            await many_answers(s, said(10, 2_000))
            await s.settled()
            assert (await explained(s))["output_tokens"] == WORST
            write(EXPECTING)
            await asyncio.to_thread(apply, path)
            while running.state.recorder.sizes is None:  # noqa: ASYNC110  the new rows are being swapped in
                await asyncio.sleep(0)
            await running.state.expectations.begin_now()
            assert (await explained(s))["output_tokens"] == 2_047
