"""Kept responses of nodes that share a PostgreSQL."""

import openai

from gateway.test_responses_store import asking
from stand import Stand, serving, simulator, toml

MASTER_KEY = f'[secrets]\nmaster_key = "{"ab" * 32}"\n'


async def test_what_one_node_answered_another_continues_at_once(postgres_url: str) -> None:
    async with await simulator.start() as sim:
        settings = f'drain_s = 0\n[database]\nurl = "{postgres_url}"\n{MASTER_KEY}'
        text = toml(sim.url, {"m": ["sim-echo"]}, settings=settings, dialects=["anthropic"])
        async with (
            serving(text) as one,
            serving(text) as other,
            asking(Stand(one, sim)) as first,
            asking(Stand(other, sim)) as second,
        ):
            previous: str | openai.Omit = openai.omit
            for number, client in enumerate([first, second] * 3):
                asked = {"model": "m", "input": f"number {number}", "previous_response_id": previous}
                previous = (await client.responses.create(**asked)).id
            sent = str(sim.ledger.body(sim.ledger.last))
            assert [sent.count(f"'number {number}'") for number in range(6)] == [1] * 6
            assert (await first.responses.retrieve(previous)).output_text == "You said: number 5"
