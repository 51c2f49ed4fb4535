"""Attempts that were sent and never answered: free for the client, and booked as what they may have cost the house.

The price is $3 a million tokens in; a token is four bytes of the request.
"""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from allgate.cli.money import verify
from allgate.storage.audit import audit
from allgate.storage.transfers import read_balances
from allgate.wiring.settings_file import load
from stand import ASK, Stand, connection, serving, simulator, stand, toml

IN = 3_000
PATH, BODY = ASK["openai_chat"]
COST = -(-len(json.dumps(BODY)) // 4) * IN
IMPATIENT = "drain_s = 0\n[timeouts]\nfirst_byte_s = 1\n"


async def booked(s: Stand) -> tuple[int, int]:
    """What the house has paid for attempts without an answer, and what it has earned."""
    await s.settled()
    state = s.gateway.state
    state.house_costs.flush()
    balances = state.database.writer.submit(read_balances).result()
    assert balances.get("house:providers", 0) == -balances.get("house:unanswered", 0)
    assert state.database.reader.submit(audit).result().drift_count == 0
    return -balances.get("house:unanswered", 0), balances.get("house:revenue", 0)


async def test_an_attempt_that_was_never_answered_is_free_and_booked_as_the_houses():
    async with stand({"m": ["sim-reset_after"]}) as s:
        assert (await s.post(PATH, BODY)).status == 502
        assert await booked(s) == (COST, 0)
        assert [row.charged_nano_usd for row in s.rows] == [0]
        assert b'allgate_attempts_unanswered_total{upstream="sim0"} 1' in s.gateway.state.metrics.render()


async def test_a_provider_that_says_nothing_until_our_patience_ends_did_not_answer():
    async with stand({"m": ["sim-echo,mute=true"]}, settings=IMPATIENT) as s:
        assert (await s.post(PATH, BODY)).status == 504
        assert await booked(s) == (COST, 0)


async def test_every_attempt_counts_and_the_answer_of_another_is_charged_as_ever():
    async with stand({"m": ["sim-reset_after", "sim-echo,input=1000,output=0"]}) as s:
        assert (await s.post(PATH, BODY)).status == 200
        assert await booked(s) == (COST, 1_000 * IN)
    async with stand({"m": ["sim-reset_after", "sim-reset_after"]}) as s:
        assert (await s.post(PATH, BODY)).status == 502
        assert await booked(s) == (2 * COST, 0)


async def test_a_client_that_leaves_before_output_may_cost_the_house_its_input():
    async with stand({"m": ["sim-echo,hold=h"]}) as s:
        async with connection(s.gateway.url) as line:
            await line.send(PATH, BODY)
            await s.sim.wait_for(lambda line: line.holding == "h")
        await s.sim.wait_for(lambda line: line.peer_closed)
        assert await booked(s) == (COST, 0)


async def test_a_server_that_stops_books_what_it_breaks_off(tmp_path: Path):
    settings = f'drain_s = 0\n[database]\nurl = "sqlite:///{tmp_path}/a.db"\n'
    async with await simulator.start() as sim, AsyncExitStack() as stack:
        text = toml(sim.url, {"m": ["sim-echo,hold=h"]}, settings=settings)
        async with serving(text) as running:
            line = await stack.enter_async_context(connection(running.url))
            await line.send(PATH, BODY)
            await sim.wait_for(lambda line: line.holding == "h")
        async with serving(text) as running:
            assert await booked(Stand(running, sim)) == (COST, 0)


@pytest.mark.parametrize("scene", ["sim-error", "sim-rate_limit", "sim-html", "sim-error_frame,error_at=0"])
async def test_an_error_is_an_answer_and_costs_nobody_anything(scene: str):
    async with stand({"m": [scene]}) as s:
        await s.post(PATH, BODY)
        assert await booked(s) == (0, 0)


async def test_what_was_never_sent_costs_nobody_anything():
    async with stand({"m": ["sim-echo"]}, base_urls={0: "http://127.0.0.1:9"}) as s:
        assert (await s.post(PATH, BODY)).status == 502
        assert await booked(s) == (0, 0)


async def test_a_kept_connection_that_the_provider_had_closed_took_nothing_in():
    async with stand({"m": ["sim-echo,stale=next,input=1000,output=0"]}) as s:
        statuses = [(await s.post(PATH, BODY)).status for _ in range(2)]
        assert statuses == [200, 200]
        assert await booked(s) == (0, 2 * 1_000 * IN)


async def test_the_price_is_the_sheets_whatever_a_group_pays():
    group = 'drain_s = 0\n[[groups]]\nname = "vip"\nratio = "5"\n'
    async with stand({"m": ["sim-reset_after"]}, settings=group, account='group = "vip"\n') as s:
        await s.post(PATH, BODY)
        assert await booked(s) == (COST, 0)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_it_outlives_the_process_on_either_database_and_verify_says_it(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    url = request.getfixturevalue("postgres_url") if kind == "postgresql" else f"sqlite:///{tmp_path}/a.db"
    settings = f'drain_s = 0\n[database]\nurl = "{url}"\n[secrets]\nmaster_key = "{"ab" * 32}"\n'
    async with await simulator.start() as sim:
        text = toml(sim.url, {"m": ["sim-reset_after"]}, settings=settings)
        async with serving(text) as running:
            assert (await Stand(running, sim).post(PATH, BODY)).status == 502
        async with serving(text) as running:
            assert await booked(Stand(running, sim)) == (COST, 0)
            await running.state.audits.audit()
            shown = running.state.metrics.render().decode()
            assert f"allgate_ledger_unanswered_nano_usd {COST}\n" in shown
    config = tmp_path / "allgate.toml"
    config.write_text(text)
    assert verify(load(config, {}))
    assert f"$0 uncollected, ${COST / 10**9:.6f} unanswered (estimated)" in capsys.readouterr().out
