"""A real turn that Anthropic paused, and the real answer when its own client went on: ours goes on with the same words."""

from pathlib import Path

import pytest
from readings import Sdk, Tools
from recorded import Recording, recordings
from replay import replay

from stand import KEY, serving

PAUSED = "anthropic-messages-pause-turn-web-search-streaming-vcr-2eed7314-01"
WENT_ON = "anthropic-messages-pause-turn-web-search-streaming-vcr-2eed7314-02"


def recorded(shared: Path, name: str) -> Recording:
    return next(one for one in recordings(shared) if one.id == name)


@pytest.mark.parametrize("client", ["openai_chat", "openai_responses", "gemini"])
async def test_a_recorded_pause_goes_on_to_its_recorded_end(client: str, shared: Path) -> None:
    first, second = recorded(shared, PAUSED), recorded(shared, WENT_ON)
    bodies: list[dict] = []
    async with (
        replay({"m": first}, {"m": second}, bodies) as origin,
        replay({"m": second}) as rest,
        serving(_configuration(origin)) as gateway,
        Sdk(origin, "sk-x") as of_first,
        Sdk(rest, "sk-x") as of_second,
        Sdk(gateway.url, KEY) as through,
    ):
        begun = await of_first.read("anthropic", "m", True, Tools())
        ended = await of_second.read("anthropic", "m", True, Tools())
        bodies.clear()
        seen = await through.read(client, "m", True, Tools())
    assert seen.text == begun.text + ended.text
    assert seen.thinking == begun.thinking
    assert seen.finish == ended.finish == "stop"
    assert seen.tokens == tuple(map(sum, zip(begun.tokens, ended.tokens, strict=True)))
    _, asked_on = bodies
    assert second.request is not None
    assert _told(asked_on["messages"][-1]) == _told(second.request["messages"][-1])


def _told(message: dict) -> list[tuple]:
    """What the vendor must find again: who, in which order, under which ids, with which seals."""
    seals = ("signature", "tool_use_id", "id", "input", "text")
    return [
        (message["role"], block["type"], *((name, block.get(name)) for name in seals))
        for block in message["content"]
    ]


def _configuration(origin: str) -> str:
    return (
        f'[server]\nlisten = "127.0.0.1:0"\ndrain_s = 0\n'
        f'[[upstreams]]\nname = "a"\nprovider = "anthropic"\nbase_url = "{origin}"\ncredentials = ["sk-x"]\n'
        '[[models]]\nname = "m"\ndeployments = [{ upstream = "a", model = "m" }]\n'
        'price = { input = "1", output = "2", web_search = "0" }\n'
        f'[[accounts]]\nname = "t"\nbalance_usd = "1000"\nkeys = [{{ name = "k", secret = "{KEY}" }}]\n'
    )
