"""A conversation stays where its reasoning was sealed, whichever of many equal accounts of a vendor that is."""

from itertools import product

import pytest

from allgate.simulator import server as simulator
from conversations.talkers import sdks
from conversations.vendors import CLIENTS, VENDORS
from stand import KEY, serving

ACCOUNTS = 4
SEALING = ("gpt-responses", "claude-sonnet", "gemini-3")


def configuration(sim_url: str) -> str:
    """Each vendor's model at several equal upstreams, each with two keys."""
    upstreams, models = "", ""
    for name in SEALING:
        vendor, model = VENDORS[name].vendor, VENDORS[name].model
        deployments = ", ".join(
            f'{{ upstream = "{name}-{n}", model = "{model}"{vendor.caps} }}' for n in range(ACCOUNTS)
        )
        upstreams += "".join(
            f'[[upstreams]]\nname = "{name}-{n}"\ncredentials = ["sk-up-{n:02d}k1", "sk-up-{n:02d}k2"]\n'
            + vendor.toml(sim_url)
            for n in range(ACCOUNTS)
        )
        models += f'[[models]]\nname = "{name}"\nprice = {{ input = "1", output = "1" }}\ndeployments = [{deployments}]\n'
    account = f'[[accounts]]\nname = "t"\nbalance_usd = "9"\nkeys = [{{ name = "k", secret = "{KEY}" }}]\n'
    return f'[server]\nlisten = "127.0.0.1:0"\ndrain_s = 0\n{upstreams}{models}{account}'


@pytest.mark.parametrize("client", CLIENTS)
async def test_every_turn_goes_to_the_account_that_sealed_the_last(
    client: str, subtests: pytest.Subtests
) -> None:
    async with (
        await simulator.start() as sim,
        serving(configuration(sim.url)) as gateway,
        sdks(gateway.url, KEY) as clients,
    ):
        for name, stream in product(SEALING, (False, True)):
            with subtests.test(vendor=name, stream=stream):
                before = len(sim.ledger.lines)
                talker = clients.talker(client, name, stream=stream, think=VENDORS[name].asked_by(client))
                for number in range(5):
                    sim.script(f"think thinking='{name} {stream} {number}'")
                    await talker.say(f"Hello for the {number}. time")
                lines = sim.ledger.lines[before:]
                assert len({line.credential for line in lines}) == 1  # the account, and which of its keys
                assert [line.seals for line in lines] == [0, 1, 2, 3, 4]


async def test_a_node_remembers_no_more_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("allgate.gateway.affinity.SEALS_MAX", 2)
    async with (
        await simulator.start() as sim,
        serving(configuration(sim.url)) as gateway,
        sdks(gateway.url, KEY) as clients,
    ):
        for number in range(4):
            sim.script(f"think thinking='Thought {number}'")
            talker = clients.talker("anthropic", "claude-sonnet", stream=False, think="budget")
            await talker.say(f"Hello, {number}")
        assert len(gateway.services.seal_homes) == 2
