"""A gateway with every model of seed document 000, each by its family alone, at its own vendor.

No row says a capability, a name of the vendor's or a rule: what the tests see comes from the families. Three rows more say
what an operator may: doors that are closed, safety settings, and an o-series model.
"""

import json
from collections.abc import Generator
from contextlib import contextmanager

from allgate.simulator.in_thread import running
from catalogue.test_family import OF_SEED_000, packaged
from stand import KEY
from standing import PRICE, House, gateway_of

VENDORS = {
    "openai": ('provider = "openai"\nbase_url = "{}/v1"', "openai"),
    "anthropic": ('provider = "anthropic"\nbase_url = "{}"', "anthropic"),
    "google": ('provider = "gemini"\nbase_url = "{}"', "google"),
    "xai": ('provider = "xai"\nbase_url = "{}/v1"', "xai"),
}
SAFETY = {"HARM_CATEGORY_HARASSMENT": "BLOCK_ONLY_HIGH"}
MORE = (
    ("chat-only", "gpt-5.5", 'endpoints = ["openai_chat", "anthropic"]'),
    ("safe", "gemini-3.5-flash", 'safety = { HARM_CATEGORY_HARASSMENT = "BLOCK_ONLY_HIGH" }'),
    ("o1-preview", "o1", ""),
    ("claude-3-7-sonnet-20250219", "claude-3-7-sonnet", ""),
    ("gpt-4o-mini", "gpt-4o-mini", ""),
)


def configuration(origin: str) -> str:
    families = packaged()
    by_public = {family.public: family.name for family in families.values()}
    rows = [*((name, by_public[name], "") for name in OF_SEED_000), *MORE]
    upstreams = (
        f'[[upstreams]]\nname = "{name}"\ncredentials = ["sk-up"]\n{row.format(origin)}\n'
        for name, (row, _) in VENDORS.items()
    )
    models = (
        f"[[models]]\nname = {json.dumps(name)}\nfamily = {json.dumps(family)}\nprice = {PRICE}\n{more}\n"
        f"deployments = [{{ upstream = {json.dumps(families[family].owned_by)} }}]\n"
        for name, family, more in rows
    )
    return (
        '[server]\nlisten = "127.0.0.1:0"\ndrain_s = 0\n[egress]\nallowed_networks = ["127.0.0.0/8"]\n'
        + "".join(upstreams)
        + "".join(models)
        + f'[[accounts]]\nname = "test"\nbalance_usd = "1000"\nkeys = [{{ name = "k", secret = "{KEY}" }}]\n'
    )


@contextmanager
def by_families() -> Generator[House]:
    with running() as sim, gateway_of(configuration(sim.url)) as url:
        yield House(url, sim, "")
